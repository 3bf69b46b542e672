//! What a changing verb needs beside its plan: the journal, the question, progress, Ctrl-C, the report.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use links::apply::{Meter, Observer, Report, Request, apply, open_journal, raise_guard};
use links::journal::OperationId;
use links::plan::{Action, Plan, Step};
use links::relocate::Finding;
use links::{Error, FileId, Journal, LinkSpec, Target};

use crate::args::ChangeOptions;
use crate::exit::Exit;
use crate::failure::{Failure, complain, message, say_all};
use crate::output::{json, sanitize, stdout};

/// Set by Ctrl-C and by SIGTERM; the executor looks at it between steps.
static STOP: AtomicBool = AtomicBool::new(false);

/// More changes than this are told by their number.
const TELL_EACH: usize = 20;

/// A verb about to change something.
pub(crate) struct Change<'a> {
    pub(crate) verb: &'static str,
    pub(crate) options: &'a ChangeOptions,
    pub(crate) undoes: Option<OperationId>,
    /// What is asked before the plan is carried out, unless `--yes` is there.
    pub(crate) question: Option<String>,
    /// What could not be planned, while the rest goes on.
    pub(crate) errors: Vec<Error>,
    /// Of a whole tree: what there is of it.
    pub(crate) tree: Option<Tree<'a>>,
    /// How many threads work on a tree.
    pub(crate) workers: Option<usize>,
    /// Whether a tree stays where it is if the copy cannot keep everything.
    pub(crate) strict: bool,
}

/// A tree that is moved.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    pub(crate) objects: u64,
    /// How many bytes have to be copied; none where it is renamed.
    pub(crate) bytes: u64,
    pub(crate) renamed: bool,
    /// What was found before anything was done.
    pub(crate) findings: &'a [Finding],
}

impl<'a> Change<'a> {
    pub(crate) fn new(verb: &'static str, options: &'a ChangeOptions) -> Self {
        Self {
            verb,
            options,
            undoes: None,
            question: None,
            errors: Vec::new(),
            tree: None,
            workers: None,
            strict: false,
        }
    }

