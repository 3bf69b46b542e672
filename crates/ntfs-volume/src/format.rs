//! What else than NTFS a source holds, by its first bytes: for an error that helps.

use std::fmt;

/// Formats of disk images that are no raw images, of file systems and of encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// QEMU's images.
    Qcow2,
    /// Hyper-V's images.
    Vhdx,
    /// Older images of Hyper-V and Virtual PC, except for those of fixed size, which are raw.
    Vhd,
    /// VMware's images.
    Vmdk,
    /// VirtualBox' images.
    Vdi,
    /// EnCase's images.
    Ewf,
    /// Windows' own encryption.
    BitLocker,
    /// LUKS.
    Luks,
    /// gzip, xz, zstd, bzip2, zip or 7z.
    Compressed,
    /// exFAT.
    ExFat,
    /// FAT.
    Fat,
    /// `ReFS`.
    ReFs,
    /// ext2, ext3 or ext4.
    Ext,
    /// XFS.
    Xfs,
    /// Btrfs.
    Btrfs,
    /// A WIM archive.
    Wim,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qcow2 => "a qcow2 disk image",
            Self::Vhdx => "a VHDX disk image",
            Self::Vhd => "a VHD disk image",
            Self::Vmdk => "a VMDK disk image",
            Self::Vdi => "a VDI disk image",
            Self::Ewf => "an EWF (E01) disk image",
            Self::BitLocker => "a volume encrypted by BitLocker",
            Self::Luks => "a volume encrypted by LUKS",
            Self::Compressed => "a compressed file",
            Self::ExFat => "an exFAT volume",
            Self::Fat => "a FAT volume",
            Self::ReFs => "a ReFS volume",
            Self::Ext => "an ext2, ext3 or ext4 file system",
            Self::Xfs => "an XFS file system",
            Self::Btrfs => "a Btrfs file system",
            Self::Wim => "a WIM archive",
        })
    }
}

/// Where each format has what, beginning with the surest.
const SIGNS: &[(usize, &[u8], Format)] = &[
    (0, b"QFI\xfb", Format::Qcow2),
    (0, b"vhdxfile", Format::Vhdx),
    (0, b"conectix", Format::Vhd),
    (0, b"KDMV", Format::Vmdk),
    (0, b"# Disk DescriptorFile", Format::Vmdk),
    (0x40, b"\x7f\x10\xda\xbe", Format::Vdi),
    (0, b"EVF\x09\x0d\x0a\xff\x00", Format::Ewf),
    (3, b"-FVE-FS-", Format::BitLocker),
    (0, b"LUKS\xba\xbe", Format::Luks),
    (0, b"MSWIM\0\0\0", Format::Wim),
    (0, b"\x1f\x8b\x08", Format::Compressed),
    (0, b"\xfd7zXZ\0", Format::Compressed),
    (0, b"\x28\xb5\x2f\xfd", Format::Compressed),
    (0, b"BZh", Format::Compressed),
    (0, b"PK\x03\x04", Format::Compressed),
    (0, b"7z\xbc\xaf\x27\x1c", Format::Compressed),
    (3, b"EXFAT   ", Format::ExFat),
    (3, b"ReFS\0\0\0\0", Format::ReFs),
    (0x52, b"FAT32   ", Format::Fat),
    (0x36, b"FAT1", Format::Fat),
    (0, b"XFSB", Format::Xfs),
    (0x438, b"\x53\xef", Format::Ext),
    (0x1_0040, b"_BHRfS_M", Format::Btrfs),
];

/// So many bytes from the beginning are enough to tell.
pub(crate) const ENOUGH: usize = 0x1_0048;

/// Tells a format by the first bytes of a source.
#[must_use]
pub fn format(bytes: &[u8]) -> Option<Format> {
    let is = |(at, sign, _): &&(usize, &[u8], Format)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(sign));
    SIGNS.iter().find(is).map(|(.., format)| *format)
}

/// What begins with these bytes, in words.
pub(crate) fn describe(bytes: &[u8]) -> String {
    match format(bytes) {
        Some(format) => format!("this is {format}"),
        None => "no NTFS boot sector".to_owned(),
    }
}
