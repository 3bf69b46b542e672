//! `dir --volume`: the same listing as of the mount.

use super::*;

/// Directories with their rows, and what follows the last of them.
type Blocks = (BTreeMap<String, Vec<String>>, Vec<String>);

fn blocks(out: &str) -> Blocks {
    let (mut blocks, mut directory, mut end) = (BTreeMap::new(), None, Vec::new());
    for line in out.lines().skip(2).filter(|line| !line.is_empty()) {
        if let Some(path) = line.strip_prefix(" Directory of ") {
            directory = Some(path.to_owned());
        } else if line.trim() == "Total Files Listed:" || !end.is_empty() {
            end.push(line.to_owned());
        } else {
            blocks.entry(directory.clone().unwrap()).or_insert_with(Vec::new).push(line.to_owned());
        }
    }
    (blocks, end)
}

struct Both {
    volume: Volume,
    filled: &'static Filled,
}

impl Both {
    fn new() -> Both {
        let filled = Filled::of(ANY);
        let mut volume = filled.mounted();
        volume.remount_read_only();
        Both { volume, filled }
    }

    /// What `dir` says in the root of the mount, with the paths of the volume.
    #[track_caller]
    fn on_mount(&self, args: &[&str]) -> String {
        let args: Vec<String> = args
            .iter()
            .map(|arg| {
                let below = arg.strip_prefix(r"C:\").map(|rest| self.volume.path().join(rest.replace('\\', "/")));
                below.map_or_else(|| (*arg).to_owned(), |path| path.into_os_string().into_string().unwrap())
            })
            .collect();
        let ran = Linkctl::on(self.volume.path()).output(["dir".to_owned()].into_iter().chain(args));
        // Only Windows can look into some of the directories.
        let told = ran.err.lines().filter(|line| !line.starts_with("The device is not ready. - ")).count();
        assert!(told == 0 && ran.code() == Some(i32::from(!ran.err.is_empty())), "{ran}");
        // The helper has shown the directory it runs in as this.
        let lines = ran.out.lines().map(|line| match line.split_once("[DIR]") {
            Some((head, below)) => {
                let below = below.replace('/', r"\");
                format!("{head}C:{}", if below.is_empty() { r"\" } else { &below })
            }
            None => line.to_owned(),
        });
        lines.map(|line| line + "\n").collect()
    }

    #[track_caller]
    fn on_volume(&self, args: &[&str]) -> String {
        let ran = run("dir", self.filled.source(), args).exits(0);
        assert_eq!(ran.err, "");
        ran.out
    }

    #[track_caller]
    fn same_blocks(&self, args: &[&str]) -> Blocks {
        let (mount, volume) = (self.on_mount(args), self.on_volume(args));
        let head: Vec<&str> = volume.lines().take(2).collect();
        assert_eq!(head[0], " Volume in drive C has no label.");
        assert_eq!(head[1], mount.lines().nth(1).unwrap(), "the serial number");
        let (mut mount, volume) = (blocks(&mount), blocks(&volume));
        // What Interix makes of `symlink` is no link to Windows.
        mount.0.remove(r"C:\special");
        let mut here = volume.clone();
        here.0.remove(r"C:\special");
        let rows = |blocks: &Blocks| {
            let rows = blocks.0.iter().flat_map(|(path, rows)| rows.iter().map(move |row| format!("{path}: {row}")));
            rows.collect::<Vec<_>>()
        };
        assert_same(&format!("{args:?}"), rows(&here), rows(&mount));
        for (path, rows) in &here.0 {
            assert_eq!(rows, &mount.0[path], "the order in {path}");
        }
        assert_eq!(here.1, mount.1, "{args:?}: the end");
        volume
    }
}

#[test]
fn links_of_the_whole_volume() {
    let both = Both::new();
    let (blocks, end) = both.same_blocks(&["/s", "/al"]);
    assert_eq!(end.len(), 3);
    let row = |directory: &str, end: &str| blocks[directory].iter().any(|row| row.ends_with(end));
    assert!(row(r"C:\junctions", r"<JUNCTION>     plain [C:\Real]"));
    assert!(row(r"C:\symlinks", r"<SYMLINK>      file to a directory [..\Real]"));
    assert!(row(r"C:\symlinks", r"<SYMLINKD>     directory to a file [..\Real\other]"));
    let rows = blocks.values().flatten().filter(|row| row.contains('<')).count();
    assert!(rows > 400, "{rows}");
}

fn order(out: &str) -> Vec<String> {
    let all = out.lines().filter_map(|line| line.strip_prefix(" Directory of "));
    // Of a name that holds what parts names, nobody can tell where it belongs.
    let told = |path: &&str| *path != r"C:\special" && !path.starts_with(r"C:\names\");
    all.filter(told).map(str::to_owned).collect()
}

#[track_caller]
fn same_order(args: &[&str]) {
    let both = Both::new();
    let (here, there) = (order(&both.on_volume(args)), order(&both.on_mount(args)));
    let first = here.iter().zip(&there).find(|(here, there)| here != there);
    assert!(here == there, "{first:?}");
}

#[test]
fn directories_come_in_the_same_order_as_on_the_mount() {
    same_order(&["/s", r"C:\hard"]);
    same_order(&["/s", r"C:\chains"]);
}

#[test]
fn directories_with_links_come_in_the_same_order_as_on_the_mount() {
    same_order(&["/s", "/al"]);
}

/// Windows shows nobody `$MFT` and `$Extend`.
#[test]
fn files_of_the_file_system_itself_are_not_listed() {
    let both = Both::new();
    assert_eq!(both.on_volume(&["/a", "/b"]), both.on_mount(&["/a", "/b"]));
    let all = order(&both.on_volume(&["/s"]));
    assert!(!all.contains(&r"C:\$Extend".to_owned()), "{:?}", &all[..5]);
}

/// What the system keeps compressed has the size that programs see; ntfs-3g would need a plugin to tell it.
#[test]
fn files_kept_in_another_form_have_their_size() {
    let both = Both::new();
    let out = both.on_volume(&[r"C:\tags\compressed by the system"]);
    assert!(out.contains("            50,000 compressed by the system\n"), "{out}");
    let bare = ["/b", r"C:\tags"];
    assert_eq!(both.on_volume(&bare), both.on_mount(&bare));
}

#[test]
fn everything_of_a_directory_and_below() {
    let both = Both::new();
    for directory in [r"C:\short", r"C:\junctions", r"C:\large", r"C:\Case", r"C:\hard"] {
        both.same_blocks(&["/a", directory]);
        both.same_blocks(&["/a", "/s", directory]);
    }
    for directory in [r"C:\short", r"C:\junctions", r"C:\large"] {
        both.same_blocks(&["/s", "/al", directory]);
    }
    both.same_blocks(&["/ad", r"C:\short"]);
    both.same_blocks(&["/a-l", "/o-n", r"C:\short"]);
}

#[test]
fn bare_names() {
    let both = Both::new();
    for args in [&["/b", r"C:\short"][..], &["/b", "/al", r"C:\symlinks"], &["/b", "/o-n", r"C:\Case"]] {
        assert_eq!(both.on_volume(args), both.on_mount(args), "{args:?}");
    }
    let lines = |out: String| {
        out.lines().map(str::to_owned).filter(|line| !line.starts_with(r"C:\special")).collect::<Vec<_>>()
    };
    for args in [&["/s", "/b", "/al"][..], &["/s", "/b", r"C:\short"], &["/b", "/s", "/al", r"C:\large"]] {
        assert_same(&format!("{args:?}"), lines(both.on_volume(args)), lines(both.on_mount(args)));
    }
}

#[test]
fn patterns_and_single_names() {
    let both = Both::new();
    for args in [
        &["/b", r"C:\short\a*"][..],
        &["/b", r"C:\short\*.TEXT"],
        &["/b", r"C:\short\?hrough"],
        &["/al", r"C:\junctions\to*"],
    ] {
        assert_eq!(lines(&both.on_volume(args)), lines(&both.on_mount(args)), "{args:?}");
    }
    let ran = both.on_volume(&["/b", r"C:\SHORT\ALONGJ~1"]);
    assert_eq!(ran, "f\nsecond\n", "a link that is named is looked into");
    both.same_blocks(&[r"C:\Real\other"]);
    let ran = run("dir", both.filled.source(), ["/b", r"C:\nope"]).exits(1);
    assert!(ran.err.contains("File Not Found"), "{ran}");
    run("dir", both.filled.source(), ["/b", r"C:\nope\x"]).exits(1).says("cannot find the path");
}

#[test]
fn a_link_that_is_named_is_looked_into_as_on_the_mount() {
    let both = Both::new();
    for link in [r"C:\junctions\plain", r"C:\symlinks\through a junction"] {
        assert_eq!(both.on_volume(&["/b", link]), both.on_mount(&["/b", link]), "{link}");
    }
}

/// Without the head, whose first line names the mount.
fn lines(out: &str) -> Vec<&str> {
    out.lines().filter(|line| !line.starts_with(" Volume in drive")).collect()
}
