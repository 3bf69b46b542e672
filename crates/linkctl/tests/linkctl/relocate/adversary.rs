//! Somebody who swaps names in the tree, and around it, for links to what is none of the move's business: nothing of that
//! is changed, nothing of it is copied, and nothing of the tree is lost.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int, c_uint};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::{Fs, Snapshot, Volume, strace, tree};

use crate::common::{NOBODY, Ran, leftovers};
use crate::relocate::{Dice, Scene, WAYS, Way, sys, the_whole};

unsafe extern "C" {
    fn renameat2(from: c_int, old: *const c_char, to: c_int, new: *const c_char, flags: c_uint) -> c_int;
    fn kill(pid: c_int, signal: c_int) -> c_int;
}

/// Lets two names change places in one instant. Whether they did.
fn exchange(one: &Path, other: &Path) -> bool {
    const EXCHANGE: c_uint = 2;
    const HERE: c_int = -100;
    let c = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
    let (one, other) = (c(one), c(other));
    // SAFETY: two strings that end.
    unsafe { renameat2(HERE, one.as_ptr(), HERE, other.as_ptr(), EXCHANGE) == 0 }
}

/// What every file outside says, and the value of every attribute there: it must not be seen anywhere else.
const MARK: &str = "CANARY";
/// What is said by files that are swapped in: they belong to nobody's tree, but may be where they were put.
const DECOY: &str = "decoy";

/// Two volumes: on each, a place to work in, a canary beside it, and traps.
struct Ground {
    volumes: [Volume; 2],
    canaries: Vec<Snapshot>,
    scene: Scene,
    way: Way,
    /// What the files of the tree say.
    says: Vec<String>,
}

/// What is outside has the names that the tree has: whoever is led there finds what he looks for.
fn build_outside(outside: &Path, more: &[String]) {
    for dir in ["", "src", "dst", "src/a", "dst/a", "a", "b", "b/c", "theirs", "theirs/d"] {
        fs::create_dir_all(outside.join(dir)).unwrap();
    }
    for dir in ["", "src/a/", "dst/a/", "a/", "b/c/", "theirs/", "theirs/d/"] {
        for name in ["one", "two", "same", "deep", "pipe", "f"] {
            let path = outside.join(format!("{dir}{name}"));
            fs::write(&path, format!("{MARK} {dir}{name}")).unwrap();
            sys::set_xattr(&path, "user.mark", MARK.as_bytes());
            chown(&path, Some(7), Some(8)).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(0o4640)).unwrap();
        }
    }
    for name in more {
        fs::write(outside.join(name), format!("{MARK} {name}")).unwrap();
    }
    for dir in ["", "a", "b/c"] {
        sys::set_xattr(&outside.join(dir), "user.mark", MARK.as_bytes());
    }
    let acl = ["-m", "u:77:r-x,d:u:78:rwx"];
    testkit::require::run(Command::new("setfacl").args(acl).arg(outside).arg(outside.join("a")));
}

