//! The whole reparse buffer: header, GUID of third parties, payload (MS-FSCC §2.1.2.2, §2.1.2.3).

use crate::names::Reader;
use crate::{AppExecLink, DecodeError, EncodeError, LxSymlink, MountPoint, Symlink, Tag, WideString};

/// The largest reparse buffer, in bytes, header included (MS-FSA §2.1.5.10.37).
pub const MAX_TOTAL: usize = 16384;

/// Bytes before the payload: tag, length, reserved.
pub(crate) const HEADER: usize = 8;
const GUID: usize = 16;

/// What a reparse point says: one decoded reparse buffer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReparseData {
    /// A symbolic link to a file or a directory.
    Symlink(Symlink),
    /// A junction, or a volume mount point.
    MountPoint(MountPoint),
    /// A symbolic link made under WSL.
    LxSymlink(LxSymlink),
    /// A Store app's alias.
    AppExecLink(AppExecLink),
    /// Any other tag, with its data as it is.
    Other(Other),
}

/// Reparse data of a tag that this crate does not interpret. The payload is never changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Other {
    /// The tag.
    pub tag: Tag,
    /// The owner's GUID as stored: present exactly when the tag is not Microsoft's.
    pub guid: Option<[u8; 16]>,
    /// The payload: what follows the header, and the GUID if there is one.
    pub data: Vec<u8>,
}

impl ReparseData {
    /// Reads one whole reparse buffer, header included: what `FSCTL_GET_REPARSE_POINT` returns, what is in the
    /// `$REPARSE_POINT` attribute, what ntfs-3g gives as `system.ntfs_reparse_data`.
    ///
    /// Names may be in any order, with or without NULs, apart or overlapping, and may hold anything. The `Reserved`
    /// field is ignored, as MS-FSCC §2.1.2.2 demands; it is written as 0.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], with the byte offset: a buffer shorter than its fixed fields or longer than [`MAX_TOTAL`]; a
    /// `ReparseDataLength` that is not that of the buffer; tag 0 or 1; a name with an odd offset or length, or not
    /// within the buffer; a WSL link whose type is not 2; half a unit at the end of an app alias.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let total = bytes.len();
        if total > MAX_TOTAL {
            let expected = format!("at most {MAX_TOTAL} bytes");
            return Err(DecodeError::new(MAX_TOTAL, "ReparseDataBuffer", expected, format!("{total} bytes")));
        }
        let mut reader = Reader::new(bytes, 0);
        let tag = Tag(reader.u32("ReparseTag")?);
        let stated = usize::from(reader.u16("ReparseDataLength")?);
        reader.u16("Reserved")?;
        if tag.is_reserved() {
            return Err(DecodeError::new(0, "ReparseTag", "a tag other than 0 and 1", tag.to_string()));
        }
        let guid = if tag.is_microsoft() { None } else { Some(reader.array::<GUID>("ReparseGuid")?) };
        let data = reader.rest();
        if stated != data.len() {
            return Err(DecodeError::new(4, "ReparseDataLength", data.len().to_string(), stated.to_string()));
        }
        Ok(match tag {
            Tag::SYMLINK => Self::Symlink(Symlink::decode(bytes)?),
            Tag::MOUNT_POINT => Self::MountPoint(MountPoint::decode(bytes)?),
            Tag::LX_SYMLINK => Self::LxSymlink(LxSymlink::decode(bytes)?),
            Tag::APPEXECLINK => Self::AppExecLink(AppExecLink::decode(bytes)?),
            _ => Self::Other(Other { tag, guid, data: data.to_vec() }),
        })
    }

    /// Writes the whole buffer, header included, in the layout that Windows itself writes.
    ///
    /// Decoding gives back an equal value. Data that Windows wrote comes back byte for byte.
    ///
    /// # Errors
    ///
    /// [`EncodeError::TooLong`] beyond [`MAX_TOTAL`] bytes (a decoded value can be too long if its two names shared
    /// bytes), and the other kinds for values that no buffer can hold.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let (guid, payload) = match self {
            Self::Symlink(link) => (None, link.payload()?),
            Self::MountPoint(link) => (None, link.payload()?),
            Self::LxSymlink(link) => (None, link.payload()),
            Self::AppExecLink(link) => (None, link.payload()?),
            Self::Other(other) => (other.checked_guid()?, other.data.clone()),
        };
        let guid = guid.as_ref().map_or(&[][..], |guid| &guid[..]);
        let len = (HEADER + guid.len()).saturating_add(payload.len());
        let (true, Ok(stated)) = (len <= MAX_TOTAL, u16::try_from(payload.len())) else {
            return Err(EncodeError::TooLong { len });
        };
        let mut out = Vec::with_capacity(len);
        out.extend(self.tag().0.to_le_bytes());
        out.extend(stated.to_le_bytes());
        out.extend([0, 0]);
        out.extend(guid);
        out.extend(payload);
        Ok(out)
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> Tag {
        match self {
            Self::Symlink(_) => Tag::SYMLINK,
            Self::MountPoint(_) => Tag::MOUNT_POINT,
            Self::LxSymlink(_) => Tag::LX_SYMLINK,
            Self::AppExecLink(_) => Tag::APPEXECLINK,
            Self::Other(other) => other.tag,
        }
    }

    /// The target to show to a person: the print name, or if there is none the substitute name in Win32 form; the
    /// text of a WSL link; the program of an app alias.
    ///
    /// Nothing makes a print name tell the truth. Where Windows really goes is [`Symlink::destination`] and
    /// [`MountPoint::destination`].
    ///
    /// None for other tags, for a WSL link whose bytes are not text, and for an app alias without a program.
    #[must_use]
    pub fn target(&self) -> Option<WideString> {
        match self {
            Self::Symlink(link) => Some(link.target()),
            Self::MountPoint(link) => Some(link.target()),
            Self::LxSymlink(link) => WideString::from_wtf8(&link.target),
            Self::AppExecLink(link) => link.target().cloned(),
            Self::Other(_) => None,
        }
    }

    /// A print name that says something else than where Windows goes: what Windows' own `dir` shows.
    #[must_use]
    pub fn other_name(&self) -> Option<&WideString> {
        let (print, destination) = match self {
            Self::Symlink(link) => (&link.print, link.destination()),
            Self::MountPoint(link) => (&link.print, link.destination()),
            _ => return None,
        };
        (!print.is_empty() && !crate::path::says_the_same(print, &destination)).then_some(print)
    }
}

impl Other {
    fn checked_guid(&self) -> Result<Option<[u8; GUID]>, EncodeError> {
        let tag = self.tag;
        match (tag, self.guid) {
            (tag, _) if tag.is_reserved() => Err(EncodeError::ReservedTag(tag)),
            (Tag::SYMLINK | Tag::MOUNT_POINT | Tag::LX_SYMLINK | Tag::APPEXECLINK, _) => {
                Err(EncodeError::TypedTag(tag))
            }
            (tag, Some(_)) if tag.is_microsoft() => Err(EncodeError::UnexpectedGuid(tag)),
            (tag, None) if !tag.is_microsoft() => Err(EncodeError::MissingGuid(tag)),
            (_, guid) => Ok(guid),
        }
    }
}

macro_rules! from {
    ($($data:ident),+) => {
        $(impl From<$data> for ReparseData {
            fn from(data: $data) -> Self {
                Self::$data(data)
            }
        })+
    };
}

from!(Symlink, MountPoint, LxSymlink, AppExecLink, Other);
