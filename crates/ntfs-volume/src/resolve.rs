//! A link followed hop by hop within its volume, as Windows would.

use std::collections::HashMap;

use reparse::way::{Part, Way, way};
use reparse::{ReparseData, WideString};

use crate::points::{Directories, LONGEST_PATH, NameIn, ReparsePoint};
use crate::reader::Reader;
use crate::record::Reference;
use crate::source::ReadAt;

/// Windows follows at most 63 reparse points in one path.
const MAX_HOPS: usize = 63;
/// Where nobody follows any more: enough to tell a loop from a chain that is too long.
const GIVE_UP: usize = 256;
/// So many names are looked up for one link.
const STEPS: u64 = 20_000;

const TOO_MANY_STEPS: &str = "it takes too many steps to follow";

/// What a path of so many units costs to be made and kept, in steps.
fn cost_of(units: usize) -> u64 {
    u64::try_from(units / 64).unwrap_or(u64::MAX)
}

/// How a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What it names is there, and of the right kind.
    Ok,
    /// A name on the way is not there.
    Missing,
    /// It comes back to itself.
    Loop,
    /// It leads through more links than Windows follows.
    TooLong,
    /// A link for files leads to a directory, or the other way round.
    WrongKind,
    /// It leads to another volume, or where only Windows knows.
    Elsewhere,
    /// A directory on the way is damaged.
    Unreadable,
}

/// One link on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its path from the root of the volume: `\Users\x`. Empty where paths were not asked for.
    pub path: Vec<u16>,
    /// Its reparse data, header included. Empty where paths were not asked for.
    pub raw: Vec<u8>,
    /// Whether it is a directory.
    pub is_directory: bool,
}

/// A link followed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// How it ends.
    pub end: End,
    /// The links on the way, itself the first.
    pub hops: Vec<Hop>,
    /// The path reached, from the root of the volume.
    pub resolved: Option<Vec<u16>>,
    /// The record reached.
    pub reached: Option<Reference>,
    /// Where it failed.
    pub failed_at: Option<Vec<u16>>,
    /// Why, in words.
    pub reason: Option<String>,
    /// The directories gone through behind the link itself. Empty where paths were not asked for.
    pub passed: Vec<Vec<u16>>,
}

/// What is asked for besides how a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The path reached.
    End,
    /// Every path on the way.
    Everything,
}

/// Follows links of one volume.
pub struct Resolver<'r, 'v, S> {
    reader: &'r mut Reader<'v, S>,
    directories: &'r mut Directories,
    /// The letter that Windows gives the volume. `None` where that is not known.
    drive: Option<char>,
    detail: Detail,
}

/// How many names may be looked up to follow links: a volume made for the purpose could have each of them cost hours.
#[derive(Clone, Copy, Debug)]
pub struct Steps(u64);

impl Steps {
    /// Enough for so many links.
    #[must_use]
    pub fn for_links(links: usize) -> Self {
        Self(u64::try_from(links).unwrap_or(u64::MAX).saturating_mul(64).saturating_add(100_000))
    }
}

enum Todo {
    Name(Vec<u16>),
    /// To the directory above; at the root, as this says.
    Up(Above),
    Root,
    /// The path asks for a directory here.
    Directory,
    /// The text of this link has been resolved to the end.
    Done(u64),
}

/// What is above the root of a volume.
#[derive(Clone, Copy)]
enum Above {
    /// The root: in a path that somebody typed.
    Itself,
    /// Nothing: in what a Windows link says.
    Nothing,
    /// Another file system: where WSL goes.
    Another,
}

struct Stop {
    end: End,
    at: Vec<u16>,
    reason: String,
}

/// What a link says that it leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    File,
    Directory,
    Anything,
}

/// Where a walk is.
struct Walk {
    wanted: Wanted,
    /// The directories above, each with its name.
    trail: Vec<(u64, Vec<u16>)>,
    /// The file at the end of the trail, if it is none that could be entered.
    file: Option<(Reference, Vec<u16>)>,
    todo: Vec<Todo>,
    /// Links whose text is not resolved to the end yet.
    open: HashMap<u64, usize>,
    hops: Vec<Hop>,
    passed: Vec<Vec<u16>>,
    steps: u64,
    detail: Detail,
    /// Whether a directory was passed whose content may be kept elsewhere, such as one of a cloud.
    provided: bool,
}

impl<'r, 'v, S: ReadAt> Resolver<'r, 'v, S> {
    /// A resolver that has not followed anything yet.
    pub fn new(
        reader: &'r mut Reader<'v, S>,
        directories: &'r mut Directories,
        drive: Option<char>,
        detail: Detail,
    ) -> Self {
        Self { reader, directories, drive, detail }
    }

