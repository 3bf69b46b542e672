//! What tells an object from every other, wherever it goes: the number of its file system, and the kernel's handle.

#![allow(unsafe_code, reason = "calls that rustix has no function for")]

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, fstatvfs, getxattr, openat, statx};
use rustix::io::Errno;
use rustix::ioctl::{Getter, ioctl, opcode};

use super::directory::{of_descriptor, without_proc};
use super::filesystem::{self, mount_of, mounts};
use super::process::boot;
use super::volume::{ntfs_serial, udev_serial};
use super::{Directory, Held, ntfs_volume};
use crate::model::{STAND_IN, Sameness, same_file_system};
use crate::platform::{ByHandle, FileSystems};

/// `FS_IOC_GETFSUUID` of linux/fs.h (Linux 6.9): a length, and up to 16 bytes.
const GET_UUID: rustix::ioctl::Opcode = opcode::read::<[u8; 17]>(0x15, 0);
/// `XFS_IOC_FSGEOMETRY_V1` of xfs_fs.h: 112 bytes, of which 16 at 64 are the UUID.
const XFS_GEOMETRY: rustix::ioctl::Opcode = opcode::read::<[u64; 14]>(b'X', 100);
const XFS_MAGIC: u32 = 0x5846_5342;

/// The name of the file system of a directory on this device.
pub(crate) fn file_system_name(directory: &Directory, device: u64) -> io::Result<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let magic = directory.magic()?;
    // Whatever a FUSE program would answer, it was not asked by these numbers.
    if magic != filesystem::FUSE {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        if let Ok(opened) = openat(directory, ".", flags, Mode::empty()) {
            // SAFETY: the kernel writes 17 bytes to the argument, which has as many and takes any content.
            let uuid = unsafe { ioctl(&opened, Getter::<GET_UUID, [u8; 17]>::new()) };
            if let Ok([length, uuid @ ..]) = uuid
                && let Some(uuid) = uuid.get(..usize::from(length)).filter(|uuid| uuid.iter().any(|byte| *byte != 0))
            {
                return Ok(format!("uuid:{}", hex(uuid)));
            }
            if magic == XFS_MAGIC {
                // SAFETY: the kernel writes 112 bytes to the argument, which has as many and takes any content.
                let geometry = unsafe { ioctl(&opened, Getter::<XFS_GEOMETRY, [u64; 14]>::new()) };
                if let Ok([_, _, _, _, _, _, _, _, high, low, ..]) = geometry {
                    let uuid = [high.to_ne_bytes(), low.to_ne_bytes()].concat();
                    return Ok(format!("uuid:{}", hex(&uuid)));
                }
            }
        }
    } else if ntfs_volume(directory)?.is_some() {
        let serial = ntfs_serial(directory)?;
        if let Some(serial) = serial {
            return Ok(format!("serial:{serial:016x}"));
        }
    }
    // The number of statfs(2) is made of the UUID, or at random for each mount; of all others it is the device's.
    // linux/magic.h: ext2/3/4, Btrfs, tmpfs, overlay; and that of ZFS.
    const NUMBERED: [u32; 5] = [0xef53, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1];
    match fstatvfs(directory)?.f_fsid {
        number if number != 0 && NUMBERED.contains(&magic) => Ok(format!("number:{number:x}")),
        _ => of_mount(directory, device),
    }
}

/// What stands in for the number of a file system that has none, or shows it to root alone.
fn of_mount(directory: &Directory, device: u64) -> io::Result<String> {
    let mount = mount_of(directory)?;
    if let Some(serial) = mount.as_ref().and_then(udev_serial) {
        return Ok(format!("serial:{serial:016x}"));
    }
    let (kind, source) = match &mount {
        Some(mount) => (mount.kind.as_str(), mount.source.to_string_lossy().into_owned()),
        None => ("unknown", format!("device {device:x}")),
    };
    // `STATX_MNT_ID_UNIQUE` of linux/stat.h (Linux 6.8): a number that no later mount gets.
    let unique = StatxFlags::from_bits_retain(0x4000);
    let which = statx(directory, "", AtFlags::EMPTY_PATH, unique | StatxFlags::MNT_ID)?.stx_mnt_id;
    Ok(format!("{STAND_IN}{kind}:{source}@{}-{which:x}", boot()))
}

