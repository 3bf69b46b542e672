//! `linkctl repair`.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use links::apply::{Report, Tracking};
use links::repair::{self, Candidate, Conversion, Map, Mapping, Mend, Reason, Repair, RepairSpec, Verdict, Why};
use links::{LinkKind, Progress, Target};

use crate::args::{ChangeOptions, DriveOption, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb, complain, message, say_all};
use crate::output::json::repair::{Document, Record};
use crate::output::{self, counted, json, sanitize, table};
use crate::session::{Change, Recorded, ticking};

/// Give broken links their targets again, or say targets in another form
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    [
        "A target is found exactly where it was recorded (`linkctl track`, and every link that linkctl makes): it is \
        the same object, wherever it went on its "
        ("file system, also into a trash folder" | "volume, also into the recycle bin")
        ". Others are found by evidence: where most links into a directory are whole in another one (strong), or by \
        name (weak). Only what is sure enough is changed (--min-confidence); the rest is shown. Of several places that \
        are equally good, none is taken.\n\
        With --relative, --absolute or --kind-fix, links that lead somewhere are said in another form, and nothing is \
        mended. Exit code 1: some links stay as they are."
    ]
    Examples:
    ["repair " ("~" | "C:\\Users") " --dry-run"]
    ["repair " ("~" | "C:\\Users") " --min-confidence strong"]
    ["repair " ("~/bin --map /opt/old=/opt/new" | "C:\\Tools --map C:\\Old=C:\\New")]
    ["repair " ("--relative" | "--kind-fix") " project"]
))]
pub(crate) struct RepairArgs {
    /// Links, and directories whose links are meant [default: the current directory]
    pub(crate) paths: Vec<PathBuf>,
    /// Look for targets below this directory alone [default: by identity on the whole file system, else near by]
    #[arg(long, value_name = "ROOT")]
    pub(crate) search: Vec<PathBuf>,
    /// What was at OLD is at NEW now; a name that holds `=` is written with two of them
    #[arg(long, value_name = "OLD=NEW")]
    pub(crate) map: Vec<OsString>,
    /// Read such pairs from a file, one a line; a line that begins with `#` is a remark
    #[arg(long, value_name = "FILE")]
    pub(crate) map_file: Option<PathBuf>,
    /// How sure it must be for a link to be changed
    #[arg(long, value_enum, default_value_t = Confidence::Exact)]
    pub(crate) min_confidence: Confidence,
    /// Say absolute targets relative to their links
    #[arg(long, group = "form", conflicts_with_all = ["search", "map", "map_file", "min_confidence"])]
    pub(crate) relative: bool,
    /// With --relative, also links to other file systems, which may be mounted elsewhere one day
    #[arg(long, requires = "relative")]
    pub(crate) across: bool,
    /// Say relative targets in full
    #[arg(long, group = "form", conflicts_with_all = ["search", "map", "map_file", "min_confidence"])]
    pub(crate) absolute: bool,
    /// Make links for files that lead to directories links for directories, and the other way round (Windows, NTFS)
    #[arg(long, group = "form", conflicts_with_all = ["search", "map", "map_file", "min_confidence"])]
    pub(crate) kind_fix: bool,
    /// Leave out what matches, in the syntax of .gitignore: no link in it is changed, none is led into it
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Do not enter other file systems
    #[arg(long)]
    pub(crate) one_file_system: bool,
    /// How many threads read [default: one for each core, at most 8, and 2 on a disk that rotates]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// What `--min-confidence` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Confidence {
    /// The same object, or where --map says
    Exact,
    /// Much agrees, and nothing else comes near
    Strong,
    /// A guess by name
    Weak,
}

impl From<Confidence> for repair::Confidence {
    fn from(confidence: Confidence) -> Self {
        match confidence {
            Confidence::Exact => Self::Exact,
            Confidence::Strong => Self::Strong,
            Confidence::Weak => Self::Weak,
        }
    }
}

pub(crate) const VERB: Verb = Verb::new("repair", &[]);

