//! Broken links find their targets again: exactly where they were recorded, by evidence where not, and never wrongly.

mod between;
mod convert;
mod evidence;
mod exact;
mod faults;
mod maps;
mod mounts;
mod ntfs;
mod numbers;
mod owners;
mod recorded_over_inferred;
mod refusals;
mod replaced_links;
mod saved_anew;
mod search;
mod several_names;
mod subvolumes;
mod tracking;
mod uuid;
mod which;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use links::repair::{Confidence, Conversion, Reason};
use links::{ErrorKind, State};
use testkit::{Fs, Volume};

use crate::support::*;

/// `links/l` to `data/f`, tracked, and `data` renamed to `far`.
fn moved() -> Ground {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "x");
    link("../data/f", ground.at("links/l"));
    ground.track(["links"]);
    rename(ground.at("data"), ground.at("far"));
    ground
}
