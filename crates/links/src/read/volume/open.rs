//! A source, and the volumes in it.

use std::path::Path;

use ntfs_volume::{Contents, Detail, Directories, Format, Partition, Reader, Resolver};

use super::Volume;
use crate::error::{Error, ErrorKind, Result};
use crate::model::DEFAULT_DRIVE;
use crate::platform::{self, VolumeFile, quoted};

const OPEN: &str = "open the volume";

/// What a source holds.
#[non_exhaustive]
pub struct Volumes {
    /// Its NTFS volumes, at least one.
    pub volumes: Vec<Volume>,
    /// What is worth knowing about it.
    pub notes: Vec<String>,
}

/// Opens the NTFS volumes of a disk image, a block device, or on Windows a drive (`C:`), for reading alone.
///
/// `partition` names one of a disk; without it, all that are NTFS are opened. `drive` is the letter that Windows gives the
/// volume: `C` where that is not said, and of several volumes for the one that holds Windows.
///
/// # Errors
/// There is no NTFS volume ([`ErrorKind::NotAVolume`]; the text says what there is instead, where that can be told),
/// no such partition, or the source cannot be read.
pub fn open(source: &Path, partition: Option<u32>, drive: Option<char>) -> Result<Volumes> {
    let opened = open_file(source)?;
    let fail = |kind, text: String| Error::new(kind, OPEN, source, text);
    let letter = drive.or(platform::volume_letter(source));
    let mut notes = Vec::new();
    if let Some(place) = platform::mounted_at(source) {
        notes.push(format!(
            "{} is mounted on {}: what changes there meanwhile may be read half-done",
            quoted(source),
            quoted(&place)
        ));
    }
    let contents = ntfs_volume::contents(&opened);
    let partitions = match contents.map_err(|error| fail(ErrorKind::NotAVolume, error.to_string()))? {
        Contents::Volume => {
            if let Some(number) = partition {
                let text = format!("there is no partition {number}: the volume begins with the first byte");
                return Err(fail(ErrorKind::NotAVolume, text));
            }
            let drive = letter.unwrap_or(DEFAULT_DRIVE);
            let mut volume = Volume::at(source, opened, (0, None))?;
            volume.name(Some(drive), format!("{drive}:"));
            return Ok(Volumes { volumes: vec![volume], notes });
        }
        Contents::Disk(partitions) => partitions,
        Contents::Other(Some(format)) => return Err(fail(ErrorKind::NotAVolume, other(format, source))),
        Contents::Other(None) => {
            let text = "no NTFS volume, and no partition table".to_owned();
            return Err(fail(ErrorKind::NotAVolume, text));
        }
    };
    let wanted: Vec<&Partition> = match partition {
        Some(number) => {
            let found = partitions.iter().find(|partition| partition.number == number).ok_or_else(|| {
                let text = format!("there is no partition {number}; {}", list(&partitions));
                fail(ErrorKind::InvalidOption, text)
            })?;
            if !found.is_ntfs {
                let text = format!("partition {number} holds no NTFS volume; {}", list(&partitions));
                return Err(fail(ErrorKind::NotAVolume, text));
            }
            vec![found]
        }
        None => partitions.iter().filter(|partition| partition.is_ntfs).collect(),
    };
    if wanted.is_empty() {
        return Err(fail(ErrorKind::NotAVolume, format!("no partition with an NTFS volume; {}", list(&partitions))));
    }
    if wanted.len() > 1 && drive.is_some() {
        let text = format!("it holds several volumes, and a letter can be that of one only; {}", list(&partitions));
        return Err(fail(ErrorKind::InvalidOption, text));
    }
    let single = wanted.len() == 1;
    let mut volumes = Vec::new();
    for partition in wanted {
        let mut volume = Volume::at(source, open_file(source)?, (partition.start, Some(partition.length)))?;
        volume.partition = Some(partition.number);
        volumes.push(volume);
    }
    if single {
        for volume in &mut volumes {
            let drive = letter.unwrap_or(DEFAULT_DRIVE);
            volume.name(Some(drive), format!("{drive}:"));
        }
        return Ok(Volumes { volumes, notes });
    }
    // A drive's letter is one volume's: mostly that which holds Windows.
    let systems: Vec<bool> = volumes.iter().map(Volume::holds_windows).collect();
    let one = systems.iter().filter(|is| **is).count() == 1;
    for (volume, is_system) in volumes.iter_mut().zip(systems) {
        let number = volume.partition.unwrap_or_default();
        let drive = (one && is_system).then_some(DEFAULT_DRIVE);
        notes.push(match drive {
            Some(drive) => format!("partition {number} holds Windows, and is taken for drive {drive}:"),
            None => format!("nobody knows the letter of partition {number}; --partition and --drive say it"),
        });
        volume.name(drive, format!("Partition{number}"));
    }
    Ok(Volumes { volumes, notes })
}

