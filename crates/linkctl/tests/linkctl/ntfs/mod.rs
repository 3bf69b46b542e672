//! Windows links on real NTFS volumes mounted by ntfs-3g: made, seen, replaced, removed, brought back.

mod broken_data;
mod changed;
mod doctor;
mod kept;
mod limits;
mod list_and_show;
mod made;
mod mounts;
mod names;
mod sealed;
mod words;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use crate::common::ntfs::*;
use base64::Engine as _;
use reparse::{AppExecLink, LxSymlink, ReparseData, Symlink, WideString};
use serde_json::{Value, json};
use testkit::ntfs::{IndexEntry, get_reparse, ntfs_attrib, remove_reparse, set_reparse};
use testkit::{Bind, Fs, Snapshot, Volume, tree};

const JUNCTION: u32 = 0xa000_0003;
const SYMLINK: u32 = 0xa000_000c;
const GUID: &str = "{6e5c1f2a-0d3b-4c4e-9f5a-112233445566}";

const GOLDEN_JUNCTION: &str = "03 00 00 a0 24 00 00 00 | 00 00 10 00 12 00 08 00 | \
    5c 00 3f 00 3f 00 5c 00 43 00 3a 00 5c 00 74 00 00 00 | 43 00 3a 00 5c 00 74 00 00 00";
const GOLDEN_RELATIVE: &str = "0c 00 00 a0 1c 00 00 00 | 08 00 08 00 00 00 08 00 01 00 00 00 | \
    2e 00 2e 00 5c 00 74 00 | 2e 00 2e 00 5c 00 74 00";
const GOLDEN_ABSOLUTE: &str = "0c 00 00 a0 24 00 00 00 | 08 00 10 00 00 00 08 00 00 00 00 00 | \
    43 00 3a 00 5c 00 74 00 | 5c 00 3f 00 3f 00 5c 00 43 00 3a 00 5c 00 74 00";
const GOLDEN_UNC: &str = "0c 00 00 a0 2c 00 00 00 | 0a 00 16 00 00 00 0a 00 00 00 00 00 | \
    5c 00 5c 00 73 00 5c 00 68 00 | \
    5c 00 3f 00 3f 00 5c 00 55 00 4e 00 43 00 5c 00 73 00 5c 00 68 00";
const GOLDEN_ROOTED: &str = "0c 00 00 a0 14 00 00 00 | 04 00 04 00 00 00 04 00 01 00 00 00 | \
    5c 00 74 00 | 5c 00 74 00";
/// Captured on Windows: `mklink /D dot .`
const CAPTURED_DOT: &str = "0c 00 00 a0 10 00 00 00 | 02 00 02 00 00 00 02 00 01 00 00 00 | 2e 00 | 2e 00";

/// Makes `link` and checks everything that can be asked while the volume is mounted. Gives the index entry that
/// the image must hold afterwards.
#[track_caller]
fn make_golden(
    bench: &Bench,
    link: &str,
    args: &[&str],
    golden: &str,
    directory: bool,
    through: Option<&str>,
) -> IndexEntry {
    let ran = bench.ok(args);
    // No sleep and no look at the link in between: ntfs-3g has to follow it at once.
    if let Some(file) = through {
        assert_eq!(fs::read(bench.at(file)).unwrap(), b"text", "through {file}");
    }
    let path = bench.at(link);
    let meta = path.symlink_metadata().unwrap();
    assert!(meta.is_symlink(), "{link} is {:?}", meta.file_type());
    assert_eq!(get_reparse(&path).unwrap(), hex(golden), "{link}");
    let attributes = ntfs_attrib(&path).unwrap();
    assert_eq!(attributes & 0x410, if directory { 0x410 } else { 0x400 }, "{link}: {attributes:#x}");
    let kind = match (golden == GOLDEN_JUNCTION, directory) {
        (true, _) => "junction",
        (_, true) => "symlink-dir",
        (_, false) => "symlink-file",
    };
    // Names do not lie: it says what it made.
    assert!(ran.out.starts_with(&format!("created {kind} {link} -> ")), "{}", ran.out);
    let tag = if kind == "junction" { JUNCTION } else { SYMLINK };
    IndexEntry { tag, mft: meta.ino(), sequence: 1 }
}

#[track_caller]
fn assert_index(bench: &mut Bench, mut expected: Vec<IndexEntry>) {
    bench.volume.unmount();
    let found = bench.volume.reparse_index();
    // The sequence number counts the lives of a record: rollbacks and private names may have used it before.
    let without = |entries: &[IndexEntry]| entries.iter().map(|e| (e.tag, e.mft)).collect::<Vec<_>>();
    expected.sort_unstable();
    assert_eq!(without(&found), without(&expected));
}

fn refused(bench: &Bench, args: &[&str], words: &[&str]) {
    let before = bench.names();
    bench.run(args).exits(4).says(words);
    assert_eq!(bench.names(), before, "{args:?} left something behind");
    assert_eq!(bench.history(), [Value::Null; 0]);
}
