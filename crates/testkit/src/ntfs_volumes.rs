//! NTFS volumes for whoever reads them raw: many shapes, filled through ntfs-3g with everything a reader may trip
//! over, and what a listing of their links must be, taken from the mount and not from the image.
//!
//! ```no_run
//! use testkit::ntfs_volumes::{SHAPES, fill, walk};
//!
//! for shape in SHAPES {
//!     let mut volume = shape.volume();
//!     fill(&volume);
//!     volume.remount();
//!     let expected = walk(&volume);
//!     volume.unmount();
//!     // Read `volume.image()` and compare with `expected`.
//! }
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, XattrFlags, lremovexattr, lsetxattr, statvfs};
use rustix::io::Errno;

use crate::canary::attribute;
use crate::ntfs::{ATTRIB, REPARSE_DATA, ntfs_attrib};
use crate::tree;
use crate::tree::Name;
use crate::volume::Volume;
use crate::walk::{Event, walk as walk_tree};

/// The tag of junctions and of volume mount points.
pub const MOUNT_POINT: u32 = 0xa000_0003;
/// The tag of Windows' symbolic links.
pub const SYMLINK: u32 = 0xa000_000c;
/// The tag of the symbolic links of WSL.
pub const LX_SYMLINK: u32 = 0xa000_001d;
/// The tag of the aliases that the Store puts on the path.
pub const APP_EXEC_LINK: u32 = 0x8000_001b;

/// How many names [`fill`] gives to one file.
pub const MANY_NAMES: usize = 1200;
/// How many names [`fill`] gives to one symbolic link of WSL.
pub const LINK_NAMES: usize = 150;
/// Every third of them is deleted again.
const SMALL_FILES: usize = 4000;

/// One way to lay out a volume.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What messages call it.
    pub name: &'static str,
    /// The size of the image: hardly more than what [`fill`] needs.
    pub size: u64,
    /// Options of mkntfs.
    pub mkntfs: &'static [&'static str],
    /// Mount options: they decide what compressed directories, `symlink` and `mknod` come to.
    pub mount: &'static str,
}

impl Shape {
    /// An empty volume of this shape, mounted.
    pub fn volume(&self) -> Volume {
        Volume::ntfs(self.size, self.mkntfs, self.mount)
    }
}

/// The mount options of a shape where `symlink` and `mknod` make Interix files, which are no reparse points.
const INTERIX: &str = "compression,big_writes";
/// And of one where they make reparse points with the tags of WSL.
const WSL: &str = "compression,big_writes,special_files=wsl";

/// The shapes: all that decides where a reader finds a record, a cluster or a block of an index.
pub const SHAPES: &[Shape] = &[
    Shape { name: "512 byte clusters", size: 20 << 20, mkntfs: &["-c", "512"], mount: INTERIX },
    Shape { name: "1 KiB clusters", size: 24 << 20, mkntfs: &["-c", "1024"], mount: WSL },
    Shape { name: "4 KiB clusters", size: 32 << 20, mkntfs: &["-c", "4096"], mount: INTERIX },
    // A block of an index is smaller than a cluster.
    Shape { name: "64 KiB clusters", size: 96 << 20, mkntfs: &["-c", "65536"], mount: WSL },
    Shape { name: "4 KiB sectors and records", size: 64 << 20, mkntfs: &["-s", "4096"], mount: WSL },
    Shape {
        name: "4 KiB records, 64 KiB clusters",
        size: 96 << 20,
        mkntfs: &["-s", "4096", "-c", "65536"],
        mount: INTERIX,
    },
];

/// What a listing of all links of a volume must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Every name of every reparse point, by path.
    pub links: Vec<ExpectedLink>,
    /// Every file with two names or more, by its first name.
    pub hard: Vec<ExpectedGroup>,
}

/// One name of a reparse point.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedLink {
    /// `C:\dir\name`. Half a surrogate pair is one U+FFFD, as in `String::from_utf16_lossy`.
    pub path: String,
    /// The number of the MFT record.
    pub mft: u64,
    /// The reparse point, header and all.
    pub raw: Vec<u8>,
    /// FILE_ATTRIBUTE_DIRECTORY.
    pub directory: bool,
}

impl ExpectedLink {
    /// The reparse tag.
    pub fn tag(&self) -> u32 {
        u32::from_le_bytes(self.raw[..4].try_into().unwrap())
    }
}