    /// Makes all of these links, or none where one of them cannot be planned.
    pub(crate) fn create(self, specs: impl IntoIterator<Item = LinkSpec>) -> Result<Exit, Failure> {
        let (mut plan, mut errors) = (Plan::default(), Vec::new());
        for spec in specs {
            match links::create::plan(&spec) {
                Ok(one) => plan.append(one),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return self.refuse(errors);
        }
        // Several links may want the same missing directory.
        links::deduplicate(&mut plan);
        self.run(&plan)
    }

    /// Applies a plan, or shows it, and says what came of it.
    pub(crate) fn run(self, plan: &Plan) -> Result<Exit, Failure> {
        say_all(self.verb, &self.errors);
        for note in plan.notes.iter().take(TELL_EACH) {
            complain("note", &format!("{}: {}", sanitize::quoted(&note.path), sanitize::line(&note.text)));
        }
        if plan.notes.len() > TELL_EACH {
            complain("note", &format!("and {} more such notes", plan.notes.len() - TELL_EACH));
        }
        let report = self.carry_out(plan)?;
        self.show(plan, report.as_ref())
    }

    /// Asks, applies a plan, and says what failed; `None` where it is only to be shown.
    pub(crate) fn carry_out(&self, plan: &Plan) -> Result<Option<Report>, Failure> {
        if self.options.dry_run {
            return Ok(None);
        }
        if let Some(question) = &self.question
            && !plan.steps.is_empty()
            && !self.options.yes
        {
            ask(question)?;
        }
        catch_interrupts();
        raise_guard();
        let nothing = plan.steps.is_empty() && self.undoes.is_none();
        let mut journal = if nothing { None } else { open() };
        if let Some(journal) = &journal
            && let Some(left) = links::apply::unrecovered_of_same(journal, &plan.steps)?
        {
            return Err(must_be_recovered(&left));
        }
        let mut progress = Progress::new(plan.steps.len());
        let meter = Meter::default();
        let request = Request {
            verb: self.verb,
            undoes: self.undoes,
            in_part: !self.errors.is_empty(),
            meter: Some(&meter),
            workers: self.workers,
            strict: self.strict,
        };
        let report =
            shown(&meter, self.tree, || apply(plan, request, journal.as_mut(), &mut progress, &STOP));
        progress.bar.finish_and_clear();
        for (path, what) in report.lost.iter().take(TELL_EACH) {
            complain("warning", &format!("{}: not kept: {}", sanitize::quoted(path), sanitize::line(what)));
        }
        if report.lost.len() > TELL_EACH {
            complain(
                "warning",
                &format!("and {} more things that could not be kept", report.lost.len() - TELL_EACH),
            );
        }
        let failed = report.results.iter().filter_map(|result| result.as_ref().err());
        say_all(self.verb, failed.chain(&report.kept));
        Ok(Some(report))
    }

    /// Nothing was planned, because of these errors.
    pub(crate) fn refuse(mut self, errors: Vec<Error>) -> Result<Exit, Failure> {
        if self.options.output.json() {
            let exit = errors.iter().map(|error| Exit::of(error.kind())).max().unwrap_or(Exit::Failed);
            say_all(self.verb, &errors);
            self.errors = errors;
            self.print_json(&Plan::default(), None)?;
            return Ok(exit);
        }
        Err(Failure::Links(errors))
    }

    /// Nothing was done, because of what was found before.
    pub(crate) fn refuse_tree(&self, message: &str, hint: &str) -> Result<Exit, Failure> {
        if !self.options.output.json() {
            return Err(Failure::refused(message, hint));
        }
        complain("error", message);
        complain("hint", hint);
        self.print_document(&Plan::default(), None, vec![json::ErrorRecord::own(Exit::Refused, message)])?;
        Ok(Exit::Refused)
    }

    fn show(&self, plan: &Plan, report: Option<&Report>) -> Result<Exit, Failure> {
        if self.options.output.json() {
            self.print_json(plan, report)?;
        } else {
            self.print_text(plan, report)?;
        }
        Ok(self.exit(report))
    }

    /// How it ends, by what came of the plan.
    pub(crate) fn exit(&self, report: Option<&Report>) -> Exit {
        let failures =
            report.iter().flat_map(|report| &report.results).filter_map(|result| result.as_ref().err());
        let kept = report.iter().flat_map(|report| &report.kept);
        let exits = failures.chain(&self.errors).chain(kept).map(|error| Exit::of(error.kind()));
        let exits = exits.chain(report.filter(|report| report.stopped).map(|_| Exit::Interrupted));
        let exit = exits.max().unwrap_or(Exit::Done);
        // Something was done, so a refusal of the rest is no refusal of all.
        let some = report.is_some_and(|report| report.results.iter().any(Result::is_ok));
        if exit == Exit::Refused && some { Exit::Failed } else { exit }
    }

    fn print_json(&self, plan: &Plan, report: Option<&Report>) -> io::Result<()> {
        self.print_document(plan, report, self.errors.iter().map(Into::into).collect())
    }

    fn print_document(
        &self,
        plan: &Plan,
        report: Option<&Report>,
        errors: Vec<json::ErrorRecord>,
    ) -> io::Result<()> {
        let change = |(index, step)| {
            let result = report.and_then(|report| report.results.get(index));
            json::ChangeRecord::new(step, self.options.dry_run, result)
        };
        json::print(&json::ChangeDocument {
            schema: json::SCHEMA,
            verb: self.verb,
            operation: report.and_then(|report| report.operation).map(|id| id.0),
            dry_run: self.options.dry_run,
            changes: plan.steps.iter().enumerate().map(change).collect(),
            notes: plan.notes.iter().map(Into::into).collect(),
            tree: self.tree.map(|tree| json::TreeRecord {
                objects: tree.objects,
                bytes: tree.bytes,
                findings: tree.findings.iter().map(Into::into).collect(),
                lost: report
                    .iter()
                    .flat_map(|report| &report.lost)
                    .map(|(path, what)| json::NoteRecord { path: json::name(path), text: what.clone() })
                    .collect(),
                kept: report.iter().flat_map(|report| &report.kept).map(Into::into).collect(),
            }),
            errors,
        })
    }

    fn print_text(&self, plan: &Plan, report: Option<&Report>) -> io::Result<()> {
        let mut out = stdout();
        let Some(report) = report else {
            for step in &plan.steps {
                writeln!(out, "would {}", tell(step, Tense::Future))?;
            }
            if plan.steps.is_empty() {
                writeln!(out, "nothing to do")?;
            }
            return out.flush();
        };
        let done = plan.steps.iter().zip(&report.results).filter(|(_, result)| result.is_ok());
        let done: Vec<&Step> = done.map(|(step, _)| step).collect();
        if done.len() <= TELL_EACH {
            for step in &done {
                writeln!(out, "{}", tell(step, Tense::Past))?;
            }
        } else {
            let undo =
                report.operation.map(|id| format!(" (operation {id}; `linkctl undo {id}` takes them back)"));
            writeln!(out, "{}{}", tell_many(plan, &done), undo.unwrap_or_default())?;
        }
        if let Some(tree) = self.tree.filter(|tree| !tree.renamed && !done.is_empty()) {
            writeln!(out, "{}", tell_kept(tree, report))?;
        }
        if plan.steps.is_empty() {
            writeln!(out, "nothing to do")?;
        }
        out.flush()?;
        if report.stopped && self.tree.is_some() && done.is_empty() {
            complain("hint", "repeat the command to begin again");
        } else if report.stopped {
            let made = done.len();
            complain("warning", &format!("stopped after {made} of {} changes", plan.steps.len()));
            let undo = report.operation.filter(|_| made > 0);
            let undo = undo.map(|id| format!("; `linkctl undo {id}` takes back what was done"));
            let (left, undo) = (plan.steps.len() - made, undo.unwrap_or_default());
            complain("hint", &format!("repeat the command for the other {left}{undo}"));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tense {
    Future,
    Past,
}

/// What a copy kept, in words.
fn tell_kept(tree: Tree<'_>, report: &Report) -> String {
    let objects = if tree.objects == 1 { "object" } else { "objects" };
    let copied = format!("copied {} {objects}, {}", tree.objects, indicatif::HumanBytes(tree.bytes));
    match report.lost.len() {
        0 => format!("{copied}: all that belongs to it was kept"),
        1 => format!("{copied}: kept but for what is told above"),
        lost => format!("{copied}: kept but for {lost} things that are told above"),
    }
}

/// Many steps in words.
fn tell_many(plan: &Plan, done: &[&Step]) -> String {
    let (made, all) = (done.len(), plan.steps.len());
    let count = if made == all { made.to_string() } else { format!("{made} of {all}") };
    match done.first().map(|step| step.action()) {
        Some(action @ (Action::Create | Action::Replace | Action::Remove))
            if done.iter().all(|step| step.action() == action) =>
        {
            format!("{} {count} links", words(action, Tense::Past))
        }
        _ => format!("made {count} changes"),
    }
}

fn words(action: Action, tense: Tense) -> &'static str {
    match (action, tense) {
        (Action::MakeDirectory, Tense::Future) => "make directory",
        (Action::MakeDirectory, Tense::Past) => "made directory",
        (Action::Create, Tense::Future) => "create",
        (Action::Create, Tense::Past) => "created",
        (Action::Replace, Tense::Future) => "replace with",
        (Action::Replace, Tense::Past) => "replaced with",
        (Action::Remove, Tense::Future) => "remove",
        (Action::Remove, Tense::Past) => "removed",
        (Action::RemoveEmpty, Tense::Future) => "remove empty",
        (Action::RemoveEmpty, Tense::Past) => "removed empty",
        (Action::ClearReparsePoint, Tense::Future) => "delete the reparse point of",
        (Action::ClearReparsePoint, Tense::Past) => "deleted the reparse point of",
        (Action::Move, Tense::Future) => "move, leaving",
        (Action::Move, Tense::Past) => "moved, leaving",
        (Action::Restore, Tense::Future) => "bring back what is behind",
        (Action::Restore, Tense::Past) => "brought back what was behind",
        (Action::SetReparsePoint, Tense::Future) => "set the reparse point of",
        (Action::SetReparsePoint, Tense::Past) => "set the reparse point of",
    }
}

/// A step in words.
fn tell(step: &Step, tense: Tense) -> String {
    let verb = words(step.action(), tense);
    let kind = step.kind().map(|kind| format!(" {kind}")).unwrap_or_default();
    let target = step.target().and_then(Target::shown);
    let target = target.map(|shown| format!(" -> {}", sanitize::name(shown))).unwrap_or_default();
    format!("{verb}{kind} {}{target}", sanitize::name(step.path()))
}

/// The journal that there is, for reading.
pub(crate) fn existing_journal(directory: &Path) -> links::Result<Option<Journal>> {
    let opened = links::apply::existing_journal(directory)?;
    Ok(opened.map(|(journal, said)| {
        if let Some(said) = said {
            complain("warning", &said);
        }
        journal
    }))
}

/// The journal of this user. Without one, the change is made all the same.
fn open() -> Option<Journal> {
    let opened = Journal::default_directory().and_then(|directory| open_journal(&directory));
    match opened {
        Ok((journal, said)) => {
            if let Some(said) = said {
                complain("warning", &said);
            }
            tell_unrecovered(&journal);
            Some(journal)
        }
        Err(error) => {
            unjournaled(&error);
            None
        }
    }
}

/// Says that moves were interrupted, and what finishes them.
pub(crate) fn tell_unrecovered(journal: &Journal) {
    match links::apply::unrecovered_lately(journal) {
        Ok(stages) => {
            for stage in stages {
                let text = format!(
                    "an interrupted move left {}; `linkctl recover` finishes it",
                    sanitize::quoted(&stage)
                );
                complain("note", &text);
            }
        }
        Err(error) => complain("warning", &message(&error)),
    }
}

/// Nothing is done to a tree whose last move is not over.
pub(crate) fn must_be_recovered(left: &Path) -> Failure {
    let message = format!("an interrupted move left {}: it has to be finished first", sanitize::quoted(left));
    Failure::refused(message, "`linkctl recover` finishes it, or takes it back")
}

fn unjournaled(error: &Error) {
    complain("warning", &format!("{}: this change cannot be undone by linkctl", message(error)));
}

/// Runs work on a tree with a bar on the terminal: bytes, files, rate, time left.
fn shown<T>(meter: &Meter, tree: Option<Tree<'_>>, work: impl FnOnce() -> T) -> T {
    let Some(Tree { objects, bytes, .. }) = tree.filter(|_| io::stderr().is_terminal()) else {
        return work();
    };
    let (template, length) = if bytes > 0 {
        ("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left, {msg}", bytes)
    } else {
        ("{spinner} {msg}", objects)
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(length).with_style(style);
    let reads_back = AtomicBool::new(false);
    let show = |bar: &ProgressBar| {
        // What was copied is read back from the beginning.
        let checked = meter.checked.load(Ordering::Relaxed);
        if checked > 0 && !reads_back.swap(true, Ordering::Relaxed) {
            bar.reset();
        }
        let what = if checked > 0 { "read back" } else { "copied" };
        bar.set_position(if checked > 0 { checked } else { meter.bytes.load(Ordering::Relaxed) });
        let files = meter.files.load(Ordering::Relaxed).min(objects);
        bar.set_message(format!("{what}, {files} of {objects} files"));
    };
    with_bar(&bar, show, work)
}

/// Runs something while a bar is brought up to date ten times a second; takes the bar away at the end.
pub(crate) fn with_bar<T>(
    bar: &ProgressBar,
    show: impl Fn(&ProgressBar) + Sync,
    work: impl FnOnce() -> T,
) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let ticker = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(std::time::Duration::from_millis(100));
                show(bar);
            }
        });
        let answer = work();
        done.store(true, Ordering::Relaxed);
        ticker.thread().unpark();
        drop(ticker.join());
        bar.finish_and_clear();
        answer
    })
}

