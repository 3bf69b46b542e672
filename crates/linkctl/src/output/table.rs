//! Columns for people.

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use links::{Found, State, Target};

use super::{Out, sanitize};

pub(crate) const HEAD: Style = Style::new().bold();

/// The colour of a state: what needs a look is not green.
pub(crate) fn style(state: State) -> Style {
    let color = match state {
        State::Ok => AnsiColor::Green,
        State::Elsewhere => AnsiColor::Cyan,
        state if state.is_broken() => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    Style::new().fg_color(Some(color.into()))
}

/// `path -> target`, up to the end of the line.
pub(crate) fn arrow(out: &mut impl Write, path: &Path, target: Option<&Target>) -> io::Result<()> {
    sanitize::write(out, path)?;
    if let Some(shown) = target.and_then(super::shown) {
        out.write_all(b" -> ")?;
        sanitize::write(out, &shown)?;
    }
    if let Some(other) = target.and_then(Target::other_name) {
        write!(out, " (print name: {})", sanitize::name(other))?;
    }
    out.write_all(b"\n")
}

/// A cell of a name of ours, as wide as its column. Padding by `write!` would cost more than the rest of the line.
fn cell(out: &mut Out, text: &str, width: usize) -> io::Result<()> {
    const BLANK: &[u8] = &[b' '; 32];
    out.write_all(text.as_bytes())?;
    out.write_all(BLANK.get(..width.saturating_sub(text.len())).unwrap_or(BLANK))
}

/// Links and hard-link groups, one below the other.
pub(crate) fn links(out: &mut Out, found: &[Found]) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let kind = |found: &Found| match found {
        Found::Path(_) => "",
        Found::Link(link) => link.kind.as_str(),
        Found::HardLinks(_) => "hard",
    };
    let state = |found: &Found| match found {
        Found::Link(link) => link.state,
        Found::HardLinks(_) | Found::Path(_) => State::Ok,
    };
    let kinds = found.iter().map(|found| kind(found).len()).chain([4]).max().unwrap_or(0);
    let states = found.iter().map(|found| state(found).as_str().len()).chain([5]).max().unwrap_or(0);
    writeln!(out, "{HEAD}{:kinds$}  {:states$}  LINK{HEAD:#}", "KIND", "STATE")?;
    for item in found {
        cell(out, kind(item), kinds)?;
        let style = out.style(style(state(item)));
        if style.is_plain() {
            out.write_all(b"  ")?;
            cell(out, state(item).as_str(), states)?;
            out.write_all(b"  ")?;
        } else {
            write!(out, "  {style}{:states$}{style:#}  ", state(item))?;
        }
        match item {
            Found::Path(path) => arrow(out, path, None)?,
            Found::Link(link) => arrow(out, &link.path, link.target.as_ref())?,
            Found::HardLinks(group) => {
                let found = group.paths.len();
                let all = usize::try_from(group.links).is_ok_and(|links| links == found);
                let names = if all { format!("{found} names") } else { format!("{found} of {} names", group.links) };
                writeln!(out, "{names}, {} bytes", group.size)?;
                for path in &group.paths {
                    writeln!(out, "{:kinds$}  {:states$}    {}", "", "", sanitize::name(path))?;
                }
            }
        }
    }
    Ok(())
}

/// A cell that is wider pushes its own row's others aside, and no other row's.
const WIDEST: usize = 100;

/// Rows under a heading, each column as wide as its widest cell; the last is not padded.
pub(crate) fn columns<const N: usize>(
    out: &mut impl Write,
    head: [&str; N],
    rows: &[[impl AsRef<str>; N]],
) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_ref().chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0).min(WIDEST)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let blank = " ".repeat(WIDEST);
    let mut line = String::new();
    let mut write = |out: &mut dyn Write, cells: [&str; N], style: Style| {
        line.clear();
        for (number, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            line.push_str(if number == 0 { "" } else { "  " });
            line.push_str(cell);
            let missing = width.saturating_sub(cell.chars().count());
            line.push_str(blank.get(..missing).unwrap_or_default());
        }
        writeln!(out, "{style}{}{style:#}", line.trim_end())
    };
    write(out, head, HEAD)?;
    rows.iter().try_for_each(|row| write(out, row.each_ref().map(AsRef::as_ref), Style::new()))
}