/// The names of a file that is neither a directory nor a reparse point.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedGroup {
    /// Its names, in order; 8.3 aliases are none. Written as in [`ExpectedLink::path`].
    pub paths: Vec<String>,
    /// The number of the MFT record.
    pub mft: u64,
    /// The length of its data. (Not so for an Interix symlink, where it is the length of the target.)
    pub size: u64,
    /// What its data takes up on the disk, rounded up to 512 bytes. Data in the MFT record counts.
    pub allocated: u64,
}

/// Walks a volume that was mounted afresh after [`fill`], and follows nothing.
pub fn walk(volume: &Volume) -> Expected {
    let mut links = Vec::new();
    let mut files: BTreeMap<u64, ExpectedGroup> = BTreeMap::new();
    walk_tree(&volume.path(), |event| {
        let Event::Found { at, relative, stat } = event else { return };
        // A path that does not end at PATH_MAX. Its last component is not followed.
        let here = format!("/proc/self/fd/{}", at.parent.as_raw_fd());
        let here = Path::new(&here).join(OsStr::from_bytes(at.name.to_bytes()));
        let path = windows_path(relative);
        let raw = attribute(&here, REPARSE_DATA.as_bytes());
        let directory = match raw {
            Some(_) => ntfs_attrib(&here).unwrap() & 0x10 != 0,
            None => FileType::from_raw_mode(stat.st_mode) == FileType::Directory,
        };
        // What ntfs-3g tells of a reparse point is the length of its target.
        let (size, allocated) = if raw.is_some() { (0, 0) } else { (stat.st_size as u64, stat.st_blocks as u64 * 512) };
        if let Some(raw) = raw {
            links.push(ExpectedLink { path: path.clone(), mft: stat.st_ino, raw, directory });
        }
        if !directory {
            // st_nlink counts 8.3 aliases, too: only names that are seen count.
            let new = || ExpectedGroup { paths: Vec::new(), mft: stat.st_ino, size, allocated };
            files.entry(stat.st_ino).or_insert_with(new).paths.push(path);
        }
    });
    links.sort_unstable();
    let mut hard: Vec<_> = files.into_values().filter(|file| file.paths.len() > 1).collect();
    hard.iter_mut().for_each(|file| file.paths.sort_unstable());
    hard.sort_unstable();
    Expected { links, hard }
}

fn windows_path(relative: &[u8]) -> String {
    let mut bytes = b"C:\\".to_vec();
    let mut rest = relative;
    while let [first, after @ ..] = rest {
        // ntfs-3g writes half a surrogate pair as UTF-8 would if it might.
        if let [0xed, 0xa0..=0xbf, _, after @ ..] = rest {
            bytes.extend("\u{fffd}".as_bytes());
            rest = after;
        } else {
            bytes.push(if *first == b'/' { b'\\' } else { *first });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Fills an empty mounted NTFS volume. Nothing waits until the kernel shows each reparse point: remount it before
/// looking at it.
///
/// On it are links of every kind and tag, well-formed and odd, dangling, in chains and in loops; hard links, one
/// file with [`MANY_NAMES`] of them; 8.3 names, deep paths, odd names; sparse, compressed, big and fragmented files;
/// an `$MFT` in many pieces, with free and with used-again records. Everything is below directories that say what
/// they hold.
pub fn fill(volume: &Volume) {
    let site = Site { root: volume.path() };
    scatter(&site);
    plain(&site);
    hard_links(&site);
    short_names(&site);
    junctions(&site);
    symlinks(&site);
    ways(&site);
    tags(&site);
    large(&site);
    odd_names(&site);
    deep(&site);
    history(&site);
}

/// The volume being filled.
struct Site {
    root: PathBuf,
}

impl Site {
    fn at(&self, name: impl Name) -> PathBuf {
        self.root.join(name.as_name())
    }

    fn file(&self, name: impl Name, contents: impl AsRef<[u8]>) {
        tree!(self.root, { name => file(contents.as_ref()) });
    }

    fn set(&self, name: impl Name, attribute: &str, value: &[u8]) {
        let path = self.at(name);
        lsetxattr(&path, attribute, value, XattrFlags::empty())
            .unwrap_or_else(|e| panic!("cannot set {attribute} of {path:?}: {e}"));
    }

    /// A directory that is this reparse point.
    fn dir_point(&self, name: impl Name, data: &[u8]) {
        tree!(self.root, { name => dir });
        self.set(name, REPARSE_DATA, data);
    }

    /// A file that is this reparse point.
    fn file_point(&self, name: impl Name, data: &[u8]) {
        self.file(&name, "");
        self.set(name, REPARSE_DATA, data);
    }

    /// One more name. Of a link only before it is one: afterwards the kernel reports EIO, though the name is made.
    fn hard(&self, existing: impl Name, name: impl Name) {
        tree!(self.root, { name => hard(existing) });
    }
}

/// Does it again after the one EIO that the changed type of a file may cause.
fn insist<E: Into<std::io::Error>>(mut call: impl FnMut() -> Result<(), E>) {
    let is_stale = |e: &std::io::Error| e.raw_os_error() == Some(Errno::IO.raw_os_error());
    match call().map_err(Into::into) {
        Err(e) if is_stale(&e) => call().map_err(Into::into),
        outcome => outcome,
    }
    .unwrap();
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A reparse point with a tag of Microsoft's.
fn point(tag: u32, data: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), &[0, 0], data].concat()
}

/// A reparse point of anybody else's.
fn third_party(tag: u32, data: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), &[0, 0], &[0x5a; 16], data].concat()
}

