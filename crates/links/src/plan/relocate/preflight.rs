//! Everything that can be known to go wrong with a move, before a byte is copied.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use reparse::Tag;

use super::{MOVE, shown};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{LinkKind, ReparsePoint, Target};
use crate::plan::Rewritten;
use crate::platform::{self, Inventory, Item, ObjectKind, Place, quoted};
use crate::step::probe::{Capability, MAKE, probe};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something will not be as it was; with `--strict` a refusal.
    Warning,
    /// It cannot be done, or would lose something.
    Refusal,
}

/// Something found before a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// The path it is about.
    pub path: PathBuf,
    /// What it is. Names in it are quoted and escaped already.
    pub text: String,
}

/// What is looked at.
pub(super) struct Look<'a> {
    pub(super) source: &'a Place,
    pub(super) destination: &'a Place,
    /// The source in full, without links.
    pub(super) from: &'a Path,
    /// The destination in full, without links.
    pub(super) to: &'a Path,
    pub(super) inventory: &'a Inventory,
    /// Whether both places are on one file system.
    pub(super) same: bool,
    pub(super) rewritten: &'a [Rewritten],
    /// Links that lead out and cannot say at the new place where to.
    pub(super) stuck: &'a [PathBuf],
    /// The link that is left.
    pub(super) link: &'a Target,
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, severity: Severity, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.0.push(Finding { severity, path: path.into(), text: text.into() });
    }
}

/// More of one sort than this are told by their number.
const MOST: usize = 20;

pub(super) fn look(look: &Look<'_>) -> Result<Vec<Finding>> {
    let mut findings = Findings(Vec::new());
    can_link(look.source, look.link, &mut findings);
    for path in [look.from, look.to] {
        for (grave, text) in
            platform::remarks(path, look.link.kind() == LinkKind::Junction && path == look.from)
        {
            findings.add(if grave { Severity::Warning } else { Severity::Note }, path, text);
        }
    }
    objects(look.from, look.inventory, look.same, &mut findings);
    users(look.from, &mut findings);
    access(look.source, look.destination, look.from, look.inventory, look.same, &mut findings)?;
    if !look.same {
        room(look.destination, look.inventory, &mut findings)?;
        holds(look.destination, &mut findings)?;
        ntfs(look.source, look.destination, look.from, look.inventory, &mut findings)?;
    }
    if look.same {
        for (number, item) in look.inventory.items.iter().enumerate().filter(|(_, item)| item.stat.names > 1)
        {
            let path = look.inventory.path(number);
            if item.target().is_some() && look.rewritten.iter().any(|link| link.path == path) {
                let text = "it has several names, and has to say something else: they will be several links";
                findings.add(Severity::Warning, look.from.join(path), text);
            }
        }
    }
    for path in look.stuck.iter().take(MOST) {
        let text =
            "a relative Windows link that leads out of the tree: on another volume it cannot say where to";
        findings.add(Severity::Refusal, look.from.join(path), text);
    }
    for (count, link) in look.rewritten.iter().enumerate() {
        if count == MOST {
            let more = look.rewritten.len() - MOST;
            findings.add(Severity::Note, look.from, format!("and {more} more links like that"));
            break;
        }
        let text = format!(
            "leads out of the tree by {}; at the new place it will say {}",
            quoted(Path::new(&link.home.shown().unwrap_or_default())),
            quoted(Path::new(&link.away.shown().unwrap_or_default()))
        );
        findings.add(Severity::Note, look.from.join(&link.path), text);
    }
    findings.0.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(findings.0)
}

/// The same for the way back: the link is there already.
pub(super) fn look_back(
    tree: &Place,
    link: &Place,
    from: &Path,
    inventory: &Inventory,
    (same, target): (bool, &Target),
) -> Result<Vec<Finding>> {
    let mut findings = Findings(Vec::new());
    can_link(link, target, &mut findings);
    objects(from, inventory, same, &mut findings);
    users(from, &mut findings);
    access(tree, link, from, inventory, same, &mut findings)?;
    if !same {
        room(link, inventory, &mut findings)?;
        holds(link, &mut findings)?;
        ntfs(tree, link, from, inventory, &mut findings)?;
    }
    findings.0.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(findings.0)
}

