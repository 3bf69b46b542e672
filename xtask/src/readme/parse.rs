//! Finds the examples in a Markdown page.

use crate::Result;

/// One page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) sections: Vec<Section>,
    /// Blocks marked `norun`.
    pub(crate) not_run: u64,
}

/// The examples below one `## ` heading: one shell session.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) line: usize,
    /// Whether a block needs an NTFS volume.
    pub(crate) ntfs: bool,
    pub(crate) commands: Vec<Command>,
}

/// One command and what it should do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) expected: String,
    pub(crate) exit: u8,
}

/// Takes a page apart. A block that cannot be understood is an error: it would not be tested otherwise.
pub(crate) fn page(name: &str, text: &str) -> Result<Page> {
    let mut page = Page::default();
    let mut section = Section { title: "(top)".to_owned(), line: 1, ..Section::default() };
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            let next = Section { title: title.trim().to_owned(), line: number, ..Section::default() };
            page.sections.push(std::mem::replace(&mut section, next));
        }
        let Some(fence) = Fence::open(line) else { continue };
        let mut body = Vec::new();
        loop {
            let Some((number, line)) = lines.next() else {
                return Err(format!("{name}:{number}: this block is not closed"));
            };
            if fence.closes(line) {
                break;
            }
            body.push((number, fence.content(line)));
        }
        match fence.tag() {
            Tag::Run { ntfs } => {
                section.ntfs |= ntfs;
                section.commands.extend(commands(&body).map_err(|(line, error)| format!("{name}:{line}: {error}"))?);
                if body.is_empty() {
                    return Err(format!("{name}:{number}: this block is empty"));
                }
            }
            Tag::NoRun => page.not_run += 1,
            Tag::Other => {}
            Tag::Unknown(word) => {
                return Err(format!("{name}:{number}: `console` with {word:?}: known are `norun` and `ntfs`"));
            }
        }
    }
    page.sections.push(section);
    page.sections.retain(|section| !section.commands.is_empty());
    Ok(page)
}

fn commands(body: &[(usize, &str)]) -> std::result::Result<Vec<Command>, (usize, &'static str)> {
    let mut commands: Vec<Command> = Vec::new();
    // Whether the last line belonged to a command, so that `> ` goes on with it and is not output.
    let mut typing = false;
    for &(line, text) in body {
        if let Some(typed) = text.strip_prefix("$ ") {
            commands.push(Command { line, text: typed.to_owned(), ..Command::default() });
            typing = true;
            continue;
        }
        let Some(command) = commands.last_mut() else {
            return Err((line, "output before the first command (`$ `)"));
        };
        match text.strip_prefix('>').filter(|_| typing) {
            Some(typed) => {
                command.text.push('\n');
                command.text += typed.strip_prefix(' ').unwrap_or(typed);
            }
            None => {
                typing = false;
                command.expected += text;
                command.expected.push('\n');
            }
        }
    }
    for command in &mut commands {
        let (text, exit) = split_exit(&command.expected);
        (command.expected, command.exit) = (text.to_owned(), exit);
    }
    Ok(commands)
}

/// Takes `[exit N]` off the end of what is expected.
fn split_exit(expected: &str) -> (&str, u8) {
    let text = expected.trim_end();
    let start = text.rfind('\n').map_or(0, |end| end + 1);
    let code = text[start..].strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']'));
    match code.and_then(|code| code.parse().ok()) {
        Some(exit) => (&expected[..start], exit),
        None => (expected, 0),
    }
}

enum Tag<'a> {
    Run { ntfs: bool },
    NoRun,
    Other,
    Unknown(&'a str),
}

/// The line that opens a block.
struct Fence<'a> {
    indent: usize,
    marks: &'a str,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn open(line: &'a str) -> Option<Self> {
        let rest = line.trim_start();
        let info = rest.trim_start_matches('`');
        let marks = &rest[..rest.len() - info.len()];
        // A closing mark on the same line makes it code within text.
        (marks.len() >= 3 && !info.contains('`')).then_some(Self { indent: line.len() - rest.len(), marks, info })
    }

    fn closes(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.marks.len() && line.bytes().all(|byte| byte == b'`')
    }

    /// A block in a list is indented as a whole.
    fn content(&self, line: &'a str) -> &'a str {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        &line[blanks.min(self.indent)..]
    }

    fn tag(&self) -> Tag<'a> {
        let mut words = self.info.split([' ', ',']).filter(|word| !word.is_empty());
        if words.next() != Some("console") {
            return Tag::Other;
        }
        let mut tag = Tag::Run { ntfs: false };
        for word in words {
            tag = match (word, tag) {
                ("norun", _) => Tag::NoRun,
                ("ntfs", Tag::Run { .. }) => Tag::Run { ntfs: true },
                ("ntfs", tag) => tag,
                (word, _) => return Tag::Unknown(word),
            };
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Title
```sh
$ not an example
```
## First
```console
$ one
out
$ two \\
> more
> and out
[exit 2]
```
```console,norun
$ dangerous
```
## Second ##
- in a list
  ````console ntfs
  $ three
    kept blanks
  ```
  ````
";

    #[test]
    fn sections_commands_and_words_are_found() -> Result<()> {
        let page = page("x.md", PAGE)?;
        assert_eq!(page.not_run, 1);
        let [first, second] = page.sections.as_slice() else { return Err(format!("{page:?}")) };
        assert_eq!((first.title.as_str(), first.line, first.ntfs), ("First", 5, false));
        let command = |line, text: &str, expected: &str, exit| Command {
            line,
            text: text.to_owned(),
            expected: expected.to_owned(),
            exit,
        };
        assert_eq!(first.commands, [command(7, "one", "out\n", 0), command(9, "two \\\nmore\nand out", "", 2)]);
        assert!(second.ntfs);
        assert_eq!(second.commands, [command(20, "three", "  kept blanks\n```\n", 0)]);
        Ok(())
    }

    #[test]
    fn what_would_not_be_tested_is_an_error() {
        let error = |text| page("x.md", text).err().unwrap_or_default();
        assert_eq!(error("\n```console\n$ a\n"), "x.md:2: this block is not closed");
        assert_eq!(error("```console\nout\n```"), "x.md:2: output before the first command (`$ `)");
        assert_eq!(error("```console\n```"), "x.md:1: this block is empty");
        assert!(error("```console nrun\n$ a\n```").starts_with("x.md:1: `console` with \"nrun\""));
    }

    #[test]
    fn exit_is_only_the_last_line() {
        assert_eq!(split_exit("a\n[exit 3]\n"), ("a\n", 3));
        assert_eq!(split_exit("[exit 3]\na\n"), ("[exit 3]\na\n", 0));
        assert_eq!(split_exit("a [exit 3]\n"), ("a [exit 3]\n", 0));
        assert_eq!(split_exit("[exit 300]\n"), ("[exit 300]\n", 0));
    }
}
