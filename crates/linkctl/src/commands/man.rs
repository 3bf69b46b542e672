//! `linkctl man`: the one verb that writes what is no link, and journals nothing.

use std::sync::atomic::AtomicBool;

use clap::CommandFactory as _;
use links::apply::{Request, apply};

use crate::args::{Cli, ManArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, sanitize};

pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let plan = links::create::plan_directory(&args.dir);
    let request = Request::new("man");
    let report = apply(&plan, request, None, &mut (), &AtomicBool::new(false));
    report.results.into_iter().collect::<links::Result<Vec<_>>>()?;
    clap_mangen::generate_to(Cli::command(), &args.dir).map_err(|error| Failure::Own {
        exit: Exit::Failed,
        message: format!("cannot write the manual pages into {}: {error}", sanitize::quoted(&args.dir)),
        hint: None,
    })?;
    output::print(&format!("manual pages written into {}\n", sanitize::name(&args.dir)))?;
    Ok(Exit::Done)
}
