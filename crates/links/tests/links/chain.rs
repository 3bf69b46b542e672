//! Where links lead: states, hops, and the hop that fails.

use std::path::{Path, PathBuf};

use links::{DEFAULT_DRIVE, Inspection, State, inspect_path};
use testkit::tree;

struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn look(&self, name: &str) -> Inspection {
        inspect_path(&self.path().join(name), DEFAULT_DRIVE).unwrap()
    }

    fn state(&self, name: &str) -> State {
        self.look(name).link.unwrap().state
    }

    fn resolved(&self, name: &str) -> Option<PathBuf> {
        self.look(name).link.unwrap().resolved
    }
}

#[test]
fn a_link_met_twice_in_one_path_is_no_loop() {
    let room = Room::new();
    tree!(room.path(), { "x" => symlink("."), "f" => file(""), "l" => symlink("x/x/x/f") });
    assert_eq!(room.state("l"), State::Ok);
    assert_eq!(room.resolved("l"), Some(room.path().join("f")));
}

#[test]
fn loops_are_told_from_chains_that_are_only_too_long() {
    let room = Room::new();
    tree!(room.path(), {
        "self" => symlink("self"),
        "grow" => symlink("grow/more"),
        "a" => symlink("b"), "b" => symlink("d/../a"), "d" => dir,
        "end" => file("")
    });
    for hop in 0..45 {
        let target = if hop == 0 { "end".to_owned() } else { format!("hop{}", hop - 1) };
        std::os::unix::fs::symlink(target, room.path().join(format!("hop{hop}"))).unwrap();
    }
    for name in ["self", "grow", "a", "b"] {
        assert_eq!(room.state(name), State::Loop, "{name}");
    }
    // hopN is N + 1 links long; the system follows 40.
    assert_eq!(room.state("hop39"), State::Ok);
    assert_eq!(room.state("hop40"), State::TooLong);
    assert!(std::fs::metadata(room.path().join("hop39")).is_ok());
    assert!(std::fs::metadata(room.path().join("hop40")).is_err());
}

#[test]
fn links_that_multiply_are_given_up_soon() {
    let room = Room::new();
    tree!(room.path(), { "l0" => dir });
    for level in 1..40 {
        let below = format!("l{}", level - 1);
        let target = format!("{below}/../{below}/../{below}");
        std::os::unix::fs::symlink(target, room.path().join(format!("l{level}"))).unwrap();
    }
    let began = std::time::Instant::now();
    assert_eq!(room.state("l39"), State::TooLong);
    // Followed to the end it would be 3^39 hops; a generous bound that no machine misses.
    assert!(began.elapsed().as_secs() < 30);
}

#[test]
fn dot_dot_leads_up_from_where_a_link_led_not_from_where_it_stands() {
    let room = Room::new();
    tree!(room.path(), {
        "deep/er/f" => file(""), "deep/near" => file(""), "short" => symlink("deep/er"),
        "physical" => symlink("short/../near"), "lexical" => symlink("short/../f")
    });
    assert_eq!(room.resolved("physical"), Some(room.path().join("deep/near")));
    assert_eq!(room.state("lexical"), State::Missing);
}

#[test]
fn the_failing_hop_is_named() {
    let room = Room::new();
    tree!(room.path(), {
        "one" => symlink("two"), "two" => symlink("dir/three"), "dir/three" => symlink("../gone/f"),
        "through" => symlink("file/x"), "slash" => symlink("file/"), "file" => file("")
    });
    let chain = room.look("one").chain.unwrap();
    let hops: Vec<_> = chain.hops.iter().map(|hop| hop.link.clone()).collect();
    assert_eq!(hops, ["one", "two", "dir/three"].map(|name| room.path().join(name)));
    assert_eq!(chain.failed_at, Some(room.path().join("gone")));
    assert_eq!(chain.reason.as_deref(), Some("no such file or directory"));
    for name in ["through", "slash"] {
        let chain = room.look(name).chain.unwrap();
        assert_eq!((chain.state, chain.reason.as_deref()), (State::Missing, Some("not a directory")), "{name}");
    }
}