/// Whether such a link can be made beside a place, and change places with what is there: found out by doing it.
fn can_link(place: &Place, link: &Target, findings: &mut Findings) {
    let directory = PathBuf::from(shown(&place.directory));
    let needed = match link.kind() {
        LinkKind::Junction => [Capability::Junction, Capability::Junction],
        LinkKind::SymlinkFile => [Capability::FileSymlink, Capability::FileSymlink],
        LinkKind::SymlinkDir => [Capability::DirectorySymlink, Capability::DirectorySymlink],
        _ => [Capability::DirectorySymlink, Capability::Replace],
    };
    match probe(&directory) {
        Ok(found) => {
            for (capability, result) in found.capabilities {
                if let Err(error) = result
                    && needed.contains(&capability)
                {
                    let text =
                        format!("no link can be made here ({}): {}", capability.as_str(), error.cause());
                    findings.add(Severity::Refusal, &directory, text);
                }
            }
            if found.ntfs && !found.streams {
                findings.add(Severity::Refusal, &directory, NO_STREAMS);
            }
        }
        Err(error) => findings.add(Severity::Refusal, &directory, error.cause()),
    }
}

/// What this user may not do, and what the system does not, at both places.
fn access(
    source: &Place,
    destination: &Place,
    from: &Path,
    inventory: &Inventory,
    same: bool,
    findings: &mut Findings,
) -> Result<()> {
    let fail = |error| Error::io("look at the rights of", from, error);
    can_hold(destination, inventory, same, findings);
    if same && !platform::is_one_mount(&source.directory, &destination.directory).map_err(fail)? {
        let text = "both places are on one file system that is mounted twice, and nothing is renamed from one mount to \
                    another: name both by the same one";
        findings.add(Severity::Refusal, from, text);
    }
    for (path, what) in
        platform::forbidden(&source.directory, source.name(), inventory, same).map_err(fail)?
    {
        findings.add(
            Severity::Refusal,
            if path.as_os_str().is_empty() { from.to_owned() } else { from.join(path) },
            what,
        );
    }
    Ok(())
}

/// Whether the new place lets this user make what is in the tree, tried there.
fn can_hold(place: &Place, inventory: &Inventory, same: bool, findings: &mut Findings) {
    let directory = PathBuf::from(shown(&place.directory));
    let is_fixed = platform::look(&place.directory, OsStr::new(".")).is_ok_and(|(_, marks)| marks.is_fixed);
    if is_fixed || !platform::may_write(&place.directory) {
        let text = if is_fixed {
            "it is marked immutable or append-only (chattr): nothing can be made here and renamed"
        } else {
            "this user may not make anything here"
        };
        findings.add(Severity::Refusal, &directory, text);
        return;
    }
    // Elsewhere than on NTFS there is nothing more to be known that its own test of links does not tell.
    if same || !place.ntfs().is_ok_and(|ntfs| ntfs.is_some()) {
        return;
    }
    let mut add = |text: String| findings.add(Severity::Refusal, &directory, text);
    match probe(&directory) {
        Ok(found) => {
            let shared = inventory.items.iter().any(|item| {
                item.stat.sort != ObjectKind::Directory
                    && item.stat.names > 1 + u32::from(item.has_short_name)
            });
            let link = found.capabilities.iter().find(|(capability, _)| *capability == Capability::HardLink);
            match link {
                Some((_, Err(error))) if error.operation() == MAKE => {
                    add(format!("nothing can be made here: {}", error.cause()));
                }
                Some((_, Err(error))) if shared => {
                    add(format!("no hard link can be made here: {}", error.cause()));
                }
                _ => {}
            }
            if found.ntfs && !found.streams {
                add(NO_STREAMS.to_owned());
            }
        }
        Err(error) => add(error.cause()),
    }
}

const NO_STREAMS: &str = "mounted so that streams cannot be seen, and would be lost: mount it with \
                          streams_interface=xattr, which is the default";

