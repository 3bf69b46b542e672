//! `linkctl remove`.

use links::plan::Plan;
use links::{Filter, KindFilter};

use crate::args::RemoveArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::sanitize::quoted;
use crate::session::Change;

pub(crate) fn run(args: &RemoveArgs) -> Result<Exit, Failure> {
    let mut change = Change::new("remove", &args.change);
    let (mut plan, mut refused) = (Plan::default(), Vec::new());
    if args.recursive && args.kind == Some(KindFilter::HARD) {
        return Err(Failure::usage(
            "--recursive removes symbolic links and junctions, not names of files",
            "name each: linkctl remove --kind hard NAME...",
        ));
    }
    for path in &args.paths {
        if args.recursive {
            let filter = Filter::new(args.kind, []);
            match links::remove::plan_below(path, filter, args.one_file_system) {
                Ok((below, unread)) => {
                    plan.append(below);
                    change.errors.extend(unread);
                }
                Err(error) => refused.push(error),
            }
        } else {
            match links::remove::plan(path, args.kind) {
                Ok(one) => plan.append(one),
                Err(error) => refused.push(error),
            }
        }
    }
    if !refused.is_empty() {
        refused.append(&mut change.errors);
        return change.refuse(refused);
    }
    // The same link named twice, or in trees that overlap.
    links::deduplicate(&mut plan);
    if let Some(error) = links::remove::last_names(&plan).into_iter().next() {
        return change.refuse(vec![error]);
    }
    if args.recursive {
        let below: Vec<String> = args.paths.iter().map(quoted).collect();
        let (count, below) = (plan.steps.len(), below.join(", "));
        let links = if count == 1 { "link" } else { "links" };
        change.question = Some(format!("Remove {count} {links} below {below}?"));
    }
    change.run(&plan)
}
