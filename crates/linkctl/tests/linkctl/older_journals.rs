//! A journal that an older program wrote opens, shows its operations, and each of them can be undone.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use crate::common::{Linkctl, leftovers, name};
use rusqlite::{Connection, params};
use serde_json::Value;
use testkit::{Fs, Volume, tree};

/// Written by a program of schema 7; how, is told beside it.
const JOURNAL: &[u8] = include_bytes!("../fixtures/journal-7.db");
const TREES: &str = include_str!("../fixtures/journal-7.json");

/// The operations in it: verb, state, done of planned; whether trees were moved.
const OPERATIONS: [(&str, &str, bool); 17] = [
    ("create", "done 1/1", false),
    ("create", "done 1/1", false),
    ("create", "done 3/3", false),
    ("create", "done 1/1", false),
    ("remove", "done 1/1", false),
    ("remove", "done 1/1", false),
    ("move", "done 1/1", true),
    ("move", "done 1/1", true),
    ("move", "done 1/1", true),
    ("restore", "done 1/1", true),
    ("create", "done 1/1", false),
    ("undo", "done 1/1", false),
    ("undo", "done 1/1", false),
    ("move", "done 1/1", true),
    ("undo", "done 1/1", true),
    ("create", "interrupted 0/1", false),
    ("repair", "done 1/1", false),
];

/// The tree that the journal speaks of, built anew, with the journal brought over to it.
struct Scene {
    linkctl: Linkctl,
    home: Volume,
    other: Volume,
    trees: Value,
}

