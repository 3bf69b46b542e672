//! An opened directory: every look-up below it is by descriptor, so nothing can be swapped
//! underneath between one look and the next.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{
    self, AtFlags, CWD, Dir, FileType, Mode, OFlags, RawDir, ResolveFlags, Statx, StatxAttributes, StatxFlags,
};
use rustix::io::Errno;

use crate::model::{Attributes, FileId, FileKind, Home, Metadata};
use crate::platform::{Entry, FileSystems, Filesystem, Jump};

/// A directory held by a descriptor.
#[derive(Debug)]
pub(crate) struct Directory {
    fd: OwnedFd,
    /// The number of its file system's type, once that was asked for: it stays, and is asked for with every link.
    magic: OnceLock<u32>,
}

/// An object held by a descriptor.
#[derive(Debug)]
pub(crate) struct Held {
    fd: OwnedFd,
}

impl Held {
    /// What it is.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        Ok(metadata_of(&fs::statx(&self.fd, "", AtFlags::EMPTY_PATH, mask)?))
    }

    /// Its path without links, as the kernel tells it: of a file, one of several.
    pub(crate) fn path(&self) -> io::Result<PathBuf> {
        let shown = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        let path = fs::readlink(shown, Vec::new()).map_err(without_proc)?;
        Ok(PathBuf::from(OsString::from_vec(path.into_bytes())))
    }

    /// The text of a symbolic link, as the system tells it.
    pub(crate) fn text(&self) -> io::Result<OsString> {
        Ok(OsString::from_vec(fs::readlinkat(&self.fd, "", Vec::new())?.into_bytes()))
    }
}

