//! Names are hostile: before a person sees one, whatever a terminal would obey is escaped.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use reparse::WideString;

/// A name for a person: control characters (C0, DEL, C1), marks that reorder text, line and
/// paragraph separators and bytes that are not Unicode become escapes; a backslash stays one.
pub(crate) fn name(name: impl AsRef<OsStr>) -> String {
    bytes(name.as_ref().as_encoded_bytes())
}

/// A name as Windows stores it.
pub(crate) fn wide(name: &WideString) -> String {
    bytes(&name.to_wtf8())
}

/// Writes a [`name`]; most are plain, and copied as they are.
pub(crate) fn write(out: &mut impl io::Write, name: impl AsRef<OsStr>) -> io::Result<()> {
    let name = name.as_ref().as_encoded_bytes();
    if is_plain(name, b' ') { out.write_all(name) } else { out.write_all(bytes(name).as_bytes()) }
}

/// Whether there is nothing but printable ASCII, and one byte more.
pub(super) fn is_plain(text: &[u8], more: u8) -> bool {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') | (*byte == more);
    // Whole chunks without a branch: many bytes are looked at in one step.
    text.chunks(64).all(|chunk| chunk.iter().fold(true, |all, byte| all & plain(byte)))
}

fn bytes(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        // Most names are plain, and stay as they are.
        if is_plain(chunk.valid().as_bytes(), b' ') {
            text.push_str(chunk.valid());
        } else {
            escape(chunk.valid(), &mut text);
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// A path within a sentence.
pub(crate) fn quoted(path: impl AsRef<Path>) -> String {
    format!("'{}'", name(path.as_ref()))
}

/// A whole line of text that may hold anything, such as an error of a library.
pub(crate) fn line(line: &str) -> String {
    bytes(line.as_bytes())
}

fn escape(part: &str, text: &mut String) {
    for c in part.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if c.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_hostile(c) => text.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => text.push(c),
        }
    }
}

/// What is not seen, or changes how others are seen, by the properties that Unicode gives characters: controls, marks of
/// format and of direction, ends of lines and paragraphs, all that is ignored where it cannot be shown.
pub(super) fn is_hostile(c: char) -> bool {
    use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
    use icu_properties::{CodePointMapData, CodePointSetData};
    /// A pattern of Braille without a dot: a symbol by its category, and a blank to the eye.
    const BLANK: char = '\u{2800}';
    let category = || CodePointMapData::<GeneralCategory>::new().get(c);
    let of_format = || {
        use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
        matches!(category(), Control | Format | LineSeparator | ParagraphSeparator)
    };
    !c.is_ascii() && (c == BLANK || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) || of_format())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_the_rest_is_not() {
        let cases: [(&[u8], &str); 8] = [
            (b"plain name", "plain name"),
            (b"a\nb\tc\rd", "a\\nb\\tc\\rd"),
            (b"\x1b[31mred", "\\x1b[31mred"),
            (b"\x7f", "\\x7f"),
            ("\u{9b}2J".as_bytes(), "\\u{9b}2J"),
            ("\u{202e}gpj.exe".as_bytes(), "\\u{202e}gpj.exe"),
            (b"\xff\xfe", "\\xff\\xfe"),
            ("C:\\Games \u{e9}\u{1f600}".as_bytes(), "C:\\Games \u{e9}\u{1f600}"),
        ];
        for (given, expected) in cases {
            assert_eq!(bytes(given), expected);
        }
    }

    #[test]
    fn what_nobody_sees_is_escaped() {
        let unseen = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180e}\u{200b}\u{200d}\u{2028}\u{2029}\u{202e}\u{2060}\u{2066}\u{2800}\u{3164}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{600}\u{6dd}\u{110bd}\u{1d173}\u{e0001}\u{e0020}\u{e0100}\u{85}\u{9f}";
        for c in unseen.chars() {
            assert_eq!(name(format!("a{c}b")), format!("a\\u{{{:x}}}b", u32::from(c)));
        }
        let seen = "e\u{301} \u{e9} \u{4e2d}\u{6587} \u{3042} \u{a0} \u{3000} \u{1f600} \u{627} \u{915}\u{93f} \u{ac00} \u{2801}";
        assert_eq!(name(seen), seen);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_let_a_control_or_a_line_end_through(given: Vec<u8>) {
            let shown = bytes(&given);
            proptest::prop_assert!(!shown.chars().any(|c| c.is_control() || is_hostile(c)), "{shown:?}");
            #[cfg(unix)]
            {
                use std::os::unix::ffi::OsStrExt as _;
                let mut written = Vec::new();
                write(&mut written, OsStr::from_bytes(&given)).unwrap_or_default();
                proptest::prop_assert_eq!(written, shown.into_bytes());
            }
        }
    }
}
