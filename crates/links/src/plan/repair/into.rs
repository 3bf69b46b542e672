//! Links that lead into a tree which is about to be somewhere else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::REPAIR;
use super::retarget::Home;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::Journal;
use crate::model::{Form, LinkKind, below};
use crate::plan::Step;
use crate::platform::{Place, is_within};
use crate::read::identity;
use crate::read::inspect;
use crate::read::scan::{Details, Filter, Found, ScanOptions, scan};

/// The steps that let links outside of a tree say its new place.
#[derive(Debug, Default)]
pub struct LinksInto {
    /// One for each link, in the order of paths. They count once the tree is there.
    pub steps: Vec<Step>,
    /// Links that cannot say the new place, and why.
    pub stuck: Vec<Error>,
    /// What could not be read.
    pub errors: Vec<Error>,
}

/// Looks for links into a tree at `from` that is going to be at `to`, both full paths without links: those below the
/// roots, and those that the journal knows of. Nothing is changed.
///
/// # Errors
/// The tree or the journal cannot be read.
pub fn links_into(from: &Path, to: &Path, search: &[PathBuf], journal: Option<&Journal>) -> Result<LinksInto> {
    let (mut found, mut into) = (BTreeSet::new(), LinksInto::default());
    if let Some(journal) = journal {
        found.extend(journal.tracked_into(from)?.into_iter().map(|tracked| tracked.link));
    }
    if !search.is_empty() {
        let mut options = ScanOptions::new(search);
        options.details = Details::Path;
        options.filter = Filter::default();
        into.errors.extend(options.filter.points_to(from)?);
        for item in scan(options) {
            match item {
                Ok(Found::Path(path)) => {
                    found.insert(crate::journal::track::full(&path).unwrap_or(path));
                }
                Ok(_) => {}
                Err(error) => into.errors.push(error),
            }
        }
    }
    for link in found {
        // What is in the tree goes with it.
        if is_within(&link, from) || is_within(&link, to) {
            continue;
        }
        match step(&link, from, to) {
            Ok(step) => into.steps.extend(step),
            Err(error) if error.kind() == ErrorKind::InvalidTarget => into.stuck.push(error),
            Err(error) => into.errors.push(error),
        }
    }
    Ok(into)
}

/// The step for a link, if what it says itself is in the tree.
fn step(link: &Path, from: &Path, to: &Path) -> Result<Option<Step>> {
    // A record of a link that is gone says nothing.
    let Ok(place) = Place::open_physical(REPAIR, link) else { return Ok(None) };
    let fail = |error| Error::io(REPAIR, link, error);
    let Some(metadata) = place.metadata().map_err(fail)? else { return Ok(None) };
    let Some(old) = inspect::see(place.spot(), &metadata).map_err(fail)? else { return Ok(None) };
    if matches!(old.target.kind(), LinkKind::MountPoint | LinkKind::AppExec | LinkKind::Other(_)) {
        return Ok(None);
    }
    let named = identity::named(place.spot(), &old.target).and_then(|held| held.path());
    let Ok(named) = named else { return Ok(None) };
    let Ok(rest) = named.strip_prefix(from) else { return Ok(None) };
    let parent = link.parent().unwrap_or(Path::new("/")).to_owned();
    let target = Home::of(place, parent).and_then(|home| home.say(&old.target, &below(to, rest), Form::AsTyped));
    let target = target.map_err(|refusal| Error::new(ErrorKind::InvalidTarget, "retarget", link, refusal))?;
    Ok(Some(Step::retarget(link.to_owned().into(), old, target, None)))
}
