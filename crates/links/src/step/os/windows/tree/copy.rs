//! An object of a tree copied.

use std::io;
use std::os::windows::io::{AsHandle as _, OwnedHandle};

use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_LIST_DIRECTORY, FILE_READ_DATA, FILE_WRITE_DATA,
};
use windows_sys::Win32::System::Ioctl::FSCTL_SET_COMPRESSION;

use super::super::super::tree_types::{CHANGED, Losses, Pair};
use super::super::entry::make_hard_link;
use super::super::reparse::make_reparse_point;
use super::metadata::{self, READ, WRITE, give};
use super::{Root, content, flush_handle, open_at};
use crate::model::Target;
use crate::platform::{COMPRESSED, Item, Object, Sort, control, create_new, information, set_information};
use crate::step::Work;

/// Copies the objects of a tree, each file flushed, and compares them with their copies.
pub(crate) struct Copier<'w> {
    pub(super) work: Work<'w>,
}

impl<'w> Copier<'w> {
    pub(crate) fn new(_from: Root<'_>, _to: Root<'_>, _threads: usize, work: Work<'w>) -> io::Result<Self> {
        metadata::wake();
        Ok(Self { work })
    }

    pub(crate) fn make_directory(&self, pair: Pair<'_>, lost: Losses<'_>) -> io::Result<()> {
        // To compress takes the rights to read and to write.
        let access = WRITE | FILE_LIST_DIRECTORY | FILE_ADD_FILE;
        let made = create_new(pair.to.parent.as_handle(), pair.to.name, access, Sort::Directory)?;
        tell_cases_apart(&open_at(pair.from, READ, Sort::Directory)?, &made, lost)?;
        // What is made in it inherits that.
        compress(&made, pair.item, lost)
    }

    /// Copies what is no directory; a link `says` this.
    pub(crate) fn copy(
        &self,
        pair: Pair<'_>,
        says: Option<Target>,
        buffer: &mut Vec<u8>,
        lost: Losses<'_>,
    ) -> io::Result<()> {
        let Pair { from, to, item } = pair;
        // Links are made by their data, and never followed.
        if let Some(target) = says {
            let Target::Reparse(point) = target else { return Err(io::Error::other("a link that says nothing")) };
            make_reparse_point(to.parent, to.name, &point)?;
            let source = open_at(from, READ, Sort::Any)?;
            return give(&source, &open_at(to, WRITE | DELETE, Sort::Any)?, lost);
        }
        let source = open_at(from, READ | FILE_READ_DATA, Sort::File)?;
        if !item.stat.is_same(&Object::of(&source).stat()?) {
            return Err(io::Error::other(CHANGED));
        }
        let access = WRITE | FILE_READ_DATA | FILE_WRITE_DATA | DELETE;
        let copy = create_new(to.parent.as_handle(), to.name, access, Sort::File)?;
        compress(&copy, item, lost)?;
        content::copy(&source, &copy, item.stat.size, item.attributes, buffer, self.work)?;
        content::copy_streams(source.as_handle(), copy.as_handle(), buffer, self.work)?;
        flush_handle(copy.as_handle())?;
        // By which it was written, the system marks it to be archived when it is closed.
        let made = Object::of(&copy).stat()?;
        drop(copy);
        let copy = open_at(to, WRITE | FILE_WRITE_DATA | DELETE, Sort::File)?;
        if !made.is_same(&Object::of(&copy).stat()?) {
            return Err(io::Error::other("something else has the name of the copy already"));
        }
        give(&source, &copy, lost)?;
        flush_handle(copy.as_handle())
    }

    /// Gives a copied file one more name.
    pub(crate) fn add_name(&self, holder: Root<'_>, pair: Pair<'_>, _lost: Losses<'_>) -> io::Result<()> {
        let name = pair.to;
        make_hard_link(&holder.parent.hold(holder.name)?, name.parent, name.name)
    }

    /// Gives the copy of a directory everything that it has besides what is in it.
    pub(crate) fn complete(&self, pair: Pair<'_>, lost: Losses<'_>) -> io::Result<()> {
        let source = open_at(pair.from, READ | FILE_READ_DATA, Sort::Directory)?;
        let copy = open_at(pair.to, WRITE | DELETE, Sort::Directory)?;
        content::copy_streams(source.as_handle(), copy.as_handle(), &mut Vec::new(), self.work)?;
        give(&source, &copy, lost)
    }
}

/// Lets a directory tell upper from lower case where its original does (Windows 10 1803).
fn tell_cases_apart(from: &OwnedHandle, made: &OwnedHandle, lost: Losses<'_>) -> io::Result<()> {
    /// `FileCaseSensitiveInformation` of ntifs.h: flags of 32 bits, of which the lowest says so.
    const CLASS: i32 = 71;
    let wanted = information(from.as_handle(), CLASS)?.is_some_and(|flags| flags.first() == Some(&1));
    if wanted && set_information(made.as_handle(), CLASS, &1_u32.to_ne_bytes()).is_err() {
        lost("case-sensitive names".to_owned());
    }
    Ok(())
}

/// Lets the system compress what is compressed at home, and nothing else, whatever it inherited.
fn compress(made: &OwnedHandle, item: &Item, lost: Losses<'_>) -> io::Result<()> {
    let (wanted, found) = (item.attributes & COMPRESSED, Object::of(made).attributes()? & COMPRESSED);
    // COMPRESSION_FORMAT_DEFAULT, or none.
    let format = u16::from(wanted != 0);
    if wanted != found && control(made.as_handle(), FSCTL_SET_COMPRESSION, &format.to_ne_bytes()).is_err() {
        lost("compression".to_owned());
    }
    Ok(())
}
