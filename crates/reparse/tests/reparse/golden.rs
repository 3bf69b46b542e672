//! The bytes that Windows writes, and the bytes that others write and Windows reads.

use reparse::{AppExecLink, LxSymlink, MountPoint, Other, ReparseData, Symlink, Tag, WideString};

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
}

fn wide(text: &str) -> WideString {
    WideString::from(text)
}

fn symlink(target: &str) -> ReparseData {
    Symlink::new(&wide(target)).unwrap().into()
}

fn junction(target: &str) -> ReparseData {
    MountPoint::junction(&wide(target)).unwrap().into()
}

/// The value is written as exactly these bytes, the bytes are read as exactly this value, and show this target.
#[track_caller]
fn golden(value: &ReparseData, bytes: &str, shown: &str) {
    let bytes = hex(bytes);
    assert_eq!(value.encode().unwrap(), bytes);
    assert_eq!(&ReparseData::decode(&bytes).unwrap(), value);
    assert_eq!(value.target().unwrap(), shown);
}

#[test]
fn junction_to_a_drive_path() {
    golden(
        &junction(r"C:\t"),
        "030000a0 2400 0000 0000 1000 1200 0800 \
         5c003f003f005c0043003a005c007400 0000 43003a005c007400 0000",
        r"C:\t",
    );
}

#[test]
fn relative_symlink() {
    golden(
        &symlink(r"..\t"),
        "0c0000a0 1c00 0000 0800 0800 0000 0800 01000000 2e002e005c007400 2e002e005c007400",
        r"..\t",
    );
}

#[test]
fn absolute_symlink_has_the_print_name_first() {
    golden(
        &symlink(r"C:\t"),
        "0c0000a0 2400 0000 0800 1000 0000 0800 00000000 \
         43003a005c007400 5c003f003f005c0043003a005c007400",
        r"C:\t",
    );
}

#[test]
fn unc_symlink() {
    golden(
        &symlink(r"\\s\h"),
        "0c0000a0 2c00 0000 0a00 1600 0000 0a00 00000000 5c005c0073005c006800 \
         5c003f003f005c0055004e0043005c0073005c006800",
        r"\\s\h",
    );
}

#[test]
fn rooted_symlink_is_a_relative_one() {
    golden(&symlink(r"\t"), "0c0000a0 1400 0000 0400 0400 0000 0400 01000000 5c007400 5c007400", r"\t");
}

/// Captured on Windows: `mklink /D dot .` (winfsp#454).
#[test]
fn captured_symlink_to_dot() {
    golden(&symlink("."), "0c0000a0 1000 0000 0200 0200 0000 0200 01000000 2e00 2e00", ".");
}

#[test]
fn volume_mount_point_has_a_backslash_and_no_print_name() {
    let path = r"\\?\Volume{0b2f36a4-1c1e-4e2b-9d0a-8c7d6e5f4a3b}\";
    let value: ReparseData = MountPoint::volume(&wide(path)).unwrap().into();
    let bytes = value.encode().unwrap();
    // 49 units, NUL, nothing, NUL.
    assert_eq!(bytes[..16], hex("030000a0 6e00 0000 0000 6200 6400 0000"));
    assert_eq!(bytes.len(), 16 + 98 + 4);
    assert_eq!(bytes[112..], hex("5c00 0000 0000"));
    assert_eq!(value.target().unwrap(), path);
}

#[test]
fn lx_symlink() {
    golden(&LxSymlink { target: b"A".to_vec() }.into(), "1d0000a0 0500 0000 02000000 41", "A");
}

#[test]
fn app_alias_shows_its_third_string() {
    let strings = ["p", "a", r"C:\e", "0"].map(wide).to_vec();
    golden(
        &AppExecLink { version: 3, strings }.into(),
        "1b000080 1a00 0000 03000000 7000 0000 6100 0000 43003a005c006500 0000 3000 0000",
        r"C:\e",
    );
}

#[test]
fn app_alias_keeps_empty_strings_and_takes_an_unterminated_one() {
    let data = ReparseData::decode(&hex("1b000080 0a00 0000 01000000 0000 0000 6100")).unwrap();
    let ReparseData::AppExecLink(link) = data else { panic!("{data:?}") };
    assert_eq!(link.strings, ["", "", "a"].map(wide));
    let data = ReparseData::decode(&hex("1b000080 0a00 0000 01000000 6100 0000 0000")).unwrap();
    let ReparseData::AppExecLink(link) = data else { panic!("{data:?}") };
    assert_eq!(link.strings, ["a", ""].map(wide));
    assert_eq!(link.target(), None);
    let strings = ["p", "a", "", "0"].map(wide).to_vec();
    assert_eq!(AppExecLink { version: 3, strings }.target(), None, "an empty program is none");
}

