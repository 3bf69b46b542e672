//! `linkctl move`.

use links::plan::{Step, Verify};
use links::relocate::{self, Finding, MoveSpec, Relocation, Severity};
use links::repair::links_into;
use links::{Journal, KindChoice};

use crate::args::{ChangeOptions, IntoOptions, LeftKind, MoveArgs, TreeOptions, VerifyOption};
use crate::exit::Exit;
use crate::failure::{Failure, complain, say_all};
use crate::output::sanitize::{self, quoted};
use crate::session::{Change, Tree, confirm, existing_journal};

pub(crate) fn run(args: &MoveArgs) -> Result<Exit, Failure> {
    let mut spec = MoveSpec::new(&args.source, &args.destination);
    spec.kind = match args.kind {
        LeftKind::Auto => KindChoice::Auto,
        LeftKind::Symlink => KindChoice::Symlink,
        LeftKind::Junction => KindChoice::Junction,
    };
    spec.drive = args.drive;
    spec.relative = args.relative;
    spec.verify = verify(&args.tree);
    let mut planned = relocate::plan(&spec)?;
    take_along(&mut planned, &args.into, &args.change)?;
    let mut change = Change::new("move", &args.change);
    change.question = Some(format!("Move {} to {}?", quoted(&args.source), quoted(&args.destination)));
    go(change, &args.tree, &planned)
}

/// Looks for links that lead into what is moved, and lets them name the new place, if that is wanted.
pub(super) fn take_along(
    planned: &mut Relocation,
    options: &IntoOptions,
    change: &ChangeOptions,
) -> Result<(), Failure> {
    let (from, to, goes_on) = match planned.plan.steps.first() {
        Some(Step::MoveTree { source, destination, .. }) => (source, destination, true),
        Some(Step::RestoreTree { tree, link, .. }) => (tree, link, false),
        _ => return Ok(()),
    };
    let journal = Journal::default_directory().ok().map(|directory| existing_journal(&directory));
    let journal = journal.transpose()?.flatten();
    let mut into = links_into(from, to, &options.search, journal.as_ref())?;
    if let Some(Step::RestoreTree { link, .. }) = planned.plan.steps.first() {
        into.steps.retain(|step| step.path() != link);
    }
    say_all("move", &into.errors);
    let (links, lead) = match into.steps.len() {
        0 => return Ok(()),
        1 => ("1 link".to_owned(), "leads"),
        more => (format!("{more} links"), "lead"),
    };
    let what = format!("{links} outside of it {lead} into {}", quoted(from));
    let wanted = options.retarget
        || !change.yes
            && !change.dry_run
            && confirm(&format!("{what}. Let them name {} itself?", quoted(to)))?;
    if wanted {
        planned.plan.steps.extend(into.steps);
        return Ok(());
    }
    if goes_on {
        complain("note", &format!("{what}, and go on to by the new link"));
    } else {
        complain("warning", &format!("{what}, and will be broken"));
    }
    complain("hint", "--retarget lets them name the new place themselves");
    Ok(())
}

pub(super) fn verify(options: &TreeOptions) -> Verify {
    match options.verify {
        VerifyOption::Full => Verify::Full,
        VerifyOption::Metadata => Verify::Metadata,
    }
}

/// Says what was found, and carries the plan out unless that stands in its way.
pub(super) fn go<'a>(
    mut change: Change<'a>,
    options: &TreeOptions,
    planned: &'a Relocation,
) -> Result<Exit, Failure> {
    let refuses = |finding: &&Finding| {
        finding.severity == Severity::Refusal || options.strict && finding.severity == Severity::Warning
    };
    let tell = |finding: &Finding| format!("{}: {}", quoted(&finding.path), sanitize::line(&finding.text));
    let in_the_way: Vec<&Finding> = planned.findings.iter().filter(refuses).collect();
    for finding in &planned.findings {
        let mark = match finding.severity {
            // The only one is told as why nothing is done.
            _ if refuses(&finding) && in_the_way.len() == 1 => continue,
            _ if refuses(&finding) => "error",
            Severity::Warning => "warning",
            _ => "note",
        };
        complain(mark, &tell(finding));
    }
    let Relocation { objects, bytes, renamed, findings, .. } = planned;
    change.tree = Some(Tree { objects: *objects, bytes: *bytes, renamed: *renamed, findings });
    change.strict = options.strict;
    if let Some(first) = in_the_way.first() {
        let text = match in_the_way.len() {
            1 => format!("nothing was done: {}", tell(first)),
            all => format!("nothing was done: {all} things stand in the way"),
        };
        let hint = if first.severity == Severity::Warning {
            "without --strict it is done all the same"
        } else {
            "nothing was changed; once that is no longer so, --dry-run looks again"
        };
        return change.refuse_tree(&text, hint);
    }
    change.workers = options.jobs.map(std::num::NonZeroUsize::get);
    if !planned.findings.iter().any(|finding| finding.severity == Severity::Warning) {
        // It loses nothing and can be taken back: it is only asked where something will not be as it was.
        change.question = None;
    }
    change.run(&planned.plan)
}
