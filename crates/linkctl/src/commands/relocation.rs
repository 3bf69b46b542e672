//! What `move` and `restore` share, and `undo` of both: whole trees that go to another place.

use links::plan::{Severity, TreeMove, Verify};
use links::relocate::{self, Relocation};
use links::{Error, ErrorKind, PlanContext};

use crate::args::{ChangeOptions, IntoOptions, TreeOptions, VerifyOption};
use crate::exit::Exit;
use crate::failure::{Failure, Verb, complain, say_all};
use crate::output::sanitize::quoted;
use crate::session::{Change, Recorded, confirm};

/// How a tree is moved or restored.
pub(super) fn how(tree: &TreeOptions, into: &IntoOptions) -> relocate::TreeOptions {
    let mut how = relocate::TreeOptions::default();
    how.verify = match tree.verify {
        VerifyOption::Full => Verify::Full,
        VerifyOption::Metadata => Verify::Metadata,
    };
    how.strict = tree.strict;
    how.search.clone_from(&into.search);
    how
}

/// Plans with what was recorded before, or without it where it cannot be read.
pub(super) fn planned(
    change: &ChangeOptions,
    plan: impl Fn(&PlanContext<'_>) -> links::Result<Relocation>,
) -> links::Result<Relocation> {
    const WITHOUT: &str = "what earlier moves and `track` recorded is not known";
    let recorded = Recorded::open_if_readable(change.dry_run, WITHOUT);
    match plan(&recorded.context()) {
        Err(error) if recorded.journal.is_some() && is_of_journal(&error) => {
            plan(&Recorded::unread(&error, WITHOUT).context())
        }
        answer => answer,
    }
}

fn is_of_journal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Journal | ErrorKind::CorruptJournal)
}

/// Retargets links outside of the tree that lead into it, if that is wanted.
pub(super) fn take_along(
    verb: &Verb,
    planned: &mut Relocation,
    options: &IntoOptions,
    change: &ChangeOptions,
) -> Result<(), Failure> {
    say_all(verb, &planned.unread);
    let Some(step) = planned.plan.steps.first() else { return Ok(()) };
    let Some(TreeMove { from, to, .. }) = step.tree() else { return Ok(()) };
    let goes_on = step.action() == links::plan::Action::Move;
    let (links, lead, go) = match planned.outside.len() + planned.stuck.len() {
        0 => return Ok(()),
        1 => ("1 link".to_owned(), "leads", "goes"),
        more => (format!("{more} links"), "lead", "go"),
    };
    let what = format!("{links} outside of it {lead} into {}", quoted(from));
    let asks = !change.yes && !change.dry_run && !planned.outside.is_empty();
    let wanted = options.retarget || asks && confirm(&format!("{what}. Let them name {} itself?", quoted(to)))?;
    if wanted {
        say_all(verb, &planned.stuck);
        planned.retarget_links();
        return Ok(());
    }
    if goes_on {
        complain("note", &format!("{what}, and {go} on to do so by the new link"));
    } else {
        complain("warning", &format!("{what}, and will be broken"));
    }
    if !planned.outside.is_empty() {
        complain("hint", "--retarget lets them name the new place themselves");
    }
    Ok(())
}

/// Carries the plan out. It is only asked for where something will not be as it was: the rest can be taken back.
pub(super) fn go(mut change: Change<'_>, options: &TreeOptions, planned: Relocation) -> Result<Exit, Failure> {
    change.strict = options.strict;
    change.workers = options.jobs.map(std::num::NonZeroUsize::get);
    if !planned.plan.findings.iter().any(|finding| finding.severity == Severity::Warning) {
        change.question = None;
    }
    change.run(planned.plan)
}
