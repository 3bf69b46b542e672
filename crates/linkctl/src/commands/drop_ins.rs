//! `linkctl drop-ins`: makes linkctl answer to the names of Windows' commands.

use links::plan::Plan;
use links::{LinkSpec, OnExisting};

use crate::args::DropInsArgs;
use crate::compat::Tool;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Change;

pub(crate) fn run(args: &DropInsArgs) -> Result<Exit, Failure> {
    let change = Change::new("drop-ins", &args.change);
    let program = std::env::current_exe().map_err(|error| Failure::Own {
        exit: Exit::Failed,
        message: format!("cannot tell where linkctl itself is: {error}"),
        hint: Some("is /proc mounted?".to_owned()),
    })?;
    let (mut plan, mut errors) = (Plan::default(), Vec::new());
    for tool in Tool::ALL {
        let mut spec = LinkSpec::new(args.dir.join(tool.name()), &program);
        spec.parents = true;
        spec.on_existing = if args.replace { OnExisting::ReplaceLink } else { OnExisting::Refuse };
        match links::create::plan(&spec) {
            Ok(one) => plan.append(one),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return change.refuse(errors);
    }
    links::deduplicate(&mut plan);
    change.run(&plan)
}
