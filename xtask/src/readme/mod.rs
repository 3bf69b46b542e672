//! The examples of README.md and docs/ are run, and what they print is compared with what stands there.
//!
//! A block fenced with ` ```console ` holds commands, `$ ` before each (`> ` before further lines of the same
//! command), and below each what it prints on both outputs together. In that text `[..]` stands for anything
//! within a line, a line `...` for any lines, and a last line `[exit 3]` says that the command ends so; without
//! it, it must succeed. Blanks at line ends and empty lines at the end do not count.
//!
//! The blocks from one `## ` heading to the next are one shell session in a fresh directory. A word after
//! `console` changes that:
//!
//! - `norun`: is not run, only counted
//! - `ntfs`: the session's directory has a fresh NTFS volume mounted at `./disk`

mod matching;
mod parse;
mod session;
mod temp;

pub(crate) use temp::TempDir;

use std::path::{Path, PathBuf};

use crate::Result;
use crate::run::{cargo, entries, root, run};
use parse::{Command, Section};

/// Runs all examples and returns how many commands there were. Every mismatch is printed.
pub(crate) fn check() -> Result<u64> {
    let product = build()?;
    let (mut commands, mut failures, mut not_run) = (0, 0, 0);
    for file in files()? {
        let text =
            std::fs::read_to_string(root().join(&file)).map_err(|error| format!("{}: {error}", file.display()))?;
        let page = parse::page(&file.display().to_string(), &text)?;
        not_run += page.not_run;
        for section in &page.sections {
            let wrong = run_section(&file.display().to_string(), section, &product)?;
            commands += section.commands.len() as u64;
            failures += wrong.len();
            for report in wrong {
                eprintln!("{report}");
            }
        }
    }
    println!("{commands} commands run; {not_run} blocks are marked as not to be run");
    if failures > 0 {
        return Err(format!("{failures} of {commands} examples do not print what stands there"));
    }
    if commands == 0 {
        return Err("no example in README.md or docs/ was run".to_owned());
    }
    Ok(commands)
}

fn run_section(file: &str, section: &Section, product: &Path) -> Result<Vec<String>> {
    let results = session::run(section, product)
        .map_err(|error| format!("{file}:{}: section {:?}: {error}", section.line, section.title))?;
    let mut wrong = Vec::new();
    for (index, command) in section.commands.iter().enumerate() {
        let place = format!("{file}:{}", command.line);
        let Some(result) = results.get(index) else {
            wrong.push(format!("{place}: not reached: the shell of this section ended before\n  $ {}", command.text));
            break;
        };
        if let Some(difference) = judge(command, result) {
            wrong.push(format!("{place}: {difference}"));
        }
    }
    Ok(wrong)
}

fn judge(command: &Command, result: &session::Ran) -> Option<String> {
    if !matching::matches(&command.expected, &result.output) {
        let difference = matching::difference(&command.expected, &result.output);
        return Some(format!("other output than stands there (-), but (+)\n  $ {}\n{difference}", command.text));
    }
    (command.exit != result.exit)
        .then(|| format!("ends with {}, not {}\n  $ {}\n{}", result.exit, command.exit, command.text, result.output))
}

/// README.md and the pages of docs/, in a fixed order.
fn files() -> Result<Vec<PathBuf>> {
    let mut pages = vec![PathBuf::from("README.md")];
    for path in entries(&root().join("docs"))? {
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(Path::new("docs").join(path.file_name().unwrap_or_default()));
        }
    }
    Ok(pages)
}

/// Builds the program and says where it is: beside this one, which the same cargo has built.
fn build() -> Result<PathBuf> {
    let own = std::env::current_exe().map_err(|error| format!("where am I: {error}"))?;
    let directory = own.parent().map(PathBuf::from).unwrap_or_default();
    let build: &[&str] = if directory.ends_with("debug") {
        // As the tests have it: built for itself, it has other features of its crates, and all are built again.
        &["test", "--workspace", "--tests", "--no-run"]
    } else {
        &["build", "--package", "linkctl", "--release"]
    };
    run(&mut cargo(build))?;
    Ok(directory.join("linkctl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Result<Vec<String>> {
        let page = parse::page("x.md", text)?;
        let mut found = Vec::new();
        for section in &page.sections {
            found.extend(run_section("x.md", section, Path::new("/bin/true"))?);
        }
        Ok(found)
    }

    #[test]
    fn right_examples_pass() -> Result<()> {
        let text = "\
## One
```console
$ mkdir a && cd a
$ x=kept; printf 'no line end'
no line end
$ cat <<END > b
> two
> lines
> END
```
### Still one
```console
$ echo $x; cat b; basename $PWD
kept
two
lines
a
$ echo wrong >&2; (exit 3)
wrong
[exit 3]
$ linkctl && echo $HOME $TZ
[..]/home UTC
$ seq 1 100
1
...
100
```
## Two
```console
$ ls
```
";
        assert_eq!(wrong(text)?, [""; 0]);
        Ok(())
    }

    #[test]
    fn wrong_examples_are_named_with_their_line() -> Result<()> {
        let text = "\
```console
$ printf 'a\\nb\\nc\\n'
a
x
c
$ false
$ true
[exit 1]
$ echo 'unclosed
```
";
        let found = wrong(text)?;
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(found[0].starts_with("x.md:2: other output"), "{}", found[0]);
        assert!(found[0].ends_with("    a\n  - x\n  + b\n    c\n"), "{}", found[0]);
        assert!(found[1].starts_with("x.md:6: ends with 1, not 0"), "{}", found[1]);
        assert!(found[2].starts_with("x.md:7: ends with 0, not 1"), "{}", found[2]);
        assert!(found[3].starts_with("x.md:9: "), "{}", found[3]);
        Ok(())
    }

    #[test]
    fn ntfs_sections_have_a_volume() -> Result<()> {
        let text = "```console ntfs\n$ stat -f -c %T disk && touch disk/a && ls disk\nfuseblk\na\n```\n";
        assert_eq!(wrong(text)?, [""; 0]);
        Ok(())
    }
}
