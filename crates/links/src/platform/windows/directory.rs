//! An opened directory: every look-up below it is by handle, so nothing can be swapped
//! underneath between one look and the next.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::path::{Component, Path, PathBuf};
use std::ptr;

use reparse::path::{TargetClass, classify, nt_to_win32};
use reparse::{ReparseData, WideString};
use windows_sys::Wdk::Foundation::NtQueryObject;
use windows_sys::Win32::Foundation::{
    ERROR_DIRECTORY, ERROR_NOT_A_REPARSE_POINT, ERROR_PATH_NOT_FOUND, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_ATTRIBUTE_DIRECTORY, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_FLAGS_AND_ATTRIBUTES, FILE_LIST_DIRECTORY, FILE_NAME_NORMALIZED, FILE_NAME_OPENED, FILE_READ_ATTRIBUTES,
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, GetFinalPathNameByHandleW, OPEN_EXISTING, QueryDosDeviceW,
    SYNCHRONIZE, VOLUME_NAME_DOS, VOLUME_NAME_GUID, VOLUME_NAME_NT,
};

use super::entries::Reader;
use super::nt::{Sort, code, number, open, reparse_data, until_nul};
use super::path::{in_full, shown, verbatim};
use super::query::holds_entries;
use super::{Object, from_wide, is_within, read_target};
use crate::model::{FileKind, Home, Metadata, Target};
use crate::platform::{Entry, FileSystems, Filesystem, Jump, Stat};

/// A directory held by a handle.
#[derive(Debug)]
pub(crate) struct Directory {
    handle: OwnedHandle,
}

/// An object held by a handle.
#[derive(Debug)]
pub(crate) struct Held {
    handle: OwnedHandle,
}

impl Held {
    /// What it is.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        Object::of(&self.handle).metadata()
    }

    /// No link here is text.
    pub(crate) fn text(&self) -> io::Result<OsString> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What is to be compared later.
    pub(super) fn stat(&self) -> io::Result<Stat> {
        Object::of(&self.handle).stat()
    }

    /// `FILE_ATTRIBUTE_*`.
    pub(super) fn attributes(&self) -> io::Result<u32> {
        Object::of(&self.handle).attributes()
    }

    /// Its path without links, as the system tells it: of a file, one of several.
    pub(crate) fn path(&self) -> io::Result<PathBuf> {
        final_path(self.handle.as_handle())
    }
}

/// An object that a handle holds already.
pub(super) fn of_handle(handle: OwnedHandle) -> Held {
    Held { handle }
}

impl AsHandle for Held {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

pub(crate) use super::entries::ReadBuffer;

/// To be looked at.
const LOOK: u32 = FILE_READ_ATTRIBUTES | SYNCHRONIZE;
/// To be read as a directory, too.
const READ: u32 = LOOK | FILE_LIST_DIRECTORY;

impl Directory {
    /// Opens a directory by path, through links, however long the path is.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::checked(by_path(path, FILE_FLAG_BACKUP_SEMANTICS, READ)?)
    }

    /// Refuses what is no directory.
    fn checked(handle: OwnedHandle) -> io::Result<Self> {
        if Object::of(&handle).attributes()? & FILE_ATTRIBUTE_DIRECTORY == 0 {
            return Err(code(ERROR_DIRECTORY));
        }
        Ok(Self { handle })
    }

    /// What is at a path, links not followed at its end.
    pub(super) fn of_path(path: &Path) -> io::Result<OwnedHandle> {
        by_path(path, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, LOOK)
    }

