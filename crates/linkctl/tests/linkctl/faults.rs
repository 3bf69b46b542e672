//! What fails, is full, is raced for: nothing half made, and a journal that tells the truth.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::sample::the_whole;
use crate::common::{Linkctl, leftovers, names, wait_until};
use testkit::{Fs, Snapshot, Volume, strace, tree};

const ERRORS: [&str; 9] = ["ENOSPC", "EIO", "EMLINK", "EDQUOT", "EXDEV", "ENAMETOOLONG", "EACCES", "EPERM", "EROFS"];

/// Runs `args` on ten links with one call failing, and checks that one link is told and nine are well.
fn one_of_ten_fails(call: &str, error: &str, when: u32, build: fn(&Linkctl), args: &[&str], well: fn(&Path) -> bool) {
    let linkctl = Linkctl::new();
    build(&linkctl);
    let before = linkctl.target_or_none("l0");
    let inject = format!("{call}:error={error}:when={when}");
    let ran = linkctl.said(strace::inject(&inject, &linkctl.command(args)));
    let case = format!("{inject}: {ran}");
    assert_eq!(ran.code(), Some(3), "{case}");
    let failed = (0..10).filter(|n| !well(&linkctl.at(format!("l{n}")))).collect::<Vec<_>>();
    assert_eq!(failed.len(), 1, "{case}");
    assert!(ran.err.contains(&format!("l{}'", failed[0])), "the link is not named: {case}");
    assert_eq!(linkctl.target_or_none(&format!("l{}", failed[0])).is_some(), before.is_some(), "{case}");
    assert_eq!(leftovers(linkctl.work()), [""; 0], "{case}");
    let verb = args[0];
    assert_eq!(linkctl.newest(), format!("{verb} partial: 9 done, 1 failed of 10"), "{case}");
}

impl Linkctl {
    fn target_or_none(&self, name: &str) -> Option<Vec<u8>> {
        self.exists(name).then(|| self.target(name))
    }
}

const TEN: [&str; 10] = ["t/l0", "t/l1", "t/l2", "t/l3", "t/l4", "t/l5", "t/l6", "t/l7", "t/l8", "t/l9"];
const LINKS: [&str; 10] = ["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9"];

fn old_links(linkctl: &Linkctl) {
    for link in LINKS {
        tree!(linkctl.work(), { link => symlink("old") });
    }
}

#[test]
fn a_failing_symlinkat_costs_its_own_link() {
    let args = [&["create", "--into", "."], &TEN[..]].concat();
    for error in ERRORS {
        for when in [1, 5] {
            one_of_ten_fails("symlinkat", error, when, |_| (), &args, Path::is_symlink);
        }
    }
}

#[test]
fn a_failing_linkat_costs_its_own_link() {
    let args = [&["create", "--kind", "hard", "--into", "."], &TEN[..]].concat();
    let build = |linkctl: &Linkctl| {
        for target in TEN {
            tree!(linkctl.work(), { target => file("data") });
        }
    };
    for error in ERRORS {
        one_of_ten_fails("linkat", error, 5, build, &args, Path::exists);
    }
}

#[test]
fn a_replaced_link_that_cannot_be_removed_is_put_back() {
    let args = [&["create", "--replace", "--into", "."], &TEN[..]].concat();
    for when in [1, 5] {
        one_of_ten_fails("unlinkat", "EIO", when, old_links, &args, |link| {
            fs::read_link(link).unwrap() != Path::new("old")
        });
    }
}

#[test]
fn a_failing_rename_leaves_the_old_link_in_its_place() {
    let args = [&["create", "--replace", "--into", "."], &TEN[..]].concat();
    for (error, when) in ERRORS.into_iter().zip([1, 5].into_iter().cycle()) {
        one_of_ten_fails("renameat,renameat2,rename", error, when, old_links, &args, |link| {
            fs::read_link(link).unwrap() != Path::new("old")
        });
    }
}

#[test]
fn a_removal_that_fails_leaves_the_link_in_its_place() {
    let args = [&["remove"], &LINKS[..]].concat();
    for (error, when) in ERRORS.into_iter().zip([1, 5].into_iter().cycle()) {
        one_of_ten_fails("unlinkat", error, when, old_links, &args, |link| !link.is_symlink());
        // What has no room for the private name is removed all the same.
        if !["ENOSPC", "EDQUOT"].contains(&error) {
            one_of_ten_fails("renameat2", error, when, old_links, &args, |link| !link.is_symlink());
        }
    }
    for error in ["ENOSPC", "EDQUOT"] {
        let linkctl = Linkctl::new();
        old_links(&linkctl);
        let ran = linkctl.said(strace::inject(&format!("renameat2:error={error}"), &linkctl.command(&args)));
        assert!(names(linkctl.work()).is_empty(), "{ran}");
        ran.exits(0);
    }
}

