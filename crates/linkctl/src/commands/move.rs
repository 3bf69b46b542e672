//! `linkctl move`.

use links::KindChoice;
use links::plan::Verify;
use links::relocate::{self, Finding, MoveSpec, Relocation, Severity};

use crate::args::{LeftKind, MoveArgs, TreeOptions, VerifyOption};
use crate::exit::Exit;
use crate::failure::{Failure, complain};
use crate::output::sanitize::{self, quoted};
use crate::session::Change;

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
    spec.search.clone_from(&args.search);
    let planned = relocate::plan(&spec)?;
    let mut change = Change::new("move", &args.change);
    change.question = Some(format!("Move {} to {}?", quoted(&args.source), quoted(&args.destination)));
    go(change, &args.tree, &planned)
}

pub(super) fn verify(options: &TreeOptions) -> Verify {
    match options.verify {
        VerifyOption::Full => Verify::Full,
        VerifyOption::Metadata => Verify::Metadata,
    }
}

/// Says what was found, and carries the plan out unless that stands in its way.
pub(super) fn go(
    mut change: Change<'_>,
    options: &TreeOptions,
    planned: &Relocation,
) -> Result<Exit, Failure> {
    let refuses = |finding: &Finding| {
        finding.severity == Severity::Refusal || options.strict && finding.severity == Severity::Warning
    };
    for finding in &planned.findings {
        let mark = match finding.severity {
            _ if refuses(finding) => "error",
            Severity::Warning => "warning",
            _ => "note",
        };
        complain(mark, &format!("{}: {}", quoted(&finding.path), sanitize::line(&finding.text)));
    }
    if let Some(first) = planned.findings.iter().find(|finding| refuses(finding)) {
        let text = format!("nothing was done: {}: {}", quoted(&first.path), sanitize::line(&first.text));
        let hint = if first.severity == Severity::Warning {
            "without --strict it is done all the same"
        } else {
            "what stands in the way is told above"
        };
        return Err(Failure::refused(text, hint));
    }
    change.tree = Some((planned.objects, planned.bytes));
    change.workers = options.jobs.map(std::num::NonZeroUsize::get);
    if !planned.findings.iter().any(|finding| finding.severity == Severity::Warning) {
        // It loses nothing and can be taken back: it is only asked where something will not be as it was.
        change.question = None;
    }
    change.run(&planned.plan)
}
