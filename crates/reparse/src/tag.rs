//! The reparse tag: which kind of reparse point this is (MS-FSCC §2.1.2.1).

use std::borrow::Cow;
use std::fmt;

/// A reparse tag: the first four bytes of every reparse buffer (MS-FSCC §2.1.2.1).
///
/// Any 32-bit value can be held. `Display` prints what `fsutil` prints: `0xa000000c`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

/// Declares the constants and, from the same lines, the table of names.
macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl Tag {
            $($(#[$doc])* pub const $name: Tag = Tag($value);)*
        }
        const NAMES: &[(Tag, &str)] = &[$((Tag::$name, stringify!($name)),)*];
    };
}

tags! {
    /// A junction or a volume mount point: see [`MountPoint`](crate::MountPoint).
    MOUNT_POINT = 0xA000_0003;
    /// Hierarchical storage, obsolete.
    HSM = 0xC000_0004;
    /// Hierarchical storage, second product, obsolete.
    HSM2 = 0x8000_0006;
    /// Home Server drive extender, obsolete.
    DRIVE_EXTENDER = 0x8000_0005;
    /// Single-instance storage.
    SIS = 0x8000_0007;
    /// A file of a mounted WIM image.
    WIM = 0x8000_0008;
    /// A cluster shared volume.
    CSV = 0x8000_0009;
    /// The distributed file system.
    DFS = 0x8000_000A;
    /// Filter manager test tag.
    FILTER_MANAGER = 0x8000_000B;
    /// A symbolic link: see [`Symlink`](crate::Symlink).
    SYMLINK = 0xA000_000C;
    /// The IIS cache.
    IIS_CACHE = 0xA000_0010;
    /// The distributed file system, replicated.
    DFSR = 0x8000_0012;
    /// A file of a volume with data deduplication.
    DEDUP = 0x8000_0013;
    /// An app package being streamed.
    APPXSTRM = 0xC000_0014;
    /// A special file made by the NFS server.
    NFS = 0x8000_0014;
    /// A OneDrive placeholder of Windows 8.1.
    FILE_PLACEHOLDER = 0x8000_0015;
    /// A dynamic file filter.
    DFM = 0x8000_0016;
    /// A file compressed by the Windows overlay filter (`compact /exe`).
    WOF = 0x8000_0017;
    /// A container's isolation filter.
    WCI = 0x8000_0018;
    /// A container's isolation filter, for directories.
    WCI_1 = 0x9000_1018;
    /// A named-pipe style global redirect.
    GLOBAL_REPARSE = 0xA000_0019;
    /// A file kept in a cloud; the sub-types `CLOUD_1` to `CLOUD_F` have bits 12 to 15 set.
    CLOUD = 0x9000_001A;
    /// A Store app's alias: see [`AppExecLink`](crate::AppExecLink).
    APPEXECLINK = 0x8000_001B;
    /// A projected file (VFS for Git).
    PROJFS = 0x9000_001C;
    /// A symbolic link made under WSL: see [`LxSymlink`](crate::LxSymlink).
    LX_SYMLINK = 0xA000_001D;
    /// A file of Azure File Sync.
    STORAGE_SYNC = 0x8000_001E;
    /// A container's note that a file of a lower layer is gone.
    WCI_TOMBSTONE = 0xA000_001F;
    /// A file that the isolation filter does not handle.
    UNHANDLED = 0x8000_0020;
    /// OneDrive, not used by Windows itself.
    ONEDRIVE = 0x8000_0021;
    /// A projected file that was deleted.
    PROJFS_TOMBSTONE = 0xA000_0022;
    /// A Unix domain socket.
    AF_UNIX = 0x8000_0023;
    /// A named pipe made under WSL.
    LX_FIFO = 0x8000_0024;
    /// A character device made under WSL.
    LX_CHR = 0x8000_0025;
    /// A block device made under WSL.
    LX_BLK = 0x8000_0026;
    /// A container's link into a lower layer.
    WCI_LINK = 0xA000_0027;
    /// A container's link into a lower layer, second form.
    WCI_LINK_1 = 0xA000_1027;
    /// A directory of Azure File Sync.
    STORAGE_SYNC_FOLDER = 0x9000_0027;
    /// A file of a composite image.
    DATALESS_CIM = 0xA000_0028;
}

impl Tag {
    const MICROSOFT: u32 = 1 << 31;
    const NAME_SURROGATE: u32 = 1 << 29;
    const CLOUD_SUBTYPE: u32 = 0x0000_F000;

    /// The tag's name without its `IO_REPARSE_TAG_` prefix, such as `SYMLINK` or `CLOUD_3`; none for a tag that is not
    /// in the published table.
    #[must_use]
    pub fn name(self) -> Option<Cow<'static, str>> {
        if let Some((_, name)) = NAMES.iter().find(|(tag, _)| *tag == self) {
            return Some(Cow::Borrowed(name));
        }
        let subtype = (self.0 & Self::CLOUD_SUBTYPE) >> 12;
        (self.0 & !Self::CLOUD_SUBTYPE == Self::CLOUD.0).then(|| Cow::Owned(format!("CLOUD_{subtype:X}")))
    }

    /// Whether the tag is Microsoft's (bit 31). The buffer of any other tag holds a GUID after its header.
    #[must_use]
    pub fn is_microsoft(self) -> bool {
        self.0 & Self::MICROSOFT != 0
    }

    /// Whether the file or directory stands for another one that has a name (bit 29), as every link does. Deleting
    /// such a directory recursively must not go through it.
    #[must_use]
    pub fn is_name_surrogate(self) -> bool {
        self.0 & Self::NAME_SURROGATE != 0
    }

    /// The two values that mean "no tag" and are refused everywhere (MS-FSCC §2.3.82).
    pub(crate) fn is_reserved(self) -> bool {
        self.0 <= 1
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "Tag({self} {name})"),
            None => write!(f, "Tag({self})"),
        }
    }
}
