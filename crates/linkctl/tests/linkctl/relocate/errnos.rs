//! Calls that fail.

use testkit::strace;

use crate::relocate::kills::counts;
use crate::relocate::{Dice, Scene, WAYS, two_in_memory};

const CALLS: [&str; 20] = [
    "copy_file_range",
    "openat",
    "mkdirat",
    "pwrite64",
    "write",
    "fsync",
    "syncfs",
    "renameat",
    "renameat2",
    "symlinkat",
    "linkat",
    "unlinkat",
    "fchown",
    "fchmod",
    "fsetxattr",
    "utimensat",
    "statx",
    "getdents64",
    "mknodat",
    "ftruncate",
];
const ERRORS: [&str; 6] = ["ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE", "EDQUOT"];

#[test]
fn whatever_call_fails_nothing_is_lost() {
    let (home, away) = two_in_memory();
    let mut dice = Dice::new(3);
    let (mut done, mut failed, mut harmless, mut open) = (0, 0, 0, 0);
    let mut complaints = String::new();
    for way in WAYS {
        let scene = Scene::ready(&home.path(), &away.path(), way);
        let counts = counts(&scene.linkctl.command(scene.args(way)), &CALLS.join(","));
        let mut all = Vec::new();
        for (call, &count) in &counts {
            // First, middle, last, and somewhere.
            let mut places = vec![1, count / 2, count, 1 + dice.below(count), 1 + dice.below(count)];
            places.retain(|n| (1..=count).contains(n));
            places.sort_unstable();
            places.dedup();
            for n in places {
                let one = [ERRORS[dice.below(ERRORS.len())]];
                let errors = if crate::relocate::the_whole() { &ERRORS[..] } else { &one };
                all.extend(errors.iter().map(|&error| (call.clone(), n, error)));
            }
        }
        let chosen = dice.some_of_each(all, 1, |(call, ..)| call.clone());
        for (index, (call, n, error)) in chosen.into_iter().enumerate() {
            let scene = Scene::ready(&home.path(), &away.path(), way);
            let inject = format!("{call}:error={error}:when={n}");
            let ran = scene.linkctl.said(strace::inject(&inject, &scene.linkctl.command(scene.args(way))));
            let what = format!("{way:?} {inject}: {ran}");
            scene.assert_nothing_lost(&what);
            done += 1;
            if ran.code() == Some(0) {
                harmless += 1;
                assert_eq!(
                    scene.is_moved(),
                    way == crate::relocate::Way::Away,
                    "{what}: nothing is said, and it is not done"
                );
                scene.assert_settled(&what);
                continue;
            }
            failed += 1;
            assert!(matches!(ran.code(), Some(1..=4)), "{what}");
            let places = ["/", "[DIR]", "[STATE]", "cannot write the output"];
            if !places.iter().any(|place| ran.err.contains(place)) {
                complaints += &format!("no path: {what}\n");
            }
            // An error before the swap takes all back by itself; after it, `recover` is told of.
            let left = [&scene.home, &scene.away]
                .into_iter()
                .any(|dir| crate::relocate::leftovers(dir).iter().any(|left| dir.join(left).join("intent").exists()));
            open += usize::from(left);
            if left && !ran.err.contains("recover") {
                complaints += &format!("recover is not mentioned: {what}\n");
            }
            scene.assert_recovers(index % 2 == 0, &what);
        }
    }
    println!("errors: {done}: {failed} failed, {open} of them recovered, {harmless} harmless, lost 0");
    assert!(complaints.is_empty(), "{complaints}");
}