/// Numbers of two bytes each.
fn words(numbers: [usize; 4]) -> Vec<u8> {
    numbers.into_iter().flat_map(|n| (n as u16).to_le_bytes()).collect()
}

fn mount_point(substitute: &str, print: &str) -> Vec<u8> {
    let (s, p) = (wide(substitute), wide(print));
    let fields = words([0, s.len(), s.len() + 2, p.len()]);
    point(MOUNT_POINT, &[&fields[..], &s, &[0, 0], &p, &[0, 0]].concat())
}

fn junction(target: &str) -> Vec<u8> {
    mount_point(&format!(r"\??\{target}"), target)
}

fn raw_symlink(substitute: &str, print: &str, flags: u8) -> Vec<u8> {
    let (s, p) = (wide(substitute), wide(print));
    let fields = words([p.len(), s.len(), 0, p.len()]);
    point(SYMLINK, &[&fields[..], &[flags, 0, 0, 0], &p, &s].concat())
}

/// What `mklink` writes.
fn symlink(target: &str) -> Vec<u8> {
    if let Some(share) = target.strip_prefix(r"\\") {
        raw_symlink(&format!(r"\??\UNC\{share}"), target, 0)
    } else if target.get(1..3) == Some(r":\") {
        raw_symlink(&format!(r"\??\{target}"), target, 0)
    } else {
        raw_symlink(target, target, 1)
    }
}

fn lx_symlink(target: &[u8]) -> Vec<u8> {
    point(LX_SYMLINK, &[&[2, 0, 0, 0], target].concat())
}

/// Leaves free space in crumbs only, and has the MFT grow into them: everything made later is in pieces, and its
/// records are where the first piece of the MFT is not.
fn scatter(site: &Site) {
    let cluster = statvfs(&site.root).unwrap().f_frsize as usize;
    let piece = vec![0xf2; cluster.max(4096)];
    let names = ["big/crumbs", "big/in pieces"];
    fs::create_dir(site.at("big")).unwrap();
    // Two files that grow in turns until the volume is full lie between each other.
    let mut files = names.map(|name| File::create(site.at(name)).unwrap());
    for turn in 0.. {
        match files[turn % 2].write(&piece) {
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::StorageFull => break,
            Err(e) => panic!("cannot fill the volume: {e}"),
        }
    }
    drop(files);
    fs::remove_file(site.at(names[0])).unwrap();

    let small = |n: usize| site.at(format!("small/file number {n}"));
    fs::create_dir(site.at("small")).unwrap();
    for n in 0..SMALL_FILES {
        let length = if n % 25 == 0 { 3000 } else { n % 40 };
        fs::write(small(n), vec![b's'; length]).unwrap();
    }
    // Records to be used again, with their next sequence number.
    for n in (0..SMALL_FILES).step_by(3) {
        fs::remove_file(small(n)).unwrap();
    }
}

