//! Imports run down: which module of the library may name which.
//!
//! A *room* is a file or folder directly below `crates/links/src`, a *floor* is the rooms that have the same rank. A
//! file may name rooms of lower floors. `lib.rs` is above all of them, so no room may name what it re-exports: that
//! would hide where the import goes. Test modules may name anything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Finding;
use super::blank::blank;

/// The rules of one crate.
struct House {
    /// Where its sources are.
    sources: &'static str,
    /// The rooms, from the ground up.
    floors: &'static [&'static [&'static str]],
    /// Rooms whose own files and folders must not import each other in a circle.
    inner: &'static [&'static str],
    exceptions: &'static [Exception],
}

/// An import that would be refused, and why it is not.
struct Exception {
    /// The file below the sources, or a folder that ends in `/`.
    file: &'static str,
    /// What it may name, without `crate::`; also what is below that.
    names: &'static [&'static str],
    reason: &'static str,
}

const LINKS: House = House {
    sources: "crates/links/src/",
    floors: &[
        &["error", "workers"],
        &["model"],
        &["platform"],
        &["read"],
        &["own_files"],
        &["journal"],
        &["step"],
        &["plan"],
        &["apply"],
    ],
    inner: &["read", "journal", "step", "plan"],
    exceptions: &[
        Exception {
            file: "error.rs",
            names: &["platform::describe", "platform::error_kind", "platform::quoted"],
            reason: "an error of the system is sorted, and put into words, as that system does",
        },
        Exception {
            file: "model/",
            names: &["platform::from_bytes", "platform::from_wide", "platform::to_bytes"],
            reason: "names are bytes on one system and UTF-16 on the other",
        },
        Exception {
            file: "step/context.rs",
            names: &["apply"],
            reason: "`pub(in crate::apply)`: the executor alone can make what a step is performed with",
        },
    ],
};

/// Checks the library.
pub(super) fn check(files: &[(String, String)]) -> Vec<Finding> {
    LINKS.check(files)
}

/// A place that names something of its own crate.
struct Import<'a> {
    file: &'a str,
    line: usize,
    /// The module that it is in, by its path from the crate's root.
    from: Vec<String>,
    /// What is named, by its path from the crate's root.
    to: Vec<String>,
    /// The name that it has from there on.
    alias: String,
}

/// One room that names another.
struct Edge<'a> {
    import: &'a Import<'a>,
    from: &'a str,
    to: &'a str,
    /// The exception and its name that allow it.
    exception: Option<(usize, usize)>,
}

impl House {
    fn check(&self, files: &[(String, String)]) -> Vec<Finding> {
        let mut imports = Vec::new();
        let mut findings = Vec::new();
        let mut modules = BTreeSet::new();
        for (path, text) in files {
            let Some(below) = path.strip_prefix(self.sources).filter(|below| is_product(below)) else {
                continue;
            };
            let module = module_of(below);
            if module.first().is_some_and(|room| self.floor(room).is_none()) {
                findings.push(Finding::new(path, 1, "this room is on no floor of xtask/src/house/floors.rs"));
            }
            imports.extend(Source::new(path, text, module.clone()).imports());
            modules.insert(module);
        }
        let mut needed = BTreeSet::new();
        findings.extend(self.upward(&imports, &mut needed));
        for edges in self.levels(&imports, &modules) {
            findings.extend(circles(&edges, &mut needed));
        }
        for (row, exception) in self.exceptions.iter().enumerate() {
            for (column, name) in exception.names.iter().enumerate() {
                if !needed.contains(&(row, column)) {
                    let Exception { file, reason, .. } = exception;
                    let message = format!("no exception is needed for {file} to name {name} ({reason})");
                    findings.push(Finding::new("xtask/src/house/floors.rs", 1, message));
                }
            }
        }
        findings
    }

    fn floor(&self, room: &str) -> Option<usize> {
        self.floors.iter().position(|floor| floor.contains(&room))
    }