    /// Follows a link, from one of its names, within the steps that are left.
    pub fn follow(&mut self, point: &ReparsePoint, name: &NameIn, steps: &mut Steps) -> Followed {
        let unfollowed = |end, reason: &str| Followed {
            end,
            hops: Vec::new(),
            resolved: None,
            reached: None,
            failed_at: None,
            reason: Some(reason.to_owned()),
            passed: Vec::new(),
        };
        if steps.0 == 0 {
            return unfollowed(End::TooLong, TOO_MANY_STEPS);
        }
        let Some(mut walk) = self.start(name.parent) else {
            return unfollowed(End::Unreadable, "the directory of its name is not there");
        };
        let cost = 1 + walk.trail.len() / 2 + point.raw.len() / 64;
        let first = walk.spend(cost, steps).and_then(|()| walk.hop(&name.name, point, self.drive));
        let done = first.and_then(|()| self.run(&mut walk, true, steps));
        // The path reached is kept, and may be a long one.
        steps.0 = steps.0.saturating_sub(cost_of(walk.length()));
        walk.followed(done)
    }

    /// Finds a path given from the root of the volume: links in its middle are followed, one at its end is not. Gives the
    /// path as it is, and the record.
    ///
    /// # Errors
    /// What failed, where: the same as for a link that leads there.
    pub fn find(&mut self, names: impl IntoIterator<Item = Vec<u16>>) -> Result<(Vec<u16>, Reference), Box<Followed>> {
        let mut todo: Vec<Todo> = names
            .into_iter()
            .map(|name| if name == [u16::from(b'.'); 2] { Todo::Up(Above::Itself) } else { Todo::Name(name) })
            .collect();
        todo.reverse();
        let mut walk = Walk::new(Vec::new(), self.detail);
        walk.todo = todo;
        match self.run(&mut walk, false, &mut Steps::for_links(1)) {
            Ok(()) => {
                let reference = match &walk.file {
                    Some((reference, _)) => *reference,
                    None => Reference(walk.directory()),
                };
                Ok((walk.path(), reference))
            }
            Err(stop) => Err(Box::new(walk.followed(Err(stop)))),
        }
    }

    fn start(&mut self, parent: Reference) -> Option<Walk> {
        if self.directories.trail(parent).is_none() {
            let name = NameIn { parent, name: Vec::new() };
            self.directories.load(self.reader, std::iter::once(&name));
        }
        let trail = self.directories.trail(parent)?;
        let trail = trail.into_iter().map(|(record, name)| (record, name.to_vec())).collect();
        Some(Walk::new(trail, self.detail))
    }

    fn run(&mut self, walk: &mut Walk, follow_last: bool, steps: &mut Steps) -> Result<(), Stop> {
        while let Some(todo) = walk.todo.pop() {
            match todo {
                Todo::Done(record) => {
                    if let Some(count) = walk.open.get_mut(&record) {
                        *count = count.saturating_sub(1);
                    }
                }
                Todo::Root => {
                    walk.trail.clear();
                    walk.file = None;
                }
                Todo::Directory => walk.must_be_directory()?,
                Todo::Up(above) => {
                    walk.must_be_directory()?;
                    let stop = |end, reason: &str| Err(Stop { end, at: walk.path(), reason: reason.to_owned() });
                    match (walk.trail.is_empty(), above) {
                        (true, Above::Nothing) => {
                            return stop(End::Missing, "the target leads above the root of its volume");
                        }
                        (true, Above::Another) => {
                            return stop(End::Elsewhere, "only WSL knows what is above this volume");
                        }
                        _ => drop(walk.trail.pop()),
                    }
                }
                Todo::Name(name) => {
                    let last = walk.todo.iter().all(|todo| matches!(todo, Todo::Done(_)));
                    self.enter(walk, &name, follow_last || !last, steps)?;
                }
            }
        }
        if walk.hops.len() > MAX_HOPS {
            let at = walk.hops.get(MAX_HOPS).map(|hop| hop.path.clone()).unwrap_or_default();
            let reason = format!("{} hops; the system follows {MAX_HOPS}", walk.hops.len());
            return Err(Stop { end: End::TooLong, at, reason });
        }
        Ok(())
    }

