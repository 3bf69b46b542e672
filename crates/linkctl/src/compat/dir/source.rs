//! What is listed: what the system shows, or a volume that need not be mounted.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use links::listing::{self, Depth, Listing, Volume as Head};
use links::volume::{self, Volume};
use links::{DEFAULT_DRIVE, Error};

use crate::args::letter;
use crate::failure::{complain, message};
use crate::output::sanitize;

/// Where directories are read.
pub(super) enum Source {
    Mounted,
    Volume(Box<Volume>),
}

/// Reads `--volume SOURCE`, `--partition N` and `--drive LETTER`, which stand before everything else. Gives what follows
/// them.
///
/// # Errors
/// What is wrong with them, in words.
pub(super) fn parse(typed: &[OsString]) -> Result<(Source, char, &[OsString]), String> {
    let (mut source, mut partition, mut drive, mut rest) = (None, None, None, typed);
    while let [option, value, behind @ ..] = rest {
        match option.to_str() {
            Some("--volume") => source = Some(PathBuf::from(value)),
            Some("--partition") => {
                let number = value.to_str().and_then(|value| value.parse().ok());
                partition = Some(number.ok_or_else(|| "The number of a partition is expected.".to_owned())?);
            }
            Some("--drive") => match value.to_str().map(letter) {
                Some(Ok(letter)) => drive = Some(letter),
                _ => break,
            },
            _ => break,
        }
        rest = behind;
    }
    let letter = drive.unwrap_or(DEFAULT_DRIVE);
    let Some(source) = source else {
        return if partition.is_some() {
            Err("A partition is one of a --volume.".to_owned())
        } else {
            Ok((Source::Mounted, letter, rest))
        };
    };
    let opened = volume::open(&source, partition, drive).map_err(|error| message(&error))?;
    let numbers: Vec<u32> = opened.volumes.iter().filter_map(Volume::partition).collect();
    let mut volumes = opened.volumes.into_iter();
    match (volumes.next(), volumes.next()) {
        (Some(volume), None) => {
            opened.notes.iter().for_each(|note| complain("note", &sanitize::line(note)));
            Ok((Source::Volume(Box::new(volume)), letter, rest))
        }
        _ => {
            let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
            Err(format!("There are several volumes; --partition says which: {}.", numbers.join(", ")))
        }
    }
}

impl Source {
    /// What stands at the head of a listing.
    pub(super) fn head(&self, directory: &Path) -> Result<Head, Error> {
        match self {
            Self::Mounted => listing::volume(directory),
            Self::Volume(volume) => {
                volume.look(directory)?;
                volume.head()
            }
        }
    }

    /// A directory, and with [`Depth::Tree`] those below it. Where links alone are asked for, a volume has them by its own
    /// index.
    pub(super) fn list(
        &self,
        directory: &Path,
        depth: Depth,
        links_only: bool,
    ) -> Result<Box<dyn Iterator<Item = Result<Listing, Error>> + '_>, Error> {
        Ok(match self {
            Self::Mounted => Box::new(listing::list(&in_full(directory), depth)),
            Self::Volume(volume) if links_only && depth == Depth::Tree => {
                Box::new(volume.listings_of_links(directory)?.into_iter())
            }
            Self::Volume(volume) => Box::new(volume.listings(directory, depth)?),
        })
    }

    pub(super) fn join(&self, directory: &Path, name: &OsStr) -> PathBuf {
        if matches!(self, Self::Mounted) {
            return directory.join(name);
        }
        let mut path = directory.as_os_str().to_owned();
        if !path.as_encoded_bytes().ends_with(b"\\") {
            path.push("\\");
        }
        path.push(name);
        path.into()
    }
}

/// The path as it was typed, from the root: a link that is named is looked into by its own name.
fn in_full(directory: &Path) -> PathBuf {
    let dots = directory.components().any(|part| part == Component::ParentDir);
    let full = if dots { None } else { std::path::absolute(directory).ok() };
    let full = full.map(|path| path.components().collect());
    full.or_else(|| links::physical_path(directory).ok()).unwrap_or_else(|| directory.to_owned())
}
