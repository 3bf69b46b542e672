//! Links that lead somewhere, said in another form: relative, in full, or of the kind that their target is.

use std::ops::ControlFlow;
use std::path::Path;

use super::lost::said;
use super::retarget::{Home, object_at};
use super::roots::Roots;
use super::{Mend, Reason, Repair, RepairSpec, Verdict, Why, each_once, in_parallel, scan_options};
use crate::error::{Error, Result};
use crate::model::{DEFAULT_DRIVE, FileId, FileKind, Form, Link, LinkKind, State, Target};
use crate::plan::{Seen, Step};
use crate::platform::{self, FileSystems};
use crate::read::chain;
use crate::read::identity;
use crate::read::scan::{Details, Found, Progress, Receiver, ScanItem, visit};

/// The form that links are to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Relative to the link's own directory, its path without links.
    Relative,
    /// In full.
    Absolute,
    /// Of the kind that the target is: for files or for directories (Windows and NTFS).
    Kind,
}

/// Plans to say what links below paths lead to in another form. Nothing is changed; links that have it already are not
/// mentioned, nor are kinds of link that have no such form. What leads nowhere stays as it is.
///
/// # Guarantees
/// The new text or data was seen to reach the same file as the old, from the link's own directory.
///
/// # Errors
/// A pattern has no meaning.
pub(super) fn convert(spec: &RepairSpec, conversion: Conversion, progress: &Progress) -> Result<Repair> {
    let roots = Roots::find(&spec.paths);
    let mut options = scan_options(spec)?;
    options.roots = roots.physical();
    // Of the many links only what they say is needed; of those to be changed, the rest is asked later.
    options.details = Details::State;
    if conversion == Conversion::Kind {
        options.filter.states = vec![State::WrongKind];
        options.filter.kinds = ["symlink-file", "symlink-dir"].iter().filter_map(|kind| kind.parse().ok()).collect();
    }
    let sorters = visit(&options, progress, || Sorter { conversion, links: Vec::new(), errors: Vec::new() });
    let (mut links, mut errors) = (Vec::new(), Vec::new());
    for sorter in sorters {
        links.extend(sorter.links);
        errors.extend(sorter.errors);
    }
    let converted = in_parallel(each_once(links), |links: Vec<Link>| {
        let mut home = None;
        let mut one = |link: Link| {
            let stays = conversion == Conversion::Relative && !spec.across && leads_across(&link);
            let converted = if stays { Ok(None) } else { attempt(&link, conversion, &mut home).map(Some) };
            (link, converted)
        };
        links.into_iter().map(&mut one).collect()
    });
    let mut repair = Repair { is_whole: true, ..Repair::default() };
    let mut across = 0;
    for (link, converted) in converted {
        let Some(old) = link.target else { continue };
        let verdict = match converted {
            Ok(None) => {
                across += 1;
                continue;
            }
            // Its form cannot be another.
            Ok(Some((_, new, _))) if new == old => continue,
            Ok(Some((seen, new, object))) => {
                let step = Some(repair.plan.steps.len());
                repair.plan.steps.push(Step::retarget(link.path.clone().into(), seen, new.clone(), object));
                Verdict::Found { new, why: Why::Converted, confidence: super::Confidence::Exact, step }
            }
            Err(refusal) => Verdict::Remains { reason: Reason::Other(refusal), candidates: Vec::new() },
        };
        repair.mends.push(Mend { link: roots.shown(&link.path), kind: old.kind(), old, verdict });
    }
    if across > 0 {
        let text = match across {
            1 => "1 link to another file system stays absolute".to_owned(),
            many => format!("{many} links to other file systems stay absolute"),
        };
        let path = spec.paths.first().cloned().unwrap_or_default();
        repair.plan.note("other-filesystem", path, text);
    }
    errors.extend(roots.errors);
    repair.errors = errors;
    Ok(repair)
}

/// Keeps the links that are to be converted.
struct Sorter {
    conversion: Conversion,
    links: Vec<Link>,
    errors: Vec<Error>,
}

impl Receiver for Sorter {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        match item {
            Ok(Found::Link(link)) if has_other_form(&link, self.conversion) => self.links.push(link),
            Ok(_) => {}
            Err(error) => self.errors.push(error),
        }
        ControlFlow::Continue(())
    }
}

