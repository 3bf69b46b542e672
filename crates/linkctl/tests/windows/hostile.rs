//! Reparse data that no program of good will writes: set by the system's own call, wherever it takes them.

#![allow(unsafe_code, reason = "the call by which reparse data is set")]

use std::ffi::c_void;
use std::fs::{self, OpenOptions};
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::Path;
use std::ptr;

use crate::{Linkctl, able, say};

#[link(name = "kernel32")]
unsafe extern "system" {
    fn DeviceIoControl(
        device: *mut c_void,
        code: u32,
        input: *const u8,
        input_size: u32,
        output: *mut u8,
        output_size: u32,
        returned: *mut u32,
        overlapped: *mut c_void,
    ) -> i32;
}

const SET_REPARSE_POINT: u32 = 0x0009_00a4;
const GET_REPARSE_POINT: u32 = 0x0009_00a8;

/// Calls the driver of a path's volume, links not followed. The bytes it returns, if it does what is asked.
fn control(path: &Path, code: u32, input: &[u8]) -> Option<Vec<u8>> {
    // FILE_FLAG_OPEN_REPARSE_POINT, FILE_FLAG_BACKUP_SEMANTICS; FILE_WRITE_ATTRIBUTES, or FILE_READ_ATTRIBUTES.
    let access = if code == SET_REPARSE_POINT { 0x100 } else { 0x80 };
    let opened = OpenOptions::new().access_mode(access).custom_flags(0x0020_0000 | 0x0200_0000).open(path).ok()?;
    let mut output = vec![0; 16 * 1024];
    let (mut returned, sizes) = (0, [input.len(), output.len()].map(|size| u32::try_from(size).unwrap()));
    // SAFETY: the handle is open; the system reads the input and writes the output within the sizes given, and the number
    // of bytes it returned.
    let done = unsafe {
        let (device, nothing) = (opened.as_raw_handle(), ptr::null_mut());
        let (input, output) = (input.as_ptr(), output.as_mut_ptr());
        DeviceIoControl(device, code, input, sizes[0], output, sizes[1], &raw mut returned, nothing)
    };
    output.truncate(usize::try_from(returned).unwrap());
    (done != 0).then_some(output)
}

/// A repeatable sequence of numbers.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // Knuth's MMIX generator: its upper bits are good enough.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

fn data(tag: u32, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&tag.to_le_bytes()[..], &length.to_le_bytes(), &[0, 0], body].concat()
}

/// The two names of a junction or symbolic link, with their places.
fn names(substitute: &str, print: &str, flags: Option<u32>) -> Vec<u8> {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let (substitute, print) = (wide(substitute), wide(print));
    let number = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    let ends = [number(0), number(substitute.len()), number(substitute.len() + 2), number(print.len())].concat();
    let flags = flags.map(|flags| flags.to_le_bytes().to_vec()).unwrap_or_default();
    [&ends, &flags, &substitute, &[0, 0][..], &print, &[0, 0]].concat()
}

#[test]
fn hostile_reparse_data_is_read_removed_and_brought_back() {
    if !able().junctions {
        return say("hostile reparse data: impossible here; asserted on NTFS, in tests/linkctl/ntfs/ and by fuzzing");
    }
    const JUNCTION: u32 = 0xa000_0003;
    const SYMLINK: u32 = 0xa000_000c;
    let linkctl = Linkctl::new();
    fs::create_dir(linkctl.at("target")).unwrap();
    fs::write(linkctl.at(r"target\canary"), "canary").unwrap();
    let target = linkctl.at("target").to_str().unwrap().to_owned();
    let (mut dice, mut accepted) = (Dice(18), 0);
    for round in 0..60 {
        let nt = format!(r"\??\{target}");
        let (tag, mut body) = match round % 4 {
            0 => (JUNCTION, names(&nt, &target, None)),
            1 => (SYMLINK, names(&nt, &target, Some(0))),
            2 => (SYMLINK, names("target", r"D:\other", Some(1))),
            // Of nobody, with the mark of a link.
            _ => (0xa000_7fff, names(&nt, &target, None)),
        };
        for _ in 0..dice.below(3) {
            let (at, byte) = (dice.below(body.len().min(24)), u8::try_from(dice.below(256)).unwrap());
            body[at] = byte;
        }
        body.truncate(body.len() - 2 * dice.below(3));
        let link = linkctl.at("link");
        fs::create_dir(&link).unwrap();
        if control(&link, SET_REPARSE_POINT, &data(tag, &body)).is_none() {
            fs::remove_dir(&link).unwrap();
            continue;
        }
        accepted += 1;
        let set = control(&link, GET_REPARSE_POINT, &[]);
        for args in [
            &["show", "link", "--json"][..],
            &["show", "--raw", "link"],
            &["list", "--json"],
            &["check", "--rule", "all"],
            &["dir", "/al"],
            &["fsutil", "reparsepoint", "query", "link"],
        ] {
            let ran = linkctl.run(args);
            assert!(!ran.err.contains("panicked"), "{args:?}, {body:x?}: {ran}");
        }
        let shown = linkctl.ok(["show", "link", "--json"]).json();
        let opens = fs::metadata(&link).is_ok();
        assert_eq!(shown["links"][0]["state"] == "ok", opens, "{tag:x}, {body:x?}: {shown}");
        if !linkctl.run(["remove", "link"]).failed() {
            assert!(!linkctl.exists("link"), "{body:x?}");
            linkctl.ok(["undo"]);
            assert_eq!(control(&link, GET_REPARSE_POINT, &[]), set, "{body:x?}");
        }
        assert_eq!(linkctl.read(r"target\canary"), "canary", "{body:x?}");
        fs::remove_dir(&link).unwrap();
    }
    say(&format!("hostile reparse data: {accepted} of 60 taken by the system, and read, removed and brought back"));
}
