//! Rules about Rust files.

use super::Finding;
use super::blank::blank;

/// Crates that read and change links without knowing which system they are on, except in the places below.
const PORTABLE: &[&str] = &["crates/links/src/", "crates/reparse/src/", "crates/ntfs-volume/src/"];

/// Where code for one system is at home.
const SYSTEM: &[&str] = &["crates/links/src/platform/", "crates/links/src/step/os/", "crates/links/src/own_files/os/"];

/// Where a disk may be changed.
const CHANGES_DISK: &[&str] = &["crates/links/src/step/os/", "crates/links/src/own_files/os/"];

/// Rooms that know operations by their steps: a verb is a label, by which nothing is decided. Released migrations are
/// exempt.
const VERBLESS: &[&str] = &["crates/links/src/step/", "crates/links/src/apply/", "crates/links/src/journal/"];
const MIGRATIONS: &str = "crates/links/src/journal/schema.rs";

/// The names of verbs, as the history has them.
const VERBS: &[&str] =
    &["create", "remove", "move", "restore", "repair", "undo", "recover", "track", "untrack", "mklink", "fsutil"];

/// Checks one Rust file.
pub(super) fn check(path: &str, source: &str) -> Vec<Finding> {
    let code = blank(source);
    let portable = starts_with_any(path, PORTABLE);
    let mut findings = Vec::new();
    let mut find = |offset, message: String| findings.push(Finding::at(path, &code, offset, message));

    if portable && !starts_with_any(path, SYSTEM) {
        for (offset, system) in system_conditions(&code) {
            find(offset, format!("`cfg({system})` outside {}", SYSTEM.join(" and ")));
        }
        for offset in words(&code, "unsafe") {
            find(offset, format!("`unsafe` outside {}", SYSTEM.join(" and ")));
        }
    }
    if portable && !starts_with_any(path, CHANGES_DISK) {
        for offset in lifted_bars(path, &code) {
            find(offset, format!("a call that changes the disk is let through outside {}", CHANGES_DISK[0]));
        }
    }
    if starts_with_any(path, VERBLESS) && path != MIGRATIONS {
        let tests = tests_start(&code);
        for offset in compared_verbs(source, &code).into_iter().filter(|offset| *offset < tests) {
            find(offset, "a comparison with the name of a verb: a step says what it needs".to_owned());
        }
    }
    if path.starts_with("crates/") && path.contains("/src/") {
        for name in ["todo", "unimplemented", "dbg"] {
            for offset in words(&code, name) {
                if code[offset + name.len()..].starts_with('!') {
                    find(offset, format!("`{name}!` is for work in progress"));
                }
            }
        }
    }
    for (offset, name, _) in attributes(&code, &["ignore", "cfg_attr"]) {
        if name == "ignore" || words(arguments(&code[offset + name.len()..]), "ignore").next().is_some() {
            find(offset, "a test that is left out tests nothing: mend or delete it".to_owned());
        }
    }
    findings
}

fn starts_with_any(path: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| path.starts_with(start))
}

/// `cfg(..)`, `cfg!(..)` and `cfg_attr(..)` that ask for the system, with the word they ask by.
fn system_conditions(code: &str) -> Vec<(usize, &str)> {
    let conditions = ["cfg", "cfg_attr"].into_iter().flat_map(|name| words(code, name).map(move |at| (at, name)));
    conditions
        .filter_map(|(offset, name)| {
            let after = code[offset + name.len()..].trim_start_matches(['!', ' ']);
            let system = names(arguments(after))
                .find(|(_, word)| matches!(*word, "unix" | "windows") || word.starts_with("target_"))?;
            Some((offset, system.1))
        })
        .collect()
}

