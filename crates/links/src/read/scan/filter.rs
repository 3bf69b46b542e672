//! Which of the links found are wanted.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{Found, ScanOptions, scan};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FileId, FileKind, LinkKind, State, Target};
use crate::platform::{Directory, Place};
use crate::read::chain::{self, Chain};
use crate::read::places::Tree;

/// A kind to look for. `symlink` means the three kinds of symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindFilter(&'static str);

impl KindFilter {
    /// Hard links.
    pub const HARD: Self = Self("hard");
    /// No kind there is: for whoever wants the entries of directories alone.
    pub(crate) const NONE: Self = Self("");

    /// Whether a link of this kind is meant.
    #[must_use]
    pub fn matches(self, kind: LinkKind) -> bool {
        match kind {
            LinkKind::SymlinkFile | LinkKind::SymlinkDir if self.0 == "symlink" => true,
            kind => self.0 == kind.as_str(),
        }
    }
}

impl FromStr for KindFilter {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        LinkKind::NAMES.into_iter().find(|name| *name == text).map(Self).ok_or(())
    }
}

/// Which links to give; empty, all symbolic links and reparse points.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Kinds to give; hard links only if named here.
    pub kinds: Vec<KindFilter>,
    /// States to give; empty, all.
    pub states: Vec<State>,
    target: Option<GlobMatcher>,
    name: Option<GlobMatcher>,
    exclude: Option<Gitignore>,
    points_to: Option<PointsTo>,
}

/// What links are asked to lead to.
#[derive(Clone, Debug)]
struct PointsTo {
    tree: Tree,
    /// It, and the files below it, that have other names.
    files: HashSet<FileId>,
}

impl Filter {
    /// Links of these kinds in these states; none named, any.
    pub fn new(kinds: impl IntoIterator<Item = KindFilter>, states: impl IntoIterator<Item = State>) -> Self {
        let (kinds, states) = (kinds.into_iter().collect(), states.into_iter().collect());
        Self { kinds, states, ..Self::default() }
    }

    /// Gives only links whose own name, the last one of the path, matches a shell pattern.
    ///
    /// # Errors
    /// The pattern has no meaning.
    pub fn name(&mut self, pattern: &str) -> Result<()> {
        let glob = GlobBuilder::new(pattern).literal_separator(false).build();
        let glob = glob.map_err(|error| invalid("read the name pattern", pattern, &error))?;
        self.name = Some(glob.compile_matcher());
        Ok(())
    }

    /// Gives only links whose stored target matches a shell pattern. `*` also matches `/` and `\`.
    ///
    /// # Errors
    /// The pattern has no meaning.
    pub fn target(&mut self, pattern: &str) -> Result<()> {
        // `\` is no escape here: Windows targets are full of them.
        let glob = GlobBuilder::new(pattern).literal_separator(false).backslash_escape(false).build();
        let glob = glob.map_err(|error| invalid("read the target pattern", pattern, &error))?;
        self.target = Some(glob.compile_matcher());
        Ok(())
    }

    /// Gives only links that lead to a path, or below it, at any hop; and the names of files there that have several.
    /// The path itself need not exist: also links that fail for want of it are given. Gives what below it
    /// could not be read: other names of files there may be missed.
    ///
    /// # Errors
    /// The directory that holds it does not exist.
    pub fn points_to(&mut self, path: &Path) -> Result<Vec<Error>> {
        const OPERATION: &str = "look for links to";
        let fail = |error| Error::io(OPERATION, path, error);
        let is_missing = path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        let spelled = is_missing.then(|| chain::spelled(path)).flatten();
        let path = spelled.as_deref().unwrap_or(path);
        let (physical, metadata) = match Place::open(OPERATION, path) {
            Ok(place) => {
                let parent = place.directory.physical_path().map_err(fail)?;
                (parent.join(place.name()), place.metadata().map_err(fail)?)
            }
            // `.`, `..` and `/` are directories by their name.
            Err(error) if error.kind() == ErrorKind::InvalidPath && !path.as_os_str().is_empty() => {
                let directory = Directory::open(path).map_err(fail)?;
                (directory.physical_path().map_err(fail)?, Some(directory.metadata().map_err(fail)?))
            }
            Err(error) => return Err(error),
        };
        let (mut files, mut unread) = (HashSet::new(), Vec::new());
        match metadata {
            Some(metadata) if metadata.kind == FileKind::Directory => {
                let mut options = ScanOptions::new([&physical]);
                options.filter = Self::new([KindFilter::HARD], []);
                for found in scan(options) {
                    match found {
                        Ok(Found::HardLinks(group)) => drop(files.insert(group.id)),
                        Ok(_) => {}
                        Err(error) => unread.push(error),
                    }
                }
            }
            Some(metadata) => drop(files.insert(metadata.id)),
            None => {}
        }
        self.points_to = Some(PointsTo { tree: Tree::at(physical), files });
        Ok(unread)
    }

