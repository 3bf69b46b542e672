//! Opens the journal for writing: makes its directory, and sets a corrupt one aside.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::queue::Unread;
use super::{Journal, QUEUE, check_owner, now, schema};
use crate::error::{Error, ErrorKind, Result};
use crate::own_files::os;
use crate::platform;

/// Opens the journal in a directory, making both where they are missing.
///
/// A corrupt journal is renamed, kept, and replaced by a new one; the second part then says so. What waits in the
/// queue is taken in.
///
/// # Errors
/// The directory cannot be made or written, is not this user's, or the journal is of a newer version.
pub fn open_journal(directory: &Path) -> Result<(Journal, Option<String>)> {
    const MAKE: &str = "make the directory of the journal";
    os::make_state_directory(directory)
        .map_err(|error| Error::io(MAKE, directory, error).of_kind(ErrorKind::Journal))?;
    let emptied = emptied(directory);
    let cause = match Journal::open_or_create(directory) {
        Ok(mut journal) => match take_in(&mut journal) {
            Err(error) if error.kind() == ErrorKind::CorruptJournal => error.cause(),
            said => {
                let said = said.unwrap_or_else(|error| Some(not_taken_in(&error)));
                return Ok((journal, emptied.or(said)));
            }
        },
        Err(error) => match error.corruption() {
            Some(cause) => cause,
            None => return Err(error.into_error(directory)),
        },
    };
    let kept = set_aside_if_broken(directory)?;
    let mut journal = Journal::open_or_create(directory).map_err(|error| error.into_error(directory))?;
    take_in(&mut journal)?;
    let said = kept.map(|kept| {
        format!("the journal was broken ({cause}); it is kept as {}, and a new one was begun", platform::quoted(&kept))
    });
    Ok((journal, said))
}

/// Renames a corrupt journal out of the way, and returns its new name; `None` where it is sound: another process may have
/// set it aside just now, and the new one must stay.
pub(crate) fn set_aside_if_broken(directory: &Path) -> Result<Option<PathBuf>> {
    let fail = |operation| move |error| Error::io(operation, directory, error).of_kind(ErrorKind::Journal);
    let _lock = os::lock_directory(directory).map_err(fail("lock"))?;
    // Closed again before it is renamed: Windows renames nothing that is open.
    if Journal::open_or_create(directory).is_ok_and(|journal| journal.is_sound()) {
        return Ok(None);
    }
    let set_aside = os::set_aside(directory, &Journal::FILES, &format!("corrupt-{}", now()));
    set_aside.map(Some).map_err(fail("set aside the corrupt journal in"))
}

/// Opens the journal that there is, for reading, with what waited in the queue. `None` where nothing has been
/// changed yet. The second part is a warning: of a journal that was corrupt when the queue was to be taken in, which is
/// set aside then, or of lines that could not be taken in.
///
/// # Errors
/// The journal is corrupt, of a newer version, another user's, or cannot be read.
pub fn existing_journal(directory: &Path) -> Result<Option<(Journal, Option<String>)>> {
    let emptied = emptied(directory);
    let queued = directory.join(QUEUE).metadata().is_ok_and(|queue| queue.len() > 0);
    if !queued {
        let journal = Journal::open_existing(directory)?;
        return Ok(journal.map(|mut journal| {
            let said = take_in(&mut journal).unwrap_or_else(|error| Some(not_taken_in(&error)));
            (journal, emptied.or(said))
        }));
    }
    let opened = match Journal::open_existing(directory) {
        Ok(None) => Journal::open_or_create(directory).map_err(|error| error.into_error(directory)),
        Ok(Some(journal)) => Ok(journal),
        Err(error) => Err(error),
    };
    let taken = opened.and_then(|mut journal| take_in(&mut journal).map(|said| (journal, said)));
    match taken {
        Ok((journal, said)) => Ok(Some((journal, emptied.or(said)))),
        Err(error) if error.kind() == ErrorKind::CorruptJournal => open_journal(directory).map(Some).map_err(|_| error),
        // Where nothing can be written, a copy has all of it.
        Err(error) => match journal_copy(directory) {
            Ok(Some((journal, said))) => Ok(Some((journal, said.or(Some(not_taken_in(&error)))))),
            _ => Err(error),
        },
    }
}

