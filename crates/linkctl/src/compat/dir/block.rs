//! The columns of a listing, as a Windows of the United States prints them.

use std::path::Path;

use indicatif::HumanCount;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use links::listing::{Listed, Volume};
use links::{FileKind, Target};
use reparse::{ReparseData, Tag, WideString};

use crate::output::sanitize;

pub(super) fn head(volume: &Volume) -> String {
    let drive = sanitize::name(&volume.mount_point);
    // Windows calls a drive by its letter alone.
    let drive = drive.strip_suffix(":\\").unwrap_or(&drive);
    let label = match &volume.label {
        Some(label) => format!("is {}", sanitize::name(label)),
        None => "has no label.".to_owned(),
    };
    let (high, low) = (volume.serial >> 16, volume.serial & 0xffff);
    format!(" Volume in drive {drive} {label}\n Volume Serial Number is {high:04X}-{low:04X}\n")
}

pub(super) fn directory(path: &Path) -> String {
    format!("\n Directory of {}\n\n", sanitize::name(path))
}

/// One row: the name stands at column 39.
pub(super) fn row(entry: &Listed, zone: &TimeZone, separators: bool) -> String {
    let name = sanitize::name(&entry.name);
    let time = local(entry.modified, zone).strftime("%m/%d/%Y  %I:%M %p").to_string();
    match tag(entry) {
        Some((tag, Some(target))) => format!("{time}    {tag:<15}{name} [{target}]\n"),
        Some((tag, None)) => format!("{time}    {tag:<15}{name}\n"),
        None => format!("{time}{:>18} {name}\n", number(entry.size, separators)),
    }
}

/// A time in a zone. One that may leave the year 9999 in some zone (programs write its last day for "never") is not moved.
fn local(seconds: i64, zone: &TimeZone) -> DateTime {
    if let Ok(time) = Timestamp::from_second(seconds) {
        return zone.to_datetime(time);
    }
    let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let farthest = if seconds < 0 { DateTime::MIN } else { DateTime::MAX };
    epoch.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(farthest)
}

/// What has no size, with what it leads to.
fn tag(entry: &Listed) -> Option<(&'static str, Option<String>)> {
    let symlink = if entry.is_directory { "<SYMLINKD>" } else { "<SYMLINK>" };
    let point = match &entry.target {
        Some(Target::Reparse(point)) => point,
        Some(Target::Text(text)) => return Some((symlink, Some(sanitize::name(text)))),
        _ => return (entry.kind == FileKind::Directory).then_some(("<DIR>", None)),
    };
    let shown = |print: &WideString, substitute: &WideString| {
        Some(sanitize::wide(if print.is_empty() { substitute } else { print }))
    };
    Some(match point.decode() {
        Ok(ReparseData::Symlink(link)) => (symlink, shown(&link.print, &link.substitute)),
        Ok(ReparseData::MountPoint(link)) => ("<JUNCTION>", shown(&link.print, &link.substitute)),
        // What cannot be read says so as Windows does.
        _ if point.tag() == Tag::SYMLINK => (symlink, Some("...".to_owned())),
        _ if point.tag().is_name_surrogate() => ("<JUNCTION>", Some("...".to_owned())),
        _ if entry.is_directory => ("<DIR>", None),
        _ => return None,
    })
}

/// What was listed, for the lines below it.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) directories: u64,
}

impl Totals {
    pub(super) fn add(&mut self, entry: &Listed) {
        if entry.is_directory {
            self.directories += 1;
        } else {
            self.files += 1;
            self.bytes = self.bytes.saturating_add(entry.size);
        }
    }

    pub(super) fn include(&mut self, other: Self) {
        self.files += other.files;
        self.directories += other.directories;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    pub(super) fn rows(self) -> u64 {
        self.files + self.directories
    }

    pub(super) fn file_line(self, separators: bool) -> String {
        format!("{:>16} File(s) {:>14} bytes\n", number(self.files, separators), number(self.bytes, separators))
    }

    pub(super) fn directory_line(self, free: u64, separators: bool) -> String {
        format!("{:>16} Dir(s) {:>15} bytes free\n", number(self.directories, separators), number(free, separators))
    }
}

fn number(number: u64, separators: bool) -> String {
    if separators { HumanCount(number).to_string() } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_of_the_year_9999_is_not_moved_by_the_zone() {
        let last = 253_402_300_799;
        for hours in [-12, -5, 0, 14] {
            let zone = TimeZone::fixed(jiff::tz::offset(hours));
            assert_eq!(local(last, &zone).to_string(), "9999-12-31T23:59:59", "{hours}");
            assert_eq!(local(i64::MAX, &zone), DateTime::MAX);
            assert_eq!(local(i64::MIN, &zone), DateTime::MIN);
            assert_eq!(
                local(0, &zone),
                DateTime::constant(1970, 1, 1, 0, 0, 0, 0) + SignedDuration::from_hours(hours.into())
            );
        }
    }

    #[test]
    fn totals_stand_in_the_columns_of_the_known_listing() {
        let totals = Totals { files: 2, bytes: 17, directories: 2 };
        assert_eq!(totals.file_line(true), "               2 File(s)             17 bytes\n");
        let free = totals.directory_line(64_373_338_112, true);
        assert_eq!(free, "               2 Dir(s)  64,373,338,112 bytes free\n");
        assert_eq!(totals.directory_line(1_000_000, false), "               2 Dir(s)         1000000 bytes free\n");
    }
}
