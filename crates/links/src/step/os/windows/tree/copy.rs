//! A tree copied, object by object.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle as _, OwnedHandle};
use std::sync::Mutex;

use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_LIST_DIRECTORY, FILE_READ_DATA, FILE_WRITE_DATA,
};
use windows_sys::Win32::System::Ioctl::FSCTL_SET_COMPRESSION;

use super::super::entry::make_hard_link;
use super::super::reparse::make_reparse_point;
use super::metadata::{self, READ, WRITE, give};
use super::{Failed, Loss, Portions, Root, Texts, content, flush_handle, open_at};
use crate::model::Target;
use crate::platform::{
    COMPRESSED, Directory, Inventory, Item, Object, ObjectKind, Sort, control, create_new, information, set_information,
};
use crate::step::Work;

/// Copies a tree to a name that must be free, each file flushed. Gives what could not be kept.
pub(crate) fn copy(
    from: Root<'_>,
    inventory: &Inventory,
    to: Root<'_>,
    texts: &Texts,
    work: Work<'_>,
) -> Result<Vec<Loss>, Failed> {
    metadata::wake();
    let mut losses = Vec::new();
    for (number, item) in inventory.items.iter().enumerate() {
        if item.stat.sort != ObjectKind::Directory {
            continue;
        }
        let mut make = || -> io::Result<()> {
            work.must_go_on()?;
            let container = to.container(inventory, number)?;
            // To compress takes the rights to read and to write.
            let access = WRITE | FILE_LIST_DIRECTORY | FILE_ADD_FILE;
            let made = create_new(container.as_handle(), to.name_of(inventory, number), access, Sort::Directory)?;
            let source = from.container(inventory, number)?;
            let source = open_at(&source, from.name_of(inventory, number), READ, Sort::Directory)?;
            if let Some(what) = tell_cases_apart(&source, &made)? {
                losses.push(Loss { item: number, what });
            }
            // What is made in it inherits that.
            if let Some(what) = compress(&made, item)? {
                losses.push(Loss { item: number, what });
            }
            Ok(())
        };
        make().map_err(Failed::at(inventory, number, "make a directory for the copy of"))?;
    }
    let first: Mutex<HashMap<(u64, u128), usize>> = Mutex::new(HashMap::new());
    let done = Portions::of(inventory).each(work.workers, |portion| {
        let (mut lost, mut later) = (Vec::new(), Vec::new());
        let Some(&one) = portion.first() else { return Ok((lost, later)) };
        let fail = |doing| Failed::at(inventory, one, doing);
        let source = from.container(inventory, one).map_err(fail("open the directory of"))?;
        let target = to.container(inventory, one).map_err(fail("open the directory for the copy of"))?;
        for &number in portion {
            let Some(item) = inventory.items.get(number) else { continue };
            if item.stat.names > 1 && item.stat.sort != ObjectKind::Directory {
                // A poisoned lock is a panic of another worker, which ends all.
                let mut first = first.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let holder = *first.entry((item.stat.device, item.stat.number)).or_insert(number);
                if holder != number {
                    later.push((holder, number));
                    continue;
                }
            }
            let places = ((&source, from.name_of(inventory, number)), (&target, to.name_of(inventory, number)));
            let target = texts.get(&number).cloned().or_else(|| item.target());
            let mut drop_one = |what| lost.push(Loss { item: number, what });
            let copied = work.must_go_on().and_then(|()| match target {
                Some(target) => link(places.0, places.1, &target, &mut drop_one),
                None => file(places.0, places.1, item, &mut drop_one, work),
            });
            copied.map_err(Failed::at(inventory, number, "copy"))?;
            work.add_file();
        }
        Ok((lost, later))
    })?;
    let mut later = Vec::new();
    for (lost, names) in done {
        losses.extend(lost);
        later.extend(names);
    }
    // Other names of files that are there by now.
    for (holder, number) in later {
        let make = || -> io::Result<()> {
            let (from, into) = (to.container(inventory, holder)?, to.container(inventory, number)?);
            let held = from.hold(to.name_of(inventory, holder))?;
            make_hard_link(&held, &into, to.name_of(inventory, number))
        };
        make().map_err(Failed::at(inventory, number, "make one more name for the copy of"))?;
    }
    // Directories last and from below: what is made in one changes its time.
    for (number, item) in inventory.items.iter().enumerate().rev() {
        if item.stat.sort != ObjectKind::Directory {
            continue;
        }
        let mut give_all = || -> io::Result<()> {
            let (source, copy) = (from.container(inventory, number)?, to.container(inventory, number)?);
            let source = open_at(&source, from.name_of(inventory, number), READ | FILE_READ_DATA, Sort::Directory)?;
            let copy = open_at(&copy, to.name_of(inventory, number), WRITE | DELETE, Sort::Directory)?;
            content::copy_streams(source.as_handle(), copy.as_handle(), work)?;
            give(&source, &copy, &mut |what| losses.push(Loss { item: number, what }))
        };
        give_all().map_err(Failed::at(inventory, number, "copy security, attributes and times of"))?;
    }
    Ok(losses)
}

