//! How the tests call the planners and the executor. The tests themselves see only what stands here and the values that
//! a plan consists of, so that a change of a signature is a change of this file alone.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use links::apply::{self, Observer, Operation, Report, Run, Tracking, existing_journal, open_journal};
use links::journal::{OperationId, RecordedOperation};
use links::remove::RemoveSpec;
use links::repair::{self, Candidate, Confidence, Conversion, Map, Mend, Reason, Repair, RepairSpec, Verdict};
use links::track::{self, Listed};
use links::undo::UndoSpec;
use links::{ErrorKind, Found, Journal, KindFilter, Link, LinkSpec, Plan, PlanContext, ScanOptions, State, Target};
use tempfile::TempDir;
use testkit::{Fs, Volume};

/// The user `nobody`.
pub(crate) const NOBODY: u32 = 65534;

/// A volume of the test's own, and a state directory that is not on it: a target that is looked for nearby is looked for
/// there, not on the disk of the machine.
pub(crate) struct Ground {
    state: TempDir,
    pub(crate) volume: Volume,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        Ground::on(Fs::Tmpfs)
    }

    pub(crate) fn on(fs: Fs) -> Ground {
        let volume = Volume::new(fs, 128 << 20);
        Ground { state: tempfile::tempdir().unwrap(), volume }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.volume.path()
    }

    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        match name.as_ref() {
            // Joined, it would be `root/.`.
            here if here == Path::new(".") => self.root(),
            name => self.root().join(name),
        }
    }

    /// The text of a link.
    #[track_caller]
    pub(crate) fn target(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.at(name);
        fs::read_link(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// What can be asked of the journal and the executor, with the paths of this volume.
    pub(crate) fn records(&self) -> Records {
        Records { directory: self.state.path().join("state"), root: self.root() }
    }

    #[track_caller]
    pub(crate) fn track<P: AsRef<Path>>(&self, paths: impl IntoIterator<Item = P>) -> track::Report {
        self.track_without(paths, &[])
    }

    #[track_caller]
    pub(crate) fn track_without<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        exclude: &[&str],
    ) -> track::Report {
        let paths: Vec<_> = paths.into_iter().map(|path| self.at(path)).collect();
        self.records().track(&paths, exclude)
    }

    /// The links that are tracked, with their states; `None` where a link is gone or has another text.
    #[track_caller]
    pub(crate) fn tracked(&self) -> Vec<(String, Option<State>)> {
        let Some(journal) = self.records().existing() else { return Vec::new() };
        let name = |listed: &Listed| below(&self.root(), &listed.tracked.link);
        track::list(&journal, &[]).unwrap().iter().map(|listed| (name(listed), listed.state)).collect()
    }

    /// Records anew what was recorded below these paths, or everything.
    #[track_caller]
    pub(crate) fn refresh<P: AsRef<Path>>(&self, paths: impl IntoIterator<Item = P>) {
        let paths: Vec<_> = paths.into_iter().map(|path| self.at(path)).collect();
        let mut journal = self.records().open();
        let report = track::refresh(&journal, &paths).unwrap();
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        report.write(&mut journal).unwrap();
    }

    /// The records that `untrack` would forget, and their removal.
    pub(crate) fn untrack<P: AsRef<Path>>(&self, paths: impl IntoIterator<Item = P>) -> links::Result<usize> {
        let paths: Vec<_> = paths.into_iter().map(|path| self.at(path)).collect();
        let mut journal = self.records().open();
        let report = track::untrack(&journal, &paths)?;
        report.write(&mut journal)?;
        Ok(report.forgotten.len())
    }

    /// A repair of what is below these paths, to be planned or run.
    pub(crate) fn repair<P: AsRef<Path>>(&self, paths: impl IntoIterator<Item = P>) -> Repairing {
        let paths: Vec<_> = paths.into_iter().map(|path| self.at(path)).collect();
        self.records().repair(paths)
    }

    /// A change of the form of links below these paths.
    pub(crate) fn convert<P: AsRef<Path>>(
        &self,
        conversion: Conversion,
        paths: impl IntoIterator<Item = P>,
    ) -> Repairing {
        let mut repairing = self.repair(paths);
        repairing.spec.conversion = Some(conversion);
        repairing
    }

    #[track_caller]
    pub(crate) fn history(&self) -> Vec<RecordedOperation> {
        self.records().history()
    }

    #[track_caller]
    pub(crate) fn undo(&self) {
        self.records().undo();
    }

    /// Makes links to targets as one operation.
    #[track_caller]
    pub(crate) fn create_all(&self, links: &[(PathBuf, PathBuf)]) {
        let specs: Vec<_> = links.iter().map(|(link, target)| LinkSpec::new(link, target)).collect();
        let plan = links::create::plan_all(&specs, &PlanContext::default());
        assert!(plan.refused.is_empty(), "{:?}", plan.refused);
        let report = self.records().apply("create", &plan);
        assert!(report.results.iter().all(Result::is_ok), "{report:?}");
    }

    /// Removes a symbolic link.
    #[track_caller]
    pub(crate) fn remove(&self, name: impl AsRef<Path>) {
        let spec = RemoveSpec::new([self.at(name)]);
        let plan = links::remove::plan(&spec, &PlanContext::default()).unwrap().plan;
        assert!(plan.refused.is_empty(), "{:?}", plan.refused);
        let report = self.records().apply("remove", &plan);
        assert!(report.results.iter().all(Result::is_ok), "{report:?}");
    }
}

