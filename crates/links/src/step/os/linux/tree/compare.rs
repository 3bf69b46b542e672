//! An object that was copied, beside what it was copied from.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::fs::{self, Advice};

use super::super::super::tree_types::{Buffers, IsLost, Pair, at_end, first};
use super::copy::{BUFFER, CHUNK, Copier, each_chunk};
use super::metadata::{SET_ID, Subject, attributes};
use super::{ntfs, open_item, open_to_read};
use crate::model::Target;
use crate::platform::{Item, ObjectKind, look, quoted};
use crate::step::Work;

impl Copier<'_> {
    /// How a copied object differs from its original, but for what it is, its size and its content.
    pub(crate) fn differs(
        &self,
        item: &Item,
        copied: &Item,
        says: Option<&Target>,
        lossy: bool,
    ) -> Option<&'static str> {
        let (old, new) = (&item.stat, &copied.stat);
        if old.sort == ObjectKind::Symlink && says.cloned().or_else(|| item.target()) != copied.target() {
            return Some("the link says something else");
        }
        let mode = if lossy { old.mode & !SET_ID } else { old.mode };
        if old.sort != ObjectKind::Symlink && !self.on_ntfs && old.mode != new.mode && mode != new.mode {
            return Some("it has other rights");
        }
        if (old.uid, old.gid) != (new.uid, new.gid) && !lossy && !self.on_ntfs {
            return Some("it has another owner");
        }
        if old.special != new.special {
            return Some("it is another device");
        }
        // On NTFS the times themselves are asked for, which the kernel may remember otherwise.
        (old.modified != new.modified && !self.on_ntfs).then_some("it has another time")
    }

    /// Owners and rights are made up on NTFS: what is behind them is compared always.
    pub(crate) fn has_more_to_compare(&self, content: bool) -> bool {
        content || self.on_ntfs
    }

    /// Compares an object with its copy, both opened where they can be; what they hold where there are buffers for it.
    pub(crate) fn same(&self, pair: Pair<'_>, buffers: Option<&mut Buffers>, is_lost: IsLost<'_>) -> io::Result<()> {
        let Pair { from, to, item } = pair;
        let is_file = item.stat.sort == ObjectKind::File;
        if !is_file && item.stat.sort != ObjectKind::Directory {
            return self.same_attributes(&Subject::named(from), &Subject::named(to), is_lost);
        }
        let (source, copy) = (open_item(from, item)?, open_to_read(to.parent, to.name)?);
        if is_file && let Some(buffers) = buffers {
            // From the disk, not from what was just written to memory.
            fs::fadvise(&copy, 0, None, Advice::DontNeed)?;
            self.same_content((&source, &copy), item.stat.size, buffers)?;
        }
        self.same_attributes(&Subject::opened(&source), &Subject::opened(&copy), is_lost)?;
        if is_file && !item.stat.is_untouched(&look(from.parent, from.name)?.0) {
            return Err(io::Error::other("the original was changed meanwhile"));
        }
        Ok(())
    }

    /// Compares attributes, but for those of which it was told that the copy could not have them.
    fn same_attributes(&self, from: &Subject<'_>, to: &Subject<'_>, is_lost: IsLost<'_>) -> io::Result<()> {
        let (wanted, found) = (attributes(from)?, attributes(to)?);
        let lacks = wanted.iter().find(|one| !found.contains(one) && !is_lost(&one.0.to_string_lossy()));
        let more = || found.iter().find(|one| !wanted.contains(one) && !is_lost(&one.0.to_string_lossy()));
        let other = match lacks.or_else(more) {
            Some((name, _)) => Some(name.as_os_str()),
            None if self.on_ntfs => ntfs::differs(from, to, is_lost)?.map(OsStr::new),
            None => None,
        };
        let Some(name) = other else { return Ok(()) };
        Err(io::Error::other(format!("its extended attribute {} is another", quoted(Path::new(name)))))
    }

    /// Compares every byte of two files of this size; of a large one in several threads, where there are more of them than
    /// files.
    fn same_content(&self, files: (&File, &File), size: u64, buffers: &mut Buffers) -> io::Result<()> {
        if self.threads < 2 || size < 2 * CHUNK {
            return same_range(files, 0, size, buffers, self.work);
        }
        each_chunk(self.threads, 0, size, |at, end| same_range(files, at, end, &mut Buffers::default(), self.work))
    }
}

/// Compares from one offset to another.
fn same_range(
    (from, to): (&File, &File),
    start: u64,
    end: u64,
    (a, b): &mut Buffers,
    work: Work<'_>,
) -> io::Result<()> {
    const OTHER: &str = "its content is not that of the original";
    let mut at = start;
    while at < end {
        work.must_go_on()?;
        let wanted = BUFFER.min(end - at);
        let (a, b) = (first(a, wanted), first(b, wanted));
        // One that ends before is not what it was when its size was compared.
        from.read_exact_at(a, at).and_then(|()| to.read_exact_at(b, at)).map_err(at_end(OTHER))?;
        if a != b {
            return Err(io::Error::other(OTHER));
        }
        work.add_checked(wanted);
        at += wanted;
    }
    Ok(())
}