    fn exception(&self, import: &Import<'_>) -> Option<(usize, usize)> {
        let file = import.file.strip_prefix(self.sources)?;
        let path = import.to.join("::");
        let names =
            |name: &&str| path.strip_prefix(*name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        self.exceptions.iter().enumerate().find_map(|(row, exception)| {
            let of_file = exception.file == file || exception.file.ends_with('/') && file.starts_with(exception.file);
            let column = exception.names.iter().position(|name| of_file && names(name))?;
            Some((row, column))
        })
    }

    /// Imports that name a higher floor.
    fn upward(&self, imports: &[Import<'_>], needed: &mut BTreeSet<(usize, usize)>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for import in imports {
            let Some(floor) = import.from.first().and_then(|room| self.floor(room)) else { continue };
            let named = import.to.first().and_then(|room| self.floor(room));
            if named.is_some_and(|named| named <= floor) {
                continue;
            }
            if let Some(exception) = self.exception(import) {
                needed.insert(exception);
                continue;
            }
            let path = import.to.join("::");
            findings.push(Finding::new(
                import.file,
                import.line,
                match named {
                    Some(_) => {
                        format!("`{}` is below `{}`: it may not name {path}", import.from[0], import.to[0])
                    }
                    None => {
                        format!("crate::{path} is re-exported by lib.rs: name the module that declares it")
                    }
                },
            ));
        }
        findings
    }

    /// The imports among which there may be no circle: those between rooms of one floor, and those within each of
    /// the large rooms.
    fn levels<'a>(&self, imports: &'a [Import<'a>], modules: &'a BTreeSet<Vec<String>>) -> Vec<Vec<Edge<'a>>> {
        let edge = |import: &'a Import<'a>, from: &'a str, to: &'a str| {
            (from != to).then(|| Edge { import, from, to, exception: self.exception(import) })
        };
        let of_floors = imports.iter().filter_map(|import| {
            let (from, to) = (import.from.first()?, import.to.first()?);
            (self.floor(from)? == self.floor(to)?).then(|| edge(import, from, to))?
        });
        let mut levels = vec![of_floors.collect()];
        for room in self.inner {
            let of_room = |path: &[String]| path.first().is_some_and(|first| first == room);
            let within = || imports.iter().filter(|import| of_room(&import.from) && of_room(&import.to));
            let parts: BTreeSet<&str> = modules
                .iter()
                .filter(|module| of_room(module))
                .filter_map(|module| Some(module.get(1)?.as_str()))
                .collect();
            // What the room's mod.rs re-exports is of the file that declares it.
            let exports: BTreeMap<&str, &str> = within()
                .filter(|import| import.from.len() == 1)
                .filter_map(|import| Some((import.alias.as_str(), import.to.get(1)?.as_str())))
                .filter(|(_, part)| parts.contains(part))
                .collect();
            let of_part = |name: &'a str| parts.get(name).or_else(|| exports.get(name)).copied();
            levels.push(
                within().filter_map(|import| edge(import, import.from.get(1)?, of_part(import.to.get(1)?)?)).collect(),
            );
        }
        levels
    }
}

