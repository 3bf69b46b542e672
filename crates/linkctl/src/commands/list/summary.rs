//! `linkctl list --summary`: how many links of what sort, and where.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use links::{Details, Error, FileId, Found, Progress, Receiver, ScanItem, ScanOptions};

use super::VERB;
use super::source::Listing;
use crate::args::Format;
use crate::failure::{Failure, remark, say};
use crate::output::json::list::{Row, Summary};
use crate::output::{self, json, sanitize};

/// Prints the summary. Gives whether anything failed to be read.
pub(super) fn run(mut options: ScanOptions, format: Format) -> Result<bool, Failure> {
    check(format)?;
    options.details = Details::Identity;
    let progress = Progress::default();
    let counts = links::visit(&options, &progress, || Counts::new(&options.roots));
    remark(&progress.remarks());
    let counts = counts.into_iter().reduce(Counts::and).unwrap_or_else(|| Counts::new(&options.roots));
    print(&counts, &counts.errors, format)
}

/// Prints the summary of what was found on volumes.
pub(super) fn of_volumes(listing: &Listing, format: Format) -> Result<bool, Failure> {
    let mut counts = Counts::new(&[]);
    counts.on_volume = true;
    listing.found.iter().for_each(|found| counts.count(found));
    print(&counts, &listing.errors, format)
}

/// Refuses the formats that no summary has.
pub(super) fn check(format: Format) -> Result<(), Failure> {
    if matches!(format, Format::Table | Format::Json) {
        return Ok(());
    }
    Err(Failure::usage("a summary is a table, or JSON", "leave out --format, or use --json"))
}

fn print(counts: &Counts<'_>, errors: &[Error], format: Format) -> Result<bool, Failure> {
    let document = counts.document(errors);
    if format == Format::Json {
        json::print(&document)?;
        return Ok(!errors.is_empty());
    }
    let mut out = output::stdout();
    writeln!(out, "{} links, {} broken", document.links, document.broken)?;
    for (head, rows) in [
        ("KIND", &document.kinds),
        ("STATE", &document.states),
        ("FILE SYSTEM", &document.filesystems),
        ("DIRECTORY", &document.directories),
    ] {
        writeln!(out, "\n{:>9}  {head}", "LINKS")?;
        for row in rows {
            writeln!(out, "{:>9}  {}", row.links, sanitize::name(&row.name.0))?;
        }
    }
    out.flush()?;
    Ok(!errors.is_empty())
}

/// What one worker counts.
#[derive(Default)]
struct Counts<'a> {
    roots: &'a [PathBuf],
    /// Whether paths are those of volumes: `C:\Users`, on every system.
    on_volume: bool,
    broken: u64,
    kinds: BTreeMap<&'static str, u64>,
    states: BTreeMap<&'static str, u64>,
    /// By the number of the file system, with a directory on it.
    filesystems: BTreeMap<u64, (PathBuf, u64)>,
    directories: BTreeMap<PathBuf, u64>,
    errors: Vec<Error>,
}

impl<'a> Counts<'a> {
    fn new(roots: &'a [PathBuf]) -> Self {
        Self { roots, ..Self::default() }
    }

    fn count(&mut self, found: &Found) {
        match found {
            Found::Link(link) => {
                self.broken += u64::from(link.state.is_broken());
                self.name(link.kind.as_str(), link.state.as_str(), link.id.map(FileId::volume), &link.path);
            }
            Found::HardLinks(group) => {
                for path in &group.paths {
                    self.name("hard", "ok", Some(group.id.volume()), path);
                }
            }
            Found::Path(_) => {}
        }
    }

    fn name(&mut self, kind: &'static str, state: &'static str, volume: Option<u64>, path: &Path) {
        *self.kinds.entry(kind).or_default() += 1;
        *self.states.entry(state).or_default() += 1;
        if let Some(volume) = volume {
            let parent = if self.on_volume {
                let text = path.to_string_lossy();
                PathBuf::from(format!("{}\\", text.split('\\').next().unwrap_or_default()))
            } else {
                path.parent().unwrap_or(Path::new("")).to_owned()
            };
            self.filesystems.entry(volume).or_insert((parent, 0)).1 += 1;
        }
        *self.directories.entry(self.top(path)).or_default() += 1;
    }

    /// The directory right below the root that a path is in; of what is in the root itself, the root.
    fn top(&self, path: &Path) -> PathBuf {
        if self.on_volume {
            let text = path.to_string_lossy();
            let mut names = text.split('\\');
            let root = format!("{}\\", names.next().unwrap_or_default());
            return match (names.next(), names.next()) {
                (Some(first), Some(_)) => PathBuf::from(root + first),
                _ => PathBuf::from(root),
            };
        }
        let roots = self.roots.iter().filter(|root| path.starts_with(root));
        let root = roots.max_by_key(|root| root.as_os_str().len()).map_or(Path::new(""), PathBuf::as_path);
        let mut rest = path.strip_prefix(root).unwrap_or(path).components();
        match (rest.next(), rest.next()) {
            (Some(first), Some(_)) => root.join(first),
            _ if root.as_os_str().is_empty() => PathBuf::from("."),
            _ => root.to_owned(),
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.broken += other.broken;
        add(&mut self.kinds, other.kinds);
        add(&mut self.states, other.states);
        add(&mut self.directories, other.directories);
        for (volume, (path, count)) in other.filesystems {
            self.filesystems.entry(volume).or_insert((path, 0)).1 += count;
        }
        self.errors.extend(other.errors);
        self
    }

    fn document(&self, errors: &[Error]) -> Summary {
        let row = |name: &Path, links: u64| Row { name: json::name(name), links };
        let most_first = |mut rows: Vec<Row>| {
            rows.sort_by(|a, b| b.links.cmp(&a.links).then_with(|| a.name.cmp(&b.name)));
            rows
        };
        let words = |counts: &BTreeMap<&'static str, u64>| {
            most_first(counts.iter().map(|(word, count)| row(Path::new(word), *count)).collect())
        };
        let mount_point = |directory: &Path| {
            if self.on_volume {
                return directory.to_owned();
            }
            let volume = links::listing::volume(directory);
            volume.map_or_else(|_| directory.to_owned(), |volume| volume.mount_point)
        };
        let filesystems = self.filesystems.values().map(|(path, count)| row(&mount_point(path), *count));
        let directories = self.directories.iter().map(|(path, count)| row(path, *count));
        Summary {
            links: self.kinds.values().sum(),
            broken: self.broken,
            kinds: words(&self.kinds),
            states: words(&self.states),
            filesystems: most_first(filesystems.collect()),
            directories: most_first(directories.collect()),
            errors: errors.iter().map(Into::into).collect(),
        }
    }
}

fn add<K: Ord>(to: &mut BTreeMap<K, u64>, counts: BTreeMap<K, u64>) {
    for (key, count) in counts {
        *to.entry(key).or_default() += count;
    }
}

impl Receiver for Counts<'_> {
    fn receive(&mut self, item: ScanItem) -> ControlFlow<()> {
        match item {
            Ok(found) => self.count(&found),
            Err(error) => {
                say(&VERB, &error);
                self.errors.push(error);
            }
        }
        ControlFlow::Continue(())
    }
}