/// What is swapped in: links to the canary, and another directory and file.
fn build_traps(traps: &Path, outside: &Path) {
    let decoy = |name: &str| format!("{DECOY} {name} of {}", traps.display());
    tree!(traps, {
        "to-file" => symlink(outside.join("one")), "to-dir" => symlink(outside), "to-c" => symlink(outside.join("b/c")), "to-b" => symlink(outside.join("b")),
        "dir/one" => file(decoy("one")), "dir/two" => file(decoy("two")), "dir/same" => hard("dir/one"),
        "dir/deep" => file(decoy("deep")), "file" => file(decoy("file")), "fifo" => fifo, "theirs" => dir,
    });
    sys::set_xattr(&traps.join("dir"), "user.decoy", DECOY.as_bytes());
    chown(traps.join("theirs"), Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(traps.join("theirs"), Permissions::from_mode(0o777)).unwrap();
}

fn build_tree(src: &Path, files: usize) {
    tree!(src, {
        "a/one" => file("tree one"), "a/two" => file(format!("tree two {}", "2".repeat(40_000))),
        "a/same" => hard("a/one"), "b/c/deep" => file("tree deep"), "b/empty" => dir, "in" => symlink("a/one"),
        "pipe" => fifo, "theirs/f" => file("tree theirs"), "theirs/d/f" => file("tree theirs deep"),
    });
    for number in 0..files {
        tree!(src, { format!("a/f{number}") => file(format!("tree f{number}")) });
    }
}

impl Ground {
    fn volumes() -> [Volume; 2] {
        [Volume::new(Fs::Tmpfs, 64 << 20), Volume::new(Fs::Tmpfs, 64 << 20)]
    }

    fn new(volumes: [Volume; 2], way: Way, files: usize) -> Ground {
        let names: Vec<_> = (0..files).map(|number| format!("f{number}")).collect();
        for (volume, place) in volumes.iter().zip(["home", "away"]) {
            crate::relocate::clear(&volume.path());
            let at = |name: &str| volume.path().join(name);
            fs::create_dir(at(place)).unwrap();
            fs::create_dir(at("outside")).unwrap();
            build_outside(&at("outside"), &names);
            fs::create_dir(at("traps")).unwrap();
            build_traps(&at("traps"), &at("outside"));
        }
        let (home, away) = (volumes[0].path().join("home"), volumes[1].path().join("away"));
        let scene = Scene::build(&home, &away, |src| build_tree(src, files), &[]);
        if way == Way::Back {
            scene.linkctl.ok(scene.away_args());
        }
        let canaries = volumes.iter().map(|volume| Snapshot::of(volume.path().join("outside"))).collect();
        let mut says: Vec<_> = names.iter().map(|name| format!("tree {name}")).collect();
        says.extend(["tree one", "tree deep", "tree theirs", "tree theirs deep"].map(str::to_owned));
        says.push(format!("tree two {}", "2".repeat(40_000)));
        Ground { volumes, canaries, scene, way, says }
    }

    /// The volume that the tree is on, and the one it goes to.
    fn sides(&self) -> [PathBuf; 2] {
        let [home, away] = [self.volumes[0].path(), self.volumes[1].path()];
        if self.way == Way::Away { [home, away] } else { [away, home] }
    }

    /// The directories that hold the tree, and its new place.
    fn places(&self) -> [PathBuf; 2] {
        let [home, away] = [self.scene.home.clone(), self.scene.away.clone()];
        if self.way == Way::Away { [home, away] } else { [away, home] }
    }

    fn public(&self) -> PathBuf {
        if self.way == Way::Away { self.scene.src() } else { self.scene.dst() }
    }

    /// Where the tree that is to be moved is now: under its name, or the private one.
    fn old_tree(&self) -> Option<PathBuf> {
        let is_dir = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_dir());
        let [place, _] = self.places();
        Some(self.public()).filter(is_dir).or_else(|| private(&place).into_iter().find(is_dir))
    }

    /// Whether the run has taken its inventory: what comes into the tree from now on is not of it.
    fn is_begun(&self) -> bool {
        private(&self.places()[1]).iter().any(|stage| stage.join("intent").exists())
    }

    /// Whether the old tree is being removed.
    fn is_committed(&self) -> bool {
        private(&self.places()[1]).iter().any(|stage| stage.join("committed").exists())
    }

    /// What has to be so whatever happened.
    #[track_caller]
    fn judge(&self, ran: &Ran, swapped: Swapped, what: &str) {
        for canary in &self.canaries {
            assert_eq!(canary.differences(), "", "{what}: something outside was changed: {ran}");
        }
        let mut seen = [Vec::new(), Vec::new()];
        for (volume, seen) in self.sides().iter().zip(&mut seen) {
            said_below(volume, &mut |path, text| {
                assert!(
                    !text.contains(MARK) && !text.contains("user.mark"),
                    "{what}: {} has what is outside: {text}: {ran}",
                    path.display()
                );
                seen.push(text.to_owned());
            });
        }
        let is_in = |all: &[String], text: &str| all.iter().any(|found| found == text);
        for text in &self.says {
            let somewhere = seen.iter().any(|all| is_in(all, text));
            assert!(somewhere, "{what}: lost: {text:.30}: {ran}");
            if ran.code() == Some(0) && swapped != Swapped::Before {
                assert!(is_in(&seen[1], text), "{what}: exit 0, and it did not arrive: {text:.30}: {ran}");
            }
        }
        for (side, volume) in self.sides().iter().enumerate() {
            for name in ["one", "two", "deep", "file"] {
                let text = format!("{DECOY} {name} of {}", volume.join("traps").display());
                let somewhere = seen.iter().any(|all| is_in(all, &text));
                assert!(somewhere, "{what}: {text} is lost: {ran}");
                if side == 0 && ran.code() == Some(0) && swapped == Swapped::After {
                    assert!(!is_in(&seen[1], &text), "{what}: {text} was copied: {ran}");
                }
            }
        }
        // Nor do links go that were swapped in.
        for (volume, to) in self.sides().iter().flat_map(|v| ["one", "", "b", "b/c"].map(|to| (v, to))) {
            let text = format!("-> {}", volume.join("outside").join(to).display());
            let text = text.trim_end_matches('/');
            assert!(seen.iter().any(|all| is_in(all, text)), "{what}: the link {text} is lost: {ran}");
        }
        let decoys = seen[1].iter().filter(|text| *text == "user.decoy").count();
        if ran.code() == Some(0) && swapped == Swapped::After {
            assert_eq!(decoys, 1, "{what}: an attribute of what was swapped in was copied: {ran}");
        }
        assert!(matches!(ran.code(), Some(0..=4)), "{what}: {ran}");
    }

    /// Recovery is under the same rules.
    #[track_caller]
    fn judge_recovery(&self, first: &Ran, swapped: Swapped, what: &str) {
        let ran = self.scene.recover(true);
        let what = format!("{what}: {first}\nthen, recovered");
        // It finishes what was begun: what arrives is judged above.
        let swapped = if swapped == Swapped::No { swapped } else { Swapped::Before };
        self.judge(&ran, if first.code() == Some(0) { swapped } else { Swapped::Before }, &what);
    }
}

