//! A changing verb with its plan: asks, applies it, reports what was done.

use std::io::{self, Write as _};

use links::Error;
use links::apply::{Meter, Operation, Report, Run, Tracking, apply, raise_guard};
use links::journal::OperationId;
use links::plan::{Action, Cost, Finding, Plan, Severity, Step};

use super::interrupt::{STOP, catch_interrupts};
use super::journal::{Store, must_be_recovered, unrecorded};
use super::progress::{Progress, shown};
use super::prompt::ask;
use crate::args::ChangeOptions;
use crate::exit::Exit;
use crate::failure::{Failure, Verb, complain, not_kept, say_all, text_of};
use crate::output::json::change::{Changes, Document, FindingRecord, NoteRecord};
use crate::output::{json, sanitize, stdout, table};

/// More changes than this are printed as their number.
const TELL_EACH: usize = 20;

/// A verb about to change something.
pub(crate) struct Change<'a> {
    pub(crate) verb: &'static Verb,
    pub(crate) options: &'a ChangeOptions,
    pub(crate) undoes: Option<OperationId>,
    /// Of which links it is recorded what they lead to.
    pub(crate) tracking: Tracking,
    /// What is asked before the plan is carried out, unless `--yes` is there.
    pub(crate) question: Option<String>,
    /// What could not be planned, while the rest goes on.
    pub(crate) errors: Vec<Error>,
    /// How many threads work on a tree.
    pub(crate) workers: Option<usize>,
    /// Whether a warning refuses the plan.
    pub(crate) strict: bool,
}

/// The question before a tree comes back to a place whose link is gone.
fn about_missing_link(plan: &Plan) -> Option<String> {
    let gone = plan.findings.iter().find(|finding| finding.code == "link-gone")?;
    Some(format!("bring it back to {}?", sanitize::quoted(&gone.path)))
}

impl<'a> Change<'a> {
    pub(crate) fn new(verb: &'static Verb, options: &'a ChangeOptions) -> Self {
        Self {
            verb,
            options,
            undoes: None,
            tracking: Tracking::All,
            question: None,
            errors: Vec::new(),
            workers: None,
            strict: false,
        }
    }

    /// Applies a plan, or shows it, and prints the results. A plan with refusals is not carried out.
    pub(crate) fn run(mut self, mut plan: Plan) -> Result<Exit, Failure> {
        let mut refused = std::mem::take(&mut plan.refused);
        if !refused.is_empty() {
            refused.append(&mut self.errors);
            return self.refuse(refused);
        }
        say_all(self.verb, &self.errors);
        if self.print_findings(&plan.findings) {
            return self.refuse_by(&plan, &plan.findings);
        }
        let report = self.carry_out(&plan)?;
        if let Some(report) = report.as_ref().filter(|report| !report.refused.is_empty()) {
            if let Some(left) = report.refused.iter().find(|finding| finding.code == "interrupted-move") {
                return Err(must_be_recovered(&left.path));
            }
            self.print_findings(&report.refused);
            return self.refuse_by(&plan, &report.refused);
        }
        self.show(&plan, report.as_ref())
    }

    fn refuses(&self, finding: &Finding) -> bool {
        finding.severity == Severity::Refusal || self.strict && finding.severity == Severity::Warning
    }

    /// Prints what was found; whether any of it refuses the plan.
    fn print_findings(&self, findings: &[Finding]) -> bool {
        let refusals = findings.iter().filter(|finding| self.refuses(finding)).count();
        let mut notes = 0;
        for finding in findings {
            let mark = match finding.severity {
                // The only one is printed as the reason why nothing is done.
                _ if self.refuses(finding) && refusals == 1 => continue,
                _ if self.refuses(finding) => "error",
                Severity::Warning => "warning",
                _ => {
                    notes += 1;
                    "note"
                }
            };
            if mark != "note" || notes <= TELL_EACH {
                complain(mark, &words_of(finding));
            }
        }
        if notes > TELL_EACH {
            complain("note", &format!("and {} more such notes", notes - TELL_EACH));
        }
        refusals > 0
    }

