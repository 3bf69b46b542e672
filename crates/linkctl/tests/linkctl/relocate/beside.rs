//! What a move keeps, beside what `cp -a` and `rsync -aHAX` keep of the same tree: each property is measured, none is believed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, chown, lchown};
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::{Fs, Volume, tree};

use crate::common::{Linkctl, os};
use crate::relocate::{clear, sys};

/// A property: how it is called, the name of the object that has it, and how it is seen.
struct Row {
    what: &'static str,
    name: &'static [u8],
    see: fn(&Path) -> Option<String>,
}

const NOT_UNICODE: &[u8] = b"name-\xff\xfe";

fn attribute(path: &Path, name: &str) -> Option<String> {
    let all = sys::xattrs(path);
    all.into_iter().find(|(found, _)| found == name).map(|(_, value)| value.escape_ascii().to_string())
}

fn modified(path: &Path) -> Option<String> {
    let meta = path.symlink_metadata().ok()?;
    Some(format!("{}.{:09}", meta.mtime(), meta.mtime_nsec()))
}

fn mode(path: &Path) -> Option<String> {
    Some(format!("{:o}", path.symlink_metadata().ok()?.mode()))
}

fn owner(path: &Path) -> Option<String> {
    let meta = path.symlink_metadata().ok()?;
    Some(format!("{}:{}", meta.uid(), meta.gid()))
}

/// Whether a flag of chattr is set.
fn flag(path: &Path, letter: char) -> Option<String> {
    let output = testkit::require::run(Command::new("lsattr").arg("-d").arg(path)).stdout;
    let flags = String::from_utf8_lossy(&output).split_whitespace().next()?.to_owned();
    flags.contains(letter).then(|| letter.to_string())
}

/// What is read through a link, and what it says.
fn through(path: &Path) -> Option<String> {
    Some(format!("{} says {}", fs::read_to_string(path).ok()?, fs::read_link(path).ok()?.display()))
}

const ROWS: [Row; 26] = [
    Row { what: "owner and group", name: b"owner", see: owner },
    Row { what: "owner of a symlink", name: b"owned-link", see: owner },
    Row { what: "mode", name: b"mode", see: mode },
    Row { what: "setuid of another's file", name: b"setuid", see: mode },
    Row { what: "POSIX ACL", name: b"acl", see: |path| attribute(path, "system.posix_acl_access") },
    Row {
        what: "default ACL of a directory",
        name: b"default-acl",
        see: |path| attribute(path, "system.posix_acl_default"),
    },
    Row { what: "xattr `user.*`", name: b"user-xattr", see: |path| attribute(path, "user.test") },
    Row { what: "xattr `trusted.*`", name: b"trusted-xattr", see: |path| attribute(path, "trusted.test") },
    Row { what: "`security.capability`", name: b"capability", see: |path| attribute(path, "security.capability") },
    Row { what: "xattr of a symlink", name: b"xattr-link", see: |path| attribute(path, "trusted.link") },
    Row { what: "nanosecond mtime of a file", name: b"time-file", see: modified },
    Row { what: "nanosecond mtime of a directory", name: b"time-directory", see: modified },
    Row { what: "nanosecond mtime of a symlink", name: b"time-link", see: modified },
    Row {
        what: "holes",
        name: b"holes",
        see: |path| {
            let meta = path.metadata().ok()?;
            (meta.len() == 8 << 20 && meta.blocks() * 512 < 1 << 20).then(|| "sparse".to_owned())
        },
    },
    Row {
        what: "hard links inside",
        name: b"hard-one",
        see: |path| {
            let other = path.with_file_name("hard-two").metadata().ok()?;
            let meta = path.metadata().ok()?;
            (meta.ino() == other.ino() && meta.nlink() == 2).then(|| "one file".to_owned())
        },
    },
    Row { what: "relative symlink inside", name: b"link-in", see: through },
    Row {
        what: "relative symlink that leads out reaches the same file",
        name: b"link-out",
        see: |path| fs::read_to_string(path).ok(),
    },
    Row { what: "absolute symlink", name: b"link-absolute", see: through },
    Row {
        what: "dangling symlink",
        name: b"link-dangling",
        see: |path| Some(fs::read_link(path).ok()?.display().to_string()),
    },
    Row {
        what: "fifo",
        name: b"fifo",
        see: |path| path.symlink_metadata().ok()?.file_type().is_fifo().then(|| mode(path)).flatten(),
    },
    Row {
        what: "device",
        name: b"device",
        see: |path| {
            let meta = path.symlink_metadata().ok()?;
            Some(format!("{} {:o}", meta.rdev(), meta.mode()))
        },
    },
    Row {
        what: "socket",
        name: b"socket",
        see: |path| path.symlink_metadata().ok()?.file_type().is_socket().then(|| "socket".to_owned()),
    },
    Row { what: "`chattr +d`", name: b"flag-d", see: |path| flag(path, 'd') },
    Row { what: "`chattr +A`", name: b"flag-A", see: |path| flag(path, 'A') },
    Row { what: "name that is not UTF-8", name: NOT_UNICODE, see: |path| fs::read_to_string(path).ok() },
    Row { what: "empty directory", name: b"empty", see: |path| Some(fs::read_dir(path).ok()?.count().to_string()) },
];