    fn enter(&mut self, walk: &mut Walk, name: &[u16], follow: bool, steps: &mut Steps) -> Result<(), Stop> {
        walk.must_be_directory()?;
        walk.spend(1 + walk.trail.len() / 64, steps)?;
        // Shorter ones need not be measured.
        if walk.trail.len() > LONGEST_PATH / 256 && walk.length() > LONGEST_PATH {
            let reason = "its path is longer than any that Windows takes".to_owned();
            return Err(Stop { end: End::TooLong, at: walk.path(), reason });
        }
        let before = self.reader.work;
        let found = match self.reader.look_up(walk.directory(), name) {
            Ok(found) => found,
            Err(error) => return Err(self.unreadable(walk, name, &error)),
        };
        walk.spend(self.reader.work.saturating_sub(before), steps)?;
        let Some(found) = found else { return self.stream(walk, name) };
        if found.is_reparse_point {
            let before = self.reader.work;
            let point = self.reader.named_file(found.reference).and_then(|file| self.reader.point(&file));
            let point = point.map_err(|error| self.unreadable(walk, name, &error))?;
            walk.spend(self.reader.work.saturating_sub(before), steps)?;
            match point {
                Some(point) if !follow || !is_surrogate(&point) => {
                    // A file that is kept in another form is what it looks like.
                    walk.provided |= found.is_directory && !is_surrogate(&point);
                }
                Some(point) => {
                    walk.spend(point.raw.len() / 64, steps)?;
                    return walk.hop(&found.name, &point, self.drive);
                }
                None => {}
            }
        }
        if found.is_directory {
            walk.trail.push((found.reference.record(), found.name));
            if walk.detail == Detail::Everything {
                let path = walk.path();
                walk.spend(path.len() / 64, steps)?;
                walk.passed.push(path);
            }
        } else {
            walk.file = Some((found.reference, found.name));
        }
        Ok(())
    }
}

impl<S: ReadAt> Resolver<'_, '_, S> {
    /// Damage on the way is told besides: the link itself may be well.
    fn unreadable(&mut self, walk: &Walk, name: &[u16], error: &crate::Error) -> Stop {
        // A name of a file that is gone is no damage of anything that is there.
        if error.kind() != crate::ErrorKind::NotFound {
            self.reader.faults.push(error.again());
        }
        Stop { end: End::Unreadable, at: walk.path_of(name), reason: error.to_string() }
    }

    /// A name that its directory does not have, but which may mean a stream of one that it has: `file:stream:$DATA`.
    fn stream(&mut self, walk: &mut Walk, name: &[u16]) -> Result<(), Stop> {
        let missing = |walk: &Walk| {
            let (end, reason) = match walk.provided {
                true => (End::Elsewhere, "what is in this directory may be kept elsewhere"),
                false => (End::Missing, "no such file or directory"),
            };
            Err(Stop { end, at: walk.path_of(name), reason: reason.to_owned() })
        };
        let mut parts = name.split(|unit| *unit == u16::from(b':'));
        let (Some(file), Some(stream)) = (parts.next(), parts.next()) else { return missing(walk) };
        let kind = parts.next().map(String::from_utf16_lossy);
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("$DATA")) || parts.next().is_some() {
            let reason = "the target is a stream that only Windows knows".to_owned();
            return Err(Stop { end: End::Elsewhere, at: walk.path_of(name), reason });
        }
        let found = match self.reader.look_up(walk.directory(), file) {
            Ok(found) => found,
            Err(error) => return Err(self.unreadable(walk, name, &error)),
        };
        let Some(found) = found else { return missing(walk) };
        match self.reader.has_stream(found.reference.record(), stream) {
            Ok(true) => {
                walk.file = Some((found.reference, name.to_vec()));
                Ok(())
            }
            Ok(false) => missing(walk),
            Err(error) => Err(self.unreadable(walk, name, &error)),
        }
    }
}

fn is_surrogate(point: &ReparsePoint) -> bool {
    let tag = crate::bytes::u32_at(&point.raw, 0);
    tag.is_some_and(|tag| reparse::Tag(tag).is_name_surrogate())
}

impl Walk {
    fn new(trail: Vec<(u64, Vec<u16>)>, detail: Detail) -> Self {
        Self {
            wanted: Wanted::Anything,
            trail,
            file: None,
            todo: Vec::new(),
            open: HashMap::new(),
            hops: Vec::new(),
            passed: Vec::new(),
            steps: 0,
            detail,
            provided: false,
        }
    }

    fn directory(&self) -> u64 {
        self.trail.last().map_or(Reference::ROOT, |(record, _)| *record)
    }

    /// How long the path is, in units.
    fn length(&self) -> usize {
        let names = self.trail.iter().map(|(_, name)| name).chain(self.file.as_ref().map(|(_, name)| name));
        names.map(|name| name.len() + 1).sum()
    }

    fn path(&self) -> Vec<u16> {
        let mut path = Vec::new();
        let names = self.trail.iter().map(|(_, name)| name);
        for name in names.chain(self.file.as_ref().map(|(_, name)| name)) {
            path.push(u16::from(b'\\'));
            path.extend(name);
        }
        if path.is_empty() {
            path.push(u16::from(b'\\'));
        }
        path
    }

    fn path_of(&self, name: &[u16]) -> Vec<u16> {
        let mut path = if self.trail.is_empty() && self.file.is_none() { Vec::new() } else { self.path() };
        path.push(u16::from(b'\\'));
        path.extend(name);
        path
    }