#[test]
fn a_link_that_cannot_be_read_back_is_not_left() {
    for error in ["EIO", "EACCES", "ENAMETOOLONG"] {
        for when in [1, 2, 3, 7] {
            let linkctl = Linkctl::new();
            let args = [&["create", "--into", "."], &TEN[..]].concat();
            let inject = format!("readlinkat:error={error}:when={when}");
            let ran = linkctl.said(strace::inject(&inject, &linkctl.command(args)));
            let made = names(linkctl.work());
            assert_eq!(leftovers(linkctl.work()), [""; 0], "{inject}: {ran}");
            let told = ran.code() == Some(0) && made.len() == 10 || ran.code() == Some(3) && made.len() < 10;
            assert!(told, "{inject}: {made:?} {ran}");
            if !linkctl.database().exists() {
                continue;
            }
            assert_eq!(linkctl.history()[0]["done"], made.len(), "{inject}: {ran}");
        }
    }
}

#[test]
fn on_a_full_file_system_nothing_is_half_made_and_remove_still_works() {
    let volume = Volume::new(Fs::Ext4, 4 << 20);
    let linkctl = Linkctl::on(volume.path());
    let long = "x".repeat(200);
    linkctl.ok(["create", "before", &long]);
    volume.fill();
    let ran = linkctl.output(["create", "after", &long]).exits(3);
    ran.says("'after'").says("free some space or inodes there");
    assert!(!linkctl.exists("after") && linkctl.exists("before") && leftovers(volume.path()).is_empty());
    linkctl.output(["create", "--replace", "before", &"y".repeat(200)]).exits(3);
    assert_eq!(linkctl.target("before"), long.as_bytes());
    linkctl.ok(["remove", "before"]);
    assert!(!linkctl.exists("before") && leftovers(volume.path()).is_empty());
}

#[test]
fn without_inodes_nothing_is_half_made_and_remove_still_works() {
    let volume = Volume::with_options(Fs::Tmpfs, 1 << 20, "nr_inodes=12");
    let linkctl = Linkctl::on(volume.path());
    let made = (0..20).take_while(|n| linkctl.output(["create", &format!("l{n}"), "t"]).code() == Some(0)).count();
    assert!((3..12).contains(&made), "{made}");
    linkctl.output(["create", "more", "t"]).exits(3).says("free some space or inodes there");
    linkctl.ok(["remove", "l0"]);
    linkctl.ok(["undo"]);
    assert_eq!(names(volume.path()).len(), made);
}

#[test]
fn read_only_and_forbidden_places_are_told_and_left() {
    let mut volume = Volume::new(Fs::Ext4, 0);
    tree!(volume.path(), { "l" => symlink("t"), "f" => file("") });
    volume.remount_read_only();
    let before = Snapshot::of(volume.path());
    let linkctl = Linkctl::on(volume.path());
    for args in [
        &["create", "new", "t"] as &[&str],
        &["remove", "l"],
        &["create", "--replace", "l", "u"],
        &["create", "--kind", "hard", "h", "f"],
    ] {
        linkctl.output(args).exits(3).says("mount the file system read-write first");
    }
    before.assert_unchanged();
    let linkctl = Linkctl::nobody();
    tree!(linkctl.work(), { "l" => symlink("t") });
    chown(linkctl.work(), Some(0), Some(0)).unwrap();
    let before = Snapshot::of(linkctl.work());
    for args in [&["create", "new", "t"] as &[&str], &["remove", "l"], &["create", "--replace", "l", "u"]] {
        linkctl.output(args).exits(3).says("permission denied").says("`linkctl doctor`");
    }
    before.assert_unchanged();
}

#[test]
fn an_immutable_file_gets_no_other_name() {
    let volume = Volume::new(Fs::Ext4, 0);
    tree!(volume.path(), { "f" => file("") });
    let chattr = |flag: &str| Command::new("chattr").arg(flag).arg(volume.path().join("f")).status().unwrap();
    assert!(chattr("+i").success());
    let linkctl = Linkctl::on(volume.path());
    let ran = linkctl.output(["create", "--kind", "hard", "h", "f"]);
    assert!(chattr("-i").success());
    ran.exits(3).says("marked immutable");
    assert!(!linkctl.exists("h"));
}

#[test]
fn of_two_that_create_the_same_link_one_wins_and_the_other_says_so() {
    let linkctl = Linkctl::new();
    let rounds = if the_whole() { 1000 } else { 60 };
    for round in 0..rounds {
        let link = format!("l{round}");
        let spawn = |target: &str| -> Child {
            let mut command = linkctl.command(["create", &link, target]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let both = [spawn("one"), spawn("two")].map(|child| linkctl.said(child.wait_with_output().unwrap()));
        let (winner, loser) = if both[0].code() == Some(0) { (0, 1) } else { (1, 0) };
        let codes = [both[winner].code(), both[loser].code()];
        assert_eq!(codes, [Some(0), Some(4)], "{}\n{}", both[0], both[1]);
        // Also where it is found out only while acting.
        assert!(both[loser].err.contains("has this name"), "{}", both[loser]);
        assert_eq!(linkctl.target(&link), ["one", "two"][winner].as_bytes());
    }
    let done = linkctl.history().iter().filter(|operation| operation["done"] == 1).count();
    assert_eq!(done, rounds);
}

/// The state of the process that has `marker` among its arguments and is no strace: `t` while strace holds it.
fn held(marker: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let line = read("cmdline");
        let own = line.starts_with(env!("CARGO_BIN_EXE_linkctl").as_bytes());
        own && String::from_utf8_lossy(&line).contains(marker)
            && String::from_utf8_lossy(&read("stat")).rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('t'))
    })
}