/// A directory to work in and a journal of its own.
pub(crate) struct Work {
    _dir: TempDir,
    records: Records,
}

impl Work {
    pub(crate) fn new() -> Work {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let work = Work { _dir: dir, records: Records { directory: base.join("state"), root: base.join("work") } };
        fs::create_dir(work.root()).unwrap();
        work
    }

    /// One that works in another directory, such as a volume.
    pub(crate) fn on(root: impl Into<PathBuf>) -> Work {
        let mut work = Work::new();
        work.records.root = root.into();
        work
    }

    pub(crate) fn root(&self) -> &Path {
        &self.records.root
    }

    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join(name)
    }

    #[track_caller]
    pub(crate) fn target(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.at(name);
        fs::read_link(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub(crate) fn exists(&self, name: impl AsRef<Path>) -> bool {
        self.at(name).symlink_metadata().is_ok()
    }

    /// A link in this directory, to a target as it is typed.
    pub(crate) fn spec(&self, link: impl AsRef<Path>, target: impl Into<OsString>) -> LinkSpec {
        LinkSpec::new(self.at(link), target)
    }

    /// Plans a link and makes it, or returns why that is refused.
    pub(crate) fn try_create(&self, spec: &LinkSpec) -> links::Result<()> {
        let plan = links::create::plan(spec, &PlanContext::default())?;
        self.carry_out("create", &plan);
        Ok(())
    }

    #[track_caller]
    pub(crate) fn create(&self, spec: &LinkSpec) {
        self.try_create(spec).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Plans these links and makes them, or none of them.
    #[track_caller]
    pub(crate) fn create_all(&self, specs: &[LinkSpec]) {
        let plan = links::create::plan_all(specs, &PlanContext::default());
        assert!(plan.refused.is_empty(), "{:?}", plan.refused);
        self.carry_out("create", &plan);
    }

    /// Plans the removal of links and removes them, or returns why that is refused: then none is removed.
    pub(crate) fn try_remove(&self, spec: &RemoveSpec) -> Result<(), Vec<links::Error>> {
        let removal = links::remove::plan(spec, &PlanContext::default()).map_err(|error| vec![error])?;
        assert!(removal.unread.is_empty(), "{:?}", removal.unread);
        if !removal.plan.refused.is_empty() {
            return Err(removal.plan.refused);
        }
        self.carry_out("remove", &removal.plan);
        Ok(())
    }

    /// The removal of these links, which are symbolic ones or all names of files.
    pub(crate) fn removal<P: AsRef<Path>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        kind: Option<KindFilter>,
    ) -> RemoveSpec {
        let mut spec = RemoveSpec::new(paths.into_iter().map(|path| self.at(path)));
        spec.kind = kind;
        spec
    }

    #[track_caller]
    pub(crate) fn remove<P: AsRef<Path>>(&self, paths: impl IntoIterator<Item = P>, kind: Option<KindFilter>) {
        self.try_remove(&self.removal(paths, kind)).unwrap_or_else(|errors| panic!("{errors:?}"));
    }

    #[track_caller]
    fn carry_out(&self, verb: &str, plan: &Plan) {
        let report = self.records.apply(verb, plan);
        assert!(report.refused.is_empty() && report.results.iter().all(Result::is_ok), "{report:?}");
    }

    /// Undoes the newest operation that is not undone yet.
    #[track_caller]
    pub(crate) fn undo(&self) {
        self.records.undo();
    }

    /// The kinds of the errors for which an undo is refused.
    #[track_caller]
    pub(crate) fn refused_undo(&self) -> Vec<ErrorKind> {
        self.records.try_undo(None).unwrap_err().iter().map(links::Error::kind).collect()
    }

    pub(crate) fn try_undo(&self, id: i64) -> Result<Report, Vec<links::Error>> {
        self.records.try_undo(Some(OperationId(id)))
    }
}

/// A journal, and the directory that names in it and in plans are shown below.
#[derive(Clone)]
pub(crate) struct Records {
    pub(crate) directory: PathBuf,
    pub(crate) root: PathBuf,
}

impl Records {
    #[track_caller]
    pub(crate) fn open(&self) -> Journal {
        let (journal, complaint) = open_journal(&self.directory).unwrap();
        assert_eq!(complaint, None);
        journal
    }

    /// The journal, if one was begun.
    #[track_caller]
    pub(crate) fn existing(&self) -> Option<Journal> {
        let (journal, complaint) = existing_journal(&self.directory).unwrap()?;
        assert_eq!(complaint, None);
        Some(journal)
    }

    #[track_caller]
    pub(crate) fn track(&self, paths: &[PathBuf], exclude: &[&str]) -> track::Report {
        let mut options = ScanOptions::new(paths);
        options.filter.exclude(&exclude.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>()).unwrap();
        let report = track::track(options);
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        report.write(&mut self.open()).unwrap();
        report
    }

    pub(crate) fn repair(&self, paths: Vec<PathBuf>) -> Repairing {
        Repairing { records: self.clone(), spec: RepairSpec::new(paths) }
    }

    #[track_caller]
    pub(crate) fn history(&self) -> Vec<RecordedOperation> {
        self.existing().map_or_else(Vec::new, |journal| journal.operations(usize::MAX).unwrap())
    }

    /// Carries out a plan and records it.
    pub(crate) fn apply(&self, verb: &str, plan: &Plan) -> Report {
        self.carry_out(plan, &Operation::new(verb), &mut Warnings::default())
    }

    pub(crate) fn carry_out(&self, plan: &Plan, operation: &Operation<'_>, warnings: &mut Warnings) -> Report {
        let never = AtomicBool::new(false);
        let mut journal = self.open();
        apply::apply(plan, operation, Some(apply::Records::Journal(&mut journal)), Run::new(&never), warnings)
    }

    /// Undoes the newest operation that is not undone yet; all of it has to go back.
    #[track_caller]
    pub(crate) fn undo(&self) {
        let report = self.try_undo(None).unwrap_or_else(|errors| panic!("{errors:?}"));
        assert!(report.results.iter().all(Result::is_ok), "{report:?}");
    }

    /// The same where something may stand in the way, in which case nothing is changed.
    pub(crate) fn try_undo(&self, id: Option<OperationId>) -> Result<Report, Vec<links::Error>> {
        let journal = self.existing().expect("there is a journal");
        let context = PlanContext { journal: Some(&journal), ..PlanContext::default() };
        let undo = links::undo::plan(&UndoSpec::new(id), &context).map_err(|error| vec![error])?;
        drop(journal);
        if !undo.plan.refused.is_empty() {
            return Err(undo.plan.refused);
        }
        let mut operation = Operation::new("undo");
        operation.undoes = Some(undo.operation.id);
        Ok(self.carry_out(&undo.plan, &operation, &mut Warnings::default()))
    }
}

/// What went wrong beside the work itself.
#[derive(Debug, Default)]
pub(crate) struct Warnings(pub(crate) Vec<String>);

impl Observer for Warnings {
    fn warning(&mut self, error: &links::Error) {
        self.0.push(error.to_string());
    }
}

/// A repair that is about to be planned.
pub(crate) struct Repairing {
    records: Records,
    pub(crate) spec: RepairSpec,
}

impl Repairing {
    /// Looks for targets there.
    pub(crate) fn search(mut self, place: impl AsRef<Path>) -> Repairing {
        self.spec.search.push(self.records.root.join(place));
        self
    }

    /// What was at the old place is at the new one; both as they are typed around the `=` between them.
    pub(crate) fn map(mut self, old: &str, new: &str) -> Repairing {
        let root = self.records.root.display();
        self.spec.maps.push(Map::parse(OsStr::new(&format!("{root}/{old}={root}/{new}"))).unwrap());
        self
    }

    pub(crate) fn exclude(mut self, pattern: &str) -> Repairing {
        self.spec.exclude.push(pattern.to_owned());
        self
    }

    /// Also what is found with less certainty.
    pub(crate) fn at_least(mut self, confidence: Confidence) -> Repairing {
        self.spec.min_confidence = confidence;
        self
    }

    /// The letter that Windows gives the volume.
    pub(crate) fn drive(mut self, letter: char) -> Repairing {
        self.spec.drive = letter;
        self
    }

    pub(crate) fn one_file_system(mut self) -> Repairing {
        self.spec.one_file_system = true;
        self
    }

    pub(crate) fn try_plan(self) -> links::Result<Repaired> {
        let journal = self.records.existing();
        let context = PlanContext { journal: journal.as_ref(), ..PlanContext::default() };
        let repair = repair::plan(&self.spec, &context)?;
        Ok(Repaired { records: self.records, repair, report: None, warnings: Vec::new() })
    }

    /// The plan, with nothing done.
    #[track_caller]
    pub(crate) fn plan(self) -> Repaired {
        self.try_plan().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Planned, and carried out.
    #[track_caller]
    pub(crate) fn run(self) -> Repaired {
        self.plan().apply()
    }
}

/// A repair, planned, and its report once it was carried out.
#[derive(Debug)]
pub(crate) struct Repaired {
    records: Records,
    pub(crate) repair: Repair,
    pub(crate) report: Option<Report>,
    pub(crate) warnings: Vec<String>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root.display())
    }
}