/// What NTFS holds and another file system does not, and what of NTFS can be read by Windows alone.
fn ntfs(
    source: &Place,
    destination: &Place,
    from: &Path,
    inventory: &Inventory,
    findings: &mut Findings,
) -> Result<()> {
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
            findings.add(Severity::Refusal, shown(&destination.directory), text);
            return Ok(());
        }
        (false, true) => {
            let text = "on NTFS, owners, rights and ACLs would not be kept";
            findings.add(Severity::Refusal, shown(&destination.directory), text);
            return Ok(());
        }
    }
    let (mut compressed, mut links) = (0, 0);
    for (number, item) in inventory.items.iter().enumerate() {
        let path = || match number {
            0 => from.to_owned(),
            _ => from.join(inventory.path(number)),
        };
        if item.attributes & platform::ENCRYPTED != 0 && !platform::READS_ENCRYPTED {
            let text = "encrypted (EFS): the copy could not be read by those who may read it here";
            findings.add(Severity::Refusal, path(), text);
        }
        compressed += usize::from(item.attributes & platform::COMPRESSED != 0);
        if let Some(point) = &item.point
            && !holds_nothing_else(point)
        {
            let tag = point.tag();
            let text = format!("a reparse point ({tag}) whose content only Windows can read");
            findings.add(Severity::Refusal, path(), text);
        }
        if item.point.is_some() && item.stat.size > 0 && !platform::TEXT_LINKS {
            let text = "the link itself holds data, which nobody sees through it: `fsutil reparsepoint delete` makes it a \
                        file again";
            findings.add(Severity::Refusal, path(), text);
        }
        links += usize::from(item.point.as_ref().is_some_and(|point| point.tag() == Tag::SYMLINK));
    }
    if links > 0 && !platform::may_make_symlinks() {
        let text =
            format!("{links} symbolic links are in it, and this user may make none (see `linkctl doctor`)");
        findings.add(Severity::Refusal, from, text);
    }
    if compressed > 0 && platform::TEXT_LINKS {
        let text = format!(
            "{compressed} objects are compressed: their copies are if the new place is mounted so (compression)"
        );
        findings.add(Severity::Warning, from, text);
    }
    let fail = |error| Error::io("look at the streams of", from, error);
    for (path, stream) in
        platform::unreadable_streams(&source.directory, source.name(), inventory).map_err(fail)?
    {
        let stream = quoted(Path::new(&stream));
        let text =
            format!("its stream {stream} is longer than the 64 KiB that can be read through this mount");
        findings.add(Severity::Refusal, from.join(path), text);
    }
    Ok(())
}

/// Whether all that a reparse point says is in its data: links are so, and what WSL and Windows make of other things.
fn holds_nothing_else(point: &ReparsePoint) -> bool {
    // AF_UNIX, LX_FIFO, LX_CHR, LX_BLK, APPEXECLINK (winnt.h, ntifs.h).
    const EMPTY: [u32; 5] = [0x8000_0023, 0x8000_0024, 0x8000_0025, 0x8000_0026, 0x8000_001b];
    point.tag().is_name_surrogate() || EMPTY.contains(&point.tag().0)
}

fn objects(from: &Path, inventory: &Inventory, same: bool, findings: &mut Findings) {
    let me = platform::current_user();
    let mut names: HashMap<(u64, u128), u32> = HashMap::new();
    let (mut foreign, mut foreign_files, mut subvolumes) = (0_usize, 0_usize, 0_usize);
    for (number, item) in inventory.items.iter().enumerate() {
        // Nothing is joined to the root: that would end in a slash.
        let path = || match number {
            0 => from.to_owned(),
            _ => from.join(inventory.path(number)),
        };
        if item.is_mount_point {
            findings.add(Severity::Refusal, path(), "another file system is mounted here: unmount it first");
        }
        if item.is_fixed {
            findings.add(
                Severity::Refusal,
                path(),
                "it is marked immutable or append-only (chattr): it could not be removed",
            );
        }
        if item.stat.sort == ObjectKind::Socket && !same {
            findings.add(
                Severity::Warning,
                path(),
                "a socket: it is not copied; the program behind it makes a new one",
            );
        }
        if item.stat.sort != ObjectKind::Directory && item.stat.names > 1 {
            *names.entry((item.stat.device, item.stat.number)).or_insert(0) += 1;
        }
        let is_foreign = me != 0 && item.stat.uid != me && item.attributes == 0;
        foreign += usize::from(is_foreign);
        foreign_files += usize::from(is_foreign && item.stat.sort == ObjectKind::File);
        subvolumes += usize::from(item.is_subvolume);
    }
    if foreign_files > 0 && !same {
        let text = format!(
            "{foreign_files} files belong to others: the system does not tell this user whether they are being written to, so \
             that the old ones could not be removed; root can move them"
        );
        findings.add(Severity::Refusal, from, text);
    }
    if subvolumes > 0 && !same {
        let text =
            format!("{subvolumes} directories are btrfs subvolumes: their copies are plain directories");
        findings.add(Severity::Warning, from, text);
    }
    if foreign > foreign_files && !same {
        let text = format!("{foreign} objects belong to others: without root, the copies will be yours");
        findings.add(Severity::Warning, from, text);
    }
    if same {
        return;
    }
    let outside = |item: &Item| {
        let inside = names.get(&(item.stat.device, item.stat.number)).copied().unwrap_or(0);
        // On NTFS, a short name is counted as one more.
        let names = item.stat.names - u32::from(item.has_short_name);
        item.stat.sort != ObjectKind::Directory && names > inside && names > 1
    };
    let split: Vec<usize> = inventory
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| outside(item))
        .map(|(number, _)| number)
        .collect();
    for &number in split.iter().take(MOST) {
        let short =
            inventory.items.get(number).is_some_and(|item| item.attributes != 0 && platform::TEXT_LINKS);
        let text = if short {
            "it has other names outside the tree, or a short one (8.3): those will not be names of the copy"
        } else {
            "it has other names outside the tree: they and the copy will be two files"
        };
        findings.add(Severity::Warning, from.join(inventory.path(number)), text);
    }
    if split.len() > MOST {
        findings.add(Severity::Warning, from, format!("and {} more files like that", split.len() - MOST));
    }
}