/// Whether the journal in a directory can be used, as far as its first bytes tell; one that is still to be made can.
#[must_use]
pub fn journal_looks_usable(directory: &Path) -> bool {
    match os::read_beginning(directory, Journal::FILES[0], HEADER) {
        Ok(bytes) => {
            let length = directory.join(Journal::FILES[0]).metadata().map_or(0, |found| found.len());
            bytes.is_empty() || is_ours(&bytes, length)
        }
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// How long the header of a SQLite database is (sqlite.org/fileformat2.html).
const HEADER: u64 = 100;

/// Whether the header is that of a journal of a version that this program knows, in a file with all of its pages.
fn is_ours(header: &[u8], length: u64) -> bool {
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map(u32::from_be_bytes)
    };
    let is_known = number(60).and_then(|version| usize::try_from(version).ok());
    let page = match header.get(16..18) {
        Some([0, 1]) => 1 << 16,
        Some([high, low]) => u64::from(*high) << 8 | u64::from(*low),
        _ => return false,
    };
    header.starts_with(b"SQLite format 3\0")
        && number(28).is_some_and(|pages| u64::from(pages) * page <= length)
        && number(68) == u32::try_from(schema::APPLICATION_ID).ok()
        && is_known.is_some_and(|version| version <= schema::VERSION)
}

/// A copy of the journal in memory, for a dry run: what waits in the queue is in it, and nothing is changed on any file
/// system. `None` where nothing has been changed yet. The second part is a warning.
///
/// # Errors
/// As [`existing_journal`]; or the journal was left by a crash, and has to be brought in order before it can be read.
pub fn journal_copy(directory: &Path) -> Result<Option<(Journal, Option<String>)>> {
    if directory.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Ok(None);
    }
    check_owner(directory)?;
    let emptied = emptied(directory);
    let fail = |error| Error::io("read the queue of the journal in", directory, error).of_kind(ErrorKind::Journal);
    let queue = os::read_queue(directory, QUEUE).map_err(fail)?;
    let journal = match Journal::copy(directory)? {
        None if queue.is_empty() => return Ok(None),
        None => Journal::in_memory(directory)?,
        Some(journal) => journal,
    };
    let mut journal = journal;
    let unread = journal.take_in(&queue)?;
    let gone = journal.look_at_open_ends(&BTreeSet::new())?;
    journal.look_at_open_ends(&gone)?;
    Ok(Some((journal, emptied.or_else(|| said_of(unread)))))
}

/// What is to be said of a journal without a byte. To SQLite it is a new one; but another process that is just making
/// one has long written to it by then.
fn emptied(directory: &Path) -> Option<String> {
    const LONG_MADE: Duration = Duration::from_secs(5);
    let found = directory.join(Journal::FILES[0]).metadata().ok().filter(|found| found.len() == 0)?;
    found.created().ok()?.elapsed().ok().filter(|age| *age > LONG_MADE)?;
    let directory = platform::quoted(directory);
    Some(format!("the journal in {directory} is empty: what was written there before is lost"))
}

fn not_taken_in(error: &Error) -> String {
    format!("what mklink and fsutil did last is not in the history yet: {}", error.cause())
}

/// Where there is always more, somebody is making links as fast as can be: what ends behind the last look is
/// taken in by the next program.
const MOST_LOOKS: usize = 10;

/// Takes in what waits in the queue. Says what of it had no meaning.
fn take_in(journal: &mut Journal) -> Result<Option<String>> {
    let (mut unread, mut gone) = (Unread::default(), BTreeSet::new());
    // An operation may have ended between the look at the queue and the look at its process: its end is there now.
    for _ in 0..MOST_LOOKS {
        drain(journal, &mut unread)?;
        let now = journal.look_at_open_ends(&gone)?;
        if now.is_subset(&gone) {
            break;
        }
        gone.extend(now);
    }
    Ok(said_of(unread))
}

fn said_of(Unread { torn, malformed }: Unread) -> Option<String> {
    let lines = |many: usize| if many == 1 { "1 line".to_owned() } else { format!("{many} lines") };
    let torn = (torn > 0).then(|| {
        let torn = lines(torn);
        format!(
            "{torn} of the journal's queue without an end: dropped, and what it was about may not be in the history"
        )
    });
    let malformed = (malformed > 0)
        .then(|| format!("{} of the journal's queue could not be read; kept beside it", lines(malformed)));
    let said: Vec<String> = torn.into_iter().chain(malformed).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn drain(journal: &mut Journal, unread: &mut Unread) -> Result<()> {
    let directory = journal.directory().to_owned();
    let drained = os::drain(&directory, QUEUE, |lines| {
        let now_unread = journal.take_in(lines)?;
        unread.torn += now_unread.torn;
        unread.malformed += now_unread.malformed;
        if now_unread.malformed > 0 {
            // Kept before the queue is emptied: nothing that may mean something to another program is thrown away.
            let kept = format!("{QUEUE}.broken-{}-{}", now(), unread.malformed);
            os::write_new(&directory, &kept, lines)?;
        }
        Ok(())
    });
    let fail = |error| Error::io("take in the queue of the journal in", &directory, error).of_kind(ErrorKind::Journal);
    // What the journal itself said is an error of the library already.
    drained.map_err(|error| error.downcast::<Error>().unwrap_or_else(fail))
}