pub(crate) fn run(args: &RepairArgs) -> Result<Exit, Failure> {
    let spec = spec(args)?;
    let progress = Progress::default();
    let shown = || format!("{} links in {} entries", progress.found(), progress.entries());
    let mut planned = ticking(shown, |_| -> Result<Repair, Failure> {
        let recorded = match spec.conversion {
            Some(_) => Recorded::default(),
            None => recorded(args.change.dry_run),
        };
        let mut context = recorded.context();
        context.progress = Some(&progress);
        Ok(repair::plan(&spec, &context)?)
    })?;
    let mut change = Change::new(&VERB, &args.change);
    change.errors = std::mem::take(&mut planned.errors);
    change.tracking = Tracking::Recorded;
    let told = Told { args, spec: &spec, planned: &planned };
    if !args.change.output.json() {
        told.print_table()?;
    }
    say_all(&VERB, &change.errors);
    told.remark();
    let what = if spec.conversion.is_some() { "Rewrite" } else { "Retarget" };
    change.question = Some(format!("{what} {}?", counted(planned.plan.steps.len(), "link")));
    let report = change.carry_out(&planned.plan)?;
    told.print_end(&change, report.as_ref())?;
    let exit = change.exit(report.as_ref());
    let found = if planned.remaining() > 0 { Exit::Found } else { Exit::Done };
    Ok(exit.max(found))
}

/// What was recorded of links. A journal that cannot be read is no reason to repair nothing.
fn recorded(dry_run: bool) -> Recorded {
    Recorded::open_if_readable(dry_run, "targets are found by evidence alone")
}

fn spec(args: &RepairArgs) -> Result<RepairSpec, Failure> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut spec = RepairSpec::new(paths);
    spec.search.clone_from(&args.search);
    let given = args.map.iter().map(|text| Map::parse(text));
    spec.maps = given.collect::<links::Result<_>>()?;
    if let Some(file) = &args.map_file {
        spec.maps.extend(map_file(file)?);
    }
    spec.min_confidence = args.min_confidence.into();
    spec.exclude.clone_from(&args.exclude);
    spec.one_file_system = args.one_file_system;
    spec.across = args.across;
    spec.drive = args.drive.letter();
    spec.workers = args.jobs.map(NonZeroUsize::get);
    spec.conversion = match (args.relative, args.absolute, args.kind_fix) {
        (true, ..) => Some(Conversion::Relative),
        (_, true, _) => Some(Conversion::Absolute),
        (.., true) => Some(Conversion::Kind),
        _ => None,
    };
    Ok(spec)
}

/// Pairs of a file, one a line.
fn map_file(file: &Path) -> Result<Vec<Map>, Failure> {
    const MOST: u64 = 64 << 20;
    // It may be a pipe, or a file without an end.
    let mut content = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(MOST + 1).read_to_end(&mut content));
    let read = read.and_then(|_| match u64::try_from(content.len()) {
        Ok(length) if length <= MOST => Ok(()),
        _ => Err(std::io::Error::other("it is longer than 64 MiB")),
    });
    read.map_err(|error| {
        let text = format!("cannot read the mappings in {}: {error}", sanitize::quoted(file));
        Failure::usage(text, "name a file with lines of the form OLD=NEW")
    })?;
    // Editors of Windows put the mark of UTF-8 in front.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
    let lines = content.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let is_meant = |line: &[u8]| !matches!(line.trim_ascii_start().first(), None | Some(b'#'));
    let parse = |(number, line): (usize, &[u8])| {
        Map::parse(&links::name_from_bytes(line.to_vec())).map_err(|error| {
            let text = format!("{}, line {number}: {}", sanitize::quoted(file), message(&error));
            Failure::usage(text, "a line has the form OLD=NEW, or begins with #")
        })
    };
    (1..).zip(lines).filter(|(_, line)| is_meant(line)).map(parse).collect()
}

