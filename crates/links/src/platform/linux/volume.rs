//! What a file system is called, and its number: what Windows prints above a listing.

use std::ffi::{CStr, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use reparse::WideString;
use rustix::fs::{Mode, OFlags, fstatvfs, openat};
use rustix::ioctl::{Getter, ioctl, opcode};

use super::filesystem::{Mount, mount_of};
use super::{Directory, VolumeFile, from_wide, ntfs_volume};
use crate::platform::VolumeIdentity;

pub(in crate::platform) fn volume_identity(directory: &Directory) -> io::Result<VolumeIdentity> {
    let space = fstatvfs(directory)?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let mount = mount_of(directory)?;
    let known = mount.as_ref().and_then(|mount| read_ntfs(directory, mount));
    let serial = match (&known, &mount) {
        (Some(known), _) => known.serial,
        (None, Some(mount)) => udev_serial(mount).unwrap_or(space.f_fsid),
        (None, None) => space.f_fsid,
    };
    let label = match (known, &mount) {
        (Some(known), _) => known.label.map(|units| from_wide(&WideString::from_units(units))),
        (None, mount) => kernel_label(directory).or_else(|| udev_label(mount.as_ref()?)),
    };
    let mount_point = mount.map(|mount| mount.point).unwrap_or_default();
    Ok(VolumeIdentity { mount_point, label, serial: short(serial), free })
}

/// The serial number of the NTFS volume that a directory is on, where this user can learn it.
pub(super) fn ntfs_serial(directory: &Directory) -> io::Result<Option<u64>> {
    let Some(mount) = mount_of(directory)? else { return Ok(None) };
    let known = read_ntfs(directory, &mount).map(|known| known.serial);
    Ok(known.or_else(|| udev_serial(&mount)))
}

/// Windows shows the lower half of NTFS' number; a number made of hashes loses nothing by its upper half.
fn short(serial: u64) -> u32 {
    let bytes = serial.to_le_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// ntfs-3g has no call that tells: the volume itself is asked, where this user may read it.
fn read_ntfs(directory: &Directory, mount: &Mount) -> Option<ntfs_volume::Identity> {
    ntfs_volume(directory).ok()??;
    ntfs_volume::identity(VolumeFile::open(&mount.source).ok()?).ok()
}

/// `FS_IOC_GETFSLABEL` of linux/fs.h: `_IOR(0x94, 49, char[FSLABEL_MAX])`.
const GET_LABEL: rustix::ioctl::Opcode = opcode::read::<[u8; 256]>(0x94, 49);

/// The label that the kernel's own driver knows.
#[allow(unsafe_code, reason = "an ioctl that rustix has no function for")]
fn kernel_label(directory: &Directory) -> Option<OsString> {
    // Whatever a FUSE program would answer, it was not asked by this number.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let opened = openat(directory, ".", flags, Mode::empty()).ok()?;
    // SAFETY: FS_IOC_GETFSLABEL writes at most FSLABEL_MAX (256) bytes, NUL included, to its argument and reads
    // nothing from it; the getter hands it exactly that many bytes, for which any content is valid.
    let label = unsafe { ioctl(&opened, Getter::<GET_LABEL, [u8; 256]>::new()) }.ok()?;
    let label = CStr::from_bytes_until_nul(&label).ok()?.to_bytes();
    (!label.is_empty()).then(|| OsString::from_vec(label.to_vec()))
}

/// The name under which udev keeps a device in a directory of `/dev/disk`.
fn udev_name(mount: &Mount, directory: &str) -> Option<OsString> {
    let device = mount.source.canonicalize().ok().filter(|path| path.starts_with("/dev"))?;
    let entries = Path::new("/dev/disk").join(directory).read_dir().ok()?;
    let mut names = entries.flatten().filter(|entry| entry.path().canonicalize().is_ok_and(|to| to == device));
    names.next().map(|entry| entry.file_name())
}

/// udev writes what is no plain character as `\x20`.
fn udev_label(mount: &Mount) -> Option<OsString> {
    let name = udev_name(mount, "by-label")?;
    let (mut label, mut rest) = (Vec::new(), name.as_bytes());
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail.strip_prefix(b"x").and_then(|digits| digits.get(..2)).filter(|_| byte == b'\\');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                label.push(code);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                label.push(byte);
                rest = tail;
            }
        }
    }
    Some(OsString::from_vec(label))
}

/// NTFS (16 digits) and FAT (`XXXX-XXXX`) have no UUID: there udev keeps the serial number.
pub(super) fn udev_serial(mount: &Mount) -> Option<u64> {
    let name = udev_name(mount, "by-uuid")?;
    serial_of(&name)
}

fn serial_of(name: &OsStr) -> Option<u64> {
    let name = name.to_str()?;
    let digits = name.replacen('-', "", 1);
    let form = (name.len(), digits.len());
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (plain && (form == (16, 16) || form == (9, 8))).then(|| u64::from_str_radix(&digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_told_from_uuids() {
        let cases = [
            ("54CD3BB27F0E6A21", Some(0x54cd_3bb2_7f0e_6a21)),
            ("8865-94E7", Some(0x8865_94e7)),
            ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", None),
            ("886594E7", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(serial_of(OsStr::new(name)), expected, "{name}");
        }
    }
}