/// Imports that close a circle, each pair once.
fn circles(edges: &[Edge<'_>], needed: &mut BTreeSet<(usize, usize)>) -> Vec<Finding> {
    let mut findings = BTreeMap::new();
    for edge in edges {
        let all = |_: &&Edge<'_>| true;
        let refused = |edge: &&Edge<'_>| edge.exception.is_none();
        match edge.exception {
            Some(exception) => {
                if way(edges.iter().filter(all), edge.to, edge.from).is_some() {
                    needed.insert(exception);
                }
            }
            None => {
                if let Some(way) = way(edges.iter().filter(refused), edge.to, edge.from) {
                    let circle = [&[edge.from], way.as_slice()].concat().join(" -> ");
                    let Import { file, line, .. } = edge.import;
                    let finding = || Finding::new(file, *line, format!("closes a circle: {circle}"));
                    findings.entry((edge.from, edge.to)).or_insert_with(finding);
                }
            }
        }
    }
    findings.into_values().collect()
}

/// The shortest way over edges.
fn way<'a>(edges: impl Iterator<Item = &'a Edge<'a>>, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let edges: Vec<(&str, &str)> = edges.map(|edge| (edge.from, edge.to)).collect();
    let mut ways = VecDeque::from([vec![from]]);
    let mut seen = BTreeSet::from([from]);
    while let Some(way) = ways.pop_front() {
        let last = way.last().copied()?;
        if last == to {
            return Some(way);
        }
        for (_, next) in edges.iter().filter(|(from, _)| *from == last) {
            if seen.insert(next) {
                ways.push_back([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

/// Whether a file below the sources is no test.
fn is_product(below: &str) -> bool {
    below.ends_with(".rs") && !below.split('/').any(|part| matches!(part, "tests.rs" | "tests"))
}

/// The module that a file is.
fn module_of(below: &str) -> Vec<String> {
    let mut module: Vec<String> = below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// A file as its words and marks, without comments and literals.
struct Source<'a> {
    file: &'a str,
    module: Vec<String>,
    /// Each with its line.
    tokens: Vec<(usize, String)>,
}

impl<'a> Source<'a> {
    fn new(file: &'a str, text: &str, module: Vec<String>) -> Self {
        let mut tokens = Vec::new();
        for (number, line) in blank(text).lines().enumerate() {
            let mut rest = line.trim_start();
            while !rest.is_empty() {
                // `r#move` is the name `move`.
                rest = rest.strip_prefix("r#").unwrap_or(rest);
                let word = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
                let length = if rest.starts_with("::") { 2 } else { word.max(1) };
                let (token, after) = rest.split_at(length);
                tokens.push((number + 1, token.to_owned()));
                rest = after.trim_start();
            }
        }
        Self { file, module, tokens }
    }

    fn token(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |(_, token)| token)
    }

    /// Whether these tokens are there.
    fn is(&self, at: usize, wanted: &[&str]) -> bool {
        wanted.iter().enumerate().all(|(offset, token)| self.token(at + offset) == *token)
    }

    /// The token after the bracket that matches the one at `at`.
    fn after_bracket(&self, mut at: usize) -> usize {
        let mut depth = 0_usize;
        while at < self.tokens.len() {
            match self.token(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        at
    }

    /// Everything of its own crate that the file names outside of tests.
    fn imports(&self) -> Vec<Import<'a>> {
        let mut imports = Vec::new();
        let mut at = 0;
        // Modules written into the file, each with the token after it.
        let mut inline: Vec<(usize, String)> = Vec::new();
        while at < self.tokens.len() {
            inline.retain(|(end, _)| at < *end);
            if let Some(after) = self.after_test(at) {
                at = after;
                continue;
            }
            if self.is(at, &["mod"]) && self.is(at + 2, &["{"]) {
                inline.push((self.after_bracket(at + 2), self.token(at + 1).to_owned()));
            }
            let names_own = matches!(self.token(at), "crate" | "super" | "self") && self.is(at + 1, &["::"]);
            let before = at.checked_sub(1).map_or("", |before| self.token(before));
            // `use child::Name` in the file of a room; the name of another crate is that of no part of the room.
            let names_child = before == "use" && self.module.len() == 1 && self.is(at + 1, &["::"]);
            if before == "::" || !(names_own || names_child) {
                at += 1;
                continue;
            }
            let from: Vec<String> =
                self.module.iter().cloned().chain(inline.iter().map(|(_, name)| name.clone())).collect();
            at = self.tree(at, from.clone(), &from, &mut imports);
        }
        imports
    }

    /// The token after an item for tests that starts at `at`.
    fn after_test(&self, at: usize) -> Option<usize> {
        if !self.is(at, &["#", "[", "cfg", "("]) {
            return None;
        }
        let end = self.after_bracket(at + 1);
        let has = |word: &str| (at..end).any(|at| self.token(at) == word);
        if !has("test") || has("not") {
            return None;
        }
        let mut at = end;
        loop {
            match self.token(at) {
                "" | ")" | "]" | "}" => return Some(at),
                ";" => return Some(at + 1),
                "{" => return Some(self.after_bracket(at)),
                "(" | "[" => at = self.after_bracket(at),
                _ => at += 1,
            }
        }
    }

    /// Reads what begins at `at`: a path, or a tree of paths in braces. Returns the token after it.
    fn tree(&self, mut at: usize, mut path: Vec<String>, from: &[String], imports: &mut Vec<Import<'a>>) -> usize {
        let line = self.tokens.get(at).map_or(1, |(line, _)| *line);
        loop {
            match self.token(at) {
                "crate" => path.clear(),
                "self" => {}
                "super" => drop(path.pop()),
                "{" => {
                    let end = self.after_bracket(at);
                    at += 1;
                    while at + 1 < end {
                        at = self.tree(at, path.clone(), from, imports).max(at + 1);
                        at += usize::from(self.is(at, &[","]));
                    }
                    return end;
                }
                name if name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') => {
                    path.push(name.to_owned());
                }
                // `*`, or the `<` of type arguments.
                _ => break,
            }
            at += 1;
            if !self.is(at, &["::"]) {
                break;
            }
            at += 1;
        }
        let renamed = self.is(at, &["as"]);
        let alias = if renamed { self.token(at + 1) } else { path.last().map_or("", String::as_str) };
        let alias = alias.to_owned();
        imports.push(Import { file: self.file, line, from: from.to_owned(), to: path, alias });
        // Whatever else stands here, the reader goes on.
        if renamed { at + 2 } else { at + usize::from(self.is(at, &["*"])) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exception, House};

    const HOUSE: House = House {
        sources: "src/",
        floors: &[&["error"], &["model", "names"], &["read"], &["plan"]],
        inner: &["read"],
        exceptions: &[],
    };

    /// What is found in these files, as `file:line: message`.
    fn findings(house: &House, files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned())).collect();
        house.check(&files).iter().map(ToString::to_string).collect()
    }

    fn is_clean(file: &str, text: &str) {
        assert_eq!(findings(&HOUSE, &[(file, text)]), [""; 0], "{text}");
    }

    #[test]
    fn an_upward_import_is_refused() {
        for upward in [
            "use crate::plan::Plan;",
            "pub(crate) use crate::plan;",
            "use crate::{error::Error, plan::{self, Plan}};",
            "use crate::{\n};fn f() { crate::plan::run::<u8>() }",
            "use super::super::plan::*;",
            "use crate::r#plan::r#move;",
            "mod inner {\n}use super::super::plan;",
            "mod inner { mod b { use super::super::super::super::plan; } }",
            "#[cfg(not(test))] use crate::plan;",
            "#[cfg(test)] use crate::plan::A; use crate::plan::B;",
        ] {
            let found = findings(&HOUSE, &[("read/chain.rs", upward)]);
            assert!(!found.is_empty(), "{upward}");
            for found in found {
                assert!(found.contains("`read` is below `plan`"), "{found}");
            }
        }
        let found = findings(&HOUSE, &[("read/mod.rs", "\nuse crate::Plan;"), ("lib.rs", "use crate::plan::Plan;")]);
        assert_eq!(
            found,
            ["src/read/mod.rs:2: crate::Plan is re-exported by lib.rs: name the module that declares it"]
        );
    }

    #[test]
    fn imports_that_run_down_are_accepted() {
        for good in [
            "use crate::model::{Link, State as S};\nuse super::error;\nuse std::plan;",
            "// crate::plan\n/// [`crate::plan`]\nconst A: &str = \"crate::plan\";",
            "#[cfg(test)]\nmod tests { use crate::plan; fn a() {} }",
            "#[cfg(all(test, unix))]\nuse crate::plan::{self, Plan};\nfn a() {}",
            "pub(crate) mod inner { use super::super::model; }",
            "macro_rules! a { () => { $crate::error::Error } }",
        ] {
            is_clean("read/mod.rs", good);
        }
        is_clean("read/tests.rs", "use crate::plan;");
        is_clean("read/tests/a.rs", "use crate::plan;");
        is_clean("plan/create/mod.rs", "use super::super::plan::Plan; use crate::read;");
    }

    #[test]
    fn a_circle_between_rooms_of_one_floor_is_refused() {
        let files = [("model/mod.rs", "use crate::names::Name;"), ("names.rs", "\nuse super::model;")];
        let found = findings(&HOUSE, &files);
        assert_eq!(
            found,
            [
                "src/model/mod.rs:1: closes a circle: model -> names -> model",
                "src/names.rs:2: closes a circle: names -> model -> names"
            ]
        );
        is_clean("model/mod.rs", "use crate::names::Name;");
    }

    #[test]
    fn a_circle_within_a_room_is_refused() {
        let a = ("read/a.rs", "use super::b::B;");
        let c = ("read/c/deep.rs", "use super::super::a::A;");
        let found = findings(&HOUSE, &[a, ("read/b.rs", "use crate::read::c;"), c]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].ends_with("a -> b -> c -> a"), "{found:?}");
        // What the room re-exports is of the file that declares it.
        let room = ("read/mod.rs", "mod a; mod b;\npub use a::A;");
        assert_eq!(findings(&HOUSE, &[a, room, ("read/b.rs", "use super::A;")]).len(), 2);
        // What all share may be in the room's own file.
        assert_eq!(findings(&HOUSE, &[a, room, ("read/b.rs", "use super::Shared;")]), [""; 0]);
    }

    #[test]
    fn each_exception_is_needed() {
        const EXCEPTIONS: &[Exception] = &[
            Exception { file: "error.rs", names: &["model::words", "model::kind"], reason: "x" },
            Exception { file: "read/", names: &["read::b"], reason: "y" },
        ];
        let house = House { exceptions: EXCEPTIONS, ..HOUSE };
        let error = ("error.rs", "use crate::model::{words::A, kind};");
        let (a, b) = (("read/a.rs", "use super::b;"), ("read/b.rs", "use super::a;"));
        assert_eq!(findings(&house, &[error, a, b]), [""; 0]);
        let unused = findings(&house, &[("error.rs", "use crate::model::{words, kinds};"), a]);
        assert_eq!(unused.len(), 3, "{unused:?}");
        assert!(unused[0].contains("may not name model::kinds"), "{unused:?}");
        assert!(unused[1].contains("no exception is needed for error.rs to name model::kind (x)"), "{unused:?}");
        assert!(unused[2].contains("no exception is needed for read/ to name read::b (y)"), "{unused:?}");
    }

    #[test]
    fn every_room_has_a_floor() {
        assert!(findings(&HOUSE, &[("attic/mod.rs", "")])[0].contains("on no floor"));
    }
}
