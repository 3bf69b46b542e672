//! An object that was copied, beside what it was copied from.

use std::io;
use std::os::windows::io::AsHandle as _;

use windows_sys::Win32::Storage::FileSystem::{FILE_READ_ATTRIBUTES, FILE_READ_DATA};

use super::super::super::tree_types::{Buffers, IsLost, Pair};
use super::copy::Copier;
use super::metadata::{self, READ};
use super::{content, open_at};
use crate::model::Target;
use crate::platform::{ENCRYPTED, Item, Object, ObjectKind, SETTABLE, Sort, open_uncached, same_target};

impl Copier<'_> {
    /// How a copied object differs from its original, but for what it is, its size, its content and what belongs to it.
    pub(crate) fn differs(
        &self,
        item: &Item,
        copied: &Item,
        says: Option<&Target>,
        _lossy: bool,
    ) -> Option<&'static str> {
        if let Some(wanted) = says.cloned().or_else(|| item.target())
            && !copied.target().is_some_and(|found| same_target(&found, &wanted))
        {
            return Some("the link says something else");
        }
        if (item.attributes ^ copied.attributes) & ENCRYPTED != 0 {
            return Some("only one of them is encrypted");
        }
        if (item.attributes ^ copied.attributes) & SETTABLE != 0 {
            return Some("it has other attributes");
        }
        (item.stat.modified != copied.stat.modified).then_some("it has another time")
    }

    /// What belongs to an object is compared always.
    pub(crate) fn has_more_to_compare(&self, _content: bool) -> bool {
        true
    }

    /// Compares an object with its copy; what they hold where there are buffers for it.
    pub(crate) fn same(
        &self,
        pair: Pair<'_>,
        mut buffers: Option<&mut Buffers>,
        is_lost: IsLost<'_>,
    ) -> io::Result<()> {
        let Pair { from, to, item } = pair;
        let sort = item.stat.sort;
        // A directory is read to have its streams; a link is never read.
        let access = if sort == ObjectKind::Symlink { READ } else { READ | FILE_READ_DATA };
        let (source, copy) = (open_at(from, access, Sort::Any)?, open_at(to, access, Sort::Any)?);
        if let Some(what) = metadata::differs(&source, &copy, is_lost)? {
            return Err(io::Error::other(format!("it has another {what}")));
        }
        if sort == ObjectKind::File
            && let Some(buffers) = &mut buffers
        {
            // From the disk, not from what was just written to memory.
            let access = FILE_READ_DATA | FILE_READ_ATTRIBUTES;
            let read = open_uncached(to.parent.as_handle(), to.name, access)?;
            if !Object::of(&read).stat()?.is_same(&Object::of(&copy).stat()?) {
                return Err(io::Error::other("it is something else"));
            }
            content::same(&content::file(&source)?, &read.into(), buffers, self.work)?;
        }
        if sort != ObjectKind::Symlink {
            content::same_streams(source.as_handle(), copy.as_handle(), buffers, self.work)?;
        }
        if sort != ObjectKind::Directory && !item.stat.is_untouched(&Object::of(&source).stat()?) {
            return Err(io::Error::other("the original was changed meanwhile"));
        }
        Ok(())
    }
}