/// The identity of an object, as rows of the journal have it.
fn id(path: &Path) -> String {
    let found = fs::symlink_metadata(path).unwrap();
    let born = found.created().unwrap().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("{:x}:{:x}:{born:x}", found.dev(), found.ino())
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

impl Scene {
    fn new() -> Scene {
        let (home, other) = (Volume::new(Fs::Ext4, 16 << 20), Volume::new(Fs::Tmpfs, 16 << 20));
        fs::remove_dir(home.path().join("lost+found")).unwrap();
        let linkctl = Linkctl::on(home.path());
        let scene = Scene { linkctl, home, other, trees: serde_json::from_str(TREES).unwrap() };
        scene.build();
        fs::create_dir(scene.linkctl.state()).unwrap();
        fs::write(scene.linkctl.database(), JOURNAL).unwrap();
        scene.bring_over();
        scene
    }

    /// Where something of the older machine is here.
    fn here(&self, text: &str) -> String {
        let root = self::text(&self.trees, "root");
        let at = |volume: &Volume| volume.path().to_str().unwrap().to_owned();
        text.replace(&format!("{root}/home"), &at(&self.home)).replace(&format!("{root}/other"), &at(&self.other))
    }

    fn entries(&self, when: &str) -> Vec<(PathBuf, &Value)> {
        let root = text(&self.trees, "root");
        let entries = self.trees[when].as_array().unwrap().iter();
        entries.map(|entry| (self.here(&format!("{root}/{}", text(entry, "path"))).into(), entry)).collect()
    }

    /// Builds the tree as the last operation left it.
    fn build(&self) {
        let mut names: BTreeMap<&str, PathBuf> = BTreeMap::new();
        for (path, entry) in self.entries("after") {
            if let Some(first) = names.get(text(entry, "id")) {
                fs::hard_link(first, &path).unwrap();
            } else if let Some(target) = entry["target"].as_str() {
                symlink(self.here(target), &path).unwrap();
            } else if let Some(content) = entry["text"].as_str() {
                fs::write(&path, content).unwrap();
            } else {
                fs::create_dir_all(&path).unwrap();
            }
            names.insert(text(entry, "id"), path);
        }
        // From the last to the first: what is made in a directory changes its time.
        for (path, entry) in self.entries("after").iter().rev() {
            let time = format!("@{}", text(entry, "modified"));
            let status = Command::new("touch").args(["-h", "-d", &time]).arg(path).status().unwrap();
            assert!(status.success());
        }
    }

    /// Replaces what the rows say of the older machine by what it is here.
    fn bring_over(&self) {
        let mut ids: Vec<(String, String)> =
            self.entries("after").iter().map(|(path, entry)| (text(entry, "id").to_owned(), id(path))).collect();
        let connection = Connection::open(self.linkctl.database()).unwrap();
        let row =
            |connection: &Connection, sql: &str| -> String { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        let file_system = |connection: &Connection| {
            let line = row(connection, "SELECT lines FROM chunks WHERE id = 1");
            let line: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
            format!("\"file_system\":{}", line["home"]["file_system"])
        };
        let tracked_to = |connection: &Connection, target: &str| {
            let sql = "SELECT file_system, identity ->> '$.file_system' FROM tracked WHERE target LIKE ?";
            let row = |row: &rusqlite::Row<'_>| Ok([row.get::<_, String>(0)?, row.get::<_, String>(1)?]);
            connection.query_row(sql, [format!("%{target}%")], row).unwrap()
        };
        // What the file systems and this machine are called here, a journal tells that is begun now.
        let now = Linkctl::on(self.home.path());
        let other = self.other.path();
        now.ok(["create", "probe", other.to_str().unwrap(), "--json"]);
        fs::remove_file(self.home.path().join("probe")).unwrap();
        let begun = Connection::open(now.database()).unwrap();
        ids.push((file_system(&connection), file_system(&begun)));
        let names = tracked_to(&connection, "other/big").into_iter().zip(tracked_to(&begun, other.to_str().unwrap()));
        ids.extend(names);
        let process: Value = serde_json::from_str(&row(&begun, "SELECT process FROM operations")).unwrap();
        ids.push(("00000000000000000000000000000000".into(), text(&process, "machine").to_owned()));
        let here = |text: &str| ids.iter().fold(self.here(text), |text, (old, new)| text.replace(old, new));
        for (table, column) in [
            ("chunks", "lines"),
            ("outcomes", "lines"),
            ("operations", "process"),
            ("tracked", "target"),
            ("tracked", "identity"),
            ("tracked", "file_system"),
        ] {
            let sql = format!("SELECT DISTINCT {column} FROM {table}");
            let mut select = connection.prepare(&sql).unwrap();
            let texts: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            for old in texts {
                let sql = format!("UPDATE {table} SET {column} = ? WHERE {column} = ?");
                connection.execute(&sql, params![here(&old), old]).unwrap();
            }
        }
        // By its handle an object is found wherever it goes: that is read anew, of links that are there.
        now.ok(["track", "."]);
        let mut select = connection.prepare("SELECT link, target, object, identity FROM tracked").unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            let texts = [row.get::<_, String>(1)?, row.get(2)?, row.get(3)?];
            Ok((row.get::<_, Vec<u8>>(0)?, texts))
        };
        let links: Vec<_> = select.query_map([], row).unwrap().map(Result::unwrap).collect();
        let bare = |id: &str| id.split_once(':').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        for (link, [target, object, identity]) in links {
            let new = here(std::str::from_utf8(&link).unwrap()).into_bytes();
            let known = ids.iter().find(|(old, _)| bare(old) == object);
            let object = known.map_or(object, |(_, new)| bare(new));
            let mut identity: Value = serde_json::from_str(&identity).unwrap();
            let sql = "SELECT identity FROM tracked WHERE link = ? AND target = ?";
            let anew = begun.query_row(sql, params![new, target], |row| row.get::<_, String>(0));
            if let Ok(anew) = anew {
                let anew: Value = serde_json::from_str(&anew).unwrap();
                identity["handle"] = anew["handle"].clone();
                identity["directory"]["handle"] = anew["directory"]["handle"].clone();
            }
            let sql = "UPDATE tracked SET link = ?, object = ?, identity = ? WHERE link = ? AND target = ?";
            connection.execute(sql, params![new, object, identity.to_string(), link, target]).unwrap();
        }
    }

    /// What the tree has to be: the content of each file, the text of each link.
    fn listed(&self, when: &str) -> BTreeMap<PathBuf, String> {
        let what = |entry: &Value| match (entry["target"].as_str(), entry["text"].as_str()) {
            (Some(target), _) => format!("-> {}", self.here(target)),
            (_, Some(content)) => content.to_owned(),
            _ => "directory".to_owned(),
        };
        self.entries(when).into_iter().map(|(path, entry)| (path, what(entry))).collect()
    }

    /// What it is.
    fn found(&self) -> BTreeMap<PathBuf, String> {
        let (mut found, mut todo) = (BTreeMap::new(), vec![self.home.path(), self.other.path()]);
        while let Some(path) = todo.pop() {
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let what = if kind.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_dir() {
                todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                "directory".to_owned()
            } else {
                fs::read_to_string(&path).unwrap()
            };
            found.insert(path, what);
        }
        found
    }

    #[track_caller]
    fn assert_history(&self) {
        let told: Vec<_> = self
            .linkctl
            .history()
            .into_iter()
            .rev()
            .map(|operation| {
                let state = format!("{} {}/{}", text(&operation, "state"), operation["done"], operation["planned"]);
                (text(&operation, "verb").to_owned(), state)
            })
            .collect();
        let expected: Vec<_> =
            OPERATIONS.iter().map(|(verb, state, _)| ((*verb).to_owned(), (*state).to_owned())).collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn every_operation_of_an_older_journal_is_shown_with_its_steps_and_the_schema_is_brought_up_once() {
    let scene = Scene::new();
    scene.assert_history();
    for number in 1..=OPERATIONS.len() {
        let shown = scene.linkctl.ok(["history", &number.to_string(), "--json"]).json();
        let operation = &shown["operations"][0];
        let steps = operation["steps"].as_array().unwrap();
        assert_eq!(Some(steps.len() as u64), operation["planned"].as_u64(), "{shown}");
        let root = [scene.home.path(), scene.other.path()];
        for step in steps {
            let path = String::from_utf8(name(&step["path"])).unwrap();
            assert!(root.iter().any(|root| Path::new(&path).starts_with(root)), "{step}");
        }
    }
    let connection = Connection::open(scene.linkctl.database()).unwrap();
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 9);
    let mut select = connection.prepare("SELECT id FROM operations WHERE moves_trees = 1 ORDER BY id").unwrap();
    let moving: Vec<i64> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let expected = (1..).zip(OPERATIONS).filter(|(_, (_, _, moves))| *moves).map(|(number, _)| number);
    assert_eq!(moving, expected.collect::<Vec<i64>>());
    drop(select);
    drop(connection);
    let before = fs::read(scene.linkctl.database()).unwrap();
    scene.assert_history();
    scene.linkctl.ok(["undo", "--dry-run"]);
    assert!(fs::read(scene.linkctl.database()).unwrap() == before, "a second opening changed it");
    assert_eq!(scene.found(), scene.listed("after"));
}

#[test]
fn every_operation_of_an_older_journal_is_undone_moves_among_them() {
    let scene = Scene::new();
    assert_eq!(scene.found(), scene.listed("after"), "the tree is not the one that the journal speaks of");
    for number in (1..=OPERATIONS.len()).rev() {
        let ran = scene.linkctl.output(["undo", &number.to_string(), "--yes"]);
        assert_eq!(ran.code(), Some(0), "{number} {:?}: {ran}", OPERATIONS[number - 1]);
    }
    assert_eq!(scene.found(), scene.listed("before"));
    assert_eq!(leftovers(scene.home.path()), [""; 0]);
    let nlink = |name: &str| fs::metadata(scene.linkctl.at(name)).unwrap().nlink();
    assert_eq!((nlink("names/first"), nlink("second")), (2, 1));
}

#[test]
fn what_an_older_journal_tracks_is_known_and_followed() {
    let scene = Scene::new();
    let tracked = |scene: &Scene| {
        let listed = scene.linkctl.ok(["track", "--list", "--json"]).json();
        let records = listed["tracked"].as_array().unwrap().clone();
        let record = |record: Value| {
            (PathBuf::from(String::from_utf8(name(&record["path"])).unwrap()), text(&record, "state").to_owned())
        };
        records.into_iter().map(record).collect::<BTreeMap<_, _>>()
    };
    let states = tracked(&scene);
    let at = |name: &str| states.get(&scene.linkctl.at(name)).map(String::as_str);
    for link in ["deep/er/link", "made", "old", "big", "dir", "undone", "place/dir/out"] {
        assert_eq!(at(link), Some("ok"), "{link}: {states:?}");
    }
    // By the object that was recorded, and not by its name.
    tree!(scene.home.path(), { "elsewhere" => dir });
    fs::rename(scene.linkctl.at("file"), scene.linkctl.at("elsewhere/another-name")).unwrap();
    scene.linkctl.ok(["repair", "deep", "--yes"]);
    assert_eq!(scene.linkctl.target("deep/er/link"), b"../../elsewhere/another-name");
}

#[test]
fn an_older_journal_that_cannot_be_written_is_told_to_be_older() {
    let linkctl = Linkctl::nobody();
    fs::write(linkctl.database(), JOURNAL).unwrap();
    std::os::unix::fs::chown(linkctl.database(), Some(crate::common::NOBODY), None).unwrap();
    fs::set_permissions(linkctl.state(), Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(linkctl.database(), Permissions::from_mode(0o444)).unwrap();
    let before = fs::read(linkctl.database()).unwrap();
    linkctl
        .output(["history"])
        .exits(3)
        .says("it is of an older linkctl, and cannot be brought up to date where nothing can be written");
    assert!(fs::read(linkctl.database()).unwrap() == before);
}