#[test]
fn lx_symlink_that_is_not_text_has_no_target_but_its_bytes() {
    let data = ReparseData::decode(&hex("1d0000a0 0500 0000 02000000 ff")).unwrap();
    assert_eq!(data.target(), None);
    assert_eq!(data, LxSymlink { target: vec![0xFF] }.into());
}

/// golang/go#15978: substitute first, a NUL between, not below `\??\`, flags 0.
#[test]
fn container_mapped_symlink_with_the_names_the_other_way_round() {
    let (substitute, print) = (wide(r"\ContainerMappedDirectories\5B"), wide(r"C:\data"));
    let path_buffer: Vec<u8> =
        [substitute.units(), &[0], print.units(), &[0]].concat().iter().flat_map(|u| u.to_le_bytes()).collect();
    let (s, p) = (2 * substitute.len() as u16, 2 * print.len() as u16);
    let mut bytes = hex("0c0000a0");
    for n in [12 + path_buffer.len() as u16, 0, 0, s, s + 2, p, 0, 0] {
        bytes.extend(n.to_le_bytes());
    }
    bytes.extend(path_buffer);
    let data = ReparseData::decode(&bytes).unwrap();
    assert_eq!(data.other_name().unwrap(), r"C:\data");
    let ReparseData::Symlink(link) = &data else { panic!("{data:?}") };
    assert!(!link.is_relative());
    assert_eq!(link.destination(), substitute);
    assert_eq!(ReparseData::decode(&data.encode().unwrap()).unwrap(), data);
}

#[test]
fn junction_without_print_name_or_nul_shows_its_substitute_in_win32_form() {
    // As PowerShell writes it, but with no NUL at all.
    let bytes = hex("030000a0 1800 0000 0000 1000 1000 0000 5c003f003f005c0043003a005c007400");
    let data = ReparseData::decode(&bytes).unwrap();
    assert_eq!(data.target().unwrap(), r"C:\t");
}

#[test]
fn names_with_gaps_and_shared_bytes_are_read() {
    // The path buffer: junk unit, `ab`; the print name is the `b` inside the substitute name.
    let bytes = hex("0c0000a0 1200 0000 0200 0400 0400 0200 01000000 ffff 6100 6200");
    let data = ReparseData::decode(&bytes).unwrap();
    assert_eq!(data, Symlink { substitute: wide("ab"), print: wide("b"), flags: 1 }.into());
}

#[test]
fn other_flags_of_a_symlink_are_kept() {
    let bytes = hex("0c0000a0 1000 0000 0200 0200 0000 0200 030000f0 2e00 2e00");
    assert_eq!(ReparseData::decode(&bytes).unwrap().encode().unwrap(), bytes);
}

#[test]
fn reserved_field_is_ignored_and_written_as_zero() {
    let data = ReparseData::decode(&hex("1d0000a0 0500 adde 02000000 41")).unwrap();
    assert_eq!(data.encode().unwrap(), hex("1d0000a0 0500 0000 02000000 41"));
}

#[test]
fn unknown_microsoft_tag_keeps_its_payload() {
    // NFS, whose payload looks like names but is none of our business.
    let bytes = hex("14000080 0500 0000 0c0000a0 07");
    let data = ReparseData::decode(&bytes).unwrap();
    assert_eq!(data, Other { tag: Tag::NFS, guid: None, data: hex("0c0000a007") }.into());
    assert_eq!(data.encode().unwrap(), bytes);
    assert_eq!(data.target(), None);
}

#[test]
fn third_party_tag_has_a_guid_that_its_length_does_not_count() {
    let bytes = hex("34120000 0200 0000 000102030405060708090a0b0c0d0e0f beef");
    let data = ReparseData::decode(&bytes).unwrap();
    let guid = std::array::from_fn(|i| i as u8);
    assert_eq!(data, Other { tag: Tag(0x1234), guid: Some(guid), data: vec![0xBE, 0xEF] }.into());
    assert_eq!(data.encode().unwrap(), bytes);
}
