//! Which file system something is on.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use rustix::fs::{AtFlags, StatFs, StatxFlags, fstatfs, statx};

use super::Directory;
use super::users::is_one_mount;
use crate::model::below;
use crate::platform::Filesystem;

pub(in crate::platform) fn filesystem_of(directory: &Directory) -> io::Result<Filesystem> {
    let mount = mount_of(directory)?;
    let kind = mount.as_ref().map_or_else(|| "unknown".to_owned(), |mount| mount.kind.clone());
    // Magic numbers of linux/magic.h: NFS, SMB, SMB2, CIFS, 9P, AFS, Ceph, Coda, FUSE. FUSE may
    // be anything; treating a local one as remote costs little, the opposite may cost the data.
    const REMOTE: [u32; 9] =
        [0x6969, 0x517b, 0xfe53_4d42, 0xff53_4d42, 0x0102_1997, 0x5346_414f, 0x00c3_6400, 0x7375_7245, FUSE];
    let status = fstatfs(directory)?;
    Ok(Filesystem {
        longest_target: if kind == "xfs" { 1_023 } else { 4_095 },
        kind,
        mount_point: mount.map(|mount| mount.point).unwrap_or_default(),
        // `ST_RDONLY` of statfs(2).
        read_only: status.f_flags & 1 != 0,
        network: REMOTE.contains(&number(&status)),
    })
}

/// `FUSE_SUPER_MAGIC` of linux/magic.h.
pub(super) const FUSE: u32 = 0x6573_5546;

/// The number by which the kernel tells file system types apart; [`Directory::magic`] asks but once.
pub(super) fn magic_of(object: &impl AsFd) -> io::Result<u32> {
    Ok(number(&fstatfs(object)?))
}

/// Whether the file system is served by a program.
pub(crate) fn is_fuse(directory: &Directory) -> io::Result<bool> {
    Ok(directory.magic()? == FUSE)
}

/// `OVERLAYFS_SUPER_MAGIC` of linux/magic.h.
const OVERLAY: u32 = 0x794c_7630;

/// Whether the file system lays one tree over others, and so gives objects another number at their first change.
pub(crate) fn is_overlay(directory: &Directory) -> io::Result<bool> {
    Ok(directory.magic()? == OVERLAY)
}

fn number(status: &StatFs) -> u32 {
    // The field is signed on some machines; the numbers have 32 bits on all.
    u32::try_from(status.f_type & 0xffff_ffff).unwrap_or(0)
}

/// A line of the mount table.
pub(super) struct Mount {
    id: u64,
    /// The number of its file system.
    device: Vec<u8>,
    /// What of its file system is shown there.
    root: PathBuf,
    pub(super) point: PathBuf,
    pub(super) kind: String,
    /// The device or image it is on; for some file systems anything else.
    pub(super) source: PathBuf,
}

/// The mount that a directory was reached through.
pub(super) fn mount_of(directory: &Directory) -> io::Result<Option<Mount>> {
    let id = statx(directory, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?.stx_mnt_id;
    match mounts() {
        Ok(mounts) => Ok(mounts.into_iter().rev().find(|mount| mount.id == id)),
        // /proc is not mounted: nothing tells.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where file systems of certain types are mounted. None, where the table cannot be read.
pub(super) fn mount_points(is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mounts = mounts().unwrap_or_default();
    mounts.into_iter().filter(|mount| is_wanted(&mount.kind)).map(|mount| mount.point).collect()
}

/// The mount table.
pub(super) fn mounts() -> io::Result<Vec<Mount>> {
    let table = std::fs::read("/proc/self/mountinfo")?;
    Ok(table.split(|&byte| byte == b'\n').filter_map(parse).collect())
}

/// Where else the file system of a directory is mounted, or a part of it; what shows the most of it first.
pub(crate) fn other_mount_points(directory: &Directory) -> Vec<PathBuf> {
    let others = mounts_beside(directory).map(|(_, others)| others).unwrap_or_default();
    others.into_iter().map(|mount| mount.point).collect()
}

fn mounts_beside(directory: &Directory) -> io::Result<(Mount, Vec<Mount>)> {
    let own = mount_of(directory)?.ok_or(io::ErrorKind::NotFound)?;
    let mut others = mounts()?;
    others.retain(|mount| mount.id != own.id && mount.device == own.device);
    others.sort_by_key(|mount| mount.root.components().count());
    Ok((own, others))
}

/// Two directories of one file system by one mount of it that shows both, where they were reached through two: nothing is
/// linked from one mount to another. `None` where no mount shows both, or they were reached through one.
pub(crate) fn by_one_mount(one: &Directory, other: &Directory) -> io::Result<Option<(Directory, Directory)>> {
    if is_one_mount(one, other)? || one.metadata()?.id.volume != other.metadata()?.id.volume {
        return Ok(None);
    }
    let (ones, others) = (ways(one)?, ways(other)?);
    for one in &ones {
        for other in &others {
            if is_one_mount(one, other)? {
                let again = |way: &Directory| way.open_child(".".as_ref());
                return Ok(Some((again(one)?, again(other)?)));
            }
        }
    }
    Ok(None)
}

/// A directory by every mount that shows it, first by the one that it was reached through.
fn ways(directory: &Directory) -> io::Result<Vec<Directory>> {
    let (id, path) = (directory.metadata()?.id, directory.physical_path()?);
    let (own, others) = mounts_beside(directory)?;
    let mut ways = vec![directory.open_child(".".as_ref())?];
    let Ok(inside) = path.strip_prefix(&own.point).map(|rest| below(&own.root, rest)) else { return Ok(ways) };
    let places = others.iter().filter_map(|mount| Some(below(&mount.point, inside.strip_prefix(&mount.root).ok()?)));
    // Another mount may lie over it.
    let opened = places.filter_map(|path| Directory::open_physical(&path).ok());
    ways.extend(opened.filter(|way| way.metadata().is_ok_and(|found| found.id == id)));
    Ok(ways)
}

/// proc(5): id, parent, device, root, mount point, options, optional fields, `-`, type, ...
fn parse(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let mut fields = fields.skip(1);
    let device = fields.next()?.to_owned();
    let root = unescape(fields.next()?).into();
    let point = unescape(fields.next()?).into();
    let mut fields = fields.skip_while(|&field| field != b"-").skip(1);
    let kind = String::from_utf8_lossy(fields.next()?).into_owned();
    Some(Mount { id, device, root, point, kind, source: unescape(fields.next()?).into() })
}

/// Space, tab, newline and backslash stand there as `\040` and the like.
fn unescape(field: &[u8]) -> OsString {
    let mut name = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        let code = (byte == b'\\').then(|| tail.get(..3)).flatten();
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(code) => {
                name.push(code);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                name.push(byte);
                rest = tail;
            }
        }
    }
    OsString::from_vec(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_with_spaces_newlines_and_backslashes_are_read_whole() {
        let line = br"36 35 98:0 /sub /mnt/a\040b\012c\134d rw,noatime shared:1 master:2 - fuse.bindfs /x rw";
        let mount = parse(line).map(|mount| (mount.id, mount.root, mount.point, mount.kind, mount.source));
        let path = |text: &str| PathBuf::from(text);
        let expected = (36, path("/sub"), path("/mnt/a b\nc\\d"), "fuse.bindfs".to_owned(), path("/x"));
        assert_eq!(mount, Some(expected));
    }
}
