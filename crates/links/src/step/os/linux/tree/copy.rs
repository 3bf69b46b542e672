//! An object of a tree copied.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{self, AtFlags, FileType, Mode, SeekFrom};
use rustix::io::Errno;

use super::super::super::tree_types::{CHANGED, Losses, Pair, at_end, first};
use super::super::entry::create_private;
use super::super::ntfs_3g::make_reparse_point;
use super::metadata::{give, give_by_name};
use super::{Root, ntfs, open_item, open_to_read};
use crate::model::Target;
use crate::platform::{Item, ObjectKind};
use crate::step::Work;
use crate::workers;

pub(super) const BUFFER: u64 = 1 << 20;
/// What one thread takes of a large file at a time.
pub(super) const CHUNK: u64 = 64 << 20;

/// Copies the objects of a tree, and compares them with their copies.
pub(crate) struct Copier<'w> {
    pub(super) on_ntfs: bool,
    /// How many threads a large file may take.
    pub(super) threads: usize,
    pub(super) work: Work<'w>,
}

impl<'w> Copier<'w> {
    pub(crate) fn new(from: Root<'_>, to: Root<'_>, threads: usize, work: Work<'w>) -> io::Result<Self> {
        Ok(Self { on_ntfs: ntfs::on_both(from.parent, to.parent)?, threads, work })
    }

    /// Makes a directory that is closed to others until it is whole.
    pub(crate) fn make_directory(&self, pair: Pair<'_>, _lost: Losses<'_>) -> io::Result<()> {
        super::make_private_directory(pair.to.parent, pair.to.name)
    }

    /// Copies what is no directory; a link `says` this.
    pub(crate) fn copy(
        &self,
        pair: Pair<'_>,
        says: Option<Target>,
        buffer: &mut Vec<u8>,
        lost: Losses<'_>,
    ) -> io::Result<()> {
        let Pair { from, to, item } = pair;
        let kind = match item.stat.sort {
            ObjectKind::File => {
                let source = open_item(from, item)?;
                let copy = create_private(to.parent, to.name)?;
                self.content(&source, &copy, item, buffer)?;
                return give(&source, &copy, item, self.on_ntfs, lost);
            }
            ObjectKind::Symlink => {
                match says {
                    Some(Target::Text(text)) => fs::symlinkat(text, to.parent, to.name)?,
                    Some(Target::Reparse(point)) => make_reparse_point(to.parent, to.name, &point)?,
                    _ => return Err(io::Error::other("a link that says nothing")),
                }
                return give_by_name(pair, self.on_ntfs, lost);
            }
            // A socket is one end of something that runs: there is nothing to copy.
            ObjectKind::Socket => {
                lost("the socket itself".to_owned());
                return Ok(());
            }
            ObjectKind::Directory => return Ok(()),
            ObjectKind::Fifo => FileType::Fifo,
            ObjectKind::CharDevice => FileType::CharacterDevice,
            ObjectKind::BlockDevice => FileType::BlockDevice,
        };
        fs::mknodat(to.parent, to.name, kind, Mode::from(0o600), item.stat.special)?;
        give_by_name(pair, self.on_ntfs, lost)
    }

    /// Gives a copied file one more name.
    pub(crate) fn add_name(&self, holder: Root<'_>, pair: Pair<'_>, lost: Losses<'_>) -> io::Result<()> {
        let name = pair.to;
        fs::linkat(holder.parent, holder.name, name.parent, name.name, AtFlags::empty())?;
        // ntfs-3g marks what gets a name to be archived.
        if self.on_ntfs && pair.item.stat.sort == ObjectKind::File { self.complete(pair, lost) } else { Ok(()) }
    }

    /// Gives a copy everything but its content.
    pub(crate) fn complete(&self, pair: Pair<'_>, lost: Losses<'_>) -> io::Result<()> {
        give(
            &open_item(pair.from, pair.item)?,
            &open_to_read(pair.to.parent, pair.to.name)?,
            pair.item,
            self.on_ntfs,
            lost,
        )
    }