/// When something was swapped: before the inventory, it may count as a part of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swapped {
    No,
    Before,
    After,
}

fn private(place: &Path) -> Vec<PathBuf> {
    if !place.is_dir() {
        return Vec::new();
    }
    leftovers(place).into_iter().map(|name| place.join(name)).collect()
}

/// What every file and link says, and the name of every attribute, but for what is outside.
fn said_below(dir: &Path, see: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if entry.file_name() == "outside" {
            continue;
        }
        for (name, _) in sys::xattrs(&path) {
            see(&path, &name);
        }
        if kind.is_dir() {
            said_below(&path, see);
        } else if kind.is_file() {
            see(&path, &String::from_utf8_lossy(&fs::read(&path).unwrap()));
        } else if kind.is_symlink() {
            see(&path, &format!("-> {}", fs::read_link(&path).unwrap().display()));
        }
    }
}

/// A run that is stopped after calls of one kind.
struct Stopped {
    strace: Child,
    log: tempfile::NamedTempFile,
    stops: usize,
}

impl Stopped {
    /// Stops after these calls, such as `openat` and `7..8`.
    fn start(ground: &Ground, args: &[String], at: &[(&str, String)]) -> Stopped {
        let log = tempfile::NamedTempFile::new().unwrap();
        let command = ground.scene.linkctl.command(args);
        let mut strace = Command::new("strace");
        // What is opened is always in the log, with what it is.
        let calls: Vec<_> = at.iter().map(|(call, _)| *call).chain(["openat"]).collect();
        // Not with --seccomp-bpf: with it, strace loses the signal.
        strace.args(["-f", "-y", "-o"]).arg(log.path()).args(["-e", &format!("trace={}", calls.join(","))]);
        for (call, when) in at {
            strace.args(["-e", &format!("inject={call}:signal=SIGSTOP:when={when}")]);
        }
        strace.arg("--").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => strace.env(name, value),
                None => strace.env_remove(name),
            };
        }
        strace.current_dir(&ground.scene.home);
        strace.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Stopped { strace: strace.spawn().unwrap(), log, stops: 0 }
    }

    /// Waits until it is stopped (again), and gives the process and the call; nothing if it is over.
    fn wait(&mut self) -> Option<(u32, String)> {
        let begin = Instant::now();
        loop {
            let log = fs::read_to_string(self.log.path()).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            // Its other threads are stopped, too; those say so as well.
            let main = lines.first().and_then(|line| line.split_whitespace().next()).unwrap_or_default();
            let is_stop = |line: &str| line.starts_with(main) && line.contains("stopped by SIGSTOP");
            let stop = (0..lines.len()).filter(|&n| is_stop(lines[n])).nth(self.stops);
            if let Some(at) = stop {
                self.stops += 1;
                let call = lines[..at].iter().rfind(|line| line.starts_with(main) && line.contains('('));
                return Some((main.parse().unwrap(), call?.to_string()));
            }
            if self.strace.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "neither stopped nor over:\n{log}");
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// The last calls that were made, and how often just these were.
    fn made(&self) -> (String, usize) {
        let log = fs::read_to_string(self.log.path()).unwrap();
        let main = log.split_whitespace().next().unwrap_or_default();
        let calls: Vec<_> = log.lines().filter(|line| line.starts_with(main) && line.contains('(')).map(key).collect();
        made(&calls)
    }

    /// The calls that got hold of something outside. That it was not used is luck.
    fn opened_outside(&self) -> Vec<String> {
        let log = fs::read_to_string(self.log.path()).unwrap();
        let is_outside = |line: &&str| line.rsplit_once(" = ").is_some_and(|(_, is)| is.contains("/mnt/outside"));
        log.lines().filter(is_outside).map(str::to_owned).collect()
    }

    fn end(&mut self, ground: &Ground) -> Ran {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        self.strace.stdout.take().unwrap().read_to_end(&mut out).unwrap();
        self.strace.stderr.take().unwrap().read_to_end(&mut err).unwrap();
        let status = self.strace.wait().unwrap();
        let output = std::process::Output { status, stdout: out, stderr: err };
        ground.scene.linkctl.said(output)
    }
}

fn go_on(pid: u32) {
    const CONTINUE: c_int = 18;
    // SAFETY: numbers.
    assert_eq!(unsafe { kill(pid.try_into().unwrap(), CONTINUE) }, 0);
}

