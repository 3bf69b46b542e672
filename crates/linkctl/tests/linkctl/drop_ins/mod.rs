//! The drop-ins, as transcripts: each names the row of Windows' reference that it shows.

mod dir;
mod fsutil;
mod mklink;
mod queue;
mod typed;

use std::fs;
use std::path::Path;

use crate::common::ntfs::hex;
use crate::common::{Linkctl, names, os};
use testkit::ntfs::get_reparse;
use testkit::{Fs, Volume, strace, tree};

/// One command of a transcript: its words, its exit code, standard output and standard error.
type Said<'a> = (&'a [&'a str], i32, &'a str, &'a str);

/// Runs a command after the other in a directory; `[DIR]` stands for it in what is said.
#[track_caller]
fn transcript(linkctl: &Linkctl, rows: &[Said<'_>]) {
    for (words, code, out, err) in rows {
        let ran = linkctl.output(*words);
        let said = (ran.code(), ran.out.as_str(), ran.err.as_str());
        assert_eq!(said, (Some(*code), *out, *err), "{words:?}");
    }
}

fn on_ntfs(volume: &Volume) -> Linkctl {
    Linkctl::on(volume.path())
}