/// Where file systems of this name can be looked into, by their mount points.
pub(crate) fn mounted(file_system_name: &str) -> Vec<PathBuf> {
    mounted_if(|name| name == file_system_name)
}

/// Whether a file system of this name is mounted, or one that cannot be told from it.
pub(crate) fn may_be_mounted(file_system_name: &str) -> bool {
    !mounted_if(|name| same_file_system(file_system_name, name) != Sameness::Other).is_empty()
}

fn mounted_if(is_it: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    /// What holds no files that a link could have lost.
    const NONE: [&str; 12] = [
        "proc",
        "sysfs",
        "cgroup",
        "cgroup2",
        "devpts",
        "mqueue",
        "debugfs",
        "tracefs",
        "securityfs",
        "autofs",
        "pstore",
        "bpf",
    ];
    let mounts = mounts().unwrap_or_default().into_iter();
    let mut points: Vec<PathBuf> =
        mounts.filter(|mount| !NONE.contains(&mount.kind.as_str())).map(|mount| mount.point).collect();
    let names = FileSystems::default();
    points.retain(|point| {
        let name = Directory::open(point).and_then(|directory| names.name(&directory));
        name.is_ok_and(|name| is_it(&name))
    });
    // The whole before its parts.
    points.sort_by_key(|point| point.components().count());
    points
}

/// The most bytes of a handle (`MAX_HANDLE_SZ` of linux/exportfs.h).
const LONGEST: usize = 128;

/// `struct file_handle` of open_by_handle_at(2).
#[repr(C)]
struct Handle {
    length: u32,
    sort: i32,
    bytes: [u8; LONGEST],
}

/// The kernel's own name for an object, with which it tells it from a later one of the same number. `None` where the
/// file system has no handles that outlast its mount.
pub(crate) fn handle(object: &Held) -> Option<String> {
    // linux/magic.h: ext2/3/4, XFS, Btrfs, tmpfs, F2FS. FUSE makes handles up anew at each mount.
    const LASTING: [u32; 5] = [0xef53, XFS_MAGIC, 0x9123_683e, 0x0102_1994, 0xf2f5_2010];
    if !filesystem::magic_of(object).is_ok_and(|magic| LASTING.contains(&magic)) {
        return None;
    }
    let room = u32::try_from(LONGEST).unwrap_or_default();
    let mut handle = Handle { length: room, sort: 0, bytes: [0; LONGEST] };
    let mut mount = 0;
    // SAFETY: the path is a string with its NUL; `handle` is laid out as the structure, and says how many bytes it has
    // room for; the kernel writes no more than that, and a number to `mount`.
    let done = unsafe {
        let handle = (&raw mut handle).cast::<libc::file_handle>();
        let fd = object.as_fd().as_raw_fd();
        libc::name_to_handle_at(fd, c"".as_ptr(), handle, &raw mut mount, libc::AT_EMPTY_PATH)
    };
    let bytes = handle.bytes.get(..usize::try_from(handle.length).ok()?).filter(|_| done == 0)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{:x}:{hex}", handle.sort))
}

fn parse(text: &str) -> Option<Handle> {
    let (sort, hex) = text.split_once(':')?;
    let mut handle = Handle { length: 0, sort: i32::from_str_radix(sort, 16).ok()?, bytes: [0; LONGEST] };
    let digits = hex.as_bytes().chunks_exact(2);
    if hex.len() > LONGEST * 2 || !digits.remainder().is_empty() {
        return None;
    }
    handle.length = u32::try_from(hex.len() / 2).ok()?;
    for (byte, digits) in handle.bytes.iter_mut().zip(digits) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(handle)
}