    /// Whether a chain leads where links are asked to lead.
    pub(crate) fn wants_chain(&self, chain: impl FnOnce() -> Chain) -> bool {
        let Some(wanted) = &self.points_to else { return true };
        let chain = chain();
        // The first hop is the link itself.
        let on_the_way = chain.hops.iter().skip(1).map(|hop| &hop.link);
        let mut reached = on_the_way.chain(&chain.resolved).chain(&chain.failed_at);
        reached.any(|path| wanted.tree.holds(path)) || chain.passed.iter().any(|path| wanted.tree.holds_directory(path))
    }

    pub(crate) fn wants_file(&self, id: FileId) -> bool {
        self.points_to.as_ref().is_none_or(|wanted| wanted.files.contains(&id))
    }

    /// Leaves out what matches a pattern, in the syntax of `.gitignore`; a directory with all below it.
    ///
    /// # Errors
    /// A pattern has no meaning.
    pub fn exclude(&mut self, patterns: &[String]) -> Result<()> {
        if patterns.is_empty() {
            return Ok(());
        }
        const OPERATION: &str = "read the exclude pattern";
        let mut builder = GitignoreBuilder::new("");
        for pattern in patterns {
            builder.add_line(None, pattern).map_err(|error| invalid(OPERATION, pattern, &error))?;
        }
        self.exclude = Some(builder.build().map_err(|error| invalid(OPERATION, &patterns.join(" "), &error))?);
        Ok(())
    }

    pub(crate) fn wants_hard_links(&self) -> bool {
        // They are always ok, and have no target to match.
        let any = self.target.is_none() && (self.states.is_empty() || self.states.contains(&State::Ok));
        any && (self.kinds.contains(&KindFilter::HARD) || self.kinds.is_empty() && self.points_to.is_some())
    }

    /// Whether anything but hard links is wanted.
    pub(crate) fn wants_links(&self) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kind| ![KindFilter::HARD, KindFilter::NONE].contains(kind))
    }

    pub(crate) fn wants_kind(&self, kind: LinkKind) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|filter| filter.matches(kind))
    }

    pub(crate) fn wants_state(&self, state: State) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }

    pub(crate) fn asks_for_state(&self) -> bool {
        !self.states.is_empty()
    }

    pub(crate) fn wants_target(&self, target: Option<&Target>) -> bool {
        let Some(glob) = &self.target else { return true };
        target.and_then(Target::shown).is_some_and(|target| glob.is_match(target))
    }

    /// Whether more of a link must be known than where it is.
    pub(crate) fn looks_at_links(&self) -> bool {
        let other_kinds = self.kinds.iter().any(|kind| *kind != KindFilter::HARD);
        other_kinds || !self.states.is_empty() || self.target.is_some() || self.points_to.is_some()
    }

    /// Whether a name is one of those asked for.
    pub(crate) fn wants_name(&self, name: &OsStr) -> bool {
        self.name.as_ref().is_none_or(|glob| glob.is_match(Path::new(name)))
    }

    pub(crate) fn has_name(&self) -> bool {
        self.name.is_some()
    }

    pub(crate) fn has_excludes(&self) -> bool {
        self.exclude.is_some()
    }

    /// Whether a path, relative to the root of the scan, is left out.
    pub(crate) fn excludes(&self, relative: &Path, directory: bool) -> bool {
        self.exclude.as_ref().is_some_and(|set| set.matched(relative, directory).is_ignore())
    }
}

fn invalid(operation: &'static str, pattern: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOption, operation, pattern, error.to_string())
}