fn plain(site: &Site) {
    tree!(site.root, {
        "Real/deep/f" => file("text"), "Real/other" => file("other"), "Real/empty" => dir,
        "É/é" => file("accents"), "Case/name" => file("lower"), "Case/NAME" => file("upper"),
        "special/fifo" => fifo, "special/socket" => socket, "special/symlink" => symlink("../Real/other"),
        "special/long symlink" => symlink("x/".repeat(500)), "special/bytes" => symlink("\u{e9}\n"),
        "big/sparse" => file(""), "big/all hole" => file(""), "big/compressed" => dir,
    });
    let sparse = OpenOptions::new().write(true).open(site.at("big/sparse")).unwrap();
    for offset in [0, 5 << 20, 1 << 30] {
        sparse.write_all_at(b"data", offset).unwrap();
    }
    File::options().write(true).open(site.at("big/all hole")).unwrap().set_len(10 << 20).unwrap();
    // FILE_ATTRIBUTE_COMPRESSED: files made in here have it. Bigger clusters than 4 KiB cannot have it.
    site.set("big/compressed", ATTRIB, &0x800_u32.to_ne_bytes());
    site.file("big/compressed/text", "hello world, ".repeat(20_000));
    site.file("big/compressed/short", "hello");
    site.file("streams/file", "unnamed");
    for n in 0..40 {
        // ntfs-3g makes a named stream of each.
        site.set("streams/file", &format!("user.stream {n}"), &vec![b'v'; n * 20]);
    }
    site.set("big/sparse", "system.ntfs_object_id", &[0x0b; 16]);
}

fn hard_links(site: &Site) {
    site.file("hard/a", "a group of three");
    site.hard("hard/a", "hard/b");
    site.hard("hard/a", "Real/deep/c");
    site.file("hard/large", vec![7; 100_000]);
    site.hard("hard/large", "É/É large");
    site.hard("big/sparse", "hard/sparse");
    site.hard("big/compressed/text", "hard/compressed");
    site.hard("big/in pieces", "hard/in pieces");
    site.hard("streams/file", "hard/streams");
    site.file("hard/one name", "");
    // Two that differ in case only, and a name in two directories.
    site.file("hard/case", "case");
    site.hard("hard/case", "hard/CASE");
    site.hard("hard/case", "Case/case");
    site.file("hard/many", "many names");
    for n in 1..MANY_NAMES {
        site.hard("hard/many", format!("hard/many {}/another name, number {n}", n % 12));
    }
}

fn short_names(site: &Site) {
    let short = |name: &str, short: &str| site.set(name, "system.ntfs_dos_name", short.as_bytes());
    tree!(site.root, {
        "short/a file with a long name.text" => file("text"), "short/linked file.text" => file("linked"),
        "short/a long directory/f" => file("f"), "short/a long junction" => dir, "short/a long symlink" => file(""),
        "short/link with two names" => file(""),
    });
    short("short/a file with a long name.text", "AFILEW~1.TEX");
    short("short/a long directory", "ALONGD~1");
    short("short/a long junction", "ALONGJ~1");
    short("short/a long symlink", "ALONGS~1");
    // Once a file has two names, ntfs-3g gives it no 8.3 name any more.
    short("short/linked file.text", "LINKED~1.TEX");
    short("short/link with two names", "LINKWI~1");
    site.hard("short/linked file.text", "short/another name of it");
    site.hard("short/link with two names", "short/a long directory/second");
    site.set("short/a long junction", REPARSE_DATA, &junction(r"C:\short\a long directory"));
    site.set("short/a long symlink", REPARSE_DATA, &symlink("LINKED~1.TEX"));
    site.set("short/link with two names", REPARSE_DATA, &symlink("AFILEW~1.TEX"));
    site.dir_point("short/through", &junction(r"C:\short\ALONGD~1"));
}