    /// Opens a directory in this one. A link is refused as what is no directory.
    pub(crate) fn open_child(&self, name: &OsStr) -> io::Result<Self> {
        let opened = self.child(name, READ, Sort::Directory);
        // What may not be listed can still be passed through.
        let handle = opened.or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => self.child(name, LOOK, Sort::Directory),
            _ => Err(error),
        })?;
        Self::unless_link(handle)
    }

    /// Refuses a link. A directory of a cloud is a reparse point, too, and none.
    fn unless_link(handle: OwnedHandle) -> io::Result<Self> {
        if !holds_entries(Object::of(&handle).tag()?) && is_link(&handle) {
            return Err(code(ERROR_DIRECTORY));
        }
        Ok(Self { handle })
    }

    fn child(&self, name: &OsStr, access: u32, sort: Sort) -> io::Result<OwnedHandle> {
        match name.as_encoded_bytes() {
            b"." => open(self.as_handle(), OsStr::new(""), access, sort),
            b".." => Ok(self.open_parent()?.handle),
            _ => open(self.as_handle(), name, access, sort),
        }
    }

    /// Opens a directory below this one. A link anywhere on the way is refused as what is no directory.
    pub(crate) fn open_below(&self, path: &Path) -> io::Result<Self> {
        let mut directory = self.open_child(OsStr::new("."))?;
        for component in path.components() {
            directory = directory.open_child(component.as_os_str())?;
        }
        Ok(directory)
    }

    /// Opens a directory by its physical path: a link on the way, put there since, is refused.
    pub(crate) fn open_physical(path: &Path) -> io::Result<Self> {
        let full = in_full(path)?;
        let is_name = |component: &Component<'_>| matches!(component, Component::Normal(_));
        let root: PathBuf = full.components().take_while(|component| !is_name(component)).collect();
        let mut directory = Self::open(&root)?;
        for name in full.components().filter(is_name) {
            directory = match directory.open_child(name.as_os_str()) {
                // A volume that is mounted in a directory is part of its physical path.
                Err(error) if number(&error) == Some(ERROR_DIRECTORY) => {
                    directory.open_volume(name.as_os_str()).ok_or(error)?
                }
                // One that may only be passed through cannot be opened by itself: by its whole path, and then it is
                // seen whether that is where it was.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    let opened = Self::open(&full)?;
                    let found = opened.physical_path()?;
                    let same = is_within(&found, &full) && is_within(&full, &found);
                    return if same { Ok(opened) } else { Err(error) };
                }
                opened => opened?,
            };
        }
        Ok(directory)
    }

    /// The root of the volume that is mounted at a name, if one is.
    fn open_volume(&self, name: &OsStr) -> Option<Self> {
        let Ok(Target::Reparse(point)) = read_target(self, name, true) else { return None };
        match point.decode() {
            Ok(ReparseData::MountPoint(point)) if point.is_volume() => {
                Self::open(Path::new(&from_wide(&nt_to_win32(&point.substitute)))).ok()
            }
            _ => None,
        }
    }

    /// Holds what a name is, whatever becomes of the name. Nothing is followed, nothing opened for its data.
    pub(crate) fn hold(&self, name: &OsStr) -> io::Result<Held> {
        Ok(Held { handle: self.child(name, LOOK, Sort::Any)? })
    }

    /// Opens the directory above this one; the root's is the root.
    pub(crate) fn open_parent(&self) -> io::Result<Self> {
        let path = self.physical_path()?;
        Self::open(path.parent().unwrap_or(&path))
    }

    /// The directory's path without links, as the system tells it.
    pub(crate) fn physical_path(&self) -> io::Result<PathBuf> {
        final_path(self.as_handle())
    }

    /// Which directory this is, for a record that is read again after a restart.
    pub(crate) fn home(&self, file_systems: &FileSystems) -> io::Result<Home> {
        let directory = self.metadata()?.id;
        Ok(Home { directory, file_system: directory.volume, name: file_systems.name(self).ok() })
    }

    /// Whether a volume begins here.
    pub(crate) fn is_mount_point(&self) -> io::Result<bool> {
        let path = self.physical_path()?;
        let Some(parent) = path.parent() else { return Ok(true) };
        Ok(Self::open(parent)?.metadata()?.id.volume != self.metadata()?.id.volume)
    }

    /// What the directory itself is.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        Object::of(&self.handle).metadata()
    }

    /// What a name is, links not followed.
    pub(crate) fn metadata_nofollow(&self, name: &OsStr) -> io::Result<Metadata> {
        Object::of(&self.child(name, LOOK, Sort::Any)?).metadata()
    }

    /// What a path from here leads to, links followed by the system.
    pub(crate) fn metadata_follow(&self, path: &OsStr) -> io::Result<Metadata> {
        let path = self.physical_path()?.join(path);
        Object::of(&by_path(&path, FILE_FLAG_BACKUP_SEMANTICS, LOOK)?).metadata()
    }

    /// Why a file in the directory is not to be believed: others than this user could have written
    /// it. `None` where all is well.
    pub(crate) fn distrust(&self, file: &Path) -> io::Result<Option<String>> {
        if Object::of(&self.handle).tag()?.is_some() {
            return Ok(Some("the directory is a link".to_owned()));
        }
        let directory = super::user::distrust(self.as_handle(), OsStr::new(""), "the directory");
        match self.metadata_nofollow(file.as_os_str()) {
            Ok(found) if found.kind == FileKind::Link => Ok(Some("its file is a link".to_owned())),
            Ok(_) => match directory? {
                None => super::user::distrust(self.as_handle(), file.as_os_str(), "its file"),
                cause => Ok(cause),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => directory,
            Err(error) => Err(error),
        }
    }

    /// Whether [`Entry::number`] is the number that [`Metadata::id`] holds, so that nothing need be
    /// asked about other files.
    pub(crate) fn knows_numbers(&self) -> bool {
        Filesystem::of(self)
            .is_ok_and(|filesystem| !filesystem.network && matches!(filesystem.kind.as_str(), "NTFS" | "ReFS"))
    }

    /// Opens a directory in this one so that [`Directory::read`] can read it. A link is refused as what is no
    /// directory.
    pub(crate) fn open_child_to_read(&self, name: &OsStr) -> io::Result<Self> {
        Self::unless_link(self.child(name, READ, Sort::Directory)?)
    }

    /// Cannot be asked here: `Unsupported`.
    #[expect(clippy::unused_self, reason = "the signature is that of every system")]
    pub(crate) fn leads_without_links(&self, _target: &OsStr) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// No link leads elsewhere here than its text says.
    #[expect(clippy::unused_self, reason = "the signature is that of every system")]
    pub(crate) fn has_jumps(&self) -> bool {
        false
    }

    /// As [`Directory::has_jumps`].
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the signature is that of every system")]
    pub(crate) fn jump(&self, _name: &OsStr) -> io::Result<Option<Jump>> {
        Ok(None)
    }

    /// What a target leads to from here, by its physical path.
    pub(crate) fn reach(&self, target: &OsStr) -> io::Result<Option<PathBuf>> {
        let path = self.physical_path()?.join(target);
        let reached = by_path(&path, FILE_FLAG_BACKUP_SEMANTICS, LOOK)?;
        Ok(final_path(reached.as_handle()).ok())
    }

    /// Reads a directory opened to be read: name and kind of every entry but `.` and `..`, all in few calls and
    /// without opening any of them.
    ///
    /// A directory that is a reparse point without being a link (of a cloud, say) is shown twice: as the reparse
    /// point that it is, and as a directory to be entered.
    pub(crate) fn read(
        &self,
        buffer: &mut ReadBuffer,
        mut visit: impl FnMut(&OsStr, Option<FileKind>, u128),
    ) -> io::Result<()> {
        let mut reader = Reader::new(self.as_handle(), buffer);
        while let Some(found) = reader.next()? {
            visit(&found.name, Some(found.kind), found.number);
            if found.is_entered && found.kind == FileKind::Link {
                visit(&found.name, Some(FileKind::Directory), found.number);
            }
        }
        Ok(())
    }

    /// Whether a name that no entry has is certainly missing: never, as case and short names are to be thought of.
    #[expect(clippy::unused_self, reason = "the signature is that of every system")]
    pub(crate) fn names_are_exact(&self) -> bool {
        false
    }

    /// Whether upper and lower case are one in the directory, whatever the file system.
    #[expect(clippy::unused_self, reason = "the signature is that of every system")]
    pub(crate) fn folds_case(&self) -> bool {
        true
    }

    /// The names in the directory, `.` and `..` left out, in the system's order.
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>> + use<>> {
        // Where a reading has come to belongs to the handle: another is taken for each.
        let opened = self.child(OsStr::new("."), READ, Sort::Directory)?;
        let mut buffer = ReadBuffer::new();
        let mut reader = Reader::new(opened.as_handle(), &mut buffer);
        let mut entries = Vec::new();
        while let Some(found) = reader.next()? {
            entries.push(Ok(Entry { name: found.name, kind: Some(found.kind), number: found.number }));
        }
        Ok(entries.into_iter())
    }
}