    /// Nothing is done, because of what was found.
    fn refuse_by(&self, plan: &Plan, findings: &[Finding]) -> Result<Exit, Failure> {
        let refusals: Vec<_> = findings.iter().filter(|finding| self.refuses(finding)).collect();
        let Some(first) = refusals.first() else { return Ok(Exit::Refused) };
        let message = match refusals.len() {
            1 => format!("nothing was done: {}", words_of(first)),
            all => format!("nothing was done: {all} things stand in the way"),
        };
        let hint = if first.severity == Severity::Warning {
            "without --strict it is done all the same"
        } else if first.code == "undone-already" {
            "`linkctl history` shows what can be undone"
        } else {
            "nothing was changed; once that is no longer so, --dry-run looks again"
        };
        if !self.options.output.json() {
            return Err(Failure::refused(message, hint));
        }
        complain("error", &message);
        complain("hint", hint);
        let nothing = Plan::default();
        let mut document = self.document(&nothing, None);
        document.tree = plan.cost.map(|cost| (cost, findings, None).into());
        document.errors = vec![json::ErrorRecord::own(Exit::Refused, &message)];
        json::print(&document)?;
        Ok(Exit::Refused)
    }

    /// Asks, applies a plan, and prints what failed; `None` where it is only to be shown.
    pub(crate) fn carry_out(&self, plan: &Plan) -> Result<Option<Report>, Failure> {
        if self.options.dry_run {
            for finding in plan.untried() {
                complain("not tried", &words_of(&finding));
            }
            return Ok(None);
        }
        if let Some(question) = self.question.clone().or_else(|| about_missing_link(plan))
            && !plan.steps.is_empty()
            && !self.options.yes
        {
            ask(&question)?;
        }
        catch_interrupts();
        raise_guard();
        let nothing = plan.steps.is_empty() && self.undoes.is_none();
        let unrecorded = unrecorded(&plan.steps);
        let mut store = if nothing { None } else { Store::open(self.is_quick(plan), &unrecorded) };
        let steps = plan.steps.len();
        let mut progress = Progress::new((steps > TELL_EACH).then_some(steps), &unrecorded);
        let meter = Meter::default();
        let operation = Operation {
            undoes: self.undoes,
            partial: !self.errors.is_empty(),
            tracking: self.tracking,
            ..Operation::new(self.verb.name)
        };
        let run = Run { workers: self.workers, progress: Some(&meter), ..Run::new(&STOP) };
        let size = plan.cost.map(|cost| (cost.objects, cost.bytes));
        let records = store.as_mut().map(Store::records);
        let mut report = shown(&meter, size, || apply(plan, &operation, records, run, &mut progress));
        progress.bar.finish_and_clear();
        if report.stopped && report.operation.is_none() {
            report.operation = store.as_ref().and_then(|store| store.number(&unrecorded));
        }
        report.lost().take(TELL_EACH).for_each(not_kept);
        let more = report.lost().count().saturating_sub(TELL_EACH);
        if more > 0 {
            complain("warning", &format!("and {more} more things that could not be kept"));
        }
        let failed = report.results.iter().filter_map(|result| result.as_ref().err());
        say_all(self.verb, failed.chain(report.kept()));
        Ok(Some(report))
    }

    /// Whether the change is recorded in the queue of the journal: where its number is not printed.
    fn is_quick(&self, plan: &Plan) -> bool {
        let is_few = plan.steps.len() <= TELL_EACH && plan.cost.is_none();
        is_few && self.undoes.is_none() && self.tracking == Tracking::All && !self.options.output.json()
    }

    /// Nothing was planned, because of these errors.
    pub(crate) fn refuse(mut self, errors: Vec<Error>) -> Result<Exit, Failure> {
        if self.options.output.json() {
            let exit = Exit::of_all(&errors).unwrap_or(Exit::Failed);
            say_all(self.verb, &errors);
            self.errors = errors;
            json::print(&self.document(&Plan::default(), None))?;
            return Ok(exit);
        }
        Err(Failure::Links(errors))
    }

    fn show(&self, plan: &Plan, report: Option<&Report>) -> Result<Exit, Failure> {
        if self.options.output.json() {
            json::print(&self.document(plan, report))?;
        } else {
            self.print_text(plan, report)?;
        }
        Ok(self.exit(report))
    }

