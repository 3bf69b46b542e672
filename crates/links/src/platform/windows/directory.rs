//! An opened directory: every look-up below it is by handle, so nothing can be swapped
//! underneath between one look and the next.

#![allow(unsafe_code, reason = "calls of the system")]

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::path::{Component, Path, PathBuf};
use std::ptr;

use reparse::WideString;
use reparse::path::{TargetClass, classify, nt_to_win32};
use windows_sys::Wdk::Foundation::NtQueryObject;
use windows_sys::Win32::Foundation::{ERROR_DIRECTORY, ERROR_PATH_NOT_FOUND, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_ATTRIBUTE_DIRECTORY, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_FLAGS_AND_ATTRIBUTES, FILE_LIST_DIRECTORY, FILE_NAME_NORMALIZED, FILE_NAME_OPENED,
    FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, GetFinalPathNameByHandleW,
    OPEN_EXISTING, SYNCHRONIZE, VOLUME_NAME_DOS, VOLUME_NAME_GUID,
};

use super::entries::Reader;
use super::nt::{Sort, code, open};
use super::path::{in_full, shown, verbatim};
use super::query::holds_entries;
use super::{Filesystem, Object};
use crate::model::{FileKind, Home, Metadata};

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
}

impl AsHandle for Held {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

pub(crate) use super::entries::{Entry, ReadBuffer};

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
        // A directory of a cloud is a reparse point, too, and no link.
        if !holds_entries(Object::of(&handle).tag()?) {
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
        let below: PathBuf = full.components().skip_while(|component| !is_name(component)).collect();
        Self::open(&root)?.open_below(&below)
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
    pub(crate) fn home(&self) -> io::Result<Home> {
        let directory = self.metadata()?.id;
        Ok(Home { directory, file_system: directory.volume })
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
        match self.metadata_nofollow(file.as_os_str()) {
            Ok(found) if found.kind == FileKind::Link => Ok(Some("its file is a link".to_owned())),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => super::user::distrust(self.as_handle()),
        }
    }

    /// Whether [`Entry::number`] is the number that [`Metadata::id`] holds, so that nothing need be
    /// asked about other files.
    pub(crate) fn knows_numbers(&self) -> bool {
        Filesystem::of(self).is_ok_and(|filesystem| {
            !filesystem.network && matches!(filesystem.kind.as_str(), "NTFS" | "ReFS")
        })
    }

    /// Opens a directory in this one so that [`Directory::read`] can read it. A link is refused as what is no
    /// directory.
    pub(crate) fn open_child_to_read(&self, name: &OsStr) -> io::Result<Self> {
        let handle = self.child(name, READ, Sort::Directory)?;
        if !holds_entries(Object::of(&handle).tag()?) {
            return Err(code(ERROR_DIRECTORY));
        }
        Ok(Self { handle })
    }

    /// Cannot be asked here: `Unsupported`.
    #[expect(clippy::unused_self, reason = "the signature is that of every system")]
    pub(crate) fn leads_without_links(&self, _target: &OsStr) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
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
        mut visit: impl FnMut(&OsStr, Option<FileKind>),
    ) -> io::Result<()> {
        let mut reader = Reader::new(self.as_handle(), buffer);
        while let Some(found) = reader.next()? {
            visit(&found.name, Some(found.kind));
            if found.is_entered && found.kind == FileKind::Link {
                visit(&found.name, Some(FileKind::Directory));
            }
        }
        Ok(())
    }

    /// Whether a name that no entry has is certainly missing: never, as case and short names are to be thought of.
    #[expect(clippy::unused_self, reason = "the signature is that of every system")]
    pub(crate) fn names_are_exact(&self) -> bool {
        false
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

/// Opens what is at a path; what may not be read may still be looked at.
fn by_path(path: &Path, flags: FILE_FLAGS_AND_ATTRIBUTES, access: u32) -> io::Result<OwnedHandle> {
    let units = verbatim(path)?;
    let open = |access| {
        let share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
        // SAFETY: `units` ends in NUL and outlives the call; no security attributes and no template are passed.
        let handle = unsafe {
            CreateFileW(units.as_ptr(), access, share, ptr::null(), OPEN_EXISTING, flags, ptr::null_mut())
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so the handle is open and nobody else's.
        Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
    };
    match open(access) {
        Err(error) if access != LOOK && error.kind() == io::ErrorKind::PermissionDenied => open(LOOK),
        answer => answer,
    }
}

/// The path of an opened object, without links: by its drive, its share, or else its volume's own name.
pub(super) fn final_path(handle: BorrowedHandle<'_>) -> io::Result<PathBuf> {
    let mut room = vec![0_u16; 512];
    let mut form = FILE_NAME_NORMALIZED | VOLUME_NAME_DOS;
    loop {
        let length = u32::try_from(room.len()).map_err(|_| code(ERROR_PATH_NOT_FOUND))?;
        // SAFETY: the system writes at most `length` units to `room`, which has as many.
        let written =
            unsafe { GetFinalPathNameByHandleW(handle.as_raw_handle(), room.as_mut_ptr(), length, form) };
        match usize::try_from(written) {
            Ok(0) | Err(_) => {
                let error = io::Error::last_os_error();
                // A directory above may not be listed: then by the names it was opened by.
                if error.kind() == io::ErrorKind::PermissionDenied && form & FILE_NAME_OPENED == 0 {
                    form |= FILE_NAME_OPENED;
                    continue;
                }
                // A volume without a letter.
                if error.kind() == io::ErrorKind::NotFound && form & VOLUME_NAME_GUID == 0 {
                    form |= VOLUME_NAME_GUID;
                    continue;
                }
                // Wine's call gives up at 260 units; its kernel knows all of them.
                return object_name(handle).ok_or(error);
            }
            Ok(written) if written < room.len() => {
                return Ok(shown(room.get(..written).unwrap_or_default()));
            }
            Ok(needed) => room.resize(needed + 1, 0),
        }
    }
}

/// The path of an opened object as the kernel names it, where that is a path of Win32, too.
fn object_name(handle: BorrowedHandle<'_>) -> Option<PathBuf> {
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
    // The header begins with the length of the name in bytes; the name stands behind it.
    let bytes = usize::try_from(words.first()? & 0xffff).ok()?;
    let units = words.get(2..)?.iter().flat_map(|word| word.to_le_bytes().into_iter().collect::<Vec<_>>());
    let bytes: Vec<u8> = units.take(bytes).collect();
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let path = nt_to_win32(&WideString::from_units(units));
    matches!(classify(&path), TargetClass::DriveAbsolute { .. } | TargetClass::Unc)
        .then(|| shown(path.units()))
}
