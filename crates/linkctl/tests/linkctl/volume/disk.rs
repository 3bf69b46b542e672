//! Disks put together from volumes, with partition tables written by hand.

use super::*;

pub const SECTOR: usize = 512;

/// A small volume, unmounted: the one that Windows is on, or one with data.
pub fn volume(windows: bool) -> Volume {
    let mut volume = Volume::new(Fs::Ntfs, 0);
    let point = |name: &str, directory: bool, data: &[u8]| {
        let path = volume.path().join(name);
        if directory {
            fs::create_dir(&path).unwrap();
        } else {
            File::create_new(&path).unwrap();
        }
        testkit::ntfs::set_reparse(path, data);
    };
    if windows {
        tree!(volume.path(), { "Windows/System32/x" => file("system"), "Users/me" => dir });
        point("Users/all", true, &junction(r"C:\Windows"));
        point("Users/to data", true, &junction(r"D:\data"));
        point("Users/gone", false, &symlink("nobody"));
    } else {
        tree!(volume.path(), { "data/f" => file("data") });
        tree!(volume.path(), { "data/g" => hard("data/f") });
        point("relative", false, &symlink(r"data\f"));
        point("to Windows", true, &junction(r"C:\Windows"));
    }
    volume.unmount();
    volume
}

fn junction(target: &str) -> Vec<u8> {
    let point = reparse::MountPoint::junction(&WideString::from(target)).unwrap();
    reparse::ReparseData::from(point).encode().unwrap()
}

fn symlink(target: &str) -> Vec<u8> {
    let link = reparse::Symlink::new(&WideString::from(target)).unwrap();
    reparse::ReparseData::from(link).encode().unwrap()
}

/// A disk being put together.
pub struct Disk {
    bytes: Vec<u8>,
    dir: TempDir,
}

impl Disk {
    pub fn new() -> Disk {
        Disk { bytes: Vec::new(), dir: tempfile::tempdir().unwrap() }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
    }

    /// Puts something where a partition begins. Gives its length in sectors.
    pub fn fill(&mut self, sector: usize, content: &[u8]) -> usize {
        self.put(sector * SECTOR, content);
        content.len().div_ceil(SECTOR)
    }

    /// One entry of the table of a BIOS, in the sector of the table: kind, first sector, how many.
    pub fn mbr(&mut self, table: usize, entry: usize, kind: u8, first: usize, count: usize) {
        let at = table * SECTOR + 446 + 16 * entry;
        let fields = [u32::try_from(first).unwrap().to_le_bytes(), u32::try_from(count).unwrap().to_le_bytes()];
        self.put(at, &[[0, 0, 0, 0, kind, 0, 0, 0], fields.concat().try_into().unwrap()].concat());
        self.put(table * SECTOR + 510, &[0x55, 0xaa]);
    }

    /// The header of a GPT on a disk with sectors of this size.
    pub fn gpt(&mut self, sector: usize) {
        self.mbr(0, 0, 0xee, 1, 0xffff_ffff);
        self.put(sector, b"EFI PART");
        self.put(sector + 72, &2_u64.to_le_bytes());
        self.put(sector + 80, &[128_u32.to_le_bytes(), 128_u32.to_le_bytes()].concat());
        self.put(2 * sector + 128 * 128, &[]);
    }

    /// One entry of a GPT, by its number: its first byte, and its length in bytes.
    pub fn gpt_entry(&mut self, sector: usize, number: usize, start: usize, length: usize) {
        let at = 2 * sector + 128 * (number - 1);
        let (first, last) = ((start / sector) as u64, ((start + length) / sector - 1) as u64);
        self.put(at, &[0xaa; 32]);
        self.put(at + 32, &[first.to_le_bytes(), last.to_le_bytes()].concat());
    }

    /// The image.
    pub fn write(&self) -> PathBuf {
        let path = self.dir.path().join("disk");
        fs::write(&path, &self.bytes).unwrap();
        path
    }
}
