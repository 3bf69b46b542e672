//! Comma-separated values (RFC 4180): a row a link, a row a name of a hard-linked file.

use std::io;

use links::{Found, Target};

use super::sanitize;

/// The names of the columns.
pub(crate) const HEAD: &[u8] = b"path,kind,target,resolved,state,links,size,print\n";

/// Appends the rows of a find.
pub(crate) fn write(out: &mut Vec<u8>, found: &Found) -> io::Result<()> {
    let mut out = csv::WriterBuilder::new().buffer_capacity(1024).from_writer(out);
    match found {
        Found::Link(link) => {
            let target = link.target.as_ref().and_then(Target::shown).map(cell).unwrap_or_default();
            let resolved = link.resolved.as_ref().map(cell).unwrap_or_default();
            // The name that Windows' own listings show, where it is another.
            let print = link.target.as_ref().and_then(Target::other_name).map(cell).unwrap_or_default();
            let state = link.state.as_str();
            let row = [&cell(&link.path), link.kind.as_str(), &target, &resolved, state, "", "", &print];
            out.write_record(row)?;
        }
        Found::Path(path) => out.write_record([&cell(path), "", "", "", "", "", "", ""])?,
        Found::HardLinks(group) => {
            let (links, size) = (group.links.to_string(), group.size.to_string());
            for path in &group.paths {
                out.write_record([&cell(path), "hard", "", "", "ok", &links, &size, ""])?;
            }
        }
    }
    out.flush()
}

/// A name as a cell. Spreadsheets run what begins like a formula: such a cell gets an apostrophe.
fn cell(name: impl AsRef<std::ffi::OsStr>) -> String {
    let text = sanitize::name(name.as_ref());
    // Tab and carriage return, which would count too, are escaped already.
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}