    fn content(&self, from: &File, to: &File, item: &Item, buffer: &mut Vec<u8>) -> io::Result<()> {
        let size = item.stat.size;
        if size == 0 {
            return Ok(());
        }
        // One file system that can share blocks needs no copy at all.
        if fs::fstat(to)?.st_dev == fs::fstat(from)?.st_dev && fs::ioctl_ficlone(to, from).is_ok() {
            return Ok(());
        }
        // A file that takes less than its length has holes.
        if item.stat.allocated >= size {
            return self.piece(from, to, (0, size), buffer);
        }
        // Of its full length from the beginning: what lies behind what is written is a hole then.
        to.set_len(size)?;
        let mut at = 0;
        while at < size {
            let data = match fs::seek(from, SeekFrom::Data(at)) {
                Ok(data) => data,
                // Nothing but a hole up to the end.
                Err(Errno::NXIO) => break,
                Err(Errno::INVAL) => at,
                Err(error) => return Err(error.into()),
            };
            let end = match fs::seek(from, SeekFrom::Hole(data)) {
                Ok(end) => end,
                Err(Errno::INVAL) => size,
                Err(error) => return Err(error.into()),
            };
            // Who does not tell of holes says that all is data.
            if data == 0 && end >= size {
                self.without_zeros(from, to, size)?;
            } else {
                self.piece(from, to, (data, end.min(size)), buffer)?;
            }
            at = end.max(data + 1);
        }
        Ok(())
    }

    /// Copies what is not zero of a file with holes that the file system does not tell of.
    fn without_zeros(&self, from: &File, to: &File, size: u64) -> io::Result<()> {
        const BLOCK: u64 = 64 << 10;
        let mut block = Vec::new();
        for at in (0..size).step_by(BLOCK as usize) {
            self.work.must_go_on()?;
            let block = first(&mut block, BLOCK.min(size - at));
            from.read_exact_at(block, at).map_err(at_end(CHANGED))?;
            if block.iter().any(|byte| *byte != 0) {
                to.write_all_at(block, at)?;
            }
            self.work.add_bytes(block.len() as u64);
        }
        Ok(())
    }

    /// Copies a piece without holes; a large one in several threads, where there are more of them than files.
    fn piece(&self, from: &File, to: &File, (start, end): (u64, u64), buffer: &mut Vec<u8>) -> io::Result<()> {
        if self.threads < 2 || end.saturating_sub(start) < 2 * CHUNK {
            return copy_range((from, to), start, end, buffer, self.work);
        }
        each_chunk(self.threads, start, end, |at, end| copy_range((from, to), at, end, &mut Vec::new(), self.work))
    }
}

/// Shares a range of a large file out to several threads, chunk by chunk: each has a start and an end.
pub(super) fn each_chunk(
    threads: usize,
    start: u64,
    end: u64,
    work: impl Fn(u64, u64) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let chunks = usize::try_from((end - start).div_ceil(CHUNK)).unwrap_or(usize::MAX);
    workers::each(threads, chunks, |number| {
        let at = start + number as u64 * CHUNK;
        work(at, end.min(at + CHUNK))
    })?;
    Ok(())
}

/// Copies from one offset to another.
fn copy_range(
    (from, to): (&File, &File),
    start: u64,
    end: u64,
    buffer: &mut Vec<u8>,
    work: Work<'_>,
) -> io::Result<()> {
    let mut at = start;
    // Large pieces may be copied without passing through this program.
    while end.saturating_sub(at) > BUFFER {
        work.must_go_on()?;
        let (mut in_at, mut out_at) = (at, at);
        // Not more than takes a moment: the user may want it to stop.
        let wanted = usize::try_from((end - at).min(CHUNK)).unwrap_or(usize::MAX);
        match fs::copy_file_range(from, Some(&mut in_at), to, Some(&mut out_at), wanted) {
            Ok(0) => return Err(io::Error::other(CHANGED)),
            Ok(count) => {
                work.add_bytes(count as u64);
                at = in_at;
            }
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::PERM) => break,
            Err(error) => return Err(error.into()),
        }
    }
    while at < end {
        work.must_go_on()?;
        let piece = first(buffer, BUFFER.min(end - at));
        from.read_exact_at(piece, at).map_err(at_end(CHANGED))?;
        to.write_all_at(piece, at)?;
        work.add_bytes(piece.len() as u64);
        at += piece.len() as u64;
    }
    Ok(())
}