    /// Counts what following a link costs: names looked up, blocks of directories searched for them, text taken apart.
    fn spend(&mut self, cost: usize, steps: &mut Steps) -> Result<(), Stop> {
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        self.steps = self.steps.saturating_add(cost);
        steps.0 = steps.0.saturating_sub(cost);
        if self.steps <= STEPS && steps.0 > 0 {
            return Ok(());
        }
        Err(Stop { end: End::TooLong, at: self.path(), reason: TOO_MANY_STEPS.to_owned() })
    }

    /// A file may only stand at the end of a path.
    fn must_be_directory(&self) -> Result<(), Stop> {
        if self.file.is_none() {
            return Ok(());
        }
        Err(Stop { end: End::Missing, at: self.path(), reason: "not a directory".to_owned() })
    }

    /// Puts what a link says in front of what is to do.
    fn hop(&mut self, name: &[u16], point: &ReparsePoint, drive: Option<char>) -> Result<(), Stop> {
        let at = self.path_of(name);
        let (path, raw) = match self.detail {
            Detail::Everything => (at.clone(), point.raw.clone()),
            Detail::End => (Vec::new(), Vec::new()),
        };
        self.hops.push(Hop { path, raw, is_directory: point.is_directory });
        let stop = |end, reason: &str| Err(Stop { end, at: at.clone(), reason: reason.to_owned() });
        if self.hops.len() > GIVE_UP {
            return stop(End::TooLong, &format!("more than {GIVE_UP} hops"));
        }
        let record = point.reference.record();
        let open = self.open.entry(record).or_insert(0);
        if *open > 0 {
            return stop(End::Loop, "the chain comes back to this link");
        }
        *open += 1;
        self.todo.push(Todo::Done(record));
        let data = match ReparseData::decode(&point.raw) {
            Ok(data) => data,
            Err(error) => return stop(End::Missing, &format!("the reparse data is broken: {error}")),
        };
        if self.hops.len() == 1 {
            self.wanted = Wanted::by(&data, point.is_directory);
        }
        let mut above = Above::Nothing;
        let (parts, from_root) = match way(&data, drive) {
            Way::FromLink(parts) => (parts, false),
            Way::FromRoot(parts) => (parts, true),
            Way::Posix(text) => match posix(&text) {
                Some(parts) => {
                    above = Above::Another;
                    if text.ends_with(b"/") || text.ends_with(b"/.") {
                        self.todo.push(Todo::Directory);
                    }
                    (parts, false)
                }
                None => return stop(End::Missing, "the target is no text"),
            },
            Way::FromOther { reason, .. } | Way::Elsewhere(reason) => return stop(End::Elsewhere, &reason),
            Way::Nowhere(reason) => return stop(End::Missing, reason),
        };
        self.todo.extend(parts.into_iter().rev().map(|part| match part {
            Part::Name(name) => Todo::Name(name.units().to_vec()),
            Part::Up => Todo::Up(above),
            Part::Directory => Todo::Directory,
        }));
        if from_root {
            self.todo.push(Todo::Root);
        }
        Ok(())
    }

    fn followed(self, done: Result<(), Stop>) -> Followed {
        let (path, reached) = (self.path(), self.file.as_ref().map(|(reference, _)| *reference));
        let at_directory = reached.is_none();
        let (end, failed_at, reason) = match done {
            Ok(()) if self.wanted == Wanted::File && at_directory => {
                (End::WrongKind, Some(path.clone()), Some("a link for files leads to a directory".to_owned()))
            }
            Ok(()) if self.wanted == Wanted::Directory && !at_directory => {
                (End::WrongKind, Some(path.clone()), Some("a link for directories leads to a file".to_owned()))
            }
            Ok(()) => (End::Ok, None, None),
            Err(stop) => (stop.end, Some(stop.at), Some(stop.reason)),
        };
        let there = matches!(end, End::Ok | End::WrongKind);
        Followed {
            end,
            resolved: there.then_some(path),
            reached: there.then(|| reached.unwrap_or(Reference(self.directory()))),
            hops: self.hops,
            failed_at,
            reason,
            passed: self.passed,
        }
    }
}

impl Wanted {
    fn by(data: &ReparseData, is_directory: bool) -> Self {
        match data {
            ReparseData::Symlink(_) if is_directory => Self::Directory,
            ReparseData::Symlink(_) => Self::File,
            ReparseData::MountPoint(point) if !point.is_volume() => Self::Directory,
            _ => Self::Anything,
        }
    }
}

/// The components of a relative POSIX path. `None` for what is no text.
fn posix(text: &[u8]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for part in text.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => parts.push(Part::Up),
            name => parts.push(Part::Name(WideString::from_wtf8(name)?)),
        }
    }
    Some(parts)
}
