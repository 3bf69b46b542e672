//! The canary: a record of everything about a tree that a test promises to leave alone.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    FileType, Mode, OFlags, Stat, lgetxattr, lgetxattr_query, llistxattr, llistxattr_query, openat, readlinkat,
};
use rustix::io::Errno;

use crate::tree::Name;
use crate::walk::{Event, Spot, walk};

/// What a path and everything below it looked like, no link followed.
///
/// For each name (as bytes): type, mode, owner, size, content (a hash), link target, device number, mtime and
/// ctime to the nanosecond, link count, inode, and extended attributes, those included that ntfs-3g does not
/// list. Not atime, which reading changes.
#[derive(Debug)]
pub struct Snapshot {
    root: PathBuf,
    files: BTreeMap<Vec<u8>, Facts>,
    links_may_change: BTreeSet<Vec<u8>>,
}

type Facts = BTreeMap<String, String>;

impl Snapshot {
    /// Records `path` and everything below it.
    pub fn of(path: impl AsRef<Path>) -> Snapshot {
        let root = std::path::absolute(path).unwrap();
        Snapshot { files: record(&root), root, links_may_change: BTreeSet::new() }
    }

    /// Lets the link count and the ctime of one file change, as they do when a test gives it another name.
    /// `name` is relative to the path of the snapshot.
    #[must_use]
    pub fn links_of_may_change(mut self, name: impl Name) -> Snapshot {
        let name = name.as_name().as_bytes().to_vec();
        assert!(self.files.contains_key(&name), "the snapshot has no {}", show(&name));
        self.links_may_change.insert(name);
        self
    }

    /// Panics with a list of the differences if anything is not as it was recorded.
    #[track_caller]
    pub fn assert_unchanged(&self) {
        let differences = self.differences();
        assert!(differences.is_empty(), "{} has changed:\n{differences}", self.root.display());
    }

    /// The differences between then and now, a line each; empty when there are none.
    pub fn differences(&self) -> String {
        let mut text = String::new();
        let mut now = if self.root.symlink_metadata().is_ok() { record(&self.root) } else { BTreeMap::new() };
        for (name, before) in &self.files {
            let Some(after) = now.remove(name) else {
                writeln!(text, "- {} is gone ({})", show(name), before["type"]).unwrap();
                continue;
            };
            let ignored = |fact: &str| self.links_may_change.contains(name) && ["ctime", "links"].contains(&fact);
            for fact in before.keys().chain(after.keys().filter(|fact| !before.contains_key(*fact))) {
                let [was, is] = [before.get(fact), after.get(fact)].map(|v| v.map_or("none", String::as_str));
                if was != is && !ignored(fact) {
                    writeln!(text, "~ {}: {fact} was {was}, is {is}", show(name)).unwrap();
                }
            }
        }
        for (name, facts) in &now {
            writeln!(text, "+ {} is new ({})", show(name), facts["type"]).unwrap();
        }
        text
    }
}

fn show(name: &[u8]) -> String {
    if name.is_empty() { ".".to_owned() } else { name.escape_ascii().to_string() }
}

fn record(root: &Path) -> BTreeMap<Vec<u8>, Facts> {
    let mut files = BTreeMap::new();
    walk(root, |event| {
        if let Event::Found { at, relative, stat } = event {
            files.insert(relative.to_vec(), facts(at, stat));
        }
    });
    files
}

