//! The power cut, of one disk or both.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{Fs, Volume, require};

use crate::common::wait_until;
use crate::relocate::crashes::crash_at;
use crate::relocate::kills::{counts, points};
use crate::relocate::{Dice, Scene, WAYS, Way, the_whole};

/// Nothing that is not on the disk by now gets there.
fn cut(volume: &Volume) {
    require::run(Command::new("xfs_io").args(["-x", "-c", "shutdown"]).arg(volume.path()));
}

const DISKS: [(bool, bool); 3] = [(true, false), (false, true), (true, true)];

/// Two disks, one tree, written to them.
struct Disks {
    home: Volume,
    away: Volume,
}

impl Disks {
    fn new(home: Fs, away: Fs) -> Disks {
        Disks { home: Volume::new(home, 16 << 20), away: Volume::new(away, 16 << 20) }
    }

    fn ready(&self, way: Way) -> Scene {
        let scene = Scene::ready(&self.home.path(), &self.away.path(), way);
        for volume in [&self.home, &self.away] {
            require::run(Command::new("sync").arg("-f").arg(volume.path()));
        }
        scene
    }

    fn cut(&mut self, (home, away): (bool, bool)) {
        for (volume, cut_it) in [(&mut self.home, home), (&mut self.away, away)] {
            if cut_it {
                cut(volume);
            }
        }
    }

    /// After the power is back.
    fn back(&mut self) {
        for volume in [&mut self.home, &mut self.away] {
            volume.remount();
            // Another test's mount namespace may hold the dead file system, which is then what was mounted again.
            wait_until("the volume is back", || {
                let is_dead = fs::read_dir(volume.path()).is_err();
                if is_dead {
                    volume.remount();
                }
                !is_dead
            });
        }
    }
}

#[test]
fn power_cut_at_every_phase() {
    let mut dice = Dice::new(5);
    let mut done = 0;
    for (a, b) in [(Fs::Ext4, Fs::Xfs), (Fs::Xfs, Fs::Ext4)] {
        let mut disks = Disks::new(a, b);
        for way in WAYS {
            for phase in 0..=9 {
                // Each phase both ways, from one of the two to the other.
                if !the_whole() && (phase % 2 == 0) != ((a == Fs::Ext4) == (way == Way::Away)) {
                    continue;
                }
                let which = DISKS[(phase + dice.below(3)) % 3];
                let scene = disks.ready(way);
                crash_at(&scene, way, phase);
                disks.cut(which);
                disks.back();
                let what = format!("{} to {}, {way:?} {phase}, cut {which:?}", a.name(), b.name());
                scene.assert_recovers(dice.below(2) == 0, &what);
                done += 1;
            }
        }
    }
    println!("cuts at phases: {done}, lost 0");
}

/// Stops it at a call, cuts, and ends it.
fn cut_at(disks: &mut Disks, scene: &Scene, way: Way, (call, n): (&str, usize), which: (bool, bool)) {
    let command = scene.linkctl.command(scene.args(way));
    let mut strace = Command::new("strace");
    let inject = format!("inject={call}:signal=SIGSTOP:when={n}");
    strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject, "--"]);
    strace.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut strace = strace.spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", strace.id());
    let mut pid = String::new();
    wait_until("it is stopped", || {
        pid =
            fs::read_to_string(&children).unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let ended = strace.try_wait().unwrap().is_some();
        assert!(!ended, "{way:?} {call} {n}: it ended before the call");
        // Stopped by the signal for good, not for a moment by strace.
        let is_stopped = |stat: &str| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['t', 'T']));
        is_stopped(&stat) && {
            std::thread::sleep(std::time::Duration::from_millis(15));
            let again = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            is_stopped(&again)
                && again == stat
                && Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok_and(|exe| exe.ends_with("linkctl"))
        }
    });
    disks.cut(which);
    // Where a call that fails now has ended it already, that is as good.
    Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status().unwrap();
    strace.wait().unwrap();
}

#[test]
fn power_cut_at_any_call() {
    let mut dice = Dice::new(13);
    let mut done = 0;
    for (a, b) in [(Fs::Ext4, Fs::Xfs), (Fs::Xfs, Fs::Ext4)] {
        let mut disks = Disks::new(a, b);
        for way in WAYS {
            let scene = disks.ready(way);
            let calls = "renameat,renameat2,symlinkat,unlinkat,fsync,syncfs,mkdirat,fchown,pwrite64";
            let all = points(&counts(&scene.linkctl.command(scene.args(way)), calls));
            let rare = |call: &str| call.starts_with("rename") || call.ends_with("sync") || call == "syncfs";
            let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(call, _)| rare(call));
            for (call, n) in [dice.some(first, 4), dice.some(rest, 2)].concat() {
                let which = DISKS[dice.below(3)];
                let scene = disks.ready(way);
                cut_at(&mut disks, &scene, way, (&call, n), which);
                disks.back();
                let what = format!("{} to {}, {way:?} {call} {n}, cut {which:?}", a.name(), b.name());
                scene.assert_recovers(dice.below(2) == 0, &what);
                done += 1;
            }
        }
    }
    println!("cuts at calls: {done}, lost 0");
}

#[test]
fn a_file_system_that_has_another_number_after_a_restart_is_recovered_all_the_same() {
    let number = |volume: &Volume| std::os::unix::fs::MetadataExt::dev(&fs::metadata(volume.path()).unwrap());
    for (a, b) in [(Fs::Ext4, Fs::Xfs), (Fs::Btrfs, Fs::Ext4)] {
        let mut disks = Disks::new(a, b);
        for way in WAYS {
            for phase in [3, 5, 7, 8] {
                let scene = disks.ready(way);
                crash_at(&scene, way, phase);
                let before = [number(&disks.home), number(&disks.away)];
                disks.home.unmount();
                disks.away.unmount();
                // Others take their numbers meanwhile.
                let mut between = Vec::new();
                loop {
                    between.push(Volume::new(Fs::Ext4, 0));
                    disks.away.mount();
                    disks.home.mount();
                    if before != [number(&disks.home), number(&disks.away)] {
                        break;
                    }
                    assert!(between.len() < 8, "the numbers stay as they are");
                    disks.home.unmount();
                    disks.away.unmount();
                }
                scene.assert_recovers(phase % 2 == 0, &format!("{} to {}, {way:?} {phase}", a.name(), b.name()));
            }
        }
    }
}