/// What is planned for one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is changed.
    Planned,
    /// A target was found, and is not sure enough.
    Shown,
    /// It is whole once another link is.
    WithAnother,
    /// Nothing was found.
    Remains,
}

impl Repaired {
    #[track_caller]
    pub(crate) fn apply(mut self) -> Repaired {
        if !self.repair.plan.steps.is_empty() {
            let mut warnings = Warnings::default();
            let mut operation = Operation::new("repair");
            operation.tracking = Tracking::Recorded;
            self.report = Some(self.records.carry_out(&self.repair.plan, &operation, &mut warnings));
            self.warnings = warnings.0;
        }
        self
    }

    /// Every step worked, nothing could not be read, and no link stays as it is.
    #[track_caller]
    pub(crate) fn mends_all(self) -> Repaired {
        self.assert_nothing_failed();
        assert_eq!(self.repair.remaining(), 0, "{self}");
        self
    }

    /// Every step worked and nothing could not be read, but some links stay as they are.
    #[track_caller]
    pub(crate) fn leaves_some(self) -> Repaired {
        self.assert_nothing_failed();
        assert_ne!(self.repair.remaining(), 0, "{self}");
        self
    }

    #[track_caller]
    fn assert_nothing_failed(&self) {
        assert!(self.repair.errors.is_empty(), "{self}");
        assert!(self.failures().is_empty(), "{self}");
        assert!(self.report.iter().all(|report| report.refused.is_empty()), "{self}");
    }