fn facts(at: Spot<'_>, stat: &Stat) -> Facts {
    let kind = FileType::from_raw_mode(stat.st_mode);
    let mut facts = Facts::from([
        ("type".to_owned(), format!("{kind:?}")),
        ("mode".to_owned(), format!("{:o}", stat.st_mode & 0o7777)),
        ("owner".to_owned(), format!("{}:{}", stat.st_uid, stat.st_gid)),
        ("size".to_owned(), stat.st_size.to_string()),
        ("mtime".to_owned(), format!("{}.{:09}", stat.st_mtime, stat.st_mtime_nsec)),
        ("ctime".to_owned(), format!("{}.{:09}", stat.st_ctime, stat.st_ctime_nsec)),
        ("links".to_owned(), stat.st_nlink.to_string()),
        ("inode".to_owned(), format!("{}:{}", stat.st_dev, stat.st_ino)),
        ("device".to_owned(), stat.st_rdev.to_string()),
    ]);
    if kind == FileType::Symlink {
        let target = readlinkat(at.parent, at.name, Vec::new()).unwrap();
        facts.insert("target".to_owned(), target.to_bytes().escape_ascii().to_string());
    } else if kind == FileType::RegularFile {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(at.parent, at.name, flags, Mode::empty())
            .unwrap_or_else(|e| panic!("cannot read {:?}: {e}", at.name));
        facts.insert("content".to_owned(), format!("#{:016x}", hash(File::from(file)).unwrap()));
    }
    // There is no lgetxattrat in common kernels, but this path ends in a component that is not followed, too.
    let parent = format!("/proc/self/fd/{}", at.parent.as_raw_fd());
    let path = Path::new(&parent).join(OsStr::from_bytes(at.name.to_bytes()));
    for name in attribute_names(&path) {
        if let Entry::Vacant(slot) = facts.entry(format!("xattr {}", show(&name)))
            && let Some(value) = attribute(&path, &name)
        {
            slot.insert(value.escape_ascii().to_string());
        }
    }
    facts
}

/// A hash against accidents: nobody forges the content of a canary.
fn hash(mut file: File) -> io::Result<u64> {
    let (mut state, mut buffer) = (std::hash::DefaultHasher::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(state.finish()),
            n => state.write(&buffer[..n]),
        }
    }
}