    /// How it ends, by what came of the plan.
    pub(crate) fn exit(&self, report: Option<&Report>) -> Exit {
        let failures = report.iter().flat_map(|report| &report.results).filter_map(|result| result.as_ref().err());
        let kept = report.iter().flat_map(|report| report.kept());
        let stopped = report.filter(|report| report.stopped).map(|_| Exit::Interrupted);
        let exit = Exit::of_all(failures.chain(&self.errors).chain(kept)).max(stopped).unwrap_or(Exit::Done);
        // Something was done, so a refusal of the rest is no refusal of all.
        let some = report.is_some_and(|report| report.results.iter().any(Result::is_ok));
        if exit == Exit::Refused && some { Exit::Failed } else { exit }
    }

    fn document<'p>(&'p self, plan: &'p Plan, report: Option<&'p Report>) -> Document<'p> {
        let untried = if self.options.dry_run { plan.untried() } else { Vec::new() };
        Document {
            verb: self.verb.name,
            operation: report.and_then(|report| report.operation).map(|id| id.0),
            dry_run: self.options.dry_run,
            changes: Changes { steps: &plan.steps, report, dry_run: self.options.dry_run },
            notes: plan.findings.iter().filter_map(NoteRecord::of_note).collect(),
            not_tried: untried.iter().map(FindingRecord::from).collect(),
            tree: plan.cost.map(|cost| (cost, &*plan.findings, report).into()),
            errors: self.errors.iter().chain(report.iter().flat_map(|report| report.kept())).map(Into::into).collect(),
        }
    }

    fn print_text(&self, plan: &Plan, report: Option<&Report>) -> io::Result<()> {
        let mut out = stdout();
        let Some(report) = report else {
            for step in &plan.steps {
                out.write_all(b"would ")?;
                tell(&mut out, words(step.action()).0, step)?;
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
                tell(&mut out, words(step.action()).1, step)?;
            }
        } else {
            let undo = report.operation.map(|id| format!(" (operation {id}; `linkctl undo {id}` takes them back)"));
            writeln!(out, "{}{}", tell_many(plan, &done), undo.unwrap_or_default())?;
        }
        if let Some(cost) = plan.cost.filter(|cost| !cost.is_rename && !done.is_empty()) {
            writeln!(out, "{}", tell_kept(cost, report))?;
        }
        if plan.steps.is_empty() {
            writeln!(out, "nothing to do")?;
        }
        out.flush()?;
        if report.stopped && plan.cost.is_some() && done.is_empty() {
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

fn words_of(finding: &Finding) -> String {
    format!("{}: {}", sanitize::quoted(&finding.path), sanitize::line(&text_of(finding)))
}

/// What a copy kept, in words.
fn tell_kept(cost: Cost, report: &Report) -> String {
    let objects = if cost.objects == 1 { "object" } else { "objects" };
    let copied = format!("copied {} {objects}, {}", cost.objects, indicatif::HumanBytes(cost.bytes));
    if report.kept().next().is_some() {
        return format!("{copied}; the old tree is still there, as told above");
    }
    match report.lost().count() {
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
            format!("{} {count} links", words(action).1)
        }
        _ => format!("made {count} changes"),
    }
}

/// The words for an action that is planned, and for one that is done.
fn words(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::MakeDirectory => ("make directory", "made directory"),
        Action::Create => ("create", "created"),
        Action::Replace => ("replace with", "replaced with"),
        Action::Remove => ("remove", "removed"),
        Action::RemoveEmpty => ("remove empty", "removed empty"),
        Action::ClearReparsePoint => ("delete the reparse point of", "deleted the reparse point of"),
        Action::Move => ("move, leaving", "moved, leaving"),
        Action::Restore => ("bring back what is behind", "brought back what was behind"),
        Action::SetReparsePoint => ("set the reparse point of", "set the reparse point of"),
    }
}

/// A step in words, on a line: plans may have millions of them.
fn tell(out: &mut impl io::Write, words: &str, step: &Step) -> io::Result<()> {
    out.write_all(words.as_bytes())?;
    if let Some(kind) = step.kind() {
        out.write_all(b" ")?;
        out.write_all(kind.as_str().as_bytes())?;
    }
    out.write_all(b" ")?;
    table::arrow(out, step.path().shown(), step.target())
}
