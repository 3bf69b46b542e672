//! Everything that can be known to go wrong with a move, before a byte is copied.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{MOVE, Tree, shown};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{LinkKind, ReparsePoint, Target, below};
use crate::plan::{Finding, Rewritten, Severity};
use crate::platform::{self, Containers, Item, ObjectKind, Place, Spot, is_within, quoted};
use crate::read::chain;

/// More of one sort than this are told by their number.
const MOST: usize = 20;

/// What stands in the way of taking a tree to another place. `rewritten` are the links in it that have to say something
/// else there, `stuck` those that lead out and cannot say where to; `link` is left. The move itself writes to the
/// directory `state`, where the journal is kept.
pub(super) fn look(
    tree: &Tree,
    link: &Target,
    rewritten: &[Rewritten],
    stuck: &[PathBuf],
    state: Option<&Path>,
) -> Result<Vec<Finding>> {
    let mut look = Look { tree, findings: Vec::new() };
    for path in [&tree.from, &tree.to] {
        for (grave, text) in platform::remarks(path, link.kind() == LinkKind::Junction && *path == tree.from) {
            look.add(if grave { Severity::Warning } else { Severity::Note }, "location", path, text);
        }
    }
    look.all(state)?;
    if tree.same {
        let rewritten: HashSet<&Path> = rewritten.iter().map(|link| link.path.as_path()).collect();
        for (number, item) in tree.inventory.items.iter().enumerate().filter(|(_, item)| item.has_several_names()) {
            let path = tree.inventory.path(number);
            if item.target().is_some() && rewritten.contains(path.as_path()) {
                let text = "it has several names, and has to say something else: they will be several links";
                look.warn("split-names", tree.from.join(path), text);
            }
        }
    }
    for path in stuck.iter().take(MOST) {
        let text = "a relative Windows link that leads out of the tree: on another volume it cannot say where to";
        look.refuse("unsayable-link", tree.from.join(path), text);
    }
    for link in rewritten.iter().take(MOST) {
        let text = format!(
            "leads out of the tree by {}; at the new place it will say {}",
            quoted(Path::new(&link.home.shown().unwrap_or_default())),
            quoted(Path::new(&link.away.shown().unwrap_or_default()))
        );
        look.add(Severity::Note, "rewritten-link", tree.from.join(&link.path), text);
    }
    if rewritten.len() > MOST {
        let text = format!("and {} more links like that", rewritten.len() - MOST);
        look.add(Severity::Note, "rewritten-link", &tree.from, text);
    }
    Ok(look.gravest_first())
}

/// The same of bringing it back: the link is there already.
pub(super) fn look_back(tree: &Tree, state: Option<&Path>) -> Result<Vec<Finding>> {
    let mut look = Look { tree, findings: Vec::new() };
    look.all(state)?;
    Ok(look.gravest_first())
}

struct Look<'a> {
    tree: &'a Tree,
    findings: Vec<Finding>,
}