/// Asks on the terminal; without one, the answer is no.
fn ask(question: &str) -> Result<(), Failure> {
    const HINT: &str = "--yes does it without asking, --dry-run shows what would be done";
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::refused(format!("no terminal to ask on: {question}"), HINT));
    }
    if confirm(question)? {
        return Ok(());
    }
    Err(Failure::refused("not confirmed: nothing was changed", HINT))
}

/// Asks something that may as well be answered by no: without a terminal it is.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    write!(anstream::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The first signal asks the executor to stop at the next safe point, and is acknowledged at once;
/// the second ends the program there and then, which leaves every link whole all the same.
fn catch_interrupts() {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted.code().into());
        }
        complain("warning", "stopping after this step");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        complain("warning", &format!("Ctrl-C will end the program at once: {error}"));
    }
}

/// A bar on a terminal, for work that takes a while; nothing elsewhere.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(steps: usize) -> Self {
        let bar = if steps > TELL_EACH {
            let template = "{bar:30} {pos}/{len} links, {eta} left";
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            // indicatif draws on standard error, and only on a terminal.
            ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX)).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        Self { bar }
    }
}

impl Observer for Progress {
    fn step_ended(&mut self, _step: &Step, _result: &links::Result<Option<FileId>>) {
        self.bar.inc(1);
    }

    fn warning(&mut self, error: &Error) {
        self.bar.suspend(|| unjournaled(error));
    }
}
