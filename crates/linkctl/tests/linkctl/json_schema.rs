//! The JSON of every verb has the fields that docs/json.md documents, and no others.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::{Fs, Volume, tree};

/// Runs a verb and reads what it prints.
fn json(dir: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_linkctl"))
        .args(arguments)
        .current_dir(dir)
        .env("LINKCTL_STATE_DIR", dir.join("state"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
}

/// Checks an object's fields against a list, and each of them against the page.
fn has(value: &Value, fields: &str) {
    let found: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> = fields.split_whitespace().collect();
    assert_eq!(found, expected, "{value:#}");
    let page = include_str!("../../../../docs/json.md");
    for field in expected {
        let stands = page.contains(&format!("`{field}`")) || page.contains(&format!("\"{field}\""));
        assert!(stands, "docs/json.md does not name {field}");
    }
}

#[test]
fn every_document_has_the_documented_fields() {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path();
    tree!(dir, { "f" => file("x"), "h" => hard("f"), "dead" => symlink("gone"), "locked" => dir });

    let create = json(dir, &["create", "--json", "l", "f"]);
    has(&create, "schema verb operation dry_run changes notes errors");
    has(&create["changes"][0], "action path kind target result");
    assert_eq!(create["operation"], 1);
    has(&json(dir, &["create", "--json", "n", "none"])["notes"][0], "code path text");
    let refused = json(dir, &["create", "--json", "--kind", "hard", "d", "locked"]);
    has(&refused["errors"][0], "operation path target kind cause exit");
    assert_eq!((&refused["operation"], &refused["errors"][0]["exit"]), (&Value::Null, &4.into()));

    let list = json(dir, &["list", "--json", "--kind", "symlink", "--kind", "hard"]);
    has(&list, "schema links errors");
    for record in list["links"].as_array().unwrap() {
        if record["kind"] == "hard" {
            has(record, "allocated frees kind paths links outside size state");
        } else {
            has(record, "path kind target resolved state");
        }
    }
    assert_eq!(list["links"].as_array().unwrap().len(), 4);
    has(&json(dir, &["list", "--json", "absent"])["errors"][0], "operation path kind cause exit");

    has(&json(dir, &["show", "--json", "f"])["links"][0], "path kind target resolved state links size names");
    let dead = json(dir, &["show", "--json", "--raw", "dead"]);
    has(&dead["links"][0], "path kind target resolved state links size chain raw");
    has(&dead["links"][0]["chain"], "hops failed_at reason");
    has(&dead["links"][0]["chain"]["hops"][0], "path kind target");

    has(&json(dir, &["remove", "--json", "l"]), "schema verb operation dry_run changes notes errors");
    has(&json(dir, &["undo", "--json"]), "schema verb operation dry_run changes notes errors");

    let history = json(dir, &["history", "--json"]);
    has(&history, "schema operations");
    let operation = "id verb began ended state uid user sudo_user undoes undone_by planned done failed";
    has(&history["operations"][0], operation);
    let one = json(dir, &["history", "--json", "1"]);
    has(&one["operations"][0], &format!("{operation} steps"));
    has(&one["operations"][0]["steps"][0], "action path kind target result error");

    let doctor = json(dir, &["doctor", "--json"]);
    has(&doctor, "schema path filesystem mount_point read_only ntfs capabilities system journal");
    has(&doctor["capabilities"][0], "name able error");
}

#[test]
fn reparse_points_say_their_tag() {
    let volume = Volume::new(Fs::Ntfs, 0);
    let dir = volume.path();
    tree!(dir, { "t" => dir });
    json(&dir, &["create", "--json", "--kind", "junction", "j", "t"]);
    let list = json(&dir, &["list", "--json"]);
    has(&list["links"][0], "path kind target resolved state tag tag_name");
    assert_eq!(list["links"][0]["tag_name"], "MOUNT_POINT");
    let show = json(&dir, &["show", "--json", "j"]);
    has(&show["links"][0], "path kind target resolved state links size chain reparse");
    has(&show["links"][0]["reparse"], "tag tag_name name_surrogate print substitute relative bytes");
}