    /// The errors of the steps.
    pub(crate) fn failures(&self) -> Vec<&links::Error> {
        let results = self.report.iter().flat_map(|report| &report.results);
        results.filter_map(|result| result.as_ref().err()).collect()
    }

    /// The broken links by their paths below the root.
    pub(crate) fn links(&self) -> BTreeMap<String, &Mend> {
        self.repair.mends.iter().map(|mend| (below(&self.records.root, &mend.link), mend)).collect()
    }

    #[track_caller]
    pub(crate) fn link(&self, name: &str) -> &Mend {
        self.links().get(name).copied().unwrap_or_else(|| panic!("{name} is not in the plan: {self}"))
    }

    #[track_caller]
    pub(crate) fn outcome(&self, name: &str) -> Outcome {
        outcome(self.link(name))
    }

    /// How sure what was found for a link is.
    #[track_caller]
    pub(crate) fn confidence(&self, name: &str) -> Option<Confidence> {
        confidence(self.link(name))
    }

    /// The text that is found for a link.
    #[track_caller]
    pub(crate) fn new_target(&self, name: &str) -> Option<PathBuf> {
        new_target(self.link(name))
    }

    #[track_caller]
    pub(crate) fn reason(&self, name: &str) -> &Reason {
        match &self.link(name).verdict {
            Verdict::Remains { reason, .. } => reason,
            _ => panic!("{name} does not remain: {self}"),
        }
    }

