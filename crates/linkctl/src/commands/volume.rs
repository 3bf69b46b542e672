//! `--volume`: the verbs that read, on a volume that need not be mounted.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use links::check::{Rule, Rules};
use links::names::Names;
use links::volume::{self, Volume, VolumeList, VolumeScan, VolumeStats, Volumes};
use links::{Details, Found, Inspection};

use super::check::Judged;
use super::list::{details, filter, print, remark, ticking};
use super::summary;
use crate::args::{CheckArgs, DriveOption, Format, ListArgs, ShowArgs, VolumeOptions};
use crate::exit::Exit;
use crate::failure::{Failure, complain, say};
use crate::output::{self, json, table};

/// `linkctl list --volume`.
pub(super) fn list(args: ListArgs, format: Format) -> Result<Exit, Failure> {
    if args.summary {
        summary::check(format)?;
    }
    let opened = open(&args.volume, &args.drive)?;
    let filter = filter(&args)?;
    let scan = VolumeScan {
        filter,
        roots: args.paths,
        points_to: args.points_to,
        max_depth: args.max_depth.map(std::num::NonZeroUsize::get),
        details: if args.summary { Details::Identity } else { details(format) },
        full: args.full_scan,
    };
    let (mut found, mut errors, mut stats) = (Vec::new(), Vec::new(), Vec::new());
    for (volume, scan) in confined(&opened.volumes, &scan)? {
        let VolumeList { found: some, errors: failed, stats: took, .. } =
            reading(volume, |volume| volume.list(&scan))?;
        failed.iter().for_each(|error| say("list", error));
        found.extend(some);
        errors.extend(failed);
        stats.push((volume.partition(), took));
    }
    let failed = !errors.is_empty();
    if args.summary {
        summary::of_volumes(&found, errors, format)?;
    } else if format == Format::Json {
        let (links, errors) =
            (found.iter().map(Into::into).collect(), errors.iter().map(Into::into).collect());
        let records =
            stats.iter().map(|(partition, took)| json::StatsRecord::new(*partition, took)).collect();
        let stats = args.stats.then_some(records);
        json::print(&json::ListDocument { schema: json::SCHEMA, links, errors, stats })?;
    } else if format == Format::Table {
        let mut out = output::stdout();
        table::links(&mut out, &found)?;
        out.flush()?;
        if io::stderr().is_terminal() && io::stdout().is_terminal() {
            total(&found);
        }
    } else {
        print(&found, format, args.output.null)?;
    }
    if args.stats && format != Format::Json {
        stats.iter().for_each(|(partition, took)| tell(*partition, took));
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// Refuses rules that a volume alone cannot answer for.
pub(super) fn check_rules(rules: &[Rule]) -> Result<(), Failure> {
    let Some(rule) = rules.iter().find(|rule| rule.needs_system()) else { return Ok(()) };
    let text = format!("the rule {rule} needs a volume that is mounted");
    Err(Failure::usage(text, "with --volume, the rules are missing, loop, too-long, wrong-kind, long-chain"))
}

/// `linkctl check --volume`.
pub(super) fn check(args: &CheckArgs, rules: &Rules) -> Result<Judged, Failure> {
    let opened = open(&args.volume, &args.drive)?;
    let mut scan = VolumeScan { roots: args.paths.clone(), details: Details::State, ..VolumeScan::default() };
    scan.filter.exclude(&args.exclude)?;
    let (mut blamed, mut errors) = (Vec::new(), Vec::new());
    for (volume, scan) in confined(&opened.volumes, &scan)? {
        let list = reading(volume, |volume| volume.list_chains(&scan))?;
        for (found, chain) in list.found.into_iter().zip(&list.chains) {
            if let Found::Link(link) = found {
                let blames = rules.judge_chain(&link, chain);
                blamed.extend(blames.into_iter().map(|blame| (link.clone(), blame)));
            }
        }
        list.errors.iter().for_each(|error| say("check", error));
        errors.extend(list.errors);
    }
    Ok((blamed, errors))
}

/// `linkctl show --volume`.
pub(super) fn inspect(args: &ShowArgs) -> Result<(Inspection, Option<Names>), Failure> {
    let opened = open(&args.volume, &args.drive)?;
    let volume = one(&opened.volumes, &args.path)?;
    Ok(volume.inspect(&args.path)?)
}

/// Opens the volumes of the source that was named, and says what is worth knowing about it.
fn open(options: &VolumeOptions, drive: &DriveOption) -> Result<Volumes, Failure> {
    let source = options.volume.as_deref().unwrap_or(Path::new(""));
    let opened = volume::open(source, options.partition, drive.drive)?;
    remark(&opened.notes);
    Ok(opened)
}

/// Runs something on a volume, with what was read so far on the terminal.
fn reading<T>(volume: &Volume, work: impl FnOnce(&Volume) -> T) -> T {
    ticking(|| format!("{} MiB read", volume.bytes_read() >> 20), || work(volume))
}

/// The volume that a path is on.
fn one<'v>(volumes: &'v [Volume], path: &Path) -> Result<&'v Volume, Failure> {
    let mut named = volumes.iter().filter(|volume| volumes.len() == 1 || volume.names_itself(path));
    named.next().ok_or_else(|| {
        let text = format!("{} is on one of several volumes", output::sanitize::quoted(path));
        let roots: Vec<&str> = volumes.iter().map(Volume::root).collect();
        let hint = format!("say which with --partition, or begin the path with {}", roots.join(", "));
        Failure::usage(text, hint)
    })
}

/// Each volume, with the paths that are on it. Where paths are named, volumes without one are left out.
fn confined<'v>(volumes: &'v [Volume], scan: &VolumeScan) -> Result<Vec<(&'v Volume, VolumeScan)>, Failure> {
    let mut all: Vec<(&Volume, VolumeScan)> =
        volumes.iter().map(|volume| (volume, VolumeScan { roots: Vec::new(), ..scan.clone() })).collect();
    if volumes.len() > 1
        && let Some(path) = &scan.points_to
    {
        let there = one(volumes, path)?.root();
        all.retain(|(volume, _)| volume.root() == there);
    }
    for path in &scan.roots {
        let root = one(volumes, path)?.root();
        for (volume, scan) in &mut all {
            if volume.root() == root {
                scan.roots.push(path.clone());
            }
        }
    }
    if !scan.roots.is_empty() {
        all.retain(|(_, scan)| !scan.roots.is_empty());
    }
    Ok(all)
}

fn total(found: &[Found]) {
    let broken = |found: &&Found| matches!(found, Found::Link(link) if link.state.is_broken());
    complain("note", &format!("{} links, {} broken", found.len(), found.iter().filter(broken).count()));
}

fn tell(partition: Option<u32>, stats: &VolumeStats) {
    let partition = partition.map(|number| format!("partition {number}, ")).unwrap_or_default();
    let VolumeStats { bytes, reads, records, stale, time, .. } = stats;
    let (way, took) = (stats.way.as_str(), time.as_secs_f64() * 1e3);
    complain(
        "stats",
        &format!(
            "{partition}{way}, {bytes} bytes in {reads} reads, {records} records, {stale} stale entries of the index, \
             {took:.1} ms"
        ),
    );
}
