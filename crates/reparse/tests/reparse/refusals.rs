//! What is refused, and that the refusal says where and why.

use reparse::{AppExecLink, EncodeError, LxSymlink, MAX_TOTAL, Other, ReparseData, Symlink, Tag, WideString};

const HEADER: usize = 8;

/// A buffer with this tag and payload whose length is right.
fn buffer(tag: Tag, payload: &[u8]) -> Vec<u8> {
    let mut out = tag.0.to_le_bytes().to_vec();
    out.extend((payload.len() as u16).to_le_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

/// A symbolic link or mount point with these four numbers and a path buffer of `size` bytes.
fn named(tag: Tag, numbers: [u16; 4], size: usize) -> Vec<u8> {
    let mut payload: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    if tag == Tag::SYMLINK {
        payload.extend([0; 4]);
    }
    payload.extend(vec![b'x'; size]);
    buffer(tag, &payload)
}

#[track_caller]
fn refused(bytes: &[u8], offset: usize, field: &str, expected: &str, actual: &str) {
    let error = ReparseData::decode(bytes).unwrap_err();
    let got = (error.offset, error.field, error.expected.as_str(), error.actual.as_str());
    assert_eq!(got, (offset, field, expected, actual));
}

#[test]
fn a_refusal_reads_as_a_sentence() {
    let error = ReparseData::decode(&buffer(Tag::LX_SYMLINK, &[1, 0, 0, 0])).unwrap_err();
    assert_eq!(error.to_string(), "bad reparse data: LxSymlinkType at byte 8: expected 2, found 1");
}

#[test]
fn short_headers() {
    let whole = buffer(Tag::NFS, &[]);
    assert!(ReparseData::decode(&whole).is_ok());
    refused(&[], 0, "ReparseTag", "4 bytes", "0 bytes");
    refused(&whole[..3], 0, "ReparseTag", "4 bytes", "3 bytes");
    refused(&whole[..5], 4, "ReparseDataLength", "2 bytes", "1 byte");
    refused(&whole[..7], 6, "Reserved", "2 bytes", "1 byte");
}

#[test]
fn reserved_tags() {
    for tag in [0, 1] {
        // With a GUID, so that the tag alone is wrong.
        let bytes = buffer(Tag(tag), &[]).into_iter().chain([7; 16]).collect::<Vec<_>>();
        let found = format!("0x0000000{tag}");
        refused(&bytes, 0, "ReparseTag", "a tag other than 0 and 1", &found);
    }
}

#[test]
fn length_that_disagrees_with_the_buffer() {
    let mut bytes = buffer(Tag::NFS, b"abc");
    bytes.push(0);
    refused(&bytes, 4, "ReparseDataLength", "4", "3");
    bytes.truncate(HEADER + 2);
    refused(&bytes, 4, "ReparseDataLength", "2", "3");
}

#[test]
fn third_party_tag_without_its_guid_or_with_a_length_that_counts_it() {
    let tag = Tag(0x1234);
    refused(&buffer(tag, &[7; 15]), HEADER, "ReparseGuid", "16 bytes", "15 bytes");
    refused(&buffer(tag, &[7; 16]), 4, "ReparseDataLength", "0", "16");
}

#[test]
fn total_size() {
    let fits = buffer(Tag::NFS, &[0; MAX_TOTAL - HEADER]);
    assert!(ReparseData::decode(&fits).is_ok());
    let long = buffer(Tag::NFS, &[0; MAX_TOTAL - HEADER + 1]);
    refused(&long, MAX_TOTAL, "ReparseDataBuffer", "at most 16384 bytes", "16385 bytes");
}

#[test]
fn missing_fixed_fields() {
    refused(&buffer(Tag::MOUNT_POINT, &[]), 8, "SubstituteNameOffset", "2 bytes", "0 bytes");
    refused(&buffer(Tag::MOUNT_POINT, &[0; 3]), 10, "SubstituteNameLength", "2 bytes", "1 byte");
    refused(&buffer(Tag::MOUNT_POINT, &[0; 5]), 12, "PrintNameOffset", "2 bytes", "1 byte");
    refused(&buffer(Tag::MOUNT_POINT, &[0; 6]), 14, "PrintNameLength", "2 bytes", "0 bytes");
    refused(&buffer(Tag::SYMLINK, &[0; 8]), 16, "Flags", "4 bytes", "0 bytes");
    refused(&buffer(Tag::LX_SYMLINK, &[2, 0, 0]), 8, "LxSymlinkType", "4 bytes", "3 bytes");
    refused(&buffer(Tag::APPEXECLINK, &[3]), 8, "Version", "4 bytes", "1 byte");
    // The fixed fields alone are two empty names.
    assert!(ReparseData::decode(&buffer(Tag::MOUNT_POINT, &[0; 8])).is_ok());
    assert!(ReparseData::decode(&buffer(Tag::SYMLINK, &[0; 12])).is_ok());
}

#[test]
fn odd_numbers() {
    for tag in [Tag::MOUNT_POINT, Tag::SYMLINK] {
        refused(&named(tag, [1, 2, 0, 2], 8), 8, "SubstituteNameOffset", "an even number", "1");
        refused(&named(tag, [0, 3, 0, 2], 8), 10, "SubstituteNameLength", "an even number", "3");
        refused(&named(tag, [0, 2, 5, 2], 8), 12, "PrintNameOffset", "an even number", "5");
        refused(&named(tag, [0, 2, 0, 7], 8), 14, "PrintNameLength", "an even number", "7");
    }
}

#[test]
fn names_beyond_the_path_buffer() {
    for tag in [Tag::MOUNT_POINT, Tag::SYMLINK] {
        // Up to its very end they may go.
        assert!(ReparseData::decode(&named(tag, [2, 6, 8, 0], 8)).is_ok());
        refused(&named(tag, [10, 0, 0, 2], 8), 8, "SubstituteNameOffset", "at most 8", "10");
        refused(&named(tag, [4, 6, 0, 2], 8), 10, "SubstituteNameLength", "at most 4", "6");
        refused(&named(tag, [0, 2, 0xFFFE, 0], 8), 12, "PrintNameOffset", "at most 8", "65534");
        refused(&named(tag, [0, 2, 8, 0xFFFE], 8), 14, "PrintNameLength", "at most 0", "65534");
        // Half a unit at the end belongs to no name.
        refused(&named(tag, [0, 10, 0, 2], 9), 10, "SubstituteNameLength", "at most 9", "10");
    }
}

#[test]
fn lx_symlink_of_another_type() {
    refused(&buffer(Tag::LX_SYMLINK, &[3, 0, 0, 0, 65]), 8, "LxSymlinkType", "2", "3");
}

#[test]
fn app_alias_with_half_a_unit() {
    let bytes = buffer(Tag::APPEXECLINK, &[3, 0, 0, 0, 65, 0, 65]);
    refused(&bytes, 12, "StringList", "an even number of bytes", "3 bytes");
}

#[test]
fn values_without_an_encoding() {
    let other = |tag, guid| ReparseData::from(Other { tag, guid, data: vec![] }).encode();
    assert_eq!(other(Tag(1), Some([0; 16])), Err(EncodeError::ReservedTag(Tag(1))));
    assert_eq!(other(Tag::SYMLINK, None), Err(EncodeError::TypedTag(Tag::SYMLINK)));
    assert_eq!(other(Tag::NFS, Some([0; 16])), Err(EncodeError::UnexpectedGuid(Tag::NFS)));
    assert_eq!(other(Tag(0x1234), None), Err(EncodeError::MissingGuid(Tag(0x1234))));
    let strings = vec![WideString::from("a"), WideString::from("b\0c")];
    let link = ReparseData::from(AppExecLink { version: 3, strings });
    assert_eq!(link.encode(), Err(EncodeError::NulInString { index: 1 }));
}

#[test]
fn opaque_data_and_wsl_links_up_to_the_limit() {
    let other = |len| ReparseData::from(Other { tag: Tag(0x1234), guid: Some([7; 16]), data: vec![0; len] });
    let fits = other(MAX_TOTAL - 24);
    assert_eq!(ReparseData::decode(&fits.encode().unwrap()).unwrap(), fits);
    let len = MAX_TOTAL + 1;
    assert_eq!(other(MAX_TOTAL - 23).encode(), Err(EncodeError::TooLong { len }));
    let wsl = |len| ReparseData::from(LxSymlink { target: vec![b'a'; len] }).encode();
    assert_eq!(wsl(MAX_TOTAL - 12).unwrap().len(), MAX_TOTAL);
    assert_eq!(wsl(MAX_TOTAL - 11), Err(EncodeError::TooLong { len }));
}

/// A length of 65,536 bytes must not come out as 0.
#[test]
fn lengths_that_do_not_fit_in_their_field_are_not_cut_off() {
    let substitute = WideString::from_units(vec![b'a'.into(); 0x8000]);
    let link = ReparseData::from(Symlink { substitute, print: WideString::new(), flags: 1 });
    assert_eq!(link.encode(), Err(EncodeError::TooLong { len: 0x10000 + 20 }));
    let other = ReparseData::from(Other { tag: Tag::NFS, guid: None, data: vec![0; 0x10000] });
    assert_eq!(other.encode(), Err(EncodeError::TooLong { len: 0x10000 + 8 }));
}
