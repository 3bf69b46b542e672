//! What each kind of link can and cannot do: `linkctl help kinds`, the README's table, and the line
//! that a refused `create` quotes.

/// The questions people choose a kind by.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) links: &'static str,
    pub(crate) relative: &'static str,
    pub(crate) other_volume: &'static str,
    pub(crate) network: &'static str,
    pub(crate) missing_target: &'static str,
    pub(crate) privilege: &'static str,
    pub(crate) deleting_the_link: &'static str,
    pub(crate) deleting_the_target: &'static str,
}

pub(crate) const SYMLINK: Kind = Kind {
    name: "symlink",
    links: "files and directories",
    relative: "yes",
    other_volume: "yes",
    network: "yes",
    missing_target: "allowed",
    privilege: "Linux: none; Windows: Developer Mode or administrator",
    deleting_the_link: "target stays",
    deleting_the_target: "link is broken",
};

pub(crate) const JUNCTION: Kind = Kind {
    name: "junction",
    links: "directories only, on NTFS",
    relative: "no, absolute",
    other_volume: "yes, of the same computer",
    network: "no",
    missing_target: "allowed",
    privilege: "none",
    deleting_the_link: "target stays",
    deleting_the_target: "link is broken",
};

pub(crate) const HARD: Kind = Kind {
    name: "hard",
    links: "files only",
    relative: "does not apply",
    other_volume: "no",
    network: "no",
    missing_target: "refused",
    privilege: "none, for one's own files",
    deleting_the_link: "file stays until its last name goes",
    deleting_the_target: "link keeps the file: all names are equal",
};

pub(crate) const ALL: [&Kind; 3] = [&SYMLINK, &JUNCTION, &HARD];

impl Kind {
    /// Question and answer, in the order of the table's columns.
    pub(crate) fn rows(&self) -> [(&'static str, &'static str); 9] {
        [
            ("kind", self.name),
            ("links", self.links),
            ("relative target", self.relative),
            ("to another volume", self.other_volume),
            ("over the network", self.network),
            ("missing target", self.missing_target),
            ("privilege", self.privilege),
            ("deleting the link", self.deleting_the_link),
            ("deleting the target", self.deleting_the_target),
        ]
    }

    /// The row for a hint, in lines that fit a terminal.
    pub(crate) fn quote(&self) -> String {
        let answers = [
            format!("{}: {};", self.name, self.links),
            format!("relative target: {};", self.relative),
            format!("to another volume: {};", self.other_volume),
            format!("over the network: {};", self.network),
            format!("missing target: {}", self.missing_target),
            "(linkctl help kinds)".to_owned(),
        ];
        let mut lines = vec![String::new()];
        for answer in answers {
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(&answer),
                Some(line) if INDENT.len() + line.len() + answer.len() < WIDTH => {
                    line.push(' ');
                    line.push_str(&answer);
                }
                _ => lines.push(answer),
            }
        }
        lines.iter().map(|line| format!("{INDENT}{line}")).collect::<Vec<_>>().join("\n")
    }
}

/// Hints go on below the first word behind `hint: `.
const INDENT: &str = "      ";
const WIDTH: usize = 80;

/// The table as Markdown, questions down, kinds across.
#[cfg(test)]
fn table() -> String {
    let columns = ALL.map(Kind::rows);
    let mut text = String::new();
    for index in 0..columns[0].len() {
        let cells = columns.map(|rows| rows[index].1);
        text.push_str(&format!("| {} | {} |\n", columns[0][index].0, cells.join(" | ")));
        if index == 0 {
            text.push_str("|---|---|---|---|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_readme_has_this_table() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
        let readme = std::fs::read_to_string(readme).unwrap_or_default();
        assert!(readme.contains(&super::table()), "README.md lacks the table:\n{}", super::table());
    }
}