impl AsHandle for Directory {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

/// Whether what looks like a link has a link's data: Wine shows what is mounted by its host like links, too.
fn is_link(handle: &OwnedHandle) -> bool {
    let data = reparse_data(handle.as_handle());
    !data.is_err_and(|error| number(&error) == Some(ERROR_NOT_A_REPARSE_POINT))
}

/// Opens what is at a path; what may not be read may still be looked at.
fn by_path(path: &Path, flags: FILE_FLAGS_AND_ATTRIBUTES, access: u32) -> io::Result<OwnedHandle> {
    let units = verbatim(path)?;
    match open_existing(&units, flags, access) {
        Err(error) if access != LOOK && error.kind() == io::ErrorKind::PermissionDenied => {
            open_existing(&units, flags, LOOK)
        }
        answer => answer,
    }
}

/// With whom what is opened is shared: with everybody.
pub(super) const SHARE: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

/// Opens what is there by a path that ends in NUL.
pub(super) fn open_existing(path: &[u16], flags: FILE_FLAGS_AND_ATTRIBUTES, access: u32) -> io::Result<OwnedHandle> {
    debug_assert_eq!(path.last(), Some(&0));
    // SAFETY: `path` ends in NUL, as its two callers make it, and outlives the call; no security attributes and no
    // template are passed.
    owned(unsafe { CreateFileW(path.as_ptr(), access, SHARE, ptr::null(), OPEN_EXISTING, flags, ptr::null_mut()) })
}

/// What a call that opens something gave.
pub(super) fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call that gave it succeeded, so the handle is open and nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// The path of an opened object, without links: by its drive or share, or else by its volume's own name.
pub(super) fn final_path(handle: BorrowedHandle<'_>) -> io::Result<PathBuf> {
    let mut first = None;
    // Names as they were opened, where a directory above may not be listed; the volume's name, where it has no letter.
    for form in [
        FILE_NAME_NORMALIZED | VOLUME_NAME_DOS,
        FILE_NAME_OPENED | VOLUME_NAME_DOS,
        FILE_NAME_NORMALIZED | VOLUME_NAME_GUID,
        FILE_NAME_OPENED | VOLUME_NAME_GUID,
    ] {
        match path_by(handle, form) {
            Ok(units) => return Ok(shown(&units)),
            Err(error) => drop(first.get_or_insert(error)),
        }
    }
    // Drives that the mount manager does not know (images mounted by other programs); and Wine, whose call gives up
    // at 260 units.
    let by_device = path_by(handle, FILE_NAME_OPENED | VOLUME_NAME_NT).ok();
    let by_device = by_device.or_else(|| object_name(handle)).and_then(|units| by_letter(&units));
    by_device.ok_or_else(|| first.unwrap_or_else(|| code(ERROR_PATH_NOT_FOUND)))
}

fn path_by(handle: BorrowedHandle<'_>, form: u32) -> io::Result<Vec<u16>> {
    let mut room = vec![0_u16; 512];
    loop {
        let length = u32::try_from(room.len()).map_err(|_| code(ERROR_PATH_NOT_FOUND))?;
        // SAFETY: the system writes at most `length` units to `room`, which has as many.
        let written = unsafe { GetFinalPathNameByHandleW(handle.as_raw_handle(), room.as_mut_ptr(), length, form) };
        match usize::try_from(written) {
            Ok(0) | Err(_) => return Err(io::Error::last_os_error()),
            Ok(written) if written < room.len() => {
                room.truncate(written);
                return Ok(room);
            }
            Ok(needed) => room.resize(needed + 1, 0),
        }
    }
}

/// The path of an opened object as the kernel names it.
fn object_name(handle: BorrowedHandle<'_>) -> Option<Vec<u16>> {
    /// `ObjectNameInformation` of `OBJECT_INFORMATION_CLASS`.
    const NAME: i32 = 1;
    // A header of two words, and the longest path there is.
    let mut words = vec![0_u64; (1 << 16) / 8 + 2];
    let length = u32::try_from(words.len() * 8).ok()?;
    // SAFETY: the system writes at most `length` bytes to `words`, which has as many.
    let status = unsafe {
        let room = words.as_mut_ptr().cast();
        NtQueryObject(handle.as_raw_handle(), NAME, room, length, ptr::null_mut())
    };
    if status != 0 {
        return None;
    }
    // The header, of two words, begins with the length of the name in bytes; the name stands behind it.
    let bytes = usize::try_from(words.first()? & 0xffff).ok()?;
    let name = words.get(2..)?.iter().flat_map(|word| word.to_le_bytes());
    let bytes: Vec<u8> = name.take(bytes).collect();
    Some(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
}

/// A path of the kernel (`\??\C:\a`, `\Device\X\a`) by the letter of its drive.
fn by_letter(name: &[u16]) -> Option<PathBuf> {
    let path = nt_to_win32(&WideString::from_units(name.to_vec()));
    if matches!(classify(&path), TargetClass::DriveAbsolute { .. } | TargetClass::Unc) {
        return Some(shown(path.units()));
    }
    (b'A'..=b'Z').find_map(|letter| {
        let drive = [u16::from(letter), u16::from(b':')];
        let mut device = vec![0_u16; 1024];
        let length = u32::try_from(device.len()).ok()?;
        let asked = [drive[0], drive[1], 0];
        // SAFETY: the name ends in NUL; the system writes at most `length` units to `device`, which has as many.
        if unsafe { QueryDosDeviceW(asked.as_ptr(), device.as_mut_ptr(), length) } == 0 {
            return None;
        }
        let device = Some(until_nul(&device)).filter(|device| !device.is_empty())?;
        let rest = name.strip_prefix(device).filter(|rest| rest.first() == Some(&u16::from(b'\\')))?;
        Some(shown(&[&drive[..], rest].concat()))
    })
}
