//! `linkctl help`.

use clap::{Args, CommandFactory as _};

use crate::args::{Cli, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb};
use crate::kinds;
use crate::output;
use crate::output::sanitize;

/// Explain a verb, or the kinds of link (`help kinds`)
#[derive(Debug, Args)]
#[command(after_help = after_help!(Example: ["help kinds"] ["help create"]))]
pub(crate) struct HelpArgs {
    /// A verb, or `kinds`
    pub(crate) topic: Option<String>,
}

pub(crate) const VERB: Verb = Verb::new("help", &[]);

pub(crate) fn run(args: &HelpArgs) -> Result<Exit, Failure> {
    let mut cli = Cli::command();
    // Usage lines name the program only once the tree is built.
    cli.build();
    let text = match args.topic.as_deref() {
        None => cli.render_long_help().ansi().to_string(),
        Some("kinds") => kinds(),
        Some(verb) => {
            let command = cli.find_subcommand_mut(verb).ok_or_else(|| {
                let message = format!("there is no verb '{}'", sanitize::line(verb));
                Failure::usage(message, "`linkctl help` lists them; `linkctl help kinds` is the other topic")
            })?;
            command.render_long_help().ansi().to_string()
        }
    };
    output::print(&text)?;
    Ok(Exit::Done)
}

/// One block a kind: three columns of sentences would not fit a terminal.
fn kinds() -> String {
    let mut text = String::from("What each kind of link can do\n");
    for kind in kinds::ALL {
        text.push('\n');
        for (question, answer) in kind.rows() {
            text.push_str(&format!("  {question:<22}{answer}\n"));
        }
    }
    text.push_str(
        "\nOn Windows and NTFS a symbolic link says whether its target is a file or a directory\n\
         (symlink-file, symlink-dir); --kind symlink means every symbolic link.\n",
    );
    text
}
