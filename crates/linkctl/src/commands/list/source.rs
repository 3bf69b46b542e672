//! Where links are found: in live trees, or on volumes that need not be mounted.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use links::volume::{VolumeList, VolumeScan, VolumeStats};
use links::{Details, Error, Filter, Found, KindFilter, Progress, Receiver, ScanItem, ScanOptions, State};

use super::{ListArgs, VERB};
use crate::args::Format;
use crate::commands::volume::{confined, open, reading};
use crate::failure::{Failure, remark, say};
use crate::session::{ticking, volumes_away};

/// All that was found, and what could not be read.
pub(super) struct Listing {
    pub(super) found: Vec<Found>,
    pub(super) errors: Vec<Error>,
    /// How many entries were looked at in live trees.
    pub(super) entries: Option<u64>,
    /// How each partition was read, where that was asked for.
    pub(super) stats: Option<Vec<(Option<u32>, VolumeStats)>>,
}

/// Everything, in the order of paths; with a count on a terminal, since nothing else shows yet.
pub(super) fn live(options: &ScanOptions) -> Listing {
    let progress = Progress::default();
    let message = || format!("{} links in {} entries", progress.found(), progress.entries());
    let finds = ticking(message, |bar| {
        links::visit(options, &progress, || Finds { bar: bar.clone(), found: Vec::new(), errors: Vec::new() })
    });
    remark(&progress.remarks());
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for finds in finds {
        found.extend(finds.found);
        errors.extend(finds.errors);
    }
    links::sort_by_path(&mut found, |found| paths(found).first().map_or(Path::new(""), PathBuf::as_path));
    Listing { found, errors, entries: Some(progress.entries()), stats: None }
}

/// What one worker found.
struct Finds {
    bar: ProgressBar,
    found: Vec<Found>,
    errors: Vec<Error>,
}

impl Receiver for Finds {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        match item {
            Ok(found) => self.found.push(found),
            Err(error) => {
                self.bar.suspend(|| say(&VERB, &error));
                self.errors.push(error);
            }
        }
        ControlFlow::Continue(())
    }
}

/// The path of a link, or those of a file.
pub(super) fn paths(found: &Found) -> &[PathBuf] {
    match found {
        Found::Path(path) => std::slice::from_ref(path),
        Found::Link(link) => std::slice::from_ref(&link.path),
        Found::HardLinks(group) => &group.paths,
    }
}

/// What is on volumes, in the order of the volumes.
pub(super) fn volumes(args: &ListArgs, format: Format) -> Result<Listing, Failure> {
    let opened = open(&args.volume, &args.drive)?;
    let filter = filter(args)?;
    let scan = VolumeScan {
        filter,
        roots: args.paths.clone(),
        points_to: args.points_to.clone(),
        max_depth: args.max_depth.map(NonZeroUsize::get),
        details: if args.summary { Details::Identity } else { details(format) },
        full: args.full_scan,
    };
    let (mut found, mut errors, mut stats) = (Vec::new(), Vec::new(), Vec::new());
    for (volume, scan) in confined(&opened.volumes, &scan)? {
        let VolumeList { found: some, errors: failed, stats: took, .. } = reading(volume, |volume| volume.list(&scan))?;
        failed.iter().for_each(|error| say(&VERB, error));
        found.extend(some);
        errors.extend(failed);
        stats.push((volume.partition(), took));
    }
    Ok(Listing { found, errors, entries: None, stats: args.stats.then_some(stats) })
}

/// What to look for; and whether something could not be read already.
pub(super) fn options(args: &ListArgs, format: Format) -> Result<(ScanOptions, bool), Failure> {
    let mut unread = false;
    let mut filter = filter(args)?;
    if let Some(path) = &args.points_to {
        for error in filter.points_to(path)? {
            say(&VERB, &error);
            unread = true;
        }
    }
    let roots = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut options = ScanOptions::new(roots);
    options.filter = filter;
    options.one_file_system = args.one_file_system;
    options.drive = args.drive.letter();
    options.max_depth = args.max_depth.map(NonZeroUsize::get);
    options.workers = args.jobs.map(NonZeroUsize::get);
    options.details = details(format);
    options.volumes_away = volumes_away();
    Ok((options, unread))
}

/// What a format tells of a link.
fn details(format: Format) -> Details {
    match format {
        Format::Paths => Details::Path,
        Format::Table => Details::State,
        Format::Json | Format::Ndjson | Format::Csv => Details::Resolved,
    }
}

/// Which links are wanted, but for where they lead.
fn filter(args: &ListArgs) -> Result<Filter, Failure> {
    let asked = !args.state.is_empty();
    let mut filter = Filter::new(args.kind.iter().copied(), args.state.iter().copied());
    if args.hard {
        filter.kinds.push(KindFilter::HARD);
    }
    if args.broken {
        filter.states.retain(|state| state.is_broken());
        if filter.states.is_empty() && asked {
            return Err(Failure::usage("no state asked for is a broken one", "leave out --broken, or --state"));
        }
        if !asked {
            filter.states.extend(State::ALL.into_iter().filter(|state| state.is_broken()));
        }
    }
    if let Some(glob) = &args.target {
        filter.target(glob)?;
    }
    if let Some(glob) = &args.name {
        filter.name(glob)?;
    }
    filter.exclude(&args.exclude)?;
    Ok(filter)
}