fn open_file(source: &Path) -> Result<VolumeFile> {
    VolumeFile::open(source).map_err(|error| {
        let refused = error.kind() == std::io::ErrorKind::InvalidInput;
        let error = Error::io(OPEN, source, error);
        if refused { error.of_kind(ErrorKind::NotAVolume) } else { error }
    })
}

impl Volume {
    fn at(source: &Path, file: VolumeFile, (start, length): (u64, Option<u64>)) -> Result<Self> {
        let volume = ntfs_volume::Volume::open_between(file, start, length).map_err(|error| {
            let kind = match error.kind() {
                ntfs_volume::ErrorKind::Io => ErrorKind::Io,
                _ => ErrorKind::NotAVolume,
            };
            Error::new(kind, OPEN, source, error.to_string())
        })?;
        Ok(Self { volume, source: source.to_owned(), partition: None, drive: None, root: String::new() })
    }

    fn name(&mut self, drive: Option<char>, root: String) {
        (self.drive, self.root) = (drive, root);
    }

    fn holds_windows(&self) -> bool {
        let (mut reader, mut directories) = (Reader::new(&self.volume), Directories::default());
        let mut resolver = Resolver::new(&mut reader, &mut directories, None, Detail::End);
        let path = ["Windows", "System32"].map(|name| name.encode_utf16().collect());
        resolver.find(path).is_ok()
    }
}

/// The partitions, in a line.
fn list(partitions: &[Partition]) -> String {
    let shown = |partition: &Partition| {
        let what = if partition.is_ntfs { "NTFS" } else { "other" };
        format!("{} ({what}, {} MiB)", partition.number, partition.length >> 20)
    };
    match partitions {
        [] => "the partition table is empty".to_owned(),
        all => format!("partitions: {}", all.iter().map(shown).collect::<Vec<_>>().join(", ")),
    }
}

/// What to do about a source in another form.
fn other(format: Format, source: &Path) -> String {
    let name = for_a_shell(source);
    let nbd = |kind: &str| {
        format!(
            "this is {format}, not a raw one: `modprobe nbd; qemu-nbd --read-only --format={kind} --connect=/dev/nbd0 {name}` \
             exposes it as /dev/nbd0"
        )
    };
    match format {
        Format::Qcow2 => nbd("qcow2"),
        Format::Vhdx => nbd("vhdx"),
        Format::Vhd => nbd("vpc"),
        Format::Vmdk => nbd("vmdk"),
        Format::Vdi => nbd("vdi"),
        Format::Ewf => {
            format!("this is {format}, not a raw one: `ewfmount {name} DIR` exposes it as DIR/ewf1")
        }
        Format::BitLocker => {
            format!(
                "this is {format}: `cryptsetup open --type bitlk --readonly {name} NAME` exposes it as /dev/mapper/NAME"
            )
        }
        Format::Luks => {
            format!("this is {format}: `cryptsetup open --readonly {name} NAME` exposes it as /dev/mapper/NAME")
        }
        Format::Compressed => format!("this is {format}: what is in it must be unpacked first"),
        Format::Wim => format!("this is {format}: `wimmount {name} DIR` exposes it as a directory"),
        Format::ExFat | Format::Fat => format!("this is {format}, which holds no links"),
        Format::ReFs | Format::Ext | Format::Xfs | Format::Btrfs => {
            format!("this is {format}, not NTFS: mounted, it is listed by its directory")
        }
    }
}

/// A name as a shell takes it to the letter; a name that cannot be typed so, as `FILE`.
fn for_a_shell(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => "FILE".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_is_no_command() {
        for (name, expected) in
            [("a b.qcow2", "'a b.qcow2'"), ("$(id)`x`\"", "'$(id)`x`\"'"), ("it's", r"'it'\''s'"), ("a\nb", "FILE")]
        {
            assert_eq!(for_a_shell(Path::new(name)), expected, "{name}");
        }
    }
}