#[test]
fn what_is_swapped_in_between_plan_and_act_is_not_removed() {
    type Swap<'a> = &'a dyn Fn(&Linkctl);
    let swaps: [(&str, Swap<'_>); 4] = [
        ("another link", &|linkctl| {
            tree!(linkctl.work(), { "other" => symlink("canary") });
            fs::rename(linkctl.at("other"), linkctl.at("l")).unwrap();
        }),
        ("a link in the same inode", &|linkctl| {
            fs::remove_file(linkctl.at("l")).unwrap();
            tree!(linkctl.work(), { "l" => symlink("canary") });
        }),
        ("a file", &|linkctl| fs::rename(linkctl.at("precious"), linkctl.at("l")).unwrap()),
        ("a directory", &|linkctl| {
            fs::remove_file(linkctl.at("l")).unwrap();
            fs::rename(linkctl.at("dir"), linkctl.at("l")).unwrap();
        }),
    ];
    std::thread::scope(|scope| {
        for (what, swap) in swaps {
            let linkctl = Linkctl::new();
            tree!(linkctl.work(), { "l" => symlink("before"), "precious" => file("data"), "dir/f" => file("data") });
            let canary = Snapshot::of(linkctl.at("dir/f"));
            let marker = linkctl.at("l").to_str().unwrap().to_owned();
            let command = linkctl.command(["remove", &marker]);
            let (program, args): (_, Vec<_>) =
                (command.get_program().to_owned(), command.get_args().map(ToOwned::to_owned).collect());
            let (work, state) = (linkctl.work().to_owned(), linkctl.state().to_owned());
            let removal = scope.spawn(move || {
                let mut command = Command::new(program);
                command.args(args).current_dir(work).env("LINKCTL_STATE_DIR", state);
                strace::inject("renameat2:delay_enter=2000000:when=1", &command)
            });
            let mut since = Instant::now();
            wait_until("remove is about to rename", || {
                if !held(&marker) {
                    since = Instant::now();
                }
                since.elapsed() > Duration::from_millis(300)
            });
            swap(&linkctl);
            let swapped = fs::symlink_metadata(linkctl.at("l")).unwrap();
            let ran = linkctl.said(removal.join().unwrap());
            assert!(matches!(ran.code(), Some(3 | 4)), "{what}: {ran}");
            assert!(ran.err.contains("'[DIR]/l'"), "{what}: {ran}");
            let now = fs::symlink_metadata(linkctl.at("l")).unwrap_or_else(|e| panic!("{what}: {e}: {ran}"));
            assert_eq!((now.ino(), now.mtime_nsec()), (swapped.ino(), swapped.mtime_nsec()), "{what}: {ran}");
            assert_eq!(leftovers(linkctl.work()), [""; 0], "{what}: {ran}");
            if what != "a directory" {
                canary.assert_unchanged();
            }
            assert_eq!(linkctl.newest(), "remove failed: 0 done, 1 failed of 1", "{what}");
        }
    });
}

#[test]
fn a_link_in_a_directory_of_another_user_is_made_by_that_user_alone() {
    let linkctl = Linkctl::nobody();
    fs::set_permissions(linkctl.work(), Permissions::from_mode(0o700)).unwrap();
    linkctl.ok(["create", "l", "t", "--json"]);
    assert_eq!(fs::symlink_metadata(linkctl.at("l")).unwrap().uid(), crate::common::NOBODY);
    assert_eq!(fs::metadata(linkctl.database()).unwrap().mode() & 0o777 & 0o022, 0);
}

#[test]
fn a_replaced_link_that_could_not_be_removed_is_put_back_by_undo() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), { "l" => symlink("old") });
    // The old link cannot be removed under its private name, nor put back: two faults at once.
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e", "trace=unlinkat,renameat2"]);
    command.args(["-e", "inject=unlinkat:error=EIO", "-e", "inject=renameat2:error=EIO:when=2"]);
    let replace = linkctl.command(["create", "--replace", "l", "new"]);
    command.arg(replace.get_program()).args(replace.get_args()).current_dir(linkctl.work());
    for (name, value) in replace.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let ran = linkctl.said(command.output().unwrap());
    assert_eq!(ran.code(), Some(3), "{ran}");
    assert!(ran.err.contains("the link is now at"), "{ran}");
    linkctl.ok(["undo"]);
    assert_eq!(names(linkctl.work()), ["l"]);
    assert_eq!(linkctl.target("l"), b"old");
}