struct Told<'a> {
    args: &'a RepairArgs,
    spec: &'a RepairSpec,
    planned: &'a Repair,
}

impl Told<'_> {
    fn print_table(&self) -> Result<(), Failure> {
        let mut out = output::stdout();
        // Each is told once: many links may be mended by it.
        for (number, mapping) in (1..).zip(&self.planned.mappings) {
            writeln!(out, "mapping {number}: {}", self::mapping(mapping))?;
        }
        if !self.planned.mends.is_empty() {
            let mut rows = Vec::with_capacity(self.planned.mends.len());
            for mend in &self.planned.mends {
                self.rows(mend, &mut rows);
            }
            let head = ["LINK", "OLD TARGET", "NEW TARGET", "WHY", "CONFIDENCE"];
            table::columns(&mut out, head, &rows)?;
        }
        Ok(out.flush()?)
    }

    fn rows(&self, mend: &Mend, rows: &mut Vec<[Cow<'static, str>; 5]>) {
        let (link, old) = (sanitize::name(&mend.link).into(), shown(&mend.old).into());
        let dash = || Cow::Borrowed("-");
        match &mend.verdict {
            Verdict::Found { new, why, confidence, .. } => {
                let why = match why {
                    Why::Inferred(number) => format!("mapping {}", number + 1),
                    _ => self.why(&mend.verdict),
                };
                rows.push([link, old, shown(new).into(), why.into(), confidence.as_str().into()]);
            }
            Verdict::With(_) => rows.push([link, old, dash(), self.why(&mend.verdict).into(), dash()]),
            Verdict::Remains { candidates, .. } => {
                rows.push([link, old, dash(), self.why(&mend.verdict).into(), dash()]);
                for Candidate { path, score } in candidates {
                    let why = format!("{} of its path agree", counted(*score, "name"));
                    let path = sanitize::name(path);
                    rows.push(["  candidate".into(), "".into(), path.into(), why.into(), dash()]);
                }
            }
        }
    }

    fn why(&self, verdict: &Verdict) -> String {
        let why = match verdict {
            Verdict::Found { why, .. } => why,
            Verdict::With(by) => return format!("leads by {}, which is mended", sanitize::name(by)),
            Verdict::Remains { reason, .. } => return self::reason(reason),
        };
        match why {
            Why::Identity => "it is what was recorded".to_owned(),
            Why::Map(number) => {
                self.spec.maps.get(*number).map_or_else(String::new, |map| format!("--map {}", pair(map)))
            }
            Why::Inferred(number) => self.planned.mappings.get(*number).map_or_else(String::new, mapping),
            Why::Directory => "in its directory it has the name of what was recorded".to_owned(),
            Why::Content => "the only file with the content that was recorded".to_owned(),
            Why::SizeAndTime => "the only file with the size and time that were recorded".to_owned(),
            Why::Name { components: 1 } => "the only one of its name".to_owned(),
            Why::Name { components } => format!("{components} names of its path agree"),
            Why::Converted => "it reaches the same".to_owned(),
        }
    }

    /// What is to be known of the search.
    fn remark(&self) {
        for finding in &self.planned.plan.findings {
            complain("note", &finding.text);
        }
        for map in self.planned.idle_maps.iter().filter_map(|number| self.spec.maps.get(*number)) {
            complain("note", &format!("the map {} holds the target of no broken link", pair(map)));
        }
        if !self.planned.is_whole {
            complain("note", "there was more to search than is looked through unasked; --search says where to look");
        }
        let distrusted = match self.planned.distrusted {
            0 => None,
            1 => Some("1 target was found where other users may write: it counts as weak".to_owned()),
            many => Some(format!("{many} targets were found where other users may write: they count as weak")),
        };
        distrusted.iter().for_each(|text| complain("note", text));
        if self.planned.unsearched > 0 {
            let unread = self.planned.unsearched;
            let directories = if unread == 1 { "directory" } else { "directories" };
            complain("note", &format!("{unread} {directories} could not be searched"));
        }
        for confidence in [repair::Confidence::Strong, repair::Confidence::Weak] {
            let unsure = |mend: &&Mend| match &mend.verdict {
                Verdict::Found { confidence: found, step: None, .. } => *found == confidence,
                _ => false,
            };
            let found = match self.planned.mends.iter().filter(unsure).count() {
                0 => continue,
                1 => "1 more is".to_owned(),
                more => format!("{more} more are"),
            };
            complain("note", &format!("{found} mended with --min-confidence {confidence}"));
        }
    }

    fn print_end(&self, change: &Change<'_>, report: Option<&Report>) -> Result<(), Failure> {
        if self.args.change.output.json() {
            return Ok(json::print(&self.document(change, report))?);
        }
        let mut out = output::stdout();
        let (all, stay) = (self.planned.plan.steps.len(), self.planned.remaining());
        let (past, future, how) = match self.spec.conversion {
            Some(_) => ("rewrote", "rewrite", "as it was"),
            None => ("mended", "mend", "broken"),
        };
        let rest = match stay {
            0 => String::new(),
            1 => format!("; 1 stays {how}"),
            stay => format!("; {stay} stay {how}"),
        };
        if self.planned.mends.is_empty() {
            writeln!(out, "nothing to do")?;
        } else if let Some(report) = report {
            let done = report.results.iter().filter(|result| result.is_ok()).count();
            let of = if done == all { String::new() } else { format!(" of {all}") };
            let undo = report.operation.filter(|_| done > 0);
            let undo = undo.map(|id| format!(" (operation {id}; `linkctl undo {id}` takes it back)"));
            let links = if all == 1 { "link" } else { "links" };
            writeln!(out, "{past} {done}{of} {links}{}{rest}", undo.unwrap_or_default())?;
            if report.stopped {
                complain("warning", "stopped; repeat the command for the rest");
            }
        } else {
            writeln!(out, "would {future} {}{rest}", counted(all, "link"))?;
        }
        Ok(out.flush()?)
    }

    fn document(&self, change: &Change<'_>, report: Option<&Report>) -> Document {
        Document {
            verb: VERB.name,
            operation: report.and_then(|report| report.operation).map(|id| id.0),
            dry_run: self.args.change.dry_run,
            links: self.planned.mends.iter().map(|mend| Record::new(mend, self.why(&mend.verdict), report)).collect(),
            mappings: self.planned.mappings.iter().map(Into::into).collect(),
            searched_all: self.planned.is_whole,
            distrusted: self.planned.distrusted,
            errors: change.errors.iter().map(Into::into).collect(),
        }
    }
}

