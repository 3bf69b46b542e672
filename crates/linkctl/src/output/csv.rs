//! Comma-separated values (RFC 4180): a row a link, a row a name of a hard-linked file.

use std::io;

use links::{Found, Target};

use super::sanitize;

/// Writes rows as they come.
pub(crate) struct Writer<W: io::Write>(csv::Writer<W>);

const HEAD: [&str; 7] = ["path", "kind", "target", "resolved", "state", "links", "size"];

impl<W: io::Write> Writer<W> {
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(HEAD).map_err(cause)?;
        Ok(Self(writer))
    }

    pub(crate) fn write(&mut self, found: &Found) -> io::Result<()> {
        match found {
            Found::Link(link) => {
                let target = link.target.as_ref().and_then(Target::shown).map(cell).unwrap_or_default();
                let resolved = link.resolved.as_ref().map(cell).unwrap_or_default();
                let row = [&cell(&link.path), link.kind.as_str(), &target, &resolved, link.state.as_str(), "", ""];
                self.0.write_record(row).map_err(cause)?;
            }
            Found::Path(path) => {
                self.0.write_record([&cell(path), "", "", "", "", "", ""]).map_err(cause)?;
            }
            Found::HardLinks(group) => {
                let (links, size) = (group.links.to_string(), group.size.to_string());
                for path in &group.paths {
                    self.0.write_record([&cell(path), "hard", "", "", "ok", &links, &size]).map_err(cause)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The system's error behind one of the csv crate: a closed pipe must be known as one.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A name as a cell. Spreadsheets run what begins like a formula: such a cell gets an apostrophe.
fn cell(name: impl AsRef<std::ffi::OsStr>) -> String {
    let text = sanitize::name(name.as_ref());
    // Tab and carriage return, which would count too, are escaped already.
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_begin_like_formulas_are_defused() {
        for hostile in ["=1+1", "+1", "-1", "@x"] {
            assert_eq!(cell(hostile), format!("'{hostile}"));
        }
        assert_eq!(cell("a=1"), "a=1");
        assert_eq!(cell("\t=1"), "\\t=1");
    }
}