impl Look<'_> {
    fn add(&mut self, severity: Severity, code: &'static str, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.findings.push(Finding::new(severity, code, path, text));
    }

    fn refuse(&mut self, code: &'static str, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.add(Severity::Refusal, code, path, text);
    }

    fn warn(&mut self, code: &'static str, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.add(Severity::Warning, code, path, text);
    }

    fn gravest_first(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.findings
    }

    fn all(&mut self, state: Option<&Path>) -> Result<()> {
        self.objects();
        self.users(state);
        self.access()?;
        self.short_name();
        if self.tree.is_layered {
            let text = "an overlay renames no directory of its lower layers: if this is one, it is copied, and then removed \
                        under its own name";
            self.add(Severity::Note, "overlay", &self.tree.from, text);
        }
        if self.tree.is_layered || !self.tree.same {
            self.room()?;
        }
        if !self.tree.same {
            self.holds()?;
            self.ntfs()?;
        }
        Ok(())
    }

    /// What this user may not do, and what the system does not, at both places.
    fn access(&mut self) -> Result<()> {
        let Tree { source, destination, from, inventory, same, .. } = self.tree;
        let fail = |error| Error::io("look at the rights of", from, error);
        self.can_hold();
        if *same && !platform::is_one_mount(&source.directory, &destination.directory).map_err(fail)? {
            let text = "both places are on one file system that is mounted twice, and nothing is renamed from one mount to \
                        another: name both by the same one";
            self.refuse("two-mounts", from, text);
        }
        for (path, what) in platform::forbidden(&source.directory, source.name(), inventory, *same).map_err(fail)? {
            self.refuse("no-permission", below(from, &path), what);
        }
        Ok(())
    }

    /// Windows links by full paths, which ntfs-3g looks for on the volume that the link is on.
    fn full_paths(&mut self) -> Result<()> {
        let Tree { source, from, inventory, .. } = self.tree;
        let fail = |error| Error::io("look at the links of", from, error);
        let mut containers = Containers::of(&source.directory, source.name());
        let mut elsewhere = 0;
        for (number, item) in inventory.items.iter().enumerate().skip(1) {
            let data = item.point.as_ref().filter(|_| platform::TEXT_LINKS).and_then(|point| point.decode().ok());
            let Some(drive) = data.as_ref().and_then(chain::drive_of) else { continue };
            let directory = containers.container(inventory, number).map_err(fail)?;
            let path = from.join(inventory.path(number));
            let place = chain::follow(Spot { directory, name: &item.name, path: &path }, drive).next_place();
            if place.is_some_and(|place| is_within(&place, from)) {
                let text = "leads into the tree by a full path of this volume: at the new place it leads to nothing";
                self.warn("leads-into-itself", path, text);
            } else {
                elsewhere += 1;
            }
        }
        if elsewhere > 0 {
            let (links, say) =
                if elsewhere == 1 { ("1 link".to_owned(), "says") } else { (format!("{elsewhere} links"), "say") };
            let text = format!(
                "{links} in it {say} full paths of this volume: Windows follows them as before, Linux looks for them on \
                 the new one"
            );
            self.add(Severity::Note, "full-path-links", from, text);
        }
        Ok(())
    }

    /// Whether the tree keeps its own 8.3 name: something else at the new place may have that.
    fn short_name(&mut self) {
        let Tree { source, destination, from, .. } = self.tree;
        let Some(short) = platform::short_name(&source.directory, source.name()) else { return };
        // Its own, in the same directory, or that of the link which goes.
        let own = [source, destination].map(|place| Some(place.directory.metadata_nofollow(place.name()).ok()?.id));
        let taken = "something else at the new place has that";
        if let Some(why) = platform::why_no_short_name(&destination.directory, &short, &own, taken) {
            self.warn("short-name", from, format!("its short name {} will be lost: {why}", quoted(Path::new(&short))));
        }
    }

    /// Whether the new place lets this user make anything.
    fn can_hold(&mut self) {
        let place = &self.tree.destination;
        let directory = shown(&place.directory);
        let is_fixed = platform::look(&place.directory, OsStr::new(".")).is_ok_and(|(_, marks)| marks.is_fixed);
        if is_fixed {
            let text = "it is marked immutable or append-only (chattr): nothing can be made here and renamed";
            self.refuse("immutable", directory, text);
        } else if !platform::may_write(&place.directory) {
            self.refuse("not-writable", directory, "this user may not make anything here");
        }
    }

    /// What NTFS holds and another file system does not, and what of NTFS can be read by Windows alone.
    fn ntfs(&mut self) -> Result<()> {
        let Tree { source, destination, from, inventory, .. } = self.tree;
        let on_ntfs = |place: &Place| -> Result<bool> {
            Ok(place.ntfs().map_err(|error| Error::io(MOVE, &place.path, error))?.is_some())
        };
        match (on_ntfs(source)?, on_ntfs(destination)?) {
            (false, false) => return Ok(()),
            (true, true) => {}
            (true, false) => {
                let kind = platform::Filesystem::of(&destination.directory).map(|found| found.kind);
                let text = format!(
                    "{} holds no streams, security descriptors and Windows links: from NTFS, a tree goes to NTFS only",
                    kind.unwrap_or_default()
                );
                self.refuse("from-ntfs", shown(&destination.directory), text);
                return Ok(());
            }
            (false, true) => {
                let text = "on NTFS, owners, rights and ACLs would not be kept";
                self.refuse("to-ntfs", shown(&destination.directory), text);
                return Ok(());
            }
        }
        let mut compressed = 0;
        for (number, item) in inventory.items.iter().enumerate() {
            let path = || below(from, &inventory.path(number));
            if item.attributes & platform::ENCRYPTED != 0 && !platform::READS_ENCRYPTED {
                let text = "encrypted (EFS): the copy could not be read by those who may read it here";
                self.refuse("encrypted", path(), text);
            }
            compressed += usize::from(item.attributes & platform::COMPRESSED != 0);
            if let Some(point) = &item.point
                && !holds_nothing_else(point)
            {
                let tag = point.tag();
                let text = format!("a reparse point ({tag}) whose content only Windows can read");
                self.refuse("windows-only", path(), text);
            }
            if item.point.is_some() && item.stat.size > 0 && !platform::TEXT_LINKS {
                let text = "the link itself holds data, which nobody sees through it";
                self.refuse("link-with-data", path(), text);
            }
        }
        self.full_paths()?;
        if compressed > 0 && platform::TEXT_LINKS {
            let text = format!(
                "{compressed} objects are compressed: their copies are if the new place is mounted so (compression)"
            );
            self.warn("compressed", from, text);
        }
        let fail = |error| Error::io("look at the streams of", from, error);
        for (path, stream) in platform::unreadable_streams(&source.directory, source.name(), inventory).map_err(fail)? {
            let stream = quoted(Path::new(&stream));
            let text = format!("its stream {stream} is longer than the 64 KiB that can be read through this mount");
            self.refuse("long-stream", from.join(path), text);
        }
        Ok(())
    }

    fn objects(&mut self) {
        let Tree { from, inventory, same, .. } = self.tree;
        let me = platform::current_user();
        let mut names: HashMap<(u64, u128), (u32, bool)> = HashMap::new();
        let (mut foreign, mut foreign_files, mut subvolumes) = (0_usize, 0_usize, 0_usize);
        for (number, item) in inventory.items.iter().enumerate() {
            let path = || below(from, &inventory.path(number));
            if item.is_mount_point {
                self.refuse("mounted-inside", path(), "another file system is mounted here: unmount it first");
            }
            if item.is_fixed {
                let text = "it is marked immutable or append-only (chattr): it could not be removed";
                self.refuse("immutable", path(), text);
            }
            if item.stat.sort == ObjectKind::Socket && !same {
                self.warn("socket", path(), "a socket: it is not copied; the program behind it makes a new one");
            }
            if item.stat.sort != ObjectKind::Directory && item.stat.names > 1 {
                let (inside, has_short) = names.entry((item.stat.device, item.stat.number)).or_default();
                *inside += 1;
                *has_short |= item.has_short_name;
            }
            let is_foreign = me != 0 && item.stat.uid != me && item.attributes == 0;
            foreign += usize::from(is_foreign);
            foreign_files += usize::from(is_foreign && item.stat.sort == ObjectKind::File);
            subvolumes += usize::from(item.is_subvolume);
        }
        if *same {
            return;
        }
        if foreign_files > 0 {
            let text = format!(
                "{foreign_files} files belong to others: the system does not tell this user whether they are being written to, so \
                 that the old ones could not be removed; root can move them"
            );
            self.refuse("foreign-files", from, text);
        }
        if subvolumes > 0 {
            let text = format!("{subvolumes} directories are btrfs subvolumes: their copies are plain directories");
            self.warn("subvolumes", from, text);
        }
        if foreign > foreign_files {
            let text = format!("{foreign} objects belong to others: without root, the copies will be yours");
            self.warn("foreign-owners", from, text);
        }
        let outside = |item: &Item| {
            let known = names.get(&(item.stat.device, item.stat.number));
            let (inside, has_short) = known.copied().unwrap_or_default();
            // On NTFS, a short name is counted as one more.
            let names = item.stat.names - u32::from(has_short);
            item.stat.sort != ObjectKind::Directory && names > inside && names > 1
        };
        let split: Vec<usize> =
            inventory.items.iter().enumerate().filter(|(_, item)| outside(item)).map(|(number, _)| number).collect();
        for &number in split.iter().take(MOST) {
            let short = inventory.items.get(number).is_some_and(|item| item.attributes != 0 && platform::TEXT_LINKS);
            let text = if short {
                "it has other names outside the tree, or a short one (8.3): those will not be names of the copy"
            } else {
                "it has other names outside the tree: they and the copy will be two files"
            };
            self.warn("names-outside", from.join(inventory.path(number)), text);
        }
        if split.len() > MOST {
            self.warn("names-outside", from, format!("and {} more files like that", split.len() - MOST));
        }
    }

    /// Programs that have something open below, work there, or run from there.
    fn users(&mut self, state: Option<&Path>) {
        let from = &self.tree.from;
        // It is written to during the move, and would be left at both places.
        let there = state.and_then(|state| state.ancestors().find_map(|path| std::fs::canonicalize(path).ok()));
        if there.is_some_and(|there| there.starts_with(from)) {
            self.refuse("own-state", from, "linkctl keeps its own history in it");
        }
        if !platform::sees_processes() {
            let text =
                "/proc is not mounted: neither can it be seen who has something of it open, nor everything be copied";
            self.refuse("in-use", from, text);
        }
        for user in platform::users_below(from) {
            let severity = if user.is_own { Severity::Refusal } else { Severity::Warning };
            let text = format!("process {} ({}) {}", user.pid, user.name, user.what);
            self.add(severity, "in-use", &user.path, text);
        }
    }

    fn room(&mut self) -> Result<()> {
        let Tree { destination, inventory, .. } = self.tree;
        let fail = |error| Error::io(MOVE, &destination.path, error);
        let (bytes, objects) = platform::room(&destination.directory).map_err(fail)?;
        let mut met = HashSet::new();
        let needed = inventory
            .items
            .iter()
            .filter(|item| item.stat.sort == ObjectKind::File && (item.stat.names < 2 || met.insert(item.stat.number)));
        // What is compressed may need its full size, and what is written in blocks its last one.
        let bytes_of = |item: &Item| match item.attributes & platform::COMPRESSED {
            0 => item.stat.allocated,
            _ => item.stat.size.max(item.stat.allocated),
        };
        let needed = needed.fold(0u64, |sum, item| sum.saturating_add(bytes_of(item)));
        let count = u64::try_from(inventory.items.len()).unwrap_or(u64::MAX);
        if needed > bytes {
            let text = format!("there is room for {bytes} bytes; {needed} are needed");
            self.refuse("no-space", shown(&destination.directory), text);
        }
        if objects.is_some_and(|objects| count + 8 > objects) {
            let text = format!("there is room for {} more files; {count} are needed", objects.unwrap_or(0));
            self.refuse("no-inodes", shown(&destination.directory), text);
        }
        Ok(())
    }

    /// File systems that cannot hold what a tree is made of.
    fn holds(&mut self) -> Result<()> {
        let destination = &self.tree.destination;
        let fail = |error| Error::io(MOVE, &destination.path, error).of_kind(ErrorKind::Io);
        let filesystem = platform::Filesystem::of(&destination.directory).map_err(fail)?;
        let place = shown(&destination.directory);
        if filesystem.read_only {
            self.refuse("read-only", &place, "the file system is mounted read-only");
        }
        match filesystem.kind.as_str() {
            "vfat" | "msdos" | "exfat" => {
                let text = format!("{} holds neither owners nor rights nor links", filesystem.kind);
                self.refuse("cannot-hold", &place, text);
            }
            // The kernel's own driver keeps neither streams nor reparse points as attributes.
            kind if kind.contains("ntfs") && destination.ntfs().ok().flatten().is_none() => {
                self.refuse("kernel-ntfs", &place, "to an NTFS volume, trees go through ntfs-3g only");
            }
            kind if filesystem.network && destination.ntfs().ok().flatten().is_none() => {
                let text =
                    format!("{kind}: what it keeps of owners, times and attributes is seen only when it is copied");
                self.warn("network", &place, text);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether all that a reparse point says is in its data: links are so, and what WSL and Windows make of other things.
fn holds_nothing_else(point: &ReparsePoint) -> bool {
    // AF_UNIX, LX_FIFO, LX_CHR, LX_BLK, APPEXECLINK (winnt.h, ntifs.h).
    const EMPTY: [u32; 5] = [0x8000_0023, 0x8000_0024, 0x8000_0025, 0x8000_0026, 0x8000_001b];
    point.tag().is_name_surrogate() || EMPTY.contains(&point.tag().0)
}
