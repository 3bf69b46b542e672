//! What is listed: what the system shows, or a volume that need not be mounted.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use links::listing::{self, Depth, Listing, Volume as Head};
use links::volume::{self, Volume};
use links::{DEFAULT_DRIVE, Error};

use crate::args::letter;
use crate::failure::{message, remark};

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
    let mut own = false;
    while let [option, behind @ ..] = rest {
        let Some(word) = option.to_str() else { break };
        let (name, value, behind) = match (word.split_once('='), behind) {
            (Some((name, value)), behind) => (name, Some(OsString::from(value)), behind),
            (None, [value, behind @ ..]) => (word, Some(value.clone()), behind),
            (None, []) => (word, None, behind),
        };
        match (name, value) {
            ("--volume", Some(value)) => source = Some(PathBuf::from(value)),
            ("--partition", Some(value)) => {
                let number = value.to_str().and_then(|value| value.parse().ok());
                partition = Some(number.ok_or_else(|| "The number of a partition is expected.".to_owned())?);
            }
            ("--drive", Some(value)) => match value.to_str().map(letter) {
                Some(Ok(letter)) => drive = Some(letter),
                _ if own => return Err("The letter of a drive is expected.".to_owned()),
                _ => break,
            },
            ("--volume" | "--partition" | "--drive", None) => {
                return Err(format!("A value is expected behind {name}."));
            }
            _ => break,
        }
        own = source.is_some();
        rest = behind;
    }
    // Taken for a path, it would list another place, and say nothing.
    let stray = |word: &&OsString| {
        let is_ours = word.to_str().is_some_and(|word| word == "--volume" || word.starts_with("--volume="));
        is_ours && Path::new(word).symlink_metadata().is_err()
    };
    if rest.iter().take_while(|word| *word != "--").any(|word| stray(&word)) {
        return Err("--volume stands before everything else.".to_owned());
    }
    let letter = drive.unwrap_or(DEFAULT_DRIVE);
    let source = match (source, partition) {
        (Some(source), _) => source,
        (None, Some(_)) => return Err("A partition is one of a --volume.".to_owned()),
        (None, None) => return Ok((Source::Mounted, letter, rest)),
    };
    let opened = volume::open(&source, partition, drive).map_err(|error| message(&error))?;
    let [volume] = <[Volume; 1]>::try_from(opened.volumes).map_err(|volumes| {
        let numbers: Vec<String> =
            volumes.iter().filter_map(Volume::partition).map(|number| number.to_string()).collect();
        format!("There are several volumes; --partition says which: {}.", numbers.join(", "))
    })?;
    remark(&opened.notes);
    Ok((Source::Volume(Box::new(volume)), letter, rest))
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
