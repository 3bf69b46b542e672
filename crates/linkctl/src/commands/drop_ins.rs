//! `linkctl drop-ins`: makes linkctl answer to the names of Windows' commands.

use links::{KindChoice, LinkSpec, OnExisting};

use crate::args::{DropInsArgs, by_system};
use crate::compat::Tool;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Change;

pub(crate) fn run(args: &DropInsArgs) -> Result<Exit, Failure> {
    let change = Change::new("drop-ins", &args.change);
    let program = std::env::current_exe().map_err(|error| Failure::Own {
        exit: Exit::Failed,
        message: format!("cannot tell where linkctl itself is: {error}"),
        hint: Some(by_system("is /proc mounted?", "start it by its full path").to_owned()),
    })?;
    change.create(Tool::ALL.map(|tool| {
        let name = format!("{}{}", tool.name(), std::env::consts::EXE_SUFFIX);
        let mut spec = LinkSpec::new(args.dir.join(name), &program);
        spec.parents = true;
        if !links::system::may_make_symlinks() {
            spec.kind = KindChoice::Hard;
        }
        spec.on_existing = if args.replace { OnExisting::ReplaceLink } else { OnExisting::Refuse };
        spec
    }))
}