fn build(home: &Path) -> PathBuf {
    let src = home.join("src");
    tree!(home, { "beside" => file("beside"), "elsewhere" => file("elsewhere") });
    tree!(src, {
        "owner" => file("o"), "owned-link" => symlink("owner"), "mode" => file("m"), "setuid" => file("s"),
        "acl" => file("a"), "default-acl" => dir, "user-xattr" => file("u"), "trusted-xattr" => file("t"),
        "capability" => file("c"), "xattr-link" => symlink("owner"), "time-file" => file("t"),
        "time-directory/in" => file("t"), "time-link" => symlink("owner"), "hard-one" => file("h"),
        "hard-two" => hard("hard-one"), "link-in" => symlink("owner"), "link-out" => symlink("../beside"),
        "link-absolute" => symlink(home.join("elsewhere")), "link-dangling" => symlink("no where"),
        "fifo" => fifo, "socket" => socket, "flag-d" => file("d"), "flag-A" => file("A"),
        NOT_UNICODE => file("not unicode"), "empty" => dir,
    });
    let at = |name: &str| src.join(name);
    chown(at("owner"), Some(1234), Some(4_000_000)).unwrap();
    lchown(at("owned-link"), Some(5), Some(6)).unwrap();
    fs::set_permissions(at("mode"), PermissionsExt::from_mode(0o1705)).unwrap();
    chown(at("setuid"), Some(12), Some(34)).unwrap();
    fs::set_permissions(at("setuid"), PermissionsExt::from_mode(0o6751)).unwrap();
    testkit::require::run(Command::new("setfacl").args(["-m", "u:77:r-x,g:88:rwx"]).arg(at("acl")));
    testkit::require::run(Command::new("setfacl").args(["-d", "-m", "u:77:rwx"]).arg(at("default-acl")));
    sys::set_xattr(&at("user-xattr"), "user.test", b"value");
    sys::set_xattr(&at("trusted-xattr"), "trusted.test", b"\0\x01");
    sys::set_xattr(&at("xattr-link"), "trusted.link", b"of a link");
    // Of a file that is not root's: to give it away takes the capability off.
    chown(at("capability"), Some(12), Some(34)).unwrap();
    let net_raw = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    sys::set_xattr(&at("capability"), "security.capability", &net_raw);
    let holes = fs::File::create(at("holes")).unwrap();
    holes.write_at(b"island", 4 << 20).unwrap();
    holes.set_len(8 << 20).unwrap();
    sys::device(&at("device"), 1, 3);
    for letter in ["d", "A"] {
        let path = at(&format!("flag-{letter}"));
        testkit::require::run(Command::new("chattr").arg(format!("+{letter}")).arg(path));
    }
    sys::set_times(&at("time-file"), 1_000_000_001, 123_456_789);
    sys::set_times(&at("time-link"), 1_000_000_002, 234_567_891);
    sys::set_times(&at("time-directory"), 1_000_000_003, 345_678_912);
    src
}

/// What each row shows in a tree.
fn seen(root: &Path) -> BTreeMap<&'static str, Option<String>> {
    ROWS.iter().map(|row| (row.what, (row.see)(&root.join(os(row.name))))).collect()
}

/// Kept, lost, or told that it is lost: then the object is named.
fn judge(row: &Row, before: &Option<String>, after: &Option<String>, said: &[u8]) -> &'static str {
    // By its path: a word like "device" may stand in any message.
    let (name, said) = (String::from_utf8_lossy(row.name), String::from_utf8_lossy(said));
    let is_named = ["src", "dst"].iter().any(|root| said.contains(&format!("{root}/{name}")));
    if before == after {
        "kept"
    } else if is_named {
        "reported"
    } else {
        "lost"
    }
}

#[test]
fn what_is_kept_beside_cp_and_rsync() {
    for tool in ["rsync", "setfacl", "chattr"] {
        testkit::require!(tool tool);
    }
    let (home, away) = (Volume::new(Fs::Ext4, 32 << 20), Volume::new(Fs::Ext4, 32 << 20));
    let tools = ["linkctl move", "cp -a", "rsync -aHAX"];
    let mut columns = Vec::new();
    let mut before = BTreeMap::new();
    for tool in tools {
        clear(&home.path());
        clear(&away.path());
        let src = build(&home.path());
        let dst = away.path().join("dst");
        before = seen(&src);
        for row in &ROWS {
            assert!(before[row.what].is_some(), "the tree has nothing to keep: {}", row.what);
        }
        let said = match tool {
            "linkctl move" => {
                let linkctl = Linkctl::on(home.path());
                let ran = linkctl.ok(["move".as_ref(), src.as_os_str(), dst.as_os_str(), "--yes".as_ref()]);
                [ran.bytes, ran.raw_err].concat()
            }
            "cp -a" => {
                let output = Command::new("cp").arg("-a").args([&src, &dst]).output().unwrap();
                output.stderr
            }
            _ => {
                let from = [src.as_os_str().as_bytes(), b"/"].concat();
                let output = Command::new("rsync").arg("-aHAX").arg(os(&from)).arg(&dst).output().unwrap();
                output.stderr
            }
        };
        testkit::require::run(&mut Command::new("sync"));
        columns.push((seen(&dst), said));
    }
    let mut table = format!("| kept on ext4 -> ext4 | {} |\n|---|---|---|---|\n", tools.join(" | "));
    let (mut differ, mut lost) = (0, Vec::new());
    for row in &ROWS {
        let cells: Vec<_> =
            columns.iter().map(|(after, said)| judge(row, &before[row.what], &after[row.what], said)).collect();
        table += &format!("| {} | {} |\n", row.what, cells.join(" | "));
        differ += usize::from(cells[1..].iter().any(|cell| *cell != "kept"));
        if cells[0] == "lost" {
            lost.push(row.what);
        }
    }
    println!("{table}");
    assert_eq!(lost, [""; 0], "a move loses this without a word");
    // A measure that finds nothing wrong with anybody measures nothing.
    assert!(differ > 0, "cp and rsync keep everything:\n{table}");
}
