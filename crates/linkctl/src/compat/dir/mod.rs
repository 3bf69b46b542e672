//! `dir [PATH...] [/S] [/B] [/A[:attributes]] [/O[:order]]`.

mod block;
mod source;
mod switches;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use jiff::tz::TimeZone;
use links::listing::{Depth, Listed, Listing, Volume as Head};
use links::volume::Volume;
use links::{Error, ErrorKind, FileKind};

use self::block::Totals;
use self::source::Source;
use self::switches::{Switches, fits, parse};
use super::{WINDOWS, fail, words};
use crate::args::after_help;
use crate::output::{self, sanitize};

/// List a directory, or every link of a tree, as Windows' dir does
#[derive(Debug, Args)]
#[command(
    override_usage = "linkctl dir [PATH]... [/S] [/B] [/A[:ATTRIBUTES]] [/O[:ORDER]] [--] [PATH]...",
    after_help = after_help!(
        [
            "/S lists every directory below, and follows no link; /A:L lists links alone; /B names alone. "
            (
                "Only these words are switches, and -- ends them; `linkctl dir /?` tells them all."
                | "`linkctl dir /?` tells all switches. Of the same name, cmd has a command of its own, which wins: \
                call dir.exe, or linkctl dir."
            )
        ]
        Examples:
        ["dir /s /al " ("/mnt/disk" | "C:\\Users")]
        [
            "dir /b /s /a:l"
            (
                "\n  linkctl dir --volume disk.img /s /al\n\n\
                --volume SOURCE, --partition N and --drive LETTER stand before all else: an NTFS volume that need not \
                be mounted."
                | ""
            )
        ]
    )
)]
pub(crate) struct DirArgs {
    /// Switches and paths
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
}

const HELP: &str = "\
Displays a list of files and subdirectories in a directory.

DIR [path...] [/S] [/B] [/A[[:]attributes]] [/O[[:]sortorder]] [/-C]

  /A          Displays files with specified attributes.
  attributes   D  Directories                R  Read-only files
               H  Hidden files               A  Files ready for archiving
               S  System files               I  Not content indexed files
               L  Reparse Points             O  Offline files
               -  Prefix meaning not
  /B          Uses bare format (no heading information or summary).
  /C, /-C     Displays the thousand separator in file sizes, or does not.
  /O          List by files in sorted order.
  sortorder    N  By name (alphabetic)       S  By size (smallest first)
               E  By extension (alphabetic)  D  By date/time (oldest first)
               G  Group directories first    -  Prefix to reverse order
  /S          Displays files in specified directory and all subdirectories.
              Links are listed and not followed.
  --          What follows is a path, whatever it looks like.

Before all of these, --volume SOURCE lists an NTFS volume that need not be
mounted: a disk image or a block device; --partition N says which of a disk,
--drive LETTER its letter.
";

const NOT_FOUND: &str = "File Not Found";