/// Where `clippy::disallowed_methods` is allowed. Tests may: they set the scene, and the product cannot call them.
fn lifted_bars(path: &str, code: &str) -> Vec<usize> {
    if path.ends_with("/tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let tests = tests_start(code);
    let lints = ["allow", "expect"].into_iter().flat_map(|name| words(code, name).map(move |at| (at, name)));
    lints
        .filter(|(offset, name)| {
            *offset < tests
                && !code[..*offset].trim_end().ends_with("cfg_attr(test,")
                && words(arguments(&code[offset + name.len()..]), "disallowed_methods").next().is_some()
        })
        .map(|(offset, _)| offset)
        .collect()
}

/// Where the tests of a file begin.
fn tests_start(code: &str) -> usize {
    code.find("#[cfg(test)]").unwrap_or(code.len())
}

/// Where the name of a verb, or the field that has it, is compared with something: in Rust, and in SQL.
fn compared_verbs(source: &str, code: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let patterns: Vec<_> = words(code, "matches")
        .filter_map(|offset| {
            let start = offset + "matches!(".len();
            code[offset..].starts_with("matches!(").then(|| start..start + arguments(&code[start - 1..]).len())
        })
        .collect();
    for verb in VERBS {
        let literal = format!("\"{verb}\"");
        for (offset, _) in source.match_indices(&literal) {
            let (before, after) = (code[..offset].trim_end(), code[offset + literal.len()..].trim_start());
            if ["==", "!=", "|"].iter().any(|sign| before.ends_with(sign))
                || ["==", "!=", "=>", "|"].iter().any(|sign| after.starts_with(sign))
                || patterns.iter().any(|pattern| pattern.contains(&offset))
            {
                found.push(offset);
            }
        }
    }
    // In SQL, what stands before the sign may be the name of a table.
    found.extend(words(source, "verb").filter(|offset| {
        let after = source[offset + "verb".len()..].trim_start();
        let is_compared = ["==", "!=", "<>", "IN (", "LIKE "].iter().any(|sign| after.starts_with(sign));
        let is_sql = code[*offset..].starts_with(' ') && after.starts_with("= ");
        is_compared || is_sql
    }));
    found
}

/// `#[name` for each of the names, with what comes before the name.
fn attributes<'a>(code: &'a str, wanted: &[&'a str]) -> Vec<(usize, &'a str, &'a str)> {
    let starts_attribute = |offset: usize| {
        let before = code[..offset].trim_end().strip_suffix('[')?.trim_end();
        before.strip_suffix('#').or_else(|| before.strip_suffix("#!"))
    };
    names(code)
        .filter(|(_, name)| wanted.contains(name))
        .filter_map(|(offset, name)| Some((offset, name, starts_attribute(offset)?)))
        .collect()
}

/// What stands in the parentheses that `code` begins with.
fn arguments(code: &str) -> &str {
    let Some(inner) = code.strip_prefix('(') else { return "" };
    let mut depth = 1;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &inner[..at];
        }
    }
    inner
}

/// Where `word` stands as a whole word.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    names(code).filter(move |(_, name)| *name == word).map(|(offset, _)| offset)
}

