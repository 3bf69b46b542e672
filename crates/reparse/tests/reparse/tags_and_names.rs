//! The table of tags, and `WideString`.

use reparse::{Tag, WideString};

/// As in the specification: value, name, name surrogate. Written down a second time on purpose.
#[rustfmt::skip]
const TABLE: &[(u32, &str, &str)] = &[
    (0xA000_0003, "MOUNT_POINT", "N"), (0xC000_0004, "HSM", ""), (0x8000_0006, "HSM2", ""),
    (0x8000_0005, "DRIVE_EXTENDER", ""), (0x8000_0007, "SIS", ""), (0x8000_0008, "WIM", ""),
    (0x8000_0009, "CSV", ""), (0x8000_000A, "DFS", ""), (0x8000_0012, "DFSR", ""),
    (0x8000_000B, "FILTER_MANAGER", ""), (0xA000_000C, "SYMLINK", "N"), (0xA000_0010, "IIS_CACHE", "N"),
    (0x8000_0013, "DEDUP", ""), (0xC000_0014, "APPXSTRM", ""), (0x8000_0014, "NFS", ""),
    (0x8000_0015, "FILE_PLACEHOLDER", ""), (0x8000_0016, "DFM", ""), (0x8000_0017, "WOF", ""),
    (0x8000_0018, "WCI", ""), (0x9000_1018, "WCI_1", "D"), (0xA000_0019, "GLOBAL_REPARSE", "N"),
    (0x9000_001A, "CLOUD", "D"), (0x9000_101A, "CLOUD_1", "D"), (0x9000_301A, "CLOUD_3", "D"),
    (0x9000_F01A, "CLOUD_F", "D"), (0x8000_001B, "APPEXECLINK", ""), (0x9000_001C, "PROJFS", "D"),
    (0xA000_001D, "LX_SYMLINK", "N"), (0x8000_001E, "STORAGE_SYNC", ""), (0xA000_001F, "WCI_TOMBSTONE", "N"),
    (0x8000_0020, "UNHANDLED", ""), (0x8000_0021, "ONEDRIVE", ""), (0xA000_0022, "PROJFS_TOMBSTONE", "N"),
    (0x8000_0023, "AF_UNIX", ""), (0x8000_0024, "LX_FIFO", ""), (0x8000_0025, "LX_CHR", ""),
    (0x8000_0026, "LX_BLK", ""), (0xA000_0027, "WCI_LINK", "N"), (0xA000_1027, "WCI_LINK_1", "N"),
    (0x9000_0027, "STORAGE_SYNC_FOLDER", "D"), (0xA000_0028, "DATALESS_CIM", "N"),
];

#[test]
fn published_tags() {
    for &(value, name, bits) in TABLE {
        let tag = Tag(value);
        assert_eq!(tag.name().as_deref(), Some(name), "{tag}");
        assert_eq!(tag.is_name_surrogate(), bits == "N", "{name}");
        assert!(tag.is_microsoft(), "{name}");
    }
}

#[test]
fn other_tags() {
    assert_eq!(Tag(0x9001_001A).name(), None, "a reserved bit is no sub-type of CLOUD");
    assert_eq!(Tag(0xA000_100C).name(), None);
    assert!(!Tag(0x2000_1234).is_microsoft() && Tag(0x2000_1234).is_name_surrogate());
}

#[test]
fn tags_print_as_fsutil_prints_them() {
    assert_eq!(Tag::SYMLINK.to_string(), "0xa000000c");
    assert_eq!(Tag(0x12).to_string(), "0x00000012");
    assert_eq!(format!("{:?}", Tag::SYMLINK), "Tag(0xa000000c SYMLINK)");
}

#[test]
fn wtf8_writes_an_unpaired_surrogate_as_three_bytes() {
    // High alone, low alone, then a true pair, which is one character of four bytes.
    let name = WideString::from_units(vec![0xD83D, b'a'.into(), 0xDE00, 0xD83D, 0xDE00, 0xD83D]);
    let bytes = b"\xED\xA0\xBDa\xED\xB8\x80\xF0\x9F\x98\x80\xED\xA0\xBD";
    assert_eq!(name.to_wtf8(), bytes);
    assert_eq!(WideString::from_wtf8(bytes), Some(name.clone()));
    assert_eq!(name.to_string(), "\u{FFFD}a\u{FFFD}😀\u{FFFD}");
    assert_eq!(format!("{name:?}"), r#""\u{d83d}a\u{de00}😀\u{d83d}""#);
}

#[test]
fn wtf8_has_one_spelling_per_name() {
    for (bytes, why) in [
        (&b"\xED\xA0\xBD\xED\xB8\x80"[..], "a pair in six bytes"),
        (b"a\xC0\x80", "overlong NUL"),
        (b"\xE0\x80\xAF", "overlong slash"),
        (b"\xF4\x90\x80\x80", "beyond U+10FFFF"),
        (b"\xFF", "no such byte"),
        (b"\x80", "continuation first"),
        (b"\xED\xA0", "surrogate cut off"),
        (b"\xED\xA0\x41", "surrogate whose third byte is a letter"),
        (b"\xC3", "character cut off"),
    ] {
        assert_eq!(WideString::from_wtf8(bytes), None, "{why}");
    }
    // Low before high, and the same half twice, are no pair.
    for bytes in [&b"\xED\xB8\x80\xED\xA0\xBD"[..], b"\xED\xA0\xBD\xED\xA0\xBD"] {
        assert_eq!(WideString::from_wtf8(bytes).map(|name| name.to_wtf8()).as_deref(), Some(bytes));
    }
}

#[test]
fn debug_escapes_what_a_terminal_would_obey() {
    assert_eq!(format!("{:?}", WideString::from("a\u{1b}'\"\n")), r#""a\u{1b}'\"\n""#);
}