#[test]
fn links_of_the_kernel_lead_where_no_text_says() {
    // The text of such a link is `pipe:[...]`, or a program deleted meanwhile: only the kernel knows.
    let (reader, _writer) = std::io::pipe().unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    assert_eq!(links::inspect(path).unwrap().state, State::Ok);
}

/// A link in /proc whose text lies, and the number of its descriptor: deleted, with another file of the name that it has then.
fn lying(room: &Room) -> (std::fs::File, String) {
    let held = std::fs::File::create(room.path().join("gone")).unwrap();
    std::fs::remove_file(room.path().join("gone")).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&held).to_string();
    (held, number)
}

#[test]
fn links_of_proc_are_what_the_kernel_finds_while_an_ntfs_volume_is_mounted() {
    let _volume = testkit::Volume::ntfs(16 << 20, &[], "");
    let room = Room::new();
    let (_held, number) = lying(&room);
    let _held_directory = std::fs::File::open(room.path()).unwrap();
    let process = std::process::id();
    let mut seen = 0;
    for place in ["ns", "fd", "root", "cwd", "exe"] {
        for details in [links::Details::State, links::Details::Resolved] {
            let mut options = links::ScanOptions::new([format!("/proc/{process}/{place}")]);
            options.details = details;
            for found in links::scan(options) {
                let Ok(links::Found::Link(link)) = found else { continue };
                // Other tests open and close what they like.
                let is_open = std::fs::metadata(&link.path).is_ok();
                assert!(link.state == State::Ok || !is_open, "{:?}: {:?}", link.path, link.state);
                if place != "fd" {
                    let shown = inspect_path(&link.path, DEFAULT_DRIVE).unwrap();
                    assert_eq!((shown.link.unwrap().state, shown.chain.unwrap().failed_at), (State::Ok, None));
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "{seen}");
    let link = format!("/proc/{process}/fd/{number}");
    for decoy in [false, true] {
        if decoy {
            tree!(room.path(), { "gone (deleted)" => file("another") });
        }
        let shown = inspect_path(Path::new(&link), DEFAULT_DRIVE).unwrap();
        let (found, chain) = (shown.link.unwrap(), shown.chain.unwrap());
        assert_eq!((found.state, found.resolved, chain.failed_at), (State::Ok, None, None), "decoy: {decoy}");
    }
    let base = format!("/proc/{process}/{}", "root");
    // On the way of another link, and through the root and the work directory of a process.
    for (name, target, leads) in [
        ("pipe", link, None),
        ("cwd", format!("/proc/{process}/cwd"), std::env::current_dir().ok()),
        ("root", format!("{base}{}", room.path().display()), Some(room.path())),
        ("up", format!("{base}{}/..", room.path().display()), room.path().parent().map(Path::to_owned)),
    ] {
        std::os::unix::fs::symlink(target, room.path().join(name)).unwrap();
        assert_eq!((room.state(name), room.resolved(name)), (State::Ok, leads), "{name}");
    }
}

#[test]
fn the_library_agrees_with_the_system_on_every_link_it_follows() {
    let room = Room::new();
    type Tree = fn(&Path);
    let trees: [(&str, Tree); 3] =
        [("links", testkit::trees::links), ("loops", testkit::trees::loops), ("dangling", testkit::trees::dangling)];
    for (name, build) in trees {
        let path = room.path().join(name);
        tree!(room.path(), { name => dir });
        build(&path);
    }
    let mut seen = 0;
    for found in links::scan(links::ScanOptions::new([room.path()])) {
        let links::Found::Link(link) = found.unwrap() else { continue };
        let system = std::fs::canonicalize(&link.path);
        assert_eq!(link.state == State::Ok, system.is_ok(), "{:?}", link.path);
        assert_eq!(room.resolved_of(&link.path), system.ok(), "{:?}", link.path);
        seen += 1;
    }
    assert!(seen > 50, "the trees hold more links than {seen}");
}

impl Room {
    fn resolved_of(&self, path: &Path) -> Option<PathBuf> {
        let link = links::inspect(path).unwrap();
        link.resolved.filter(|_| link.state == State::Ok)
    }
}