pub(super) fn run(typed: &[OsString]) -> io::Result<ExitCode> {
    let (source, drive, typed) = match source::parse(typed) {
        Ok(parsed) => parsed,
        Err(text) => return fail(&text),
    };
    let mut switches = match parse(typed, WINDOWS) {
        Ok(switches) => switches,
        Err(switch) => {
            let name = sanitize::line(switch.trim_start_matches('/'));
            return fail(&format!("Invalid switch - \"{name}\"."));
        }
    };
    if switches.help {
        output::print(HELP)?;
        return Ok(ExitCode::SUCCESS);
    }
    let paths = std::mem::take(&mut switches.paths);
    let mut asked: Vec<Asked> = Vec::new();
    for path in &paths {
        let one = match &source {
            Source::Mounted => Asked::of(&links::native_path(path, drive)),
            Source::Volume(volume) => Asked::on(volume, Path::new(path)),
        };
        match asked.last_mut() {
            // A shell has made one pattern into many names: they are one listing.
            Some(last) if last.directory == one.directory && !last.names.is_empty() && !one.names.is_empty() => {
                last.names.extend(one.names);
            }
            _ => asked.push(one),
        }
    }
    if asked.is_empty() {
        let directory = match &source {
            Source::Mounted => PathBuf::from("."),
            Source::Volume(volume) => PathBuf::from(format!("{}\\", volume.root())),
        };
        asked.push(Asked::whole(directory));
    }
    let mut lister = Lister {
        source: &source,
        switches: &switches,
        zone: TimeZone::system(),
        out: output::stdout(),
        head: None,
        failed: false,
    };
    let mut found = 0;
    for one in &asked {
        found += lister.list(one)?;
    }
    lister.out.flush()?;
    Ok(if found == 0 || lister.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A name to the letter, or a pattern.
enum Wanted {
    Name(OsString),
    Pattern(OsString),
}

/// What one path asks for.
struct Asked {
    directory: PathBuf,
    /// Names or patterns to be listed; none means all.
    names: Vec<Wanted>,
}

impl Asked {
    fn whole(directory: PathBuf) -> Self {
        Self { directory, names: Vec::new() }
    }

    fn of(path: &Path) -> Self {
        // A link to a directory is looked into, if it is named.
        let (Some(name), false) = (path.file_name(), path.is_dir()) else {
            return Self::whole(path.to_owned());
        };
        // A slash at the end asks for a directory, and there is none.
        if path.as_os_str().as_encoded_bytes().last().is_some_and(|last| std::path::is_separator(char::from(*last))) {
            return Self::whole(path.to_owned());
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // What exists is no pattern, whatever it looks like.
        let exists = path.symlink_metadata().is_ok();
        let name = name.to_owned();
        let wanted = if exists { Wanted::Name(name) } else { Wanted::Pattern(name) };
        Self { directory: parent.to_owned(), names: vec![wanted] }
    }

    /// A path on a volume that need not be mounted.
    fn on(volume: &Volume, path: &Path) -> Self {
        match volume.look(path) {
            Ok((directory, FileKind::Directory)) => return Self::whole(directory),
            Ok((found, _)) => {
                let (parent, name) = split(&found);
                return Self { directory: parent, names: vec![Wanted::Name(name)] };
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // It will be told what is wrong with it.
            Err(_) => return Self::whole(path.to_owned()),
        }
        let (parent, name) = split(path);
        match volume.look(&parent) {
            Ok((directory, FileKind::Directory)) if !name.is_empty() => {
                Self { directory, names: vec![Wanted::Pattern(name)] }
            }
            Err(error) if error.kind() != ErrorKind::NotFound => Self::whole(parent),
            _ => Self::whole(path.to_owned()),
        }
    }

    /// Whether a name is asked for to the letter.
    fn names(&self, name: &OsStr) -> bool {
        self.names.iter().any(|wanted| matches!(wanted, Wanted::Name(wanted) if wanted == name))
    }

    fn wants(&self, name: &OsStr) -> bool {
        let is = |wanted: &Wanted| match wanted {
            Wanted::Name(wanted) => wanted == name,
            Wanted::Pattern(pattern) => fits(pattern, name),
        };
        self.names.is_empty() || self.names.iter().any(is)
    }
}

/// A path on a volume, without its last name, and that name.
fn split(path: &Path) -> (PathBuf, OsString) {
    let text = path.to_string_lossy();
    match text.rfind(['\\', '/']) {
        Some(at) => (text[..=at].to_owned().into(), text[at + 1..].to_owned().into()),
        None => (PathBuf::from("\\"), text.into_owned().into()),
    }
}

struct Lister<'a> {
    source: &'a Source,
    switches: &'a Switches,
    zone: TimeZone,
    out: output::Out,
    /// Where the file system is mounted whose head was printed last.
    head: Option<PathBuf>,
    failed: bool,
}

impl Lister<'_> {
    /// Lists what one path asks for. Gives the number of rows.
    fn list(&mut self, asked: &Asked) -> io::Result<u64> {
        let bare = self.switches.bare;
        let volume = match self.source.head(&asked.directory) {
            Ok(volume) => volume,
            Err(error) => {
                match error.kind() {
                    ErrorKind::NotFound => self.complain(words::PATH_NOT_FOUND)?,
                    ErrorKind::Damaged => self.cannot_read(&error)?,
                    _ => self.complain(&words::of(&error))?,
                }
                return Ok(0);
            }
        };
        if !bare && self.head.as_ref() != Some(&volume.mount_point) {
            if self.head.is_some() {
                writeln!(self.out)?;
            }
            self.out.write_all(block::head(&volume).as_bytes())?;
            self.head = Some(volume.mount_point.clone());
        }
        let depth = if self.switches.tree { Depth::Tree } else { Depth::One };
        let links_only = self.switches.wants_links_only();
        let mut all = Totals::default();
        let read = match self.source.list(&asked.directory, depth, links_only) {
            Ok(read) => read,
            Err(error) => {
                self.cannot_read(&error)?;
                return Ok(0);
            }
        };
        for read in read {
            match read {
                Ok(read) => {
                    all.include(self.directory(asked, &read, &volume)?);
                    let mounted = matches!(self.source, Source::Mounted);
                    let name =
                        |error: &&Error| !mounted || error.path().file_name().is_some_and(|name| asked.wants(name));
                    // What only its own system can look into was to be, with `/S` or by its name.
                    let entered = |error: &&Error| {
                        let named = error.path().file_name().is_some_and(|name| asked.names(name));
                        error.kind() != ErrorKind::Blocked || self.switches.tree || named
                    };
                    for error in read.unread.iter().filter(name).filter(entered) {
                        self.cannot_read(error)?;
                    }
                }
                Err(error) => self.cannot_read(&error)?,
            }
        }
        if all.rows() == 0 && self.failed {
            // It was told why.
        } else if all.rows() == 0 {
            self.complain(NOT_FOUND)?;
        } else if self.switches.tree && !bare {
            let separators = !self.switches.plain_numbers;
            let lines = all.file_line(separators) + &all.directory_line(volume.free, separators);
            write!(self.out, "\n     Total Files Listed:\n{lines}")?;
        }
        Ok(all.rows())
    }

    /// One directory: its head, its rows, its totals. With `/S`, nothing where nothing is to be listed.
    fn directory(&mut self, asked: &Asked, read: &Listing, volume: &Head) -> io::Result<Totals> {
        let dots = std::iter::once(&read.itself).chain(&read.above).filter(|_| read.above.is_some());
        let dots = dots.filter(|_| !self.switches.bare);
        let wanted = |entry: &&Listed| self.switches.wants(entry) && asked.wants(&entry.name);
        let mut rows: Vec<&Listed> = read.entries.iter().filter(wanted).collect();
        self.switches.sort(&mut rows);
        let rows: Vec<&Listed> = dots.filter(wanted).chain(rows).collect();
        let mut totals = Totals::default();
        rows.iter().for_each(|entry| totals.add(entry));
        if self.switches.bare {
            for entry in rows {
                let full = self.switches.tree.then(|| self.source.join(&read.path, &entry.name));
                writeln!(self.out, "{}", sanitize::name(full.as_deref().unwrap_or(Path::new(&entry.name))))?;
            }
            return Ok(totals);
        }
        if rows.is_empty() && self.switches.tree {
            return Ok(totals);
        }
        let separators = !self.switches.plain_numbers;
        self.out.write_all(block::directory(&read.path).as_bytes())?;
        for entry in &rows {
            self.out.write_all(block::row(entry, &self.zone, separators).as_bytes())?;
        }
        if !rows.is_empty() {
            self.out.write_all(totals.file_line(separators).as_bytes())?;
            if !self.switches.tree {
                self.out.write_all(totals.directory_line(volume.free, separators).as_bytes())?;
            }
        }
        Ok(totals)
    }

    /// What cannot be looked at costs the others nothing but the exit code.
    fn cannot_read(&mut self, error: &Error) -> io::Result<()> {
        self.failed = true;
        let words = match error.kind() {
            ErrorKind::PermissionDenied => words::of(error),
            ErrorKind::Damaged => {
                // Windows has one sentence for it; where the damage is, it does not say.
                let text = "The file or directory is corrupted and unreadable.";
                return self.complain(&format!("{text} - {}", sanitize::line(&error.cause())));
            }
            _ => "The device is not ready.".to_owned(),
        };
        self.complain(&format!("{words} - {}", sanitize::name(error.path())))
    }

    /// On standard error, behind what was listed before it.
    fn complain(&mut self, text: &str) -> io::Result<()> {
        self.out.flush()?;
        fail(text).map(drop)
    }
}