/// Finds an object by its handle on the file system that a directory is on.
pub(crate) fn find(on: &Directory, handle: Option<&str>, _number: u128) -> ByHandle {
    let Some(mut handle) = handle.and_then(parse) else { return ByHandle::Unknown };
    // A descriptor for paths alone is no mount to the call.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let Ok(mount) = openat(on, ".", flags, Mode::empty()) else { return ByHandle::Unknown };
    // SAFETY: `handle` is laid out as the structure and holds as many bytes as it says; the kernel reads it.
    let found = unsafe {
        let handle = (&raw mut handle).cast::<libc::file_handle>();
        libc::open_by_handle_at(mount.as_raw_fd(), handle, libc::O_PATH | libc::O_CLOEXEC)
    };
    if found < 0 {
        return match Errno::from_io_error(&io::Error::last_os_error()) {
            Some(Errno::STALE) => ByHandle::Gone,
            _ => ByHandle::Unknown,
        };
    }
    // SAFETY: the call succeeded, so it is an open descriptor that nobody else has.
    let found = unsafe { OwnedFd::from_raw_fd(found) };
    let held = of_descriptor(found);
    // Of a file the kernel may not know the name; and one that has none any more is as good as gone.
    let path = held.path().ok().filter(|path| {
        let names_it = Directory::open(path.parent().unwrap_or(Path::new("/")))
            .and_then(|parent| parent.metadata_nofollow(path.file_name().unwrap_or(OsStr::new("."))));
        names_it.is_ok_and(|named| held.metadata().is_ok_and(|object| object.id == named.id))
    });
    match (path, held.metadata()) {
        (Some(path), _) => ByHandle::At(path),
        (None, Ok(metadata)) if metadata.links == 0 => ByHandle::Gone,
        (None, _) => ByHandle::Alive,
    }
}

/// When the object was made, in nanoseconds since 1970, where only ntfs-3g can tell.
pub(crate) fn made(object: &Held) -> Option<u64> {
    if filesystem::magic_of(object).ok()? != filesystem::FUSE {
        return None;
    }
    let mut ticks = [0_u8; 8];
    let length = getxattr(shown(object), "system.ntfs_crtime", &mut ticks[..]).ok()?;
    // From 1601 to 1970, in tenths of a microsecond.
    const EPOCH: u64 = 116_444_736_000_000_000;
    let ticks = u64::from_ne_bytes(ticks).checked_sub(EPOCH).filter(|_| length == 8)?;
    Some(ticks.saturating_mul(100))
}

/// The number that Windows' link tracking gave it, where it has one.
pub(crate) fn object_number(object: &Held) -> Option<String> {
    if filesystem::magic_of(object).ok()? != filesystem::FUSE {
        return None;
    }
    let mut number = [0_u8; 64];
    let length = getxattr(shown(object), "system.ntfs_object_id", &mut number[..]).ok()?;
    let number = number.get(..16).filter(|_| length >= 16)?;
    Some(number.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn shown(object: &Held) -> CString {
    // Digits and slashes hold no NUL.
    CString::new(format!("/proc/self/fd/{}", object.as_fd().as_raw_fd())).unwrap_or_default()
}

/// What is in a regular file of at most this many bytes, without a trace in its times where this user may leave none.
/// `None` where there is more than that: files of /proc tell no size.
pub(crate) fn content(object: &Held, most: u64) -> io::Result<Option<Vec<u8>>> {
    let path = OsStr::from_bytes(shown(object).as_bytes()).to_owned();
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = openat(rustix::fs::CWD, &path, flags | OFlags::NOATIME, Mode::empty());
    let opened = match opened {
        Err(Errno::PERM) => openat(rustix::fs::CWD, &path, flags, Mode::empty()),
        opened => opened,
    };
    crate::platform::read_at_most(std::fs::File::from(opened.map_err(without_proc)?), most)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn gigabytes_of_a_file_of_size_0_were_read_for_a_record() {
        let process = Directory::open(Path::new("/proc/self")).unwrap();
        let map = process.hold(OsStr::new("pagemap")).unwrap();
        assert_eq!(map.metadata().unwrap().size, 0);
        // It is read in pieces of eight bytes alone: the last one fails.
        assert!(!matches!(content(&map, 1 << 20), Ok(Some(_))));
    }
}