/// Whether a link could have the form and has it not.
fn has_other_form(link: &Link, conversion: Conversion) -> bool {
    let is_relative = match &link.target {
        Some(Target::Text(text)) => Path::new(text).is_relative(),
        Some(Target::Reparse(point)) => match point.decode() {
            Ok(reparse::ReparseData::Symlink(link)) => link.is_relative(),
            _ => return false,
        },
        _ => return false,
    };
    match conversion {
        Conversion::Relative => !is_relative,
        Conversion::Absolute => is_relative,
        Conversion::Kind => matches!(link.kind, LinkKind::SymlinkFile | LinkKind::SymlinkDir),
    }
}

/// Whether what a link itself names is on another file system than the link. One that cannot be asked is told by its own attempt.
fn leads_across(link: &Link) -> bool {
    let (Some(Target::Text(_)), Some(old)) = (&link.target, &link.target) else { return false };
    let different = || -> std::io::Result<bool> {
        let place = platform::Place::open_physical("repair", &link.path).map_err(std::io::Error::other)?;
        let named = identity::named(place.spot(), old)?;
        let there = named.metadata()?;
        if there.id.volume == place.directory.metadata()?.id.volume {
            return Ok(false);
        }
        // Subvolumes of one file system have numbers of their own.
        let path = named.path()?;
        let holds = if there.kind == FileKind::Directory { path.as_path() } else { path.parent().unwrap_or(&path) };
        let names = FileSystems::default();
        Ok(names.name(&platform::Directory::open(holds)?)? != names.name(&place.directory)?)
    };
    different().unwrap_or(false)
}

/// The link as it is, what it has to say, and to what that leads.
fn attempt(
    link: &Link,
    conversion: Conversion,
    home: &mut Option<Home>,
) -> std::result::Result<(Seen, Target, Option<FileId>), String> {
    let is_kind = conversion == Conversion::Kind;
    let form = if conversion == Conversion::Relative { Form::Relative } else { Form::Absolute };
    if link.state != State::Ok && !is_kind {
        return Err(format!("it leads nowhere ({}): that it leads to the same cannot be seen", link.state));
    }
    let (Some(parent), Some(name), Some(old)) = (link.path.parent(), link.path.file_name(), &link.target) else {
        return Err("it names no entry".to_owned());
    };
    let home = Home::of_link(home, &link.path)?;
    let directory = &home.place.directory;
    home.may_change()?;
    let describe = |error: std::io::Error| platform::describe(&error);
    let metadata = directory.metadata_nofollow(name).map_err(describe)?;
    let ntfs = platform::ntfs_metadata(directory, name).map_err(describe)?;
    let several = metadata.links > 1;
    let seen = Seen { target: old.clone(), id: metadata.id, attributes: metadata.attributes, several, ntfs };
    let spot = platform::Spot { directory, name, path: &link.path };
    match old {
        Target::Text(text) => {
            let meant = directory.metadata_follow(text).map_err(describe)?;
            let reaches = |to: &Path| {
                let new = home.say(old, to, form).ok()?;
                let Target::Text(text) = &new else { return None };
                let reached = directory.metadata_follow(text).ok()?;
                (reached.id == meant.id).then_some(new)
            };
            // By its own words where they lead the same way, else by the way without links.
            let by_words = said(parent, Path::new(text)).and_then(|to| reaches(&to));
            let new = by_words.or_else(|| reaches(&identity::named(spot, old).ok()?.path().ok()?));
            Ok((seen, new.ok_or("said so, it would not reach the same file")?, Some(meant.id)))
        }
        Target::Reparse(point) if is_kind => {
            let mut new = point.clone();
            new.directory = !point.directory;
            Ok((seen, Target::Reparse(new), None))
        }
        Target::Reparse(point) => {
            let (meant, _) = home.behind(point)?;
            let chain = chain::follow(spot, DEFAULT_DRIVE);
            let new = home.say(old, &chain.next_place().ok_or("it leads nowhere")?, form)?;
            let Target::Reparse(new_point) = &new else { return Err("it is no link of Windows".to_owned()) };
            if home.behind(new_point)?.0 != meant {
                return Err("said so, it would not reach the same file".to_owned());
            }
            Ok((seen, new, Some(object_at(&meant)?)))
        }
        Target::File(_) => Err("a hard link has no target".to_owned()),
    }
}
