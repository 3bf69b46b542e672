//! What links led to when they were recorded. Told by link and target: a link that says something else has a record of
//! its own, and one that is brought back has its old one.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::{Journal, Then, to_sql};
use crate::error::Result;
use crate::model::{FileId, Target};
use crate::platform;
use crate::read::identity::Identity;

/// A link, and what it led to when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// The link's path, without links in its parent.
    #[serde(with = "crate::model::name")]
    pub link: PathBuf,
    /// What it said.
    pub target: Target,
    /// What it led to.
    pub identity: Identity,
    /// When that was, in milliseconds since 1970 (UTC).
    pub seen: i64,
    /// The link itself, to be known where its directory was moved.
    pub(crate) object: FileId,
    /// The file system that the link is on.
    pub(crate) file_system: String,
}

impl Tracked {
    fn number(object: FileId) -> String {
        format!("{:x}:{:x}", object.file, object.born)
    }

    pub(super) fn write(&self, connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO tracked (link, target, object, file_system, identity, seen) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        let target = serde_json::to_string(&self.target).map_err(to_sql)?;
        let identity = serde_json::to_string(&self.identity).map_err(to_sql)?;
        let object = Self::number(self.object);
        let mut insert = connection.prepare_cached(sql)?;
        insert.execute(params![key(&self.link), target, object, self.file_system, identity, self.seen]).map(drop)
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let object: String = row.get(2)?;
        let (file, born) = object.split_once(':').unwrap_or_default();
        Ok(Self {
            link: PathBuf::from(platform::from_bytes(row.get(0)?)),
            target: super::rows::json(row, 1)?,
            // Which device the link was on then says nothing now.
            object: FileId {
                volume: 0,
                file: u128::from_str_radix(file, 16).unwrap_or(0),
                born: u64::from_str_radix(born, 16).unwrap_or(0),
            },
            file_system: row.get(3)?,
            identity: super::rows::json(row, 4)?,
            seen: row.get(5)?,
        })
    }
}

const SELECT: &str = "SELECT link, target, object, file_system, identity, seen FROM tracked";

fn key(path: &Path) -> Vec<u8> {
    platform::to_bytes(path.as_os_str()).into_owned()
}

/// The keys of all that is below a path: from the first, up to before the second.
fn below(path: &Path) -> (Vec<u8>, Vec<u8>) {
    let separator = u8::try_from(std::path::MAIN_SEPARATOR).unwrap_or(b'/');
    let mut start = key(path);
    if start.last() != Some(&separator) {
        start.push(separator);
    }
    let mut end = start.clone();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    (start, end)
}

impl Journal {
    /// Writes down what links lead to: all, or nothing.
    pub(crate) fn track(&mut self, links: &[Tracked], then: Then) -> Result<()> {
        self.transact(then, |connection| links.iter().try_for_each(|link| link.write(connection)))
    }

    /// The records of a link, wherever it is and whatever it said; those that can be read.
    pub(crate) fn tracked_as(&self, object: FileId, file_system: &str) -> Result<Vec<Tracked>> {
        self.readable("object = ? AND file_system = ?", params![Tracked::number(object), file_system])
    }

    /// The records of links that lead to links; those that can be read.
    pub(crate) fn tracked_to_links(&self) -> Result<Vec<Tracked>> {
        self.readable("CASE WHEN json_valid(identity) THEN identity ->> '$.kind' END = 'link'", params![])
    }

    /// A record that cannot be read is left as it is: whoever asks for its link is told.
    fn readable(&self, which: &str, params: impl rusqlite::Params) -> Result<Vec<Tracked>> {
        let fail = |error| self.unreadable(&error);
        let mut select = self.connection.prepare_cached(&format!("{SELECT} WHERE {which}")).map_err(fail)?;
        let found = select.query_map(params, Tracked::read).map_err(fail)?;
        Ok(found.filter_map(rusqlite::Result::ok).collect())
    }

    /// Forgets one record of a link: that of what it said once.
    pub(crate) fn untrack_target(&mut self, link: &Path, target: &Target) -> Result<()> {
        let target = serde_json::to_string(target).map_err(to_sql);
        self.transact(Then::Commit, |connection| {
            let sql = "DELETE FROM tracked WHERE link = ? AND target = ?";
            connection.execute(sql, params![key(link), target?]).map(drop)
        })
    }

    /// Whether anything is recorded.
    pub(crate) fn tracks_anything(&self) -> Result<bool> {
        let found = self.query("SELECT EXISTS (SELECT 1 FROM tracked)", params![], |row| row.get(0))?;
        Ok(found.into_iter().next().unwrap_or(false))
    }

    /// Whether anything is recorded of a link.
    pub(crate) fn tracks(&self, link: &Path) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM tracked WHERE link = ?)";
        let found = self.query(sql, params![key(link)], |row| row.get(0))?;
        Ok(found.into_iter().next().unwrap_or(false))
    }

    /// The records of a link and of all below it; with no path, all there are. In the order of paths.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn tracked(&self, path: Option<&Path>) -> Result<Vec<Tracked>> {
        let Some(path) = path else {
            return self.query(&format!("{SELECT} ORDER BY link, seen"), params![], Tracked::read);
        };
        let sql = format!("{SELECT} WHERE link = ?1 OR link >= ?2 AND link < ?3 ORDER BY link, seen");
        let (start, end) = below(path);
        self.query(&sql, params![key(path), start, end], Tracked::read)
    }

    /// The records of links that led to a path, or below it.
    pub(crate) fn tracked_into(&self, path: &Path) -> Result<Vec<Tracked>> {
        let all = self.tracked(None)?.into_iter();
        Ok(all.filter(|tracked| platform::is_within(&tracked.identity.path, path)).collect())
    }

    /// What is known of a link that says this: by its path, or where its directory was moved, by itself, if it is there
    /// to be known.
    pub(crate) fn tracked_link(
        &self,
        link: &Path,
        target: &Target,
        object: Option<FileId>,
        file_system: Option<&str>,
    ) -> Result<Option<Tracked>> {
        let fail = |error| self.unreadable(&error);
        let target = serde_json::to_string(target).map_err(to_sql).map_err(fail)?;
        let by_path = format!("{SELECT} WHERE link = ? AND target = ?");
        let mut select = self.connection.prepare_cached(&by_path).map_err(fail)?;
        let found = select.query_row(params![key(link), target], Tracked::read).optional().map_err(fail)?;
        // A number that was given again is told by the time of birth; without one it says nothing.
        let object = object.filter(|object| object.born != 0 || platform::NUMBERS_LAST);
        let (None, Some(object)) = (&found, object) else { return Ok(found) };
        let by_object = format!(
            "{SELECT} WHERE object = ? AND target = ? AND file_system = coalesce(?, file_system) ORDER BY seen DESC LIMIT 1"
        );
        let mut select = self.connection.prepare_cached(&by_object).map_err(fail)?;
        let number = Tracked::number(object);
        select.query_row(params![number, target, file_system], Tracked::read).optional().map_err(fail)
    }
}
