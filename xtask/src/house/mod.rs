//! House rules: what keeps the parts of this workspace apart, where the compiler would not notice.
//!
//! ```text
//! source.rs        rules about Rust files: which crate may do what, and where
//! floors.rs        imports run down, and in no circle
//! blank.rs         takes comments and literals out of Rust source, so that rules see code alone
//! dependencies.rs  every dependency is explained in docs/dependencies.md, and nothing else is
//! machine.rs       no path of the machine that the repository happens to be on
//! ```

mod blank;
mod dependencies;
mod floors;
mod machine;
mod source;

use std::fmt;

use crate::Result;
use crate::run::{program, quietly, root};

/// A place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    file: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }

    /// A finding at a byte of the file's text.
    fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let line = text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
        Self::new(file, line, message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Checks all rules; prints each place where one is broken.
pub(crate) fn check() -> Result<()> {
    let files = files()?;
    let mut findings = Vec::new();
    for (path, text) in &files {
        if path.ends_with(".rs") {
            findings.extend(source::check(path, text));
        }
    }
    let home = std::env::var("HOME").unwrap_or_default();
    let paths = machine::paths(&root(), &home);
    findings.extend(files.iter().flat_map(|(path, text)| machine::check(path, text, &paths)));
    findings.extend(dependencies::check(&files));
    findings.extend(floors::check(&files));
    for finding in &findings {
        eprintln!("{finding}");
    }
    println!("{} files", files.len());
    if findings.is_empty() { Ok(()) } else { Err(format!("{} house rules broken", findings.len())) }
}

/// The Rust, Markdown and TOML files of the repository with their text. New ones count before they are added.
fn files() -> Result<Vec<(String, String)>> {
    let listed = quietly(&mut program(
        "git",
        // Under sudo the checkout belongs to somebody else, which git refuses unless told that it may be so.
        &[
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.rs",
            "*.md",
            "*.toml",
        ],
    ))?;
    let mut files = Vec::new();
    for path in String::from_utf8_lossy(&listed).split('\0').filter(|path| !path.is_empty()) {
        match std::fs::read_to_string(root().join(path)) {
            Ok(text) => files.push((path.to_owned(), text)),
            // Deleted, but git has not been told yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{path}: {error}")),
        }
    }
    if files.is_empty() { Err("git lists no files".to_owned()) } else { Ok(files) }
}
