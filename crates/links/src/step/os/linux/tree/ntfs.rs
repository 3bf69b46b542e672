//! What an object has on NTFS besides its content, through the attributes that ntfs-3g answers for and does not list.
//!
//! Owners, rights and modes are what the mount makes up; the security descriptor is what Windows goes by.

use std::ffi::OsStr;
use std::io;

use rustix::io::Errno;

use super::super::super::tree_types::{IsLost, Losses};
use super::Root;
use super::metadata::{Subject, dropped};
use crate::platform::{ATTRIBUTES, Directory, Item, ObjectKind, SECURITY, SETTABLE, SHORT_NAME, ntfs_volume};

const EXTENDED: &str = "system.ntfs_ea";
const TIMES: &str = "system.ntfs_times";

/// In this order: a short name is one more name, and the descriptor may take the right to write.
const WHOLE: [&str; 4] = [EXTENDED, "system.ntfs_object_id", SHORT_NAME, SECURITY];

const COMPRESSED: u32 = 0x800;

/// Whether both sides of a copy are served by ntfs-3g. One alone would lose what the other cannot hold.
pub(super) fn on_both(from: &Directory, to: &Directory) -> io::Result<bool> {
    match (ntfs_volume(from)?.is_some(), ntfs_volume(to)?.is_some()) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, "only one of the two places is on NTFS")),
    }
}

/// Whether streams are seen as attributes here, tried on a directory of this program's own: ntfs-3g shows them so unless it is
/// told otherwise when it mounts.
pub(crate) fn has_streams(directory: &Directory, name: &OsStr) -> bool {
    let subject = Subject::named(Root { parent: directory, name });
    let stream = OsStr::new("user.linkctl");
    subject.set(stream, b"1").is_ok() && matches!(subject.value(stream), Ok(Some(value)) if value == b"1")
}

/// Gives a copy what its original has.
pub(super) fn give(from: &Subject<'_>, to: &Subject<'_>, item: &Item, lost: Losses<'_>) -> io::Result<()> {
    let directory = item.stat.sort == ObjectKind::Directory;
    let settable = if directory { SETTABLE | COMPRESSED } else { SETTABLE };
    let wanted = item.attributes & settable;
    set(to, ATTRIBUTES, &wanted.to_ne_bytes(), lost)?;
    if item.attributes & COMPRESSED != 0 && attributes(to)? & COMPRESSED == 0 {
        lost("compression".to_owned());
    }
    for name in WHOLE {
        if let Some(value) = value(from, name)?
            && self::value(to, name)?.as_ref() != Some(&value)
        {
            set(to, name, &value, lost)?;
        }
    }
    // Last: what was set before changed it.
    if let Some(times) = from.value(OsStr::new(TIMES))? {
        set(to, TIMES, &times, lost)?;
    }
    Ok(())
}

/// Gives a link the extended attributes of another one. An object id and a short name no two can have.
pub(super) fn give_link(from: &Subject<'_>, to: &Subject<'_>, lost: Losses<'_>) -> io::Result<()> {
    match value(from, EXTENDED)? {
        Some(value) => set(to, EXTENDED, &value, lost),
        None => Ok(()),
    }
}

/// `None` also of the short name of a file with several others, which ntfs-3g does not tell.
fn value(of: &Subject<'_>, name: &str) -> io::Result<Option<Vec<u8>>> {
    match of.value(OsStr::new(name)) {
        Err(error) if error.raw_os_error() == Some(Errno::MLINK.raw_os_error()) => Ok(None),
        answer => answer,
    }
}

fn set(to: &Subject<'_>, name: &str, value: &[u8], lost: Losses<'_>) -> io::Result<()> {
    match to.set(OsStr::new(name), value) {
        Ok(()) => Ok(()),
        // ntfs-3g gives a short name to the only long one alone, and each directory has a short name once.
        Err(Errno::MLINK | Errno::EXIST) if name == SHORT_NAME => dropped(OsStr::new(name), Errno::PERM, lost),
        Err(error) => dropped(OsStr::new(name), error, lost),
    }
}

fn attributes(of: &Subject<'_>) -> io::Result<u32> {
    let value = of.value(OsStr::new(ATTRIBUTES))?;
    Ok(value.and_then(|value| value.try_into().ok()).map_or(0, u32::from_ne_bytes))
}

/// What a copy has that is another than its original's, if anything; what was told to be lost is not asked for.
pub(super) fn differs(from: &Subject<'_>, to: &Subject<'_>, is_lost: IsLost<'_>) -> io::Result<Option<&'static str>> {
    for name in WHOLE.into_iter().filter(|name| !is_lost(name)) {
        if value(from, name)? != value(to, name)? {
            return Ok(Some(name));
        }
    }
    if !is_lost(ATTRIBUTES) && (attributes(from)? ^ attributes(to)?) & SETTABLE != 0 {
        return Ok(Some(ATTRIBUTES));
    }
    // Creation and last writing; reading changes the third, and the fourth cannot be set.
    let times = |of: &Subject<'_>| -> io::Result<Option<Vec<u8>>> {
        Ok(of.value(OsStr::new(TIMES))?.map(|all| all.get(..16).unwrap_or_default().to_vec()))
    };
    Ok((!is_lost(TIMES) && times(from)? != times(to)?).then_some(TIMES))
}