/// An object that a descriptor holds already.
pub(super) fn of_descriptor(fd: OwnedFd) -> Held {
    Held { fd }
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Memory for [`Directory::read`], to be used again and again.
pub(crate) struct ReadBuffer(Vec<u8>);

impl ReadBuffer {
    pub(crate) fn new() -> Self {
        // Four times what the C library takes: a directory of a million names is read in few calls.
        Self(Vec::with_capacity(128 * 1024))
    }

    /// What stands in for one that is lent: nothing can be read with it.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }
}

const READ: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

const OPEN: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The longest path given to the kernel in one piece: PATH_MAX is 4,096 with its NUL.
const PIECE: usize = 4_000;

impl Directory {
    fn of(fd: OwnedFd) -> Self {
        Self { fd, magic: OnceLock::new() }
    }

    /// The number by which the kernel tells the type of its file system from others.
    pub(super) fn magic(&self) -> io::Result<u32> {
        if let Some(&known) = self.magic.get() {
            return Ok(known);
        }
        let found = super::filesystem::magic_of(self)?;
        Ok(*self.magic.get_or_init(|| found))
    }

    /// Opens a directory by path, through links, however long the path is.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str().is_empty() {
            return Self::open(Path::new("."));
        }
        if path.as_os_str().len() < PIECE {
            return Ok(Self::of(fs::openat(CWD, path, OPEN, Mode::empty())?));
        }
        let mut directory = Self::open(Path::new(if path.is_absolute() { "/" } else { "." }))?;
        for component in path.components() {
            let name = component.as_os_str();
            if name != "/" && name != "." {
                directory = Self::of(fs::openat(&directory.fd, name, OPEN, Mode::empty())?);
            }
        }
        Ok(directory)
    }

    /// Opens a directory in this one. A link is refused with ENOTDIR or ELOOP.
    pub(crate) fn open_child(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self::of(fs::openat(&self.fd, name, OPEN | OFlags::NOFOLLOW, Mode::empty())?))
    }

    /// Opens a directory below this one. A link anywhere on the way is refused with ENOTDIR or ELOOP.
    pub(crate) fn open_below(&self, path: &Path) -> io::Result<Self> {
        let mut directory = self.open_child(OsStr::new("."))?;
        for component in path.components() {
            directory = directory.open_child(component.as_os_str())?;
        }
        Ok(directory)
    }

    /// Opens a directory by its physical path: a link on the way, put there since, is refused.
    pub(crate) fn open_physical(path: &Path) -> io::Result<Self> {
        // In one call where the system has it (Linux 5.6). Whatever it says against it is said better below.
        let resolve = ResolveFlags::NO_SYMLINKS;
        if path.is_absolute()
            && let Ok(fd) = fs::openat2(CWD, path, OPEN | OFlags::NOFOLLOW, Mode::empty(), resolve)
        {
            return Ok(Self::of(fd));
        }
        let start = Self::open(Path::new(if path.is_absolute() { "/" } else { "." }))?;
        start.open_below(path.strip_prefix("/").unwrap_or(path))
    }

    /// Holds what a name is, whatever becomes of the name. Nothing is followed, nothing opened.
    pub(crate) fn hold(&self, name: &OsStr) -> io::Result<Held> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Held { fd: fs::openat(&self.fd, name, flags, Mode::empty())? })
    }

    /// Opens the directory above this one; the root's is the root.
    pub(crate) fn open_parent(&self) -> io::Result<Self> {
        Ok(Self::of(fs::openat(&self.fd, "..", OPEN, Mode::empty())?))
    }

    /// The directory's path without links, as the kernel tells it.
    pub(crate) fn physical_path(&self) -> io::Result<PathBuf> {
        let shown = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        let path = match fs::readlink(shown, Vec::new()) {
            Ok(path) => PathBuf::from(OsString::from_vec(path.into_bytes())),
            Err(_) if !has_proc() => return self.climbed(),
            Err(error) => return Err(error.into()),
        };
        // A directory that was deleted, or lies outside this process' root, has no path.
        let found = fs::statx(CWD, &path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::INO)?;
        if u128::from(found.stx_ino) != self.metadata()?.id.file {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(path)
    }

    /// The same where /proc is not mounted: by the names on the way up.
    fn climbed(&self) -> io::Result<PathBuf> {
        let (mut here, mut names) = (self.open_child(OsStr::new("."))?, Vec::new());
        loop {
            let (id, above) = (here.metadata()?.id, here.open_parent()?);
            if above.metadata()?.id == id {
                return Ok(std::iter::once(OsString::from("/")).chain(names.into_iter().rev()).collect());
            }
            let is_it = |entry: &Entry| above.metadata_nofollow(&entry.name).is_ok_and(|found| found.id == id);
            let name = above.entries()?.filter_map(Result::ok).find(is_it);
            names.push(name.ok_or(io::ErrorKind::NotFound)?.name);
            here = above;
        }
    }

    /// Which directory this is, for a record that is read again after a restart.
    pub(crate) fn home(&self, file_systems: &FileSystems) -> io::Result<Home> {
        let directory = self.metadata()?.id;
        let known = fs::fstatvfs(&self.fd)?.f_fsid;
        let name = file_systems.name(self).ok();
        Ok(Home { directory, file_system: if known == 0 { directory.volume } else { known }, name })
    }

    /// Whether a file system is mounted on it.
    pub(crate) fn is_mount_point(&self) -> io::Result<bool> {
        let answer = fs::statx(&self.fd, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
        // Since Linux 5.8; before, a look above tells all but bind mounts.
        if answer.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) {
            return Ok(answer.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
        }
        let (here, above) = (self.metadata()?.id, self.open_parent()?.metadata()?.id);
        Ok(here == above || here.volume != above.volume)
    }

    /// What the directory itself is.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.stat(OsStr::new(""), AtFlags::EMPTY_PATH)
    }

    /// What a name is, links not followed.
    pub(crate) fn metadata_nofollow(&self, name: &OsStr) -> io::Result<Metadata> {
        let mut found = self.metadata_nofollow_as_counted(name)?;
        // ntfs-3g counts an 8.3 name as one more name of a file.
        if found.links > 1 && found.kind != FileKind::Directory && super::has_short_name(self, name) {
            found.links -= 1;
        }
        Ok(found)
    }

    /// The same, with the number of names that the system tells.
    pub(super) fn metadata_nofollow_as_counted(&self, name: &OsStr) -> io::Result<Metadata> {
        match self.stat(name, AtFlags::SYMLINK_NOFOLLOW) {
            // ntfs-3g answers EIO once after a file became a reparse point or stopped being one.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                self.stat(name, AtFlags::SYMLINK_NOFOLLOW)
            }
            answer => answer,
        }
    }

    /// What a name leads to, links followed by the system.
    pub(crate) fn metadata_follow(&self, name: &OsStr) -> io::Result<Metadata> {
        self.stat(name, AtFlags::empty())
    }

    fn stat(&self, name: &OsStr, flags: AtFlags) -> io::Result<Metadata> {
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        let stat = fs::statx(&self.fd, name, flags | AtFlags::NO_AUTOMOUNT, mask)?;
        Ok(metadata_of(&stat))
    }

    /// Why a file in the directory is not to be believed: others than this user could have written
    /// it. `None` where all is well.
    pub(crate) fn distrust(&self, file: &Path) -> io::Result<Option<String>> {
        let uid = rustix::process::geteuid().as_raw();
        for (name, what) in [(Path::new("."), "the directory"), (file, "its file")] {
            let stat = match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
                return Ok(Some(format!("{what} is a symbolic link")));
            }
            if stat.st_uid != uid {
                return Ok(Some(format!("{what} belongs to user {}, not to {uid}", stat.st_uid)));
            }
            // Many systems give every user a group of the same number; it is that user.
            let shared = stat.st_gid != uid;
            if stat.st_mode & 0o002 != 0 {
                return Ok(Some(format!("{what} can be written by everybody")));
            }
            if stat.st_mode & 0o020 != 0 && shared {
                return Ok(Some(format!("{what} can be written by its group")));
            }
        }
        Ok(None)
    }

    /// Whether [`Entry::number`] is the number that [`Metadata::id`] holds, so that nothing need be
    /// asked about other files. Layered and remote file systems make numbers up.
    pub(crate) fn knows_numbers(&self) -> bool {
        Filesystem::of(self).is_ok_and(|filesystem| !filesystem.network && filesystem.kind != "overlay")
    }

    /// Opens a directory in this one so that [`Directory::read`] can read it. A link is refused with ENOTDIR or ELOOP.
    pub(crate) fn open_child_to_read(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self::of(fs::openat(&self.fd, name, READ, Mode::empty())?))
    }

    /// Whether a path from here, with no link on it and at its end, leads to anything: then what it says is where it
    /// is. `Unsupported` where that cannot be asked (before Linux 5.6).
    pub(crate) fn leads_without_links(&self, target: &OsStr) -> io::Result<bool> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match fs::openat2(&self.fd, target, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(_) => Ok(true),
            Err(Errno::LOOP) => Ok(false),
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => Err(io::ErrorKind::Unsupported.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether links may stand here whose text is not where they lead.
    pub(crate) fn has_jumps(&self) -> bool {
        // linux/magic.h: proc, securityfs, apparmorfs.
        const JUMPS: [u32; 3] = [0x9fa0, 0x7363_6673, 0x5a3c_69f0];
        self.magic().is_ok_and(|magic| JUMPS.contains(&magic))
    }

    /// Where the system goes by a link whose text is no path (`/proc/PID/fd/1`, `/proc/PID/root`). `None` for every other link.
    pub(crate) fn jump(&self, name: &OsStr) -> io::Result<Option<Jump>> {
        if !self.has_jumps() {
            return Ok(None);
        }
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let by_text = fs::openat2(&self.fd, name, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
        // Where that cannot be asked (before Linux 5.6), every link counts as one of these.
        if !matches!(by_text, Err(Errno::LOOP | Errno::NOSYS | Errno::PERM)) {
            return Ok(None);
        }
        let held = Held { fd: fs::openat(&self.fd, name, flags, Mode::empty())? };
        // In another namespace of mounts the kernel's name may be that of something else here.
        let metadata = held.metadata()?;
        let is_it = |path: &PathBuf| {
            let found = fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS | StatxFlags::BTIME);
            found.is_ok_and(|found| metadata_of(&found).id == metadata.id)
        };
        let path = held.path().ok().filter(|path| is_real(path) && is_it(path));
        let is_directory = metadata.kind == FileKind::Directory;
        Ok(Some(Jump { directory: is_directory.then(|| Self::of(held.fd)), path }))
    }

    /// What a target leads to from here, by its physical path; `None` where the system has no path for it.
    pub(crate) fn reach(&self, target: &OsStr) -> io::Result<Option<PathBuf>> {
        let reached = fs::openat(&self.fd, target, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let shown = format!("/proc/self/fd/{}", reached.as_raw_fd());
        // The kernel does not name what is deeper than it takes paths.
        let Ok(path) = fs::readlink(shown, Vec::new()) else { return Ok(None) };
        let path = PathBuf::from(OsString::from_vec(path.into_bytes()));
        Ok(is_real(&path).then_some(path))
    }

    /// Reads a directory opened to be read: name, kind and number of every entry but `.` and `..`, without an
    /// allocation for any of them. Once.
    pub(crate) fn read(
        &self,
        buffer: &mut ReadBuffer,
        mut visit: impl FnMut(&OsStr, Option<FileKind>, u128),
    ) -> io::Result<()> {
        let mut entries = RawDir::new(&self.fd, buffer.0.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                visit(OsStr::from_bytes(name), kind_of(entry.file_type()), entry.ino().into());
            }
        }
        Ok(())
    }

    /// Whether a name that no entry has is certainly missing: the file system tells every name as it is, and upper
    /// and lower case are two names. Nothing is asked of the file system's objects.
    pub(crate) fn names_are_exact(&self) -> bool {
        // linux/magic.h: ext2/3/4, XFS, Btrfs, tmpfs, F2FS, overlay.
        const EXACT: [u32; 6] = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0xf2f5_2010, 0x794c_7630];
        self.magic().is_ok_and(|magic| EXACT.contains(&magic)) && !self.folds_case()
    }

    /// Whether upper and lower case are one in the directory, by the flag that says so (`chattr +F`).
    pub(crate) fn folds_case(&self) -> bool {
        /// `FS_CASEFOLD_FL` of linux/fs.h.
        const CASEFOLD: u32 = 0x4000_0000;
        let flags = match fs::ioctl_getflags(&self.fd) {
            // A path descriptor cannot be asked.
            Err(Errno::BADF) => {
                let opened = self.open_child_to_read(OsStr::new("."));
                opened.and_then(|opened| Ok(fs::ioctl_getflags(&opened.fd)?)).ok()
            }
            answer => answer.ok(),
        };
        // Where the flags cannot be asked for, there are none.
        flags.is_some_and(|flags| flags.bits() & CASEFOLD != 0)
    }

    /// The names in the directory, `.` and `..` left out, in the system's order.
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>> + use<>> {
        // A path descriptor cannot be read: open the same directory again for reading.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let entries = Dir::new(fs::openat(&self.fd, ".", flags, Mode::empty())?)?;
        Ok(entries.filter_map(|entry| match entry {
            Ok(entry) => {
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                let shown = name != "." && name != "..";
                let (kind, number) = (kind_of(entry.file_type()), u128::from(entry.ino()));
                shown.then(|| Ok(Entry { name: name.to_owned(), kind, number }))
            }
            Err(error) => Some(Err(error.into())),
        }))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether the system tells here what descriptors hold.
pub(super) fn has_proc() -> bool {
    Path::new("/proc/self/fd").is_dir()
}

/// An error of a call by a path in /proc.
pub(super) fn without_proc(error: Errno) -> io::Error {
    if error == Errno::NOENT && !has_proc() {
        return io::Error::other("/proc is not mounted, by which the system tells where things are");
    }
    error.into()
}

/// Whether the kernel's name of a descriptor is a path: what is no file (a socket, a pipe) or was deleted has something
/// else there.
fn is_real(path: &Path) -> bool {
    let path = path.as_os_str().as_bytes();
    path.starts_with(b"/") && !path.ends_with(b" (deleted)")
}

fn kind_of(kind: FileType) -> Option<FileKind> {
    match kind {
        FileType::RegularFile => Some(FileKind::File),
        FileType::Directory => Some(FileKind::Directory),
        FileType::Symlink => Some(FileKind::Link),
        FileType::Unknown => None,
        _ => Some(FileKind::Special),
    }
}

fn metadata_of(stat: &Statx) -> Metadata {
    let born = if stat.stx_mask & StatxFlags::BTIME.bits() == 0 {
        0
    } else {
        let seconds = u64::try_from(stat.stx_btime.tv_sec).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(stat.stx_btime.tv_nsec.into())
    };
    // The name of a file over which another is mounted is no name of that one.
    let is_mounted = stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
    Metadata {
        id: FileId {
            volume: fs::makedev(stat.stx_dev_major, stat.stx_dev_minor),
            file: u128::from(stat.stx_ino),
            born,
        },
        kind: kind_of(FileType::from_raw_mode(u32::from(stat.stx_mode))).unwrap_or(FileKind::Special),
        links: if is_mounted { 1 } else { u64::from(stat.stx_nlink) },
        size: stat.stx_size,
        allocated: stat.stx_blocks.saturating_mul(512),
        attributes: Attributes {
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            modified: (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        },
    }
}