/// All names and keywords.
fn names(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = code.as_bytes();
        let start = at + bytes[at..].iter().position(|byte| is_part(*byte))?;
        let length = bytes[start..].iter().take_while(|byte| is_part(**byte)).count();
        at = start + length;
        Some((start, &code[start..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    /// The lines found in `source`, were it at `path`.
    fn lines(path: &str, source: &str) -> Vec<usize> {
        check(path, source).iter().map(|finding| finding.line).collect()
    }

    const LIBRARY: &str = "crates/links/src/inspect.rs";

    #[test]
    fn conditions_on_the_system_have_their_places() {
        for bad in [
            "#[cfg(unix)]",
            "#![cfg(not(windows))]",
            "#[cfg(all(test, target_os = \"linux\"))]",
            "#[cfg_attr(target_family = \"unix\", allow(dead_code))]",
            "if cfg!(target_arch = \"x86\") {}",
            "#[cfg(\n    all(\n        unix\n    )\n)]",
        ] {
            for path in [LIBRARY, "crates/reparse/src/lib.rs", "crates/ntfs-volume/src/lib.rs"] {
                assert_eq!(lines(path, &format!("\n{bad}\n")), [2], "{path} {bad}");
            }
            for path in [
                "crates/links/src/platform/mod.rs",
                "crates/links/src/step/os/linux/link.rs",
                "crates/linkctl/src/main.rs",
                "crates/links/tests/a.rs",
            ] {
                assert_eq!(lines(path, bad), [0; 0], "{path} {bad}");
            }
        }
        for good in ["#[cfg(test)]", "#[cfg(feature = \"unix\")]", "// #[cfg(unix)]", "let unix = cfg(1);"] {
            assert_eq!(lines(LIBRARY, good), [0; 0], "{good}");
        }
        assert_eq!(lines("crates/links/src/platform.rs", "#[cfg(unix)]"), [1]);
        assert_eq!(lines("crates/reparse/src/platform/a.rs", "#[cfg(unix)]"), [1]);
    }

    #[test]
    fn unsafe_has_its_places() {
        assert_eq!(lines(LIBRARY, "fn a() {\n    unsafe { b() }\n}"), [2]);
        assert_eq!(lines("crates/reparse/src/lib.rs", "unsafe fn a() {}"), [1]);
        assert_eq!(lines("crates/links/src/platform/linux/link.rs", "unsafe fn a() {}"), [0; 0]);
        assert_eq!(lines(LIBRARY, "#![forbid(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";"), [0; 0]);
    }

    #[test]
    fn calls_that_change_the_disk_have_their_place() {
        let allow = "#![allow(clippy::disallowed_methods, reason = \"x\")]";
        let expect = "#[expect(\n    dead_code,\n    clippy::disallowed_methods,\n)]";
        assert_eq!(lines(LIBRARY, allow), [1]);
        assert_eq!(lines("crates/links/src/platform/linux/link.rs", expect), [1]);
        assert_eq!(lines("crates/links/src/apply/mod.rs", expect), [1]);
        assert_eq!(lines("crates/links/src/step/os/linux/link.rs", expect), [0; 0]);
        assert_eq!(lines("crates/testkit/src/lib.rs", allow), [0; 0]);
        assert_eq!(lines("crates/links/tests/a.rs", allow), [0; 0]);
        assert_eq!(lines("crates/links/src/apply/tests.rs", allow), [0; 0]);
        assert_eq!(lines(LIBRARY, &format!("#[cfg(test)]\n{expect}\nmod tests {{}}")), [0; 0]);
        assert_eq!(lines(LIBRARY, "#![cfg_attr(test, allow(clippy::disallowed_methods))]"), [0; 0]);
        assert_eq!(lines(LIBRARY, "#![deny(clippy::disallowed_methods)]"), [0; 0]);
    }

    #[test]
    fn no_verb_is_compared_with_where_steps_are_carried_out() {
        for bad in [
            "if operation.verb == name {}",
            "if name == \"move\" {}",
            "if \"undo\" != name {}",
            "let a = matches!(name, \"move\" | \"restore\");",
            "match name { \"remove\" => {} _ => {} }",
            "let sql = \"SELECT 1 FROM operations WHERE verb IN ('move', 'undo')\";",
            "let sql = \"SELECT 1 FROM operations WHERE verb = ?\";",
        ] {
            for path in ["crates/links/src/apply/a.rs", "crates/links/src/step/a.rs", "crates/links/src/journal/a.rs"] {
                assert_eq!(lines(path, &format!("\n{bad}\n")).first(), Some(&2), "{path} {bad}");
            }
            for path in ["crates/links/src/journal/schema.rs", "crates/linkctl/src/failure.rs", LIBRARY] {
                assert_eq!(lines(path, bad), [0; 0], "{path} {bad}");
            }
            let test = format!("#[cfg(test)]\nmod tests {{ {bad} }}");
            assert_eq!(lines("crates/links/src/apply/a.rs", &test), [0; 0], "{bad}");
        }
        for good in [
            "queue.begin(operation.verb);",
            "const SELECT: &str = \"SELECT id, verb, began FROM operations\";",
            "Error::io(\"remove\", path, error)",
            "match self { Self::Away => \"move\", Self::Back => \"restore\" }",
            "// a verb, \"move\" for one, is a label",
        ] {
            assert_eq!(lines("crates/links/src/apply/a.rs", good), [0; 0], "{good}");
        }
    }

    #[test]
    fn no_work_in_progress() {
        for path in [LIBRARY, "crates/linkctl/src/main.rs", "crates/testkit/src/lib.rs"] {
            assert_eq!(lines(path, "todo!()\nunimplemented!(\"x\")\ndbg!(a)"), [1, 2, 3], "{path}");
        }
        assert_eq!(lines(LIBRARY, "// todo!()\nlet todo = \"dbg!\"; todo != 1"), [0; 0]);
    }

    #[test]
    fn no_test_is_left_out() {
        for bad in ["#[ignore]", "#[ignore = \"slow\"]", "# [ ignore ]", "#[cfg_attr(unix, ignore)]"] {
            assert_eq!(lines("crates/linkctl/tests/a.rs", &format!("#[test]\n{bad}\nfn a() {{}}")), [2], "{bad}");
        }
        for good in ["use ignore::WalkBuilder;", "let a = [ignore];", "// #[ignore]"] {
            assert_eq!(lines("crates/linkctl/tests/a.rs", good), [0; 0], "{good}");
        }
    }
}