/// What a call names, and how: the same in every run, unlike descriptors and what they are, and private names.
fn key(line: &str) -> String {
    let from = line.find('"').unwrap_or(0);
    // Another thread may have been stopped in the middle of it.
    let text = line[from..].trim_end_matches(" <unfinished ...>");
    let text = text.rsplit_once(") = ").map_or(text, |(key, _)| key);
    match text.split_once(".linkctl-") {
        Some((_, rest)) => format!(".linkctl-{}", rest.get(16..).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The last calls that were made, and how often just these were.
fn made(calls: &[String]) -> (String, usize) {
    // Alone, a call like that of "." is made for other things as well, now more often and now less.
    const TOGETHER: usize = 3;
    let last = &calls[calls.len().saturating_sub(TOGETHER)..];
    let count = calls.windows(TOGETHER).filter(|three| *three == last).count();
    (last.join("; "), count)
}

/// What is swapped, for what.
#[derive(Clone, Copy, Debug)]
enum At {
    /// Below the tree, wherever it is now.
    Tree(&'static str),
    /// The directory that holds the tree, or the one of the new place.
    Holder(usize),
    /// A private name at the new place.
    Stage,
    /// The new place itself.
    New,
}

const SWAPS: [(At, &str); 20] = [
    (At::Tree("a/one"), "to-file"),
    (At::Tree("a/one"), "to-dir"),
    (At::Tree("a/two"), "to-file"),
    (At::Tree("a/two"), "file"),
    (At::Tree("a/two"), "fifo"),
    (At::Tree("a/same"), "to-file"),
    (At::Tree("a"), "to-dir"),
    (At::Tree("a"), "dir"),
    (At::Tree("b/c"), "to-c"),
    (At::Tree("b"), "to-b"),
    (At::Tree("b/c"), "dir"),
    (At::Tree("b/empty"), "to-dir"),
    (At::Tree("pipe"), "to-file"),
    (At::Tree("in"), "to-dir"),
    (At::Tree(""), "to-dir"),
    (At::Tree(""), "dir"),
    (At::Holder(0), "to-dir"),
    (At::Holder(1), "to-dir"),
    (At::Stage, "to-dir"),
    (At::New, "to-dir"),
];

/// The two names that change places.
fn names(ground: &Ground, at: At, trap: &str) -> Option<(PathBuf, PathBuf)> {
    let [here, there] = ground.sides();
    let [place, new_place] = ground.places();
    let (path, side) = match at {
        At::Tree("") => (ground.old_tree()?, here),
        At::Tree(path) => (ground.old_tree()?.join(path), here),
        At::Holder(0) => (place, here),
        At::Holder(_) => (new_place, there),
        At::Stage => (private(&new_place).pop()?, there),
        At::New => {
            let name = if ground.way == Way::Away { "dst" } else { "src" };
            (new_place.join(name), there)
        }
    };
    Some((path, side.join("traps").join(trap)))
}

const CALLS: &str = "openat,statx,unlinkat,renameat,renameat2,linkat,mkdirat,symlinkat,mknodat,readlinkat,fchownat,fchmodat,\
    utimensat";

/// What the main thread calls. Each thread has a counter of its own.
fn traced(calls: &str, ground: &Ground, args: &[String]) -> Vec<String> {
    let mut lines = strace::trace(calls, &ground.scene.linkctl.command(args));
    let main = lines[0].split_whitespace().next().unwrap().to_owned();
    lines.retain(|line| line.starts_with(&main) && line.contains('('));
    lines
}

/// The calls of a run that name something in the tree or beside it, each with its number.
fn points(ground: &Ground, args: &[String]) -> Vec<(String, usize)> {
    const NAMES: [&str; 15] =
        ["one", "two", "same", "a", "b", "c", "deep", "empty", "in", "pipe", "src", "dst", "tree", "theirs", "."];
    let lines = traced(CALLS, ground, args);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for line in &lines {
        let rest = line.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
        let Some((call, rest)) = rest.split_once('(') else { continue };
        let count = counts.entry(call.to_owned()).or_insert(0);
        *count += 1;
        if rest.contains("\".linkctl-") || NAMES.iter().any(|name| rest.contains(&format!("\"{name}\""))) {
            points.push((call.to_owned(), *count));
        }
    }
    points
}

/// One swap: when, what, and for how long.
#[derive(Clone, Debug)]
struct Swap {
    way: Way,
    verify: &'static str,
    /// After the n-th call of this kind.
    call: String,
    n: usize,
    at: At,
    trap: &'static str,
    /// Until so many more of these calls were made; for good, if none.
    back: usize,
    /// Where the number has to be the very one: after which calls, and how often those were made. What is looked up of other
    /// processes comes between, and is never the same.
    exact: Option<(String, usize)>,
}

impl Swap {
    /// Does it, and gives what came of it, and the last call before which it was taken back.
    #[track_caller]
    fn run(&self, volumes: [Volume; 2], name: &str) -> ([Volume; 2], String, String) {
        let ground = Ground::new(volumes, self.way, 0);
        let mut args = ground.scene.args(self.way);
        if self.way == Way::Away {
            args.extend(["--verify".into(), self.verify.into()]);
        }
        let mut what = format!("{name}: {self:?}");
        let slack = if self.exact.is_some() { 300 } else { 0 };
        let when = format!("{}..{}", self.n.saturating_sub(slack).max(1), self.n + self.back + slack);
        let mut run = Stopped::start(&ground, &args, &[(&self.call, when)]);
        let (mut swapped, mut pair, mut until) = (Swapped::No, None, String::new());
        let mut time = None;
        let mut stops = 0;
        while let Some((pid, line)) = run.wait() {
            let is_early = || self.exact.as_ref().is_some_and(|exact| run.made() != *exact);
            if stops == 0 && is_early() {
                go_on(pid);
                continue;
            }
            if stops <= self.back {
                what += &format!("\n{line}");
            }
            if stops == 0 {
                let is_begun = ground.is_begun();
                // What takes a name between the last look at it and its removal is lost: docs/reliability.md tells of it.
                let is_last_look = self.call == "statx" && line.contains("-tree") && ground.is_committed();
                pair = names(&ground, self.at, self.trap).filter(|_| !is_last_look);
                time = pair.as_ref().and_then(|(one, _)| one.parent()?.metadata().ok());
                pair = pair.filter(|(one, other)| exchange(one, other));
                if pair.is_some() {
                    swapped = if is_begun { Swapped::After } else { Swapped::Before };
                }
            } else if stops == self.back
                && let Some((one, other)) = &pair
            {
                until = line;
                // The name may lie under another one by now.
                let one = names(&ground, self.at, self.trap).map_or_else(|| one.clone(), |(one, _)| one);
                if exchange(&one, other) {
                    pair = None;
                    // Whoever owns a directory can give it back its time, too.
                    if let (Some(above), Some(time)) = (one.parent(), &time) {
                        sys::set_times(above, time.mtime(), time.mtime_nsec());
                    }
                }
            }
            stops += 1;
            go_on(pid);
        }
        let ran = run.end(&ground);
        // Before the inventory, links are looked through to tell where they lead.
        if swapped == Swapped::After {
            assert_eq!(run.opened_outside(), [""; 0], "{what}: followed: {ran}");
        }
        ground.judge(&ran, swapped, &what);
        if let Some((one, other)) = pair {
            exchange(&one, &other);
        }
        ground.judge_recovery(&ran, swapped, &what);
        (ground.volumes, format!("{swapped:?}: exit {}", ran.code().unwrap()), until)
    }
}

#[test]
fn whatever_is_swapped_after_whatever_call_leads_nowhere() {
    let mut dice = Dice::new(41);
    let mut volumes = Ground::volumes();
    let mut all: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
    for (number, way) in WAYS.into_iter().enumerate() {
        let ground = Ground::new(volumes, way, 0);
        for (call, n) in points(&ground, &ground.scene.args(way)) {
            all.entry((number, call)).or_default().push(n);
        }
        volumes = ground.volumes;
    }
    let points: usize = all.values().map(Vec::len).sum();
    assert!(points > 200, "{all:?}");
    // The whole is a sample, too: of ten thousands. Every kind of call as often as any other.
    let (windows, most) = (points * SWAPS.len() * 3, if the_whole() { 1200 } else { 50 });
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let kinds: Vec<_> = all.into_iter().collect();
    for number in 0..most {
        let ((way, call), ns) = &kinds[dice.below(kinds.len())];
        let (at, trap) = SWAPS[dice.below(SWAPS.len())];
        let (n, verify) = (ns[dice.below(ns.len())], ["full", "metadata"][dice.below(2)]);
        // For good, or until the next call of the kind, or the one after that.
        let swap = Swap { way: WAYS[*way], verify, call: call.clone(), n, at, trap, back: dice.below(3), exact: None };
        let (ground, end, _) = swap.run(volumes, &number.to_string());
        *ends.entry(end).or_insert(0) += 1;
        volumes = ground;
    }
    println!("adversary, stopped: {most} swaps of {windows} windows x swaps, escapes 0; {ends:?}");
    let swapped = most - ends.get("No: exit 0").unwrap_or(&0);
    assert!(swapped * 2 > most, "most swaps met nothing: {ends:?}");
}

/// Whether a call opens something for its content or attributes.
fn is_to_read(line: &str) -> bool {
    line.contains("O_NONBLOCK") && line.contains("O_NOATIME") && !line.contains("O_PATH")
}

/// The narrowest windows: something else has the name for the one call that opens it, and not when it is looked at before and
/// after. Gives them for each of these traps, by the name that is opened.
fn single_calls(
    mut volumes: [Volume; 2],
    traps: &[(&'static str, At, &'static str)],
    is_meant: impl Fn(&str) -> bool,
) -> ([Volume; 2], Vec<Swap>) {
    let mut all = Vec::new();
    for way in WAYS {
        let ground = Ground::new(volumes, way, 0);
        let lines = traced("openat", &ground, &ground.scene.args(way));
        let keys: Vec<_> = lines.iter().map(|line| key(line)).collect();
        // Before that, nothing is copied.
        let begin = lines.iter().position(|line| line.contains("\"intent.new\"")).unwrap() + 1;
        for (number, line) in lines.iter().enumerate().skip(begin) {
            for (name, at, trap) in traps {
                if line.contains(&format!(", \"{name}\", ")) && is_meant(line) {
                    for verify in ["full", "metadata"] {
                        // After the one before, which is counted from one.
                        let (call, exact) = ("openat".to_owned(), Some(made(&keys[..number])));
                        all.push(Swap { way, verify, call, n: number, at: *at, trap, back: 1, exact });
                    }
                }
            }
        }
        volumes = ground.volumes;
    }
    (volumes, all)
}

/// Runs these. Most have to meet the call that they were meant for.
#[track_caller]
fn run_single(mut volumes: [Volume; 2], chosen: Vec<Swap>, windows: usize, is_meant: impl Fn(&str) -> bool) {
    let (mut ends, mut hits): (BTreeMap<String, usize>, usize) = (BTreeMap::new(), 0);
    let most = chosen.len();
    for (number, swap) in chosen.into_iter().enumerate() {
        let (ground, end, until) = swap.run(volumes, &number.to_string());
        hits += usize::from(is_meant(&until));
        *ends.entry(end).or_insert(0) += 1;
        volumes = ground;
    }
    println!("adversary, for one call: {most} of {windows} swaps, {hits} hit, escapes 0; {ends:?}");
    assert!(hits * 2 > most, "void: {hits} of {most}");
}

#[test]
fn what_has_a_name_for_one_call_only_is_not_copied() {
    let traps = [
        ("a", At::Tree("a"), "dir"),
        ("c", At::Tree("b/c"), "dir"),
        ("two", At::Tree("a/two"), "file"),
        ("one", At::Tree("a/one"), "file"),
    ];
    let (volumes, all) = single_calls(Ground::volumes(), &traps, is_to_read);
    assert!(all.len() >= 24, "{all:?}");
    let windows = all.len();
    // Those first that nothing is compared after: what was read in them stays read.
    let (first, rest): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|swap| swap.trap == "dir" && swap.verify == "metadata" && swap.way == Way::Away);
    let chosen = [first, Dice::new(43).some(rest, 4)].concat();
    run_single(volumes, chosen, windows, is_to_read);
}

#[test]
fn a_link_that_has_a_name_for_one_call_only_is_not_followed() {
    let traps = [
        ("a", At::Tree("a"), "to-dir"),
        ("b", At::Tree("b"), "to-b"),
        ("c", At::Tree("b/c"), "to-c"),
        ("two", At::Tree("a/two"), "to-file"),
        ("one", At::Tree("a/one"), "to-file"),
    ];
    // What makes a file follows nothing anyway.
    let is_meant = |line: &str| (is_to_read(line) || line.contains("O_PATH|O_DIRECTORY")) && !line.contains("O_CREAT");
    let (volumes, all) = single_calls(Ground::volumes(), &traps, is_meant);
    assert!(all.len() >= 60, "{all:?}");
    let windows = all.len();
    let chosen = Dice::new(44).some(all, 16);
    run_single(volumes, chosen, windows, is_meant);
}

#[test]
fn what_is_swapped_into_the_old_tree_before_it_is_removed_stays() {
    let (mut volumes, mut ends) = (Ground::volumes(), BTreeMap::<String, usize>::new());
    let in_tree = SWAPS.into_iter().filter(|(at, _)| matches!(at, At::Tree(path) if !path.is_empty()));
    let all: Vec<_> = WAYS.into_iter().flat_map(|way| in_tree.clone().map(move |swap| (way, swap))).collect();
    // Always what has no bytes of its own: nothing but its number tells it from what was there.
    let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, (at, _))| matches!(at, At::Tree("in")));
    for (number, (way, (at, trap))) in [first, Dice::new(45).some(rest, 8)].concat().into_iter().enumerate() {
        // The third name that is given is that of the end written down: nothing is looked at as a whole after that.
        let call = "renameat".to_owned();
        let swap = Swap { way, verify: "full", call, n: 3, at, trap, back: 0, exact: None };
        let (ground, end, _) = swap.run(volumes, &number.to_string());
        *ends.entry(end).or_insert(0) += 1;
        volumes = ground;
    }
    println!("adversary, before the removal: {ends:?}, lost 0");
    assert_eq!(ends.keys().collect::<Vec<_>>(), ["After: exit 3"], "what stays is told");
}

/// Whoever may write beside the new place can change the private directory for one of his own in the instant in which it was
/// made: then he would own what the administrator copies into, and change names there under his hands.
#[test]
fn a_stage_changed_for_somebody_elses_directory_is_not_used() {
    let mut volumes = Ground::volumes();
    let mut wrong = String::new();
    for (way, goes_on) in WAYS.into_iter().flat_map(|way| [(way, false), (way, true)]) {
        let ground = Ground::new(volumes, way, 0);
        let args = ground.scene.args(way);
        let lines = traced("mkdirat", &ground, &args);
        let number = lines.iter().position(|line| line.contains("\".linkctl-") && line.contains("0700"));
        let number = number.expect("a stage is made") + 1;
        let ground = Ground::new(ground.volumes, way, 0);
        let [_, there] = ground.sides();
        let (theirs, outside) = (there.join("traps/theirs"), there.join("outside"));
        if goes_on {
            // What he will give the copy instead of its root: in it, he may do what he likes.
            tree!(&theirs, { "own/a" => dir, "own/b/c" => dir, "own/b/empty" => dir, "own/theirs/d" => dir });
        }
        testkit::require::run(Command::new("chown").args(["-hR", &NOBODY.to_string()]).arg(&theirs));
        let at = [("mkdirat", format!("{number}..{}", lines.len())), ("mknodat", "1".to_owned())];
        let mut run = Stopped::start(&ground, &args, &at);
        let (mut what, mut stops) = (format!("{way:?}, goes on: {goes_on}"), 0);
        while let Some((pid, line)) = run.wait() {
            what += &format!("\n{line}");
            stops += 1;
            let stage = private(&ground.places()[1]).pop().unwrap();
            if stops == 1 {
                assert!(exchange(&stage, &theirs), "{what}");
            } else if goes_on && line.contains("\"empty\"") {
                // The last of the directories that are made. He may not look into the root of the copy, but rename it.
                exchange(&stage.join("tree"), &stage.join("own"));
            } else if goes_on && fs::remove_file(stage.join("tree/pipe")).is_ok() {
                // The pipe was made in his directory just now, and gets its rights by its name.
                symlink(outside.join("one"), stage.join("tree/pipe")).unwrap();
            }
            go_on(pid);
        }
        let ran = run.end(&ground);
        for canary in &ground.canaries {
            let differences = canary.differences();
            if !differences.is_empty() {
                wrong += &format!("{what}: changed outside: {differences}{ran}\n");
            }
        }
        if ran.code() == Some(0) {
            wrong += &format!("{what}: it worked in a directory of another user: {ran}\n");
        }
        volumes = ground.volumes;
    }
    assert!(wrong.is_empty(), "{wrong}");
    println!("adversary, stage: 4 runs, escapes 0");
}

#[test]
fn a_name_that_is_exchanged_all_the_time_leads_nowhere() {
    let wanted = if the_whole() { 20_000 } else { 3_000 };
    let (mut dice, mut volumes) = (Dice::new(42), Ground::volumes());
    let (mut rounds, mut met, mut moves, mut noticed) = (0, 0, 0, 0);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    while rounds < wanted {
        let way = WAYS[moves % 2];
        let ground = Ground::new(volumes, way, 150);
        let mut args = ground.scene.args(way);
        let jobs = args.iter().position(|arg| arg == "1").unwrap();
        args[jobs] = ["1", "3"][dice.below(2)].into();
        // From the beginning, or only when the old tree has its private name.
        let late = dice.below(3) == 0;
        let (at, trap) = [("a", "to-dir"), ("a", "to-dir"), ("b/c", "to-c"), ("a/one", "to-file")][dice.below(4)];
        let pause = [0, 20, 200, 1_000, 3_000][dice.below(5)];
        let wait = dice.below(15_000);
        let what = format!("move {moves}, {way:?}, late {late}, {at} for {trap}, pause {pause}, wait {wait}");
        let (stop, running, during) = (AtomicBool::new(false), AtomicBool::new(false), AtomicUsize::new(0));
        let [here, _] = ground.sides();
        let [place, _] = ground.places();
        let trap = here.join("traps").join(trap);
        let (ran, done) = std::thread::scope(|scope| {
            let exchanger = scope.spawn(|| {
                let mut done = 0;
                let mut pair = ground.public().join(at);
                if !late {
                    std::thread::sleep(Duration::from_micros(wait.try_into().unwrap()));
                }
                // Not more than its share: a fast one would do all in the first move.
                while !stop.load(Ordering::Relaxed) && done < 1_000 {
                    let may = !late || private(&place).iter().any(|old| old.join("theirs").is_dir());
                    if may && exchange(&pair, &trap) {
                        done += 1;
                        if running.load(Ordering::Relaxed) {
                            during.fetch_add(1, Ordering::Relaxed);
                        }
                    } else if let Some(tree) = ground.old_tree() {
                        pair = tree.join(at);
                    }
                    if pause > 0 {
                        std::thread::sleep(Duration::from_micros(pause));
                    }
                }
                done
            });
            let mut command = ground.scene.linkctl.command(&args);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            running.store(true, Ordering::Relaxed);
            let output = child.wait_with_output().unwrap();
            running.store(false, Ordering::Relaxed);
            stop.store(true, Ordering::Relaxed);
            (ground.scene.linkctl.said(output), exchanger.join().unwrap())
        });
        // Nobody knows which of the two the inventory saw.
        let swapped = if done == 0 { Swapped::No } else { Swapped::Before };
        ground.judge(&ran, swapped, &what);
        ground.judge_recovery(&ran, swapped, &what);
        rounds += done;
        met += during.load(Ordering::Relaxed);
        noticed += usize::from(done > 0 && ran.code() != Some(0));
        moves += 1;
        *ends.entry(format!("exit {}", ran.code().unwrap())).or_insert(0) += 1;
        volumes = ground.volumes;
    }
    println!(
        "adversary, exchanging: {rounds} rounds, {met} of them while a move ran ({} %), {moves} moves, {noticed} noticed, \
         escapes 0; {ends:?}",
        met * 100 / rounds
    );
    // Rounds that meet nothing prove nothing.
    assert!(met * 2 >= rounds, "void: {met} of {rounds} rounds met a move");
    assert!(noticed * 10 >= moves, "void: {noticed} of {moves} moves noticed anything");
}

/// The variable that makes the test below an attacker: a JSON array of directories to work in.
const ATTACK: &str = "LINKCTL_TEST_ATTACK";

/// Not a test but a program: the one below starts it as another user.
#[test]
fn attacker() {
    let Some(plan) = std::env::var_os(ATTACK) else { return };
    let plan: Vec<String> = serde_json::from_slice(plan.as_bytes()).unwrap();
    let (seed, dirs, places) = (plan[0].parse().unwrap(), &plan[1..3], &plan[3..5]);
    let mut dice = Dice::new(seed);
    let within = seed % 3 == 0;
    if within {
        // Whoever works in a directory has a way into it whatever it is called.
        std::env::set_current_dir(&dirs[0]).unwrap();
    }
    println!("ready");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    static STOP: AtomicBool = AtomicBool::new(false);
    std::thread::spawn(|| {
        std::io::stdin().lock().read_to_end(&mut Vec::new()).unwrap_or_default();
        STOP.store(true, Ordering::Relaxed);
    });
    let pairs = [("d", "x"), ("f", "y"), ("p", "y"), ("d/f", "y"), ("d", "e"), ("d", "y"), ("f", "p")];
    let (mut rounds, mut turn) = (0, 0);
    let mut base = PathBuf::from(if within { "." } else { &dirs[0] });
    while !STOP.load(Ordering::Relaxed) {
        let (one, other) = pairs[dice.below(pairs.len())];
        if exchange(&base.join(one), &base.join(other)) {
            rounds += 1;
        } else if !within || turn % 4 == 0 {
            turn += 1;
            let private = places.iter().flat_map(|place| private(Path::new(place)));
            let bases: Vec<_> = dirs.iter().map(PathBuf::from).chain(private.map(|path| path.join("theirs"))).collect();
            base = bases[dice.below(bases.len())].clone();
        }
        if seed % 2 == 0 {
            std::thread::sleep(Duration::from_micros(150));
        }
    }
    println!("rounds {rounds}");
}

#[test]
fn another_user_who_owns_a_part_of_the_tree_gains_nothing() {
    let rounds_of_moves = if the_whole() { 300 } else { 20 };
    let programs = tempfile::tempdir().unwrap();
    fs::set_permissions(programs.path(), Permissions::from_mode(0o755)).unwrap();
    let program = programs.path().join("attacker");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let mut volumes = Ground::volumes();
    let (mut rounds, mut noticed) = (0, 0);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..rounds_of_moves {
        let way = WAYS[number % 2];
        let mut ground = Ground::new(volumes, way, 40);
        let theirs = ground.public().join("theirs");
        let outside = ground.sides()[0].join("outside");
        symlink(outside.join("theirs"), theirs.join("x")).unwrap();
        symlink(outside.join("one"), theirs.join("y")).unwrap();
        tree!(&theirs, { "e/f" => file("tree e"), "p" => fifo });
        ground.says.push("tree e".into());
        testkit::require::run(Command::new("chown").args(["-hR", &NOBODY.to_string()]).arg(&theirs));
        // What is outside is for root alone.
        for side in ground.sides() {
            fs::set_permissions(side.join("outside"), Permissions::from_mode(0o700)).unwrap();
        }
        ground.canaries = ground.sides().iter().map(|side| Snapshot::of(side.join("outside"))).collect();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let [place, new_place] = ground.places();
        let new = new_place.join(if way == Way::Away { "dst" } else { "src" }).join("theirs");
        let plan = [number.to_string(), text(theirs), text(new), text(place), text(new_place)];
        let mut command = Command::new(&program);
        command.args(["--exact", "relocate::adversary::attacker", "--nocapture"]).current_dir("/");
        command.env(ATTACK, serde_json::to_string(&plan).unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut attacker = testkit::as_user(NOBODY, &mut command).spawn().unwrap();
        let mut said = BufReader::new(attacker.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().contains("ready")), "the attacker did not start");
        let mut input = attacker.stdin.take().unwrap();
        let mut command = ground.scene.linkctl.command(ground.scene.args(way));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Once at the beginning, once later.
        std::thread::sleep(Duration::from_millis([0, 4, 9, 14, 20][number % 5]));
        input.write_all(b"go\n").unwrap();
        let ran = ground.scene.linkctl.said(child.wait_with_output().unwrap());
        drop(input);
        let count = said.find_map(|line| line.unwrap().strip_prefix("rounds ").map(str::to_owned));
        assert!(attacker.wait().unwrap().success());
        let count: usize = count.expect("the attacker counts").parse().unwrap();
        let what = format!("move {number}, {way:?}, {count} rounds");
        let swapped = if count == 0 { Swapped::No } else { Swapped::Before };
        ground.judge(&ran, swapped, &what);
        ground.judge_recovery(&ran, swapped, &what);
        rounds += count;
        noticed += usize::from(count > 0 && ran.code() != Some(0));
        *ends.entry(format!("exit {}", ran.code().unwrap())).or_insert(0) += 1;
        volumes = ground.volumes;
    }
    println!(
        "adversary, another user: {rounds} rounds while {rounds_of_moves} moves ran, {noticed} noticed, escapes 0; {ends:?}"
    );
    assert!(rounds > rounds_of_moves * 10 && noticed * 10 > rounds_of_moves, "void: {rounds}, {noticed}");
}