fn junctions(site: &Site) {
    const VOLUME: &str = r"\??\Volume{6e5c1f2a-0d3b-4c4e-9f5a-112233445566}\";
    let made = [
        ("plain", junction(r"C:\Real")),
        ("other drive", junction(r"D:\Real")),
        ("no print name", mount_point(r"\??\C:\Real\deep", "")),
        ("trailing backslash", mount_point(r"\??\C:\Real\", r"C:\Real\")),
        ("drive", junction(r"C:\")),
        ("other case", junction(r"c:\REAL\Deep")),
        ("accents", junction(r"C:\é")),
        ("dangling", junction(r"C:\Real\gone")),
        ("to a file", junction(r"C:\Real\other")),
        ("to itself", junction(r"C:\junctions\to itself")),
        ("to a junction", junction(r"C:\junctions\plain\deep")),
        ("up", junction(r"C:\junctions")),
        ("volume", mount_point(VOLUME, "")),
        ("volume, directory", mount_point(&format!("{VOLUME}Real"), "")),
        ("share", mount_point(r"\??\UNC\server\share", r"\\server\share")),
        ("print name differs", mount_point(r"\??\C:\Real", r"C:\elsewhere")),
        ("relative", mount_point(r"..\Real", r"..\Real")),
        ("device", mount_point(r"\Device\HarddiskVolume1\Real", "")),
        ("empty", mount_point("", "")),
    ];
    for (name, data) in made {
        site.dir_point(format!("junctions/{name}"), &data);
    }
}

fn symlinks(site: &Site) {
    let made = [
        ("up", r"..\Real\", "deep", true),
        ("here", r".\", "sub", true),
        ("sub", r"a\", "b", true),
        ("dot", "", ".", true),
        ("dots", "", "..", true),
        ("rooted", r"\", "Real", true),
        ("absolute", r"C:\Real\", "deep", true),
        ("other drive", r"D:\Real\", "deep", true),
        ("share", r"\\server\share\", "x", true),
        ("other case", r"C:\REAL\", "Deep", true),
        ("accents", r"..\é\", "É", true),
        ("out of the volume", r"..\..\..\", "x", true),
        ("dangling", r"..\Real\", "gone", true),
        ("slashes", "../Real/", "deep", true),
        ("up to a file", r"..\Real\", "other", false),
        ("accents to a file", r"..\é\", "É", false),
        ("dangling file", "", "gone", false),
        ("absolute file", r"C:\Real\deep\", "f", false),
        ("rooted file", r"\Real\deep\", "F", false),
        ("share file", r"\\server\share\", "f", false),
        // The wrong kind.
        ("file to a directory", r"..\", "Real", false),
        ("directory to a file", r"..\Real\", "other", true),
        // Windows keeps what it is given.
        ("stream", r"..\Real\", "other:stream", false),
        ("through a junction", r"..\junctions\plain\", "deep", true),
        ("up from a junction", r"..\junctions\no print name\..\", "other", false),
    ];
    for (name, directory, last, is_directory) in made {
        let data = symlink(&format!("{directory}{last}"));
        let name = format!("symlinks/{name}");
        if is_directory { site.dir_point(name, &data) } else { site.file_point(name, &data) }
    }
    site.file_point("symlinks/flags", &raw_symlink(r"\Real", r"\Real", 0));
    site.file_point("symlinks/no print name", &raw_symlink(r"\??\C:\Real\other", "", 0));
    site.file_point("symlinks/container", &raw_symlink(r"\ContainerMappedDirectories\x", r"C:\x", 0));
    site.dir_point("symlinks/volume", &raw_symlink(r"\??\Volume{0}\x", r"\\?\Volume{0}\x", 0));
    site.file_point("symlinks/empty", &raw_symlink("", "", 1));
}

/// Chains and loops.
fn ways(site: &Site) {
    for hops in [5, 63, 70] {
        for hop in 1..=hops {
            let next = if hop == hops { r"..\..\Real".to_owned() } else { (hop + 1).to_string() };
            site.dir_point(format!("chains/{hops}/{hop}"), &symlink(&next));
        }
    }
    site.file_point("chains/middle/1", &symlink("2"));
    site.file_point("chains/middle/2", &symlink(r"junction\deep\f"));
    site.dir_point("chains/middle/junction", &junction(r"C:\Real"));
    for (name, target) in [("a", "b"), ("b", "a"), ("self", "self"), ("below", r"below\x"), ("up", r"..\loops\up")] {
        site.file_point(format!("loops/{name}"), &symlink(target));
    }
    site.dir_point("loops/junction a", &junction(r"C:\loops\junction b"));
    site.dir_point("loops/junction b", &junction(r"C:\loops\junction a"));
}

/// Reparse points of other tags, and odd ones of the usual.
fn tags(site: &Site) {
    let files = [
        ("wsl", lx_symlink(b"../Real/other")),
        ("wsl absolute", lx_symlink(b"/mnt/c/Real")),
        ("wsl bytes", lx_symlink(b"\xff\xfe/\n")),
        ("wsl dangling", lx_symlink("é".as_bytes())),
        (
            "app.exe",
            point(
                APP_EXEC_LINK,
                &[&[3, 0, 0, 0][..], &wide("Package\0Package!App\0C:\\Real\\app.exe\x000\0")].concat(),
            ),
        ),
        ("app odd.exe", point(APP_EXEC_LINK, &[3, 0, 0, 0, b'x'])),
        ("app short.exe", point(APP_EXEC_LINK, &[9])),
        ("cloud", point(0x9000_601a, &[2; 40])),
        ("deduplicated", point(0x8000_0013, &[3; 40])),
        ("nfs", point(0x8000_0014, b"LNK\0\0\0\0\x01x\0")),
        ("appx, no data", point(0xc000_0014, &[])),
        ("global", point(0xa000_0019, &wide(r"\Global"))),
        ("tombstone", point(0xa000_001f, &[])),
        ("unknown surrogate", point(0xa000_0777, b"unknown")),
        ("third party", third_party(0x0000_0042, b"third party")),
        ("third party surrogate", third_party(0x2000_0042, b"third party")),
        ("reserved", third_party(1, b"")),
        // No bytes where the names are said to be, or half a character.
        ("symlink, odd", point(SYMLINK, &[&words([1, 3, 0, 5])[..], &[1, 0, 0, 0], b"abcdef"].concat())),
        ("symlink, half a pair", point(SYMLINK, &[&words([0, 2, 2, 2])[..], &[1, 0, 0, 0, 0, 0xd8, 0, 0xdc]].concat())),
        ("symlink, NUL", raw_symlink("a\0b", "a\0b", 1)),
        ("symlink, flags", raw_symlink("f", "f", 0xff)),
        ("symlink, trailing", point(SYMLINK, &[&raw_symlink("t", "t", 1)[8..], &[9; 7]].concat())),
        ("symlink, reserved", {
            let mut data = symlink("f");
            data[6..8].fill(0xbe);
            data
        }),
        ("greatest", point(0x8000_0020, &vec![4; 16384 - 8])),
    ];
    for (name, data) in files {
        site.file_point(format!("tags/{name}"), &data);
    }
    let directories = [
        ("wsl directory", lx_symlink(b"../Real")),
        ("cloud directory", point(0x9000_701a, &[2; 40])),
        ("projected", point(0x9000_001c, &[5; 300])),
        ("third party directory", third_party(0x2000_0043, b"x")),
        ("junction, odd", point(MOUNT_POINT, &[&words([1, 3, 0, 5])[..], b"abcdef"].concat())),
    ];
    for (name, data) in directories {
        site.dir_point(format!("tags/{name}"), &data);
    }
    // Such a file has data of its own, and streams.
    site.file("tags/compressed by the system", vec![6; 50_000]);
    site.set("tags/compressed by the system", "user.WofCompressedData", &[7; 9000]);
    site.set("tags/compressed by the system", REPARSE_DATA, &point(0x8000_0017, &[1, 0, 0, 0, 2, 0, 0, 0]));
}

/// Reparse points that their record has no room for.
fn large(site: &Site) {
    for length in [200, 1000, 4000] {
        // `length` characters in components of 50, the last of them different.
        let target: String = (1..=length).map(|n| if n % 50 == 0 && n < length { '\\' } else { 'x' }).collect();
        site.file_point(format!("large/symlink {length}"), &symlink(&target));
        site.dir_point(format!("large/junction {length}"), &junction(&format!(r"C:\{target}")));
        site.file_point(format!("large/wsl {length}"), &lx_symlink(target.as_bytes()));
    }
    // A record that overflows for other reasons.
    site.file("large/names", "");
    for n in 1..LINK_NAMES {
        site.hard("large/names", format!("large/more/link, name number {n}"));
    }
    site.set("large/names", REPARSE_DATA, &lx_symlink(b"../../Real/other"));
    site.file("large/streams", "");
    fs::create_dir(site.at("large/streams of a junction")).unwrap();
    for n in 0..40 {
        for name in ["large/streams", "large/streams of a junction"] {
            site.set(name, &format!("user.stream {n}"), &vec![b'v'; n * 20]);
        }
    }
    site.set("large/streams", REPARSE_DATA, &symlink(r"..\Real\other"));
    site.set("large/streams of a junction", REPARSE_DATA, &junction(r"C:\Real"));
    // A reparse point of two names, and a directory that was big once.
    site.file("large/first", "");
    site.hard("large/first", "Real/empty/second");
    site.set("large/first", REPARSE_DATA, &symlink(r"..\Real\other"));
    for n in 0..300 {
        site.file(format!("large/emptied/file number {n}"), "");
    }
    for n in 0..300 {
        fs::remove_file(site.at(format!("large/emptied/file number {n}"))).unwrap();
    }
    site.set("large/emptied", REPARSE_DATA, &junction(r"C:\Real"));
}

/// Every odd name as a file with a second name, as a link, and as a directory with a link in it.
fn odd_names(site: &Site) {
    let long = ["x".repeat(255), "é".repeat(127), "\u{1f4a9}".repeat(63), "\u{800}".repeat(85)];
    // Half a surrogate pair, and two halves the wrong way round.
    let halves: [&[u8]; 2] = [b"\xed\xa0\x80half", b"\xed\xb2\xa9\xed\xa0\xbdwrong way"];
    let short = [
        " ",
        " leading",
        "trailing ",
        "trailing.",
        "...",
        ".hidden",
        "a b  c",
        "'quoted' \"twice\"",
        "$dollar `tick`",
        "<>|?*",
        "a\\b",
        "..\\up",
        "C:\\Real",
        "a:b",
        "CON",
        "nul.txt",
        "-rf",
        "line\nbreak",
        "\u{1}\t\r\u{1b}[31m\u{7f}",
        "\u{85}\u{2028}",
        "\u{feff}",
        "\u{fffe}\u{ffff}",
        "\u{202e}gnp",
        "e\u{301}",
        "É",
        "é",
        "ß",
        "\u{1f468}\u{200d}\u{1f469}",
        "日本語",
        "%41",
        "~",
        "#",
        "ALLCAPS.TXT",
    ];
    let names = long.iter().map(String::as_bytes).chain(halves).chain(short.into_iter().map(str::as_bytes));
    for name in names {
        let below = |directory: &str, more: &str| [directory.as_bytes(), b"/", name, more.as_bytes()].concat();
        site.file(below("names/files", ""), name);
        site.hard(below("names/files", ""), below("names/again", ""));
        site.file_point(below("names/links", ""), &symlink("x"));
        site.dir_point(below("names/directories", "/junction"), &junction(r"C:\Real"));
    }
}

/// 60 levels of names of 40 characters: no path of Windows' usual length, and one of Linux's.
fn deep(site: &Site) {
    let mut path = "deep".to_owned();
    for level in 1..=60 {
        path += &format!("/{level:02} {}", "d".repeat(37));
    }
    site.file(format!("{path}/f"), "deep");
    site.hard(format!("{path}/f"), format!("{path}/g"));
    site.file_point(format!("{path}/symlink"), &symlink(r"..\..\..\x"));
    site.dir_point(format!("{path}/junction"), &junction(r"C:\deep"));
}

/// What was moved, changed, deleted and made again.
fn history(site: &Site) {
    for n in 0..200 {
        site.file_point(format!("history/link {n}"), &symlink(&format!("target {n}")));
    }
    let path = |n: usize| site.at(format!("history/link {n}"));
    fs::create_dir(site.at("history/moved")).unwrap();
    for n in (0..200).step_by(4) {
        insist(|| fs::remove_file(path(n)));
        insist(|| lremovexattr(path(n + 1), REPARSE_DATA));
        insist(|| fs::rename(path(n + 2), site.at(format!("history/moved/link with a new name {n}"))));
    }
    fs::rename(site.at("history/moved"), site.at("history/moved twice")).unwrap();
    site.dir_point("history/changed", &symlink(r"..\Real"));
    insist(|| lsetxattr(site.at("history/changed"), REPARSE_DATA, &junction(r"C:\Real"), XattrFlags::empty()));
    // Free records at the end, too: nothing takes their place.
    for n in (1..SMALL_FILES).step_by(30) {
        fs::remove_file(site.at(format!("small/file number {n}"))).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ntfs::IndexEntry;

    #[test]
    fn clusters_of_512_bytes_are_filled_and_walked() {
        check(&SHAPES[0], "512", "1024", 4);
    }

    #[test]
    fn clusters_of_1_kib_are_filled_and_walked() {
        check(&SHAPES[1], "1024", "1024", 20);
    }

    #[test]
    fn clusters_of_4_kib_are_filled_and_walked_and_the_mft_has_an_attribute_list() {
        let info = check(&SHAPES[2], "4096", "1024", 100);
        assert!(info.contains("$ATTRIBUTE_LIST"), "{info}");
    }

    #[test]
    fn clusters_of_64_kib_are_filled_and_walked() {
        check(&SHAPES[3], "65536", "1024", 20);
    }

    #[test]
    fn records_of_4_kib_are_filled_and_walked() {
        check(&SHAPES[4], "4096", "4096", 20);
    }

    #[test]
    fn records_of_4_kib_in_clusters_of_64_kib_are_filled_and_walked() {
        check(&SHAPES[5], "65536", "4096", 8);
    }

    /// Returns what ntfsinfo says of `$MFT`.
    fn check(shape: &Shape, cluster: &str, record: &str, mft_pieces: usize) -> String {
        let mut volume = shape.volume();
        fill(&volume);
        volume.remount();
        let Expected { links, hard } = walk(&volume);
        volume.remount();
        assert_eq!(walk(&volume), Expected { links: links.clone(), hard: hard.clone() }, "a walk changes nothing");

        let with = |tag| links.iter().filter(|link| link.tag() == tag).count();
        assert!(with(MOUNT_POINT) >= 70 && with(SYMLINK) >= 320 && with(LX_SYMLINK) >= 150, "{}", shape.name);
        assert!(with(APP_EXEC_LINK) == 3 && with(0x8000_0017) == 1 && with(0x2000_0042) == 1, "{}", shape.name);
        // What mknod makes: LX_FIFO.
        assert_eq!(with(0x8000_0024), usize::from(shape.mount == WSL));
        let link = |path: &str| links.iter().find(|link| link.path == path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(link(r"C:\junctions\plain").raw, junction(r"C:\Real"));
        assert!(link(r"C:\junctions\plain").directory && !link(r"C:\symlinks\file to a directory").directory);
        assert_eq!(link(r"C:\large\junction 4000").raw.len(), 16 + 2 * (4 + 4003 + 1) + 2 * (4003 + 1));
        assert_eq!(link(r"C:\tags\greatest").raw.len(), 16384);
        assert_eq!(link(r"C:\history\changed").tag(), MOUNT_POINT);
        assert_eq!(link("C:\\names\\links\\\u{fffd}half").raw, symlink("x"));
        assert!(links.iter().any(|link| link.path.encode_utf16().count() > 2400));
        let many = links.iter().filter(|other| other.mft == link(r"C:\large\names").mft).count();
        assert_eq!(many, LINK_NAMES);

        let group = |path: &str| {
            let found = hard.iter().find(|group| group.paths.iter().any(|name| name == path));
            found.unwrap_or_else(|| panic!("{path}"))
        };
        assert_eq!((group(r"C:\hard\many").paths.len(), group(r"C:\hard\many").size), (MANY_NAMES, 10));
        assert_eq!(group(r"C:\hard\a").paths, [r"C:\Real\deep\c", r"C:\hard\a", r"C:\hard\b"]);
        assert_eq!(group(r"C:\short\linked file.text").paths.len(), 2, "an 8.3 name is no name");
        let sparse = group(r"C:\big\sparse");
        assert!(sparse.size > 1 << 30 && sparse.allocated < 1 << 20, "{sparse:?}");
        let compressed = group(r"C:\hard\compressed");
        assert_eq!(compressed.allocated < compressed.size, cluster != "65536", "{compressed:?}");

        volume.unmount();
        let mut points: Vec<_> = links.iter().map(|link| (link.tag(), link.mft)).collect();
        points.sort_unstable();
        points.dedup();
        let index = volume.reparse_index();
        assert_eq!(index.iter().map(|entry| (entry.tag, entry.mft)).collect::<Vec<_>>(), points, "{}", shape.name);
        assert!(index.iter().any(|IndexEntry { sequence, .. }| *sequence > 1), "no record is used again");

        let layout = volume.ntfsinfo(&["-m"]);
        let says = |label: &str| layout.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap().trim();
        assert_eq!((says("Cluster Size:"), says("MFT Record Size:")), (cluster, record), "{}", shape.name);
        let mft = volume.ntfsinfo(&["-i", "0", "-v"]);
        let runs = mft.lines().find_map(|line| line.strip_prefix("Total runs: ")).unwrap();
        let runs: usize = runs.split(' ').next().unwrap().parse().unwrap();
        assert!(runs >= mft_pieces, "{}: the MFT is in {runs} pieces", shape.name);
        mft
    }

    #[test]
    fn half_a_surrogate_pair_is_one_replacement_and_a_backslash_stays() {
        assert_eq!(windows_path(b"a/b\\c/\xed\xa0\x80\xed\x9f\xbf"), "C:\\a\\b\\c\\\u{fffd}\u{d7ff}");
        assert_eq!(windows_path(b"\xff"), "C:\\\u{fffd}");
    }
}