/// Programs that have something open below, work there, or run from there.
fn users(from: &Path, findings: &mut Findings) {
    // It is written to during the move, and would be left at both places.
    if crate::journal::Journal::default_directory()
        .is_ok_and(|state| std::fs::canonicalize(&state).is_ok_and(|state| state.starts_with(from)))
    {
        findings.add(Severity::Refusal, from, "linkctl keeps its own history in it");
    }
    for user in platform::users_below(from) {
        let severity = if user.is_own { Severity::Refusal } else { Severity::Warning };
        findings.add(severity, &user.path, format!("process {} ({}) {}", user.pid, user.name, user.what));
    }
}

fn room(destination: &Place, inventory: &Inventory, findings: &mut Findings) -> Result<()> {
    let fail = |error| Error::io(MOVE, &destination.path, error);
    let (bytes, objects) = platform::room(&destination.directory).map_err(fail)?;
    let mut met = std::collections::HashSet::new();
    let needed = inventory.items.iter().filter(|item| {
        item.stat.sort == ObjectKind::File && (item.stat.names < 2 || met.insert(item.stat.number))
    });
    // What is compressed may need its full size, and what is written in blocks its last one.
    let bytes_of = |item: &Item| match item.attributes & platform::COMPRESSED {
        0 => item.stat.allocated,
        _ => item.stat.size.max(item.stat.allocated),
    };
    let needed = needed.fold(0u64, |sum, item| sum.saturating_add(bytes_of(item)));
    let count = u64::try_from(inventory.items.len()).unwrap_or(u64::MAX);
    if needed > bytes {
        let text = format!("there is room for {bytes} bytes; {needed} are needed");
        findings.add(Severity::Refusal, shown(&destination.directory), text);
    }
    if objects.is_some_and(|objects| count + 8 > objects) {
        let text = format!("there is room for {} more files; {count} are needed", objects.unwrap_or(0));
        findings.add(Severity::Refusal, shown(&destination.directory), text);
    }
    Ok(())
}

/// File systems that cannot hold what a tree is made of.
fn holds(destination: &Place, findings: &mut Findings) -> Result<()> {
    let fail = |error| Error::io(MOVE, &destination.path, error).of_kind(ErrorKind::Io);
    let filesystem = platform::Filesystem::of(&destination.directory).map_err(fail)?;
    let place = shown(&destination.directory);
    if filesystem.read_only {
        findings.add(Severity::Refusal, &place, "the file system is mounted read-only");
    }
    match filesystem.kind.as_str() {
        "vfat" | "msdos" | "exfat" => {
            let text = format!("{} holds neither owners nor rights nor links", filesystem.kind);
            findings.add(Severity::Refusal, &place, text);
        }
        // The kernel's own driver keeps neither streams nor reparse points as attributes.
        kind if kind.contains("ntfs") && destination.ntfs().ok().flatten().is_none() => {
            findings.add(Severity::Refusal, &place, "to an NTFS volume, trees go through ntfs-3g only");
        }
        kind if filesystem.network && destination.ntfs().ok().flatten().is_none() => {
            let text = format!(
                "{kind}: what it keeps of owners, times and attributes is seen only when it is copied"
            );
            findings.add(Severity::Warning, &place, text);
        }
        _ => {}
    }
    Ok(())
}
