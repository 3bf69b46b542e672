//! What each kind of link can and cannot do: `linkctl help kinds`, the README's table, and the line
//! that a refused `create` quotes.

/// The questions people choose a kind by, in the order of the table.
const QUESTIONS: [&str; 9] = [
    "kind",
    "links",
    "relative target",
    "to another volume",
    "over the network",
    "missing target",
    "privilege",
    "deleting the link",
    "deleting the target",
];

/// The answers for one kind; the first one is its name.
pub(crate) struct Kind([&'static str; 9]);

pub(crate) const SYMLINK: Kind = Kind([
    "symlink",
    "files and directories",
    "yes",
    "yes",
    "yes",
    "allowed",
    "Linux: none; Windows: Developer Mode or administrator",
    "target stays",
    "link is broken",
]);

pub(crate) const JUNCTION: Kind = Kind([
    "junction",
    "directories only, on NTFS",
    "no, absolute",
    "yes, of the same computer",
    "no",
    "allowed",
    "none",
    "target stays",
    "link is broken",
]);

pub(crate) const HARD: Kind = Kind([
    "hard",
    "files only",
    "does not apply",
    "no",
    "no",
    "refused",
    "none, for one's own files",
    "file stays until its last name goes",
    "link keeps the file: all names are equal",
]);

pub(crate) const ALL: [&Kind; 3] = [&SYMLINK, &JUNCTION, &HARD];

impl Kind {
    pub(crate) fn name(&self) -> &'static str {
        self.0[0]
    }

    /// Each question with its answer.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        QUESTIONS.into_iter().zip(self.0)
    }

    /// The row for a hint, up to what becomes of a missing target, in lines that fit a terminal.
    pub(crate) fn quote(&self) -> String {
        let [name, links, ..] = self.0;
        let answers = self.rows().take(6).skip(2).map(|(question, answer)| format!("{question}: {answer}"));
        let answers = [format!("{name}: {links}")].into_iter().chain(answers).collect::<Vec<_>>().join(";\n");
        let mut lines = vec![String::new()];
        for answer in answers.lines().chain(["(linkctl help kinds)"]) {
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(answer),
                Some(line) if INDENT.len() + line.len() + answer.len() < WIDTH => {
                    line.push(' ');
                    line.push_str(answer);
                }
                _ => lines.push(answer.to_owned()),
            }
        }
        lines.iter().map(|line| format!("{INDENT}{line}")).collect::<Vec<_>>().join("\n")
    }
}

/// Hints go on below the first word behind `hint: `.
const INDENT: &str = "      ";
const WIDTH: usize = 80;
