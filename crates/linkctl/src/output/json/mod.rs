//! JSON records, a file for each verb or group of verbs. The schema is documented in docs/json.md; a change of meaning
//! raises [`SCHEMA`].

/// A record with where each field comes from: the struct for serde, and `From` the value that it describes.
macro_rules! record {
    (
        $(#[$attribute:meta])*
        $name:ident of $from:tt: $source:ty $(, $local:tt = $made:expr)* => {
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

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use links::{Error, FileKind, Name};
use serde::Serialize;
use serde_json::ser::Formatter;

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

record! {
    /// An error, as programs see it.
    ErrorRecord of error: &Error => {
        operation: String = error.operation().to_owned(),
        path: Option<Name> = Some(name(error.path())),
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<Name> = error.second_path().map(name),
        kind: String = error.kind().as_str().to_owned(),
        cause: String = cause(error),
        /// The exit code that this error alone would give.
        exit: u8 = Exit::of(error.kind()).code(),
    }
}

impl ErrorRecord {
    /// An error of the command itself.
    pub(crate) fn own(exit: Exit, cause: &str) -> Self {
        let kind = format!("{exit:?}").to_ascii_lowercase();
        let (operation, cause) = ("run the command".to_owned(), cause.to_owned());
        Self { operation, path: None, target: None, kind, cause, exit: exit.code() }
    }
}

/// What a verb prints that ended early.
#[derive(Serialize)]
pub(crate) struct FailureDocument {
    pub(crate) errors: Vec<ErrorRecord>,
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
    super::must_be_open(b"{")?;
    let mut out = Harmless { json: Vec::with_capacity(2 * PIECE), out: io::stdout().lock() };
    let document = Versioned { schema: SCHEMA, document };
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Indented::default()))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// So much is gathered before it is written: a document of millions of links is nowhere whole.
const PIECE: usize = 64 * 1024;

/// Writes JSON, [`harmless`]. What it is given at a time is whole characters, as all that serde_json writes.
struct Harmless<W: Write> {
    json: Vec<u8>,
    out: W,
}

impl<W: Write> Harmless<W> {
    fn write_json(&mut self) -> io::Result<()> {
        let json = std::mem::replace(&mut self.json, Vec::with_capacity(2 * PIECE));
        self.out.write_all(&harmless(&json))
    }
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.json.extend_from_slice(bytes);
        if self.json.len() > PIECE { self.write_json() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_json()?;
        self.out.flush()
    }
}

/// The form of [`serde_json::ser::PrettyFormatter`], which writes every level of an indentation for itself.
#[derive(Default)]
struct Indented {
    depth: usize,
    has_value: bool,
}

impl Indented {
    /// A new line, after a comma where something stands before.
    fn line<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        const LINE: &[u8] = b",\n                                ";
        let line = LINE.get(usize::from(first)..2 + 2 * self.depth);
        let Some(line) = line else {
            out.write_all(if first { b"\n" } else { b",\n" })?;
            return (0..self.depth).try_for_each(|_| out.write_all(b"  "));
        };
        out.write_all(line)
    }

    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(bracket)
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value {
            self.line(out, true)?;
        }
        out.write_all(bracket)
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

/// JSON allows raw DEL, C1 and marks that reorder text; a terminal obeys them. They stand in strings
/// only, where `\u` says the same.
fn harmless(json: &[u8]) -> Cow<'_, [u8]> {
    if json.is_ascii() && !json.contains(&0x7f) {
        return json.into();
    }
    let mut text = String::with_capacity(json.len());
    for c in String::from_utf8_lossy(json).chars() {
        if c == '\x7f' || sanitize::is_hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text.into_bytes().into()
}

/// Appends a record on a line of its own.
pub(crate) fn line(out: &mut Vec<u8>, record: &impl Serialize) -> io::Result<()> {
    let start = out.len();
    serde_json::to_writer(&mut *out, record)?;
    if let Cow::Owned(json) = harmless(out.get(start..).unwrap_or_default()) {
        out.truncate(start);
        out.extend(json);
    }
    out.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_indented_as_serde_json_does() {
        let deep = (0..40).fold(serde_json::json!(["x"]), |inner, _| serde_json::json!({ "a": [1, inner], "b": {} }));
        for document in [serde_json::json!([]), serde_json::json!({}), serde_json::json!([[], {}, [{}], "a"]), deep] {
            let mut text = Vec::new();
            let mut serializer = serde_json::Serializer::with_formatter(&mut text, Indented::default());
            assert!(document.serialize(&mut serializer).is_ok());
            assert_eq!(String::from_utf8(text).ok(), serde_json::to_string_pretty(&document).ok());
        }
    }

    #[test]
    fn what_is_written_in_pieces_is_escaped_as_the_whole() {
        let names: Vec<String> = (0..5_000).map(|n| format!("{n}\u{e9}\u{202e}\u{7f}\u{1f600}")).collect();
        let mut out = Harmless { json: Vec::new(), out: Vec::new() };
        assert!(serde_json::to_writer_pretty(&mut out, &names).is_ok() && out.flush().is_ok());
        let whole = serde_json::to_string_pretty(&names).unwrap_or_default();
        assert_eq!(out.out, harmless(whole.as_bytes()).into_owned());
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_means_the_same() {
        let hostile = "a\u{7f}\u{9b}31m\u{202e}\u{e0001}\u{e9}\n";
        let json = serde_json::to_string(hostile).unwrap_or_default();
        let json = String::from_utf8_lossy(&harmless(json.as_bytes())).into_owned();
        assert!(!json.chars().any(|c| c.is_control() || sanitize::is_hostile(c)), "{json}");
        assert!(json.contains('\u{e9}'), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(hostile));
    }
}
