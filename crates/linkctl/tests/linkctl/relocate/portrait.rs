//! Everything that a copy of a tree has to have in common with it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::Hasher;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use crate::relocate::sys;

/// By path: fact by fact. Sockets are not in it.
pub(crate) type Portrait = BTreeMap<Vec<u8>, BTreeMap<&'static str, String>>;

#[track_caller]
pub(crate) fn portrait(root: &Path) -> Portrait {
    let (mut all, mut names) = (Portrait::new(), HashMap::new());
    add(root, root, &mut all, &mut names);
    all
}

fn add(root: &Path, path: &Path, all: &mut Portrait, names: &mut HashMap<(u64, u64), Vec<u8>>) {
    let meta = path.symlink_metadata().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let kind = meta.file_type();
    let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
    if kind.is_socket() {
        return;
    }
    let mut facts = BTreeMap::from([
        ("mode", format!("{:o}", meta.mode())),
        ("owner", format!("{}:{}", meta.uid(), meta.gid())),
        ("modified", format!("{}.{:09}", meta.mtime(), meta.mtime_nsec())),
        ("device", meta.rdev().to_string()),
        ("xattrs", format!("{:?}", sys::xattrs(path))),
    ]);
    facts.extend(ntfs(path));
    if !kind.is_dir() {
        facts.insert("names", meta.nlink().to_string());
        let first = names.entry((meta.dev(), meta.ino())).or_insert_with(|| name.clone());
        facts.insert("file", first.escape_ascii().to_string());
    }
    if kind.is_symlink() {
        let target = fs::read_link(path).unwrap();
        // What ntfs-3g makes of a reparse point depends on where it is; its data is a fact of its own.
        if facts.get("reparse").is_none_or(|data| data == "None") {
            facts.insert("target", target.as_os_str().as_bytes().escape_ascii().to_string());
        }
    } else if kind.is_file() {
        facts.insert("size", meta.len().to_string());
        facts.insert("content", hash(path));
        // Of what is large and mostly holes, that it still is.
        let sparse = meta.len() > 1 << 20 && meta.blocks() * 512 < meta.len() / 2;
        facts.insert("sparse", sparse.to_string());
    }
    all.insert(name, facts);
    if kind.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| add(root, entry, all, names));
    }
}

/// What is there on NTFS besides: asked for by name, as none of it is listed.
fn ntfs(path: &Path) -> Vec<(&'static str, String)> {
    let get = |name: &str| sys::xattr(path, name);
    let Some(attributes) = get("system.ntfs_attrib") else { return Vec::new() };
    // Sparse and compressed say how the content is stored.
    let attributes = u32::from_ne_bytes(attributes.try_into().unwrap()) & !0xa00;
    // Reading changes the third time, and the fourth cannot be set.
    let times = get("system.ntfs_times").map(|times| times[..16].to_vec());
    let names = ["acl", "object_id", "ea", "dos_name"].map(|name| get(&format!("system.ntfs_{name}")));
    vec![
        ("attributes", format!("{attributes:x}")),
        ("times", format!("{times:x?}")),
        ("security and more", format!("{names:x?}")),
        ("reparse", format!("{:x?}", get("system.ntfs_reparse_data"))),
    ]
}

fn hash(path: &Path) -> String {
    let mut file = fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (mut state, mut buffer) = (std::hash::DefaultHasher::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
            0 => return format!("{:016x}", state.finish()),
            n => state.write(&buffer[..n]),
        }
    }
}
