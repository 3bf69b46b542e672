//! Windows reparse data as typed values: bytes in, [`ReparseData`] out, and back.
//!
//! A symbolic link, a junction, a volume mount point, a WSL symbolic link and a Store app alias are all files or
//! directories with a *reparse buffer*: a tag that says what it is, and up to 16 KiB of data that says where it goes.
//! This crate knows the bytes (MS-FSCC §2.1.2) and the two languages paths are written in (what people type, and what
//! the NT kernel follows). It does no I/O and is the same on every system.
//!
//! ```
//! use reparse::{ReparseData, Symlink, WideString};
//!
//! let link = Symlink::new(&WideString::from(r"..\data"))?;
//! let bytes = ReparseData::from(link).encode()?;
//! let read = ReparseData::decode(&bytes)?;
//! assert_eq!(read.tag().name().as_deref(), Some("SYMLINK"));
//! assert_eq!(read.target(), Some(WideString::from(r"..\data")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Map of the files
//!
//! | file | what is in it |
//! |---|---|
//! | `data.rs` | [`ReparseData`]: the whole buffer, its header and GUID; [`Other`] for tags that stay opaque |
//! | `tag.rs` | [`Tag`]: the 32-bit tag, its bits and its name |
//! | `symlink.rs` | [`Symlink`]: what `mklink` and `mklink /d` write |
//! | `mount_point.rs` | [`MountPoint`]: junctions (`mklink /j`) and volume mount points |
//! | `names.rs` | the pair of names which these two share: reading it in any order, writing it in Windows' order |
//! | `wsl.rs` | [`LxSymlink`]: what `ln -s` writes under WSL |
//! | `app_exec.rs` | [`AppExecLink`]: the aliases in `WindowsApps` |
//! | `path.rs` | [`path`]: kinds of Windows paths; Win32 <-> NT |
//! | `way.rs` | [`way`](mod@way): which way a link points: from itself, from its root, elsewhere |
//! | `wide.rs` | [`WideString`]: a Windows name, which need not be valid Unicode |
//! | `error.rs` | [`DecodeError`], [`EncodeError`], [`TargetError`] |

#![forbid(unsafe_code)]

mod app_exec;
mod data;
mod error;
mod mount_point;
mod names;
pub mod path;
mod symlink;
mod tag;
pub mod way;
mod wide;
mod wsl;

pub use app_exec::AppExecLink;
pub use data::{MAX_TOTAL, Other, ReparseData};
pub use error::{DecodeError, EncodeError, TargetError};
pub use mount_point::MountPoint;
pub use path::TargetClass;
pub use symlink::Symlink;
pub use tag::Tag;
pub use wide::WideString;
pub use wsl::LxSymlink;