fn pair(map: &Map) -> String {
    format!("{}={}", sanitize::name(&map.old), sanitize::name(&map.new))
}

fn mapping(mapping: &Mapping) -> String {
    let Mapping { old, new, mends, of, .. } = mapping;
    format!("{} -> {} mends {mends} of {of}", sanitize::name(old), sanitize::name(new))
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NotFound => "nothing of its target's name was found".to_owned(),
        Reason::Ambiguous => "several places are equally good".to_owned(),
        Reason::TooCommon => "too many others have its target's name".to_owned(),
        Reason::OtherContent => "no file of its target's name holds what was recorded".to_owned(),
        Reason::SeveralNames => "what was recorded has several names".to_owned(),
        Reason::Hidden => "what was recorded is there still, but under no name that was found".to_owned(),
        Reason::Deleted => "its target was deleted".to_owned(),
        Reason::By(link) => format!("leads by {}, which is broken", sanitize::name(link)),
        Reason::WrongKind(LinkKind::SymlinkFile) => {
            "a link for files leads to a directory: --kind-fix mends that".to_owned()
        }
        Reason::WrongKind(_) => "a link for directories leads to a file: --kind-fix mends that".to_owned(),
        Reason::Other(text) => sanitize::line(text),
    }
}

fn shown(target: &Target) -> String {
    target.shown().map(sanitize::name).unwrap_or_default()
}
