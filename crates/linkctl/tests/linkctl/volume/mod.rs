//! Links of NTFS volumes that need not be mounted: images filled through ntfs-3g, read by the command itself, and
//! compared with what a walk of the mount finds.

mod check;
mod damage;
mod dir;
mod disk;
mod filled;
mod filters;
mod formats;
mod partitions;
mod points_to;
mod semantics;
mod shapes;
mod show;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::common::{Linkctl, Ran, name, os};
use filled::*;
use reparse::WideString;
use serde_json::Value;
use tempfile::TempDir;
use testkit::ntfs_volumes::{ExpectedGroup, ExpectedLink, SHAPES, Shape};
use testkit::{Fs, Volume, tree};

/// The shape that is enough where the layout of a volume does not matter.
const ANY: usize = 2;
const BROKEN: [&str; 4] = ["missing", "loop", "too-long", "wrong-kind"];

/// A path or a target as it is expected: half a surrogate pair is one U+FFFD.
fn text(value: &Value) -> String {
    let bytes = name(value);
    match WideString::from_wtf8(&bytes) {
        Some(wide) => wide.to_string(),
        None => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

fn path(link: &Value) -> String {
    text(&link["path"])
}

/// The last name of a path on a volume.
fn last(path: &str) -> &str {
    path.rsplit('\\').next().unwrap()
}

fn state(link: &Value) -> &str {
    link["state"].as_str().unwrap()
}

fn is_broken(link: &Value) -> bool {
    BROKEN.contains(&state(link))
}

#[track_caller]
fn links(document: &Value) -> Vec<Value> {
    document["links"].as_array().unwrap().clone()
}

fn paths(links: &[Value]) -> Vec<String> {
    links.iter().map(path).collect()
}

/// The link with this path.
#[track_caller]
fn link<'a>(links: &'a [Value], wanted: &str) -> &'a Value {
    links.iter().find(|link| path(link) == wanted).unwrap_or_else(|| panic!("{wanted} is not listed"))
}

/// Runs `VERB --volume SOURCE MORE`.
fn run<S: AsRef<OsStr>>(verb: &str, source: impl AsRef<Path>, more: impl IntoIterator<Item = S>) -> Ran {
    let mut args = vec![OsString::from(verb), "--volume".into(), source.as_ref().into()];
    args.extend(more.into_iter().map(|arg| arg.as_ref().to_owned()));
    Linkctl::new().output(args)
}

/// What `list --json` says of a volume without a fault.
#[track_caller]
fn list(source: impl AsRef<Path>, more: &[&str]) -> Value {
    let ran = run("list", source, ["--json"].iter().chain(more)).exits(0);
    assert_eq!(ran.err, "");
    ran.json()
}

/// Those names of both that are not the same, for a message that can be read.
#[track_caller]
fn assert_same<T: Ord + std::fmt::Debug>(what: &str, found: Vec<T>, expected: Vec<T>) {
    let count = |all: Vec<T>| {
        let mut counts: BTreeMap<T, usize> = BTreeMap::new();
        all.into_iter().for_each(|one| *counts.entry(one).or_default() += 1);
        counts.into_iter().collect::<BTreeSet<_>>()
    };
    let (found, expected) = (count(found), count(expected));
    let more: Vec<_> = found.difference(&expected).take(8).collect();
    let less: Vec<_> = expected.difference(&found).take(8).collect();
    assert!(more.is_empty() && less.is_empty(), "{what}: found {more:#?}, expected {less:#?}");
}
