//! JSON records, a file for each verb or group of verbs. The schema is documented in docs/json.md; a change of meaning
//! raises [`SCHEMA`].

/// A record with where each field comes from: the struct for serde, and `From` the value that it describes.
macro_rules! record {
    (
        $(#[$attribute:meta])*
        $name:ident of $from:ident: $source:ty $(, $local:ident = $made:expr)* => {
            $($(#[$field_attribute:meta])* $field:ident: $type:ty = $value:expr,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(serde::Serialize)]
        pub(crate) struct $name {
            $($(#[$field_attribute])* pub(crate) $field: $type,)+
        }

        impl From<$source> for $name {
            fn from($from: $source) -> Self {
                $(let $local = $made;)*
                Self { $($field: $value,)+ }
            }
        }
    };
}

pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod history;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod recover;
pub(crate) mod repair;
pub(crate) mod show;
pub(crate) mod track;

use std::io::{self, Write};
use std::path::Path;

use links::{Error, FileKind, Name};
use serde::Serialize;

use super::sanitize;
use crate::exit::Exit;
use crate::failure::cause;

/// The version of the schema.
const SCHEMA: u32 = 1;

pub(crate) fn name(path: impl AsRef<Path>) -> Name {
    Name(path.as_ref().as_os_str().to_owned())
}

/// The name of what an object is.
pub(crate) fn file_kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Link => "link",
        FileKind::Special => "special",
    }
}

/// An error, as programs see it.
#[derive(Serialize)]
pub(crate) struct ErrorRecord {
    operation: String,
    path: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Name>,
    kind: String,
    cause: String,
    /// The exit code that this error alone would give.
    exit: u8,
}

impl From<&Error> for ErrorRecord {
    fn from(error: &Error) -> Self {
        Self {
            operation: error.operation().to_owned(),
            path: Some(name(error.path())),
            target: error.second_path().map(name),
            kind: error.kind().as_str().to_owned(),
            cause: cause(error),
            exit: Exit::of(error.kind()).code(),
        }
    }
}

impl ErrorRecord {
    /// An error of the command itself.
    pub(crate) fn own(exit: Exit, cause: &str) -> Self {
        let kind = kebab(&format!("{exit:?}"));
        let (operation, cause) = ("run the command".to_owned(), cause.to_owned());
        Self { operation, path: None, target: None, kind, cause, exit: exit.code() }
    }
}

/// What a verb prints that ended early.
#[derive(Serialize)]
pub(crate) struct FailureDocument {
    pub(crate) errors: Vec<ErrorRecord>,
}

/// `AlreadyExists` as `already-exists`.
fn kebab(camel: &str) -> String {
    let mut text = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// A document, begun with the version of the schema.
#[derive(Serialize)]
struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    document: &'a T,
}

/// Prints a document, indented for people who look.
pub(crate) fn print(document: &impl Serialize) -> io::Result<()> {
    let mut out = super::raw_stdout();
    let document = Versioned { schema: SCHEMA, document };
    out.write_all(harmless(serde_json::to_string_pretty(&document)?).as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// JSON allows raw DEL, C1 and marks that reorder text; a terminal obeys them. They stand in strings
/// only, where `\u` says the same.
fn harmless(json: String) -> String {
    if json.is_ascii() && !json.contains('\x7f') {
        return json;
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\x7f' || sanitize::is_hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Appends a record on a line of its own.
pub(crate) fn line(out: &mut Vec<u8>, record: &impl Serialize) -> io::Result<()> {
    let start = out.len();
    serde_json::to_writer(&mut *out, record)?;
    let json = out.get(start..).unwrap_or_default();
    if !json.is_ascii() || json.contains(&0x7f) {
        let json = String::from_utf8_lossy(json).into_owned();
        out.truncate(start);
        out.extend(harmless(json).into_bytes());
    }
    out.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_means_the_same() {
        let hostile = "a\u{7f}\u{9b}31m\u{202e}\u{e0001}\u{e9}\n";
        let json = harmless(serde_json::to_string(hostile).unwrap_or_default());
        assert!(!json.chars().any(|c| c.is_control() || sanitize::is_hostile(c)), "{json}");
        assert!(json.contains('\u{e9}'), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(hostile));
    }
}