fn attribute_names(path: &Path) -> Vec<Vec<u8>> {
    let mut list = match llistxattr_query(path) {
        Ok(size) => vec![0; size],
        Err(Errno::OPNOTSUPP) => Vec::new(),
        Err(e) => panic!("cannot list the attributes of {}: {e}", path.display()),
    };
    let length = if list.is_empty() { 0 } else { llistxattr(path, &mut list).unwrap() };
    let listed = list[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let unlisted = [crate::ntfs::REPARSE_DATA, crate::ntfs::ATTRIB].map(str::as_bytes);
    listed.chain(unlisted).map(<[u8]>::to_vec).collect()
}

/// The value of one attribute, or `None` where there is none. Asks for the size first: ntfs-3g answers a
/// buffer that is too small with EIO.
pub(crate) fn attribute(path: &Path, name: &[u8]) -> Option<Vec<u8>> {
    let mut value = match lgetxattr_query(path, name) {
        Ok(size) => vec![0; size],
        Err(Errno::NODATA | Errno::OPNOTSUPP) => return None,
        Err(e) => panic!("cannot read the attribute {} of {}: {e}", show(name), path.display()),
    };
    let length = lgetxattr(path, name, &mut value).unwrap();
    value.truncate(length);
    Some(value)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::time::SystemTime;

    use rustix::fs::{XattrFlags, lsetxattr};

    use super::*;
    use crate::{tree, trees};

    /// Builds the same tree each time, lets `change` loose on it, and returns what the snapshot says.
    fn differences(change: impl FnOnce(&Path)) -> String {
        let dir = tempfile::tempdir().unwrap();
        tree!(dir, { "sub/f" => file("text"), "l" => symlink("sub"), "g" => file("other"), "p" => fifo });
        let snapshot = Snapshot::of(dir.path());
        // Longer than a tick: on older kernels two changes in one tick have the same time.
        std::thread::sleep(std::time::Duration::from_millis(10));
        change(dir.path());
        snapshot.differences()
    }

    #[test]
    fn nothing_changed_nothing_said() {
        assert_eq!(differences(|dir| drop(fs::read(dir.join("l/f")))), "");
        let dir = tempfile::tempdir().unwrap();
        trees::weirdnames(dir.path());
        Snapshot::of(dir.path()).assert_unchanged();
    }

    #[test]
    fn every_change_is_seen() {
        let times = fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
        let open = |path: PathBuf| fs::OpenOptions::new().write(true).open(path).unwrap();
        type Change<'a> = &'a dyn Fn(&Path);
        let cases: &[(&str, Change<'_>)] = &[
            ("~ sub/f: content was", &|dir| fs::write(dir.join("sub/f"), "TEXT").unwrap()),
            ("~ sub/f: size was 4, is 5", &|dir| fs::write(dir.join("sub/f"), "text5").unwrap()),
            ("~ g: mode was 644, is 600", &|dir| {
                fs::set_permissions(dir.join("g"), PermissionsExt::from_mode(0o600)).unwrap();
            }),
            ("~ g: owner was 0:0, is 1:1", &|dir| chown(dir.join("g"), Some(1), Some(1)).unwrap()),
            ("~ g: mtime was", &|dir| open(dir.join("g")).set_times(times).unwrap()),
            ("~ g: ctime was", &|dir| open(dir.join("g")).set_times(times).unwrap()),
            ("~ l: target was sub, is g", &|dir| {
                fs::remove_file(dir.join("l")).unwrap();
                symlink("g", dir.join("l")).unwrap();
            }),
            ("~ g: type was RegularFile, is Symlink", &|dir| {
                fs::remove_file(dir.join("g")).unwrap();
                symlink("x", dir.join("g")).unwrap();
            }),
            ("~ sub/f: inode was", &|dir| {
                fs::copy(dir.join("sub/f"), dir.join("new")).unwrap();
                fs::rename(dir.join("new"), dir.join("sub/f")).unwrap();
            }),
            ("~ g: links was 1, is 2", &|dir| fs::hard_link(dir.join("g"), dir.join("h")).unwrap()),
            ("~ g: xattr user.k was none, is v", &|dir| {
                lsetxattr(dir.join("g"), "user.k", b"v", XattrFlags::empty()).unwrap();
            }),
            ("- sub/f is gone (RegularFile)", &|dir| fs::remove_file(dir.join("sub/f")).unwrap()),
            ("- . is gone (Directory)", &|dir| fs::remove_dir_all(dir).unwrap()),
            ("+ sub/n\\new is new (RegularFile)", &|dir| fs::write(dir.join("sub/n\new"), "").unwrap()),
        ];
        for (expected, change) in cases {
            let said = differences(change);
            assert!(said.lines().any(|line| line.starts_with(expected)), "expected {expected:?} in:\n{said}");
        }
    }

    #[test]
    #[should_panic(expected = "\n+ new is new (RegularFile)\n")]
    fn a_change_fails_the_test() {
        let dir = tempfile::tempdir().unwrap();
        let snapshot = Snapshot::of(dir.path());
        tree!(dir, { "new" => file("") });
        snapshot.assert_unchanged();
    }

    #[test]
    fn a_new_name_elsewhere_can_be_allowed() {
        let dir = tempfile::tempdir().unwrap();
        tree!(dir, { "in/f" => file("text"), "in/g" => file("text") });
        let strict = Snapshot::of(dir.path().join("in"));
        let lenient = Snapshot::of(dir.path().join("in")).links_of_may_change("f");
        tree!(dir, { "name" => hard("in/f") });
        lenient.assert_unchanged();
        assert!(strict.differences().contains("~ f: links was 1, is 2"));
        tree!(dir, { "name2" => hard("in/g") });
        assert!(lenient.differences().contains("~ g: links was 1, is 2"));
    }

    #[test]
    fn depth_beyond_path_max_is_recorded() {
        let dir = tempfile::tempdir().unwrap();
        let deep = trees::deep(dir.path(), 2100);
        let snapshot = Snapshot::of(deep.top());
        snapshot.assert_unchanged();
        assert_eq!(snapshot.files.len(), 2101);
    }
}