    /// A reason in words.
    #[track_caller]
    pub(crate) fn reason_text(&self, name: &str) -> &str {
        match self.reason(name) {
            Reason::Other(text) => text,
            reason => panic!("{name}: {reason:?}"),
        }
    }

    /// The places that came near, below the root.
    #[track_caller]
    pub(crate) fn candidates(&self, name: &str) -> Vec<String> {
        candidates(self.link(name)).iter().map(|found| below(&self.records.root, &found.path)).collect()
    }
}

pub(crate) fn outcome(mend: &Mend) -> Outcome {
    match &mend.verdict {
        Verdict::Found { step: Some(_), .. } => Outcome::Planned,
        Verdict::Found { step: None, .. } => Outcome::Shown,
        Verdict::With(_) => Outcome::WithAnother,
        Verdict::Remains { .. } => Outcome::Remains,
    }
}

pub(crate) fn confidence(mend: &Mend) -> Option<Confidence> {
    match &mend.verdict {
        Verdict::Found { confidence, .. } => Some(*confidence),
        _ => None,
    }
}

pub(crate) fn new_target(mend: &Mend) -> Option<PathBuf> {
    match &mend.verdict {
        Verdict::Found { new, .. } => new.shown().map(PathBuf::from),
        _ => None,
    }
}

pub(crate) fn candidates(mend: &Mend) -> &[Candidate] {
    match &mend.verdict {
        Verdict::Remains { candidates, .. } => candidates,
        _ => &[],
    }
}

impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "errors {:?}", self.repair.errors)?;
        for mend in self.repair.mends.iter().take(50) {
            writeln!(f, "{}: {:?} -> {:?}", mend.link.display(), mend.old, mend.verdict)?;
        }
        if let Some(report) = &self.report {
            writeln!(f, "results {:?}", report.results.iter().filter(|result| result.is_err()).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

/// A path below a directory, as text.
pub(crate) fn below(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// The kind of an error.
#[track_caller]
pub(crate) fn kind_of<T: fmt::Debug>(result: links::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Text, owner and time of a link: what an undo has to give back.
pub(crate) type Facts = (Vec<u8>, u32, u32, i64, i64);

/// Every symbolic link below a directory with its text, as `find` prints them.
pub(crate) fn find(dir: impl AsRef<Path>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut find = Command::new("find");
    let output = find.arg(dir.as_ref()).args(["-type", "l", "-printf", "%p\\0%l\\0"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let fields: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
    fields.chunks_exact(2).map(|pair| (pair[0].to_vec(), pair[1].to_vec())).collect()
}

/// The facts of each link below a directory.
pub(crate) fn facts(dir: impl AsRef<Path>) -> BTreeMap<Vec<u8>, Facts> {
    let facts = |(path, text): (Vec<u8>, Vec<u8>)| {
        let meta = fs::symlink_metadata(OsStr::from_bytes(&path)).unwrap();
        (path, (text, meta.uid(), meta.gid(), meta.mtime(), meta.mtime_nsec()))
    };
    find(dir).into_iter().map(facts).collect()
}

/// Gives each link below a directory an owner and a time of its own.
pub(crate) fn mark(dir: impl AsRef<Path>) {
    let all = find(dir);
    let paths: Vec<&OsStr> = all.keys().map(|path| OsStr::from_bytes(path)).collect();
    for (number, path) in (1..).zip(&paths) {
        lchown(path, Some(1000 + number % 7), Some(2000 + number % 5)).unwrap();
    }
    let mut touch = Command::new("touch");
    touch.args(["-h", "-d", "@1111111111.123456789"]).args(&paths);
    assert!(touch.status().unwrap().success());
}

pub(crate) fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

pub(crate) fn link(text: impl AsRef<Path>, at: impl AsRef<Path>) {
    let at = at.as_ref();
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    symlink(text, at).unwrap_or_else(|e| panic!("{}: {e}", at.display()));
}

pub(crate) fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let (from, to) = (from.as_ref(), to.as_ref());
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(from, to).unwrap_or_else(|e| panic!("{} to {}: {e}", from.display(), to.display()));
}

pub(crate) fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The names in a directory, sorted.
pub(crate) fn names(dir: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(dir.as_ref()).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| {
        String::from_utf8_lossy(&entry.unwrap().file_name().into_vec()).into_owned()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

/// The names in a directory that begin with `.linkctl-`: what must never be left.
pub(crate) fn leftovers(dir: impl AsRef<Path>) -> Vec<String> {
    names(dir).into_iter().filter(|name| name.starts_with(".linkctl-")).collect()
}

/// The links that a scan finds, by their paths.
#[track_caller]
pub(crate) fn scanned(options: ScanOptions) -> BTreeMap<PathBuf, Link> {
    let mut links = BTreeMap::new();
    for found in links::scan(options) {
        let Found::Link(link) = found.unwrap() else { continue };
        let path = link.path.clone();
        assert!(links.insert(path, link).is_none(), "a link is found twice");
    }
    links
}

/// Paths and texts of the links that a scan finds below a directory.
#[track_caller]
pub(crate) fn listed(dir: impl AsRef<Path>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let text = |link: &Link| match &link.target {
        Some(Target::Text(text)) => text.clone().into_vec(),
        other => panic!("{}: {other:?}", link.path.display()),
    };
    let links = scanned(ScanOptions::new([dir.as_ref()]));
    links.iter().map(|(path, link)| (path.as_os_str().as_bytes().to_vec(), text(link))).collect()
}