fn file(
    from: (&Directory, &OsStr),
    to: (&Directory, &OsStr),
    item: &Item,
    lost: &mut dyn FnMut(String),
    work: Work<'_>,
) -> io::Result<()> {
    let source = open_at(from.0, from.1, READ | FILE_READ_DATA, Sort::File)?;
    if !item.stat.is_same(&Object::of(&source).stat()?) {
        return Err(io::Error::other("it was changed while it was copied"));
    }
    let access = WRITE | FILE_READ_DATA | FILE_WRITE_DATA | DELETE;
    let copy = create_new(to.0.as_handle(), to.1, access, Sort::File)?;
    if let Some(what) = compress(&copy, item)? {
        lost(what);
    }
    content::copy(&source, &copy, item.stat.size, item.attributes, work)?;
    content::copy_streams(source.as_handle(), copy.as_handle(), work)?;
    flush_handle(copy.as_handle())?;
    // By which it was written, the system marks it to be archived when it is closed.
    let made = Object::of(&copy).stat()?;
    drop(copy);
    let copy = open_at(to.0, to.1, WRITE | FILE_WRITE_DATA | DELETE, Sort::File)?;
    if !made.is_same(&Object::of(&copy).stat()?) {
        return Err(io::Error::other("something else has the name of the copy already"));
    }
    give(&source, &copy, lost)?;
    flush_handle(copy.as_handle())
}

/// Lets a directory tell upper from lower case where its original does (Windows 10 1803). Gives what could not be had.
fn tell_cases_apart(from: &OwnedHandle, made: &OwnedHandle) -> io::Result<Option<String>> {
    /// `FileCaseSensitiveInformation` of ntifs.h: flags of 32 bits, of which the lowest says so.
    const CLASS: i32 = 71;
    let wanted = information(from.as_handle(), CLASS)?.is_some_and(|flags| flags.first() == Some(&1));
    if !wanted {
        return Ok(None);
    }
    let set = set_information(made.as_handle(), CLASS, &1_u32.to_ne_bytes());
    Ok(set.is_err().then(|| "case-sensitive names".to_owned()))
}

/// Links are made by their data, and never followed.
fn link(
    from: (&Directory, &OsStr),
    to: (&Directory, &OsStr),
    target: &Target,
    lost: &mut dyn FnMut(String),
) -> io::Result<()> {
    let Target::Reparse(point) = target else { return Err(io::Error::other("a link that says nothing")) };
    make_reparse_point(to.0, to.1, point)?;
    let source = open_at(from.0, from.1, READ, Sort::Any)?;
    give(&source, &open_at(to.0, to.1, WRITE | DELETE, Sort::Any)?, lost)
}

/// Lets the system compress what is compressed at home, and nothing else, whatever it inherited. Gives what could not be
/// had.
fn compress(made: &OwnedHandle, item: &Item) -> io::Result<Option<String>> {
    let (wanted, found) = (item.attributes & COMPRESSED, Object::of(made).attributes()? & COMPRESSED);
    if wanted == found {
        return Ok(None);
    }
    // COMPRESSION_FORMAT_DEFAULT, or none.
    let format: u16 = if wanted == 0 { 0 } else { 1 };
    let set = control(made.as_handle(), FSCTL_SET_COMPRESSION, &format.to_ne_bytes());
    Ok(set.is_err().then(|| "compression".to_owned()))
}
