//! `linkctl restore`.

use links::{Journal, relocate};

use super::r#move::{go, take_along, verify};
use crate::args::RestoreArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::sanitize::quoted;
use crate::session::{Change, existing_journal};

pub(crate) fn run(args: &RestoreArgs) -> Result<Exit, Failure> {
    let journal = Journal::default_directory().ok().map(|directory| existing_journal(&directory));
    let journal = journal.transpose()?.flatten();
    let mut planned = relocate::plan_restore(&args.link, verify(&args.tree), journal.as_ref())?;
    drop(journal);
    take_along(&mut planned, &args.into, &args.change)?;
    let mut change = Change::new("restore", &args.change);
    change.question = Some(format!("Bring back what {} leads to?", quoted(&args.link)));
    go(change, &args.tree, &planned)
}
