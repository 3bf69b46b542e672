//! Properties that hold for every value and for any bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use reparse::{AppExecLink, EncodeError, LxSymlink, MountPoint, Other, ReparseData, Symlink, Tag, WideString, path};

/// Any units at all, mixed with those that mean something: surrogates, NUL, separators.
fn name() -> impl Strategy<Value = WideString> {
    let unit = prop_oneof![
        4 => any::<u16>(),
        2 => 0xD800..0xE000u16,
        2 => (b' '..b'~').prop_map(u16::from),
        1 => Just(0u16),
    ];
    vec(unit, 0..60).prop_map(WideString::from_units)
}

/// Text made of the pieces that paths are made of, so that every branch of the parser is met.
fn path_text() -> impl Strategy<Value = WideString> {
    let piece = prop_oneof![
        Just("\\"),
        Just("/"),
        Just("."),
        Just(".."),
        Just(" "),
        Just("a"),
        Just("Ab.c"),
        Just("C:"),
        Just("?"),
        Just("??"),
        Just("UNC"),
        Just("\u{1F600}"),
        Just("Volume{0b2f36a4-1c1e-4e2b-9d0a-8c7d6e5f4a3b}"),
    ];
    let prefix = prop_oneof![
        2 => Just(""), 3 => Just(r"C:\"), 2 => Just(r"\\s\h\"), 1 => Just(r"\\?\"), 1 => Just(r"\\.\"), 1 => Just(r"\??\"),
    ];
    (prefix, vec(piece, 0..9))
        .prop_map(|(prefix, pieces)| WideString::from(format!("{prefix}{}", pieces.concat()).as_str()))
}

fn other() -> impl Strategy<Value = Other> {
    let known = prop::sample::select(vec![Tag::NFS, Tag::WOF, Tag::CLOUD, Tag(2), Tag(0x2000_1234)]);
    // No tag with a type of its own has bit 28.
    let tag = prop_oneof![known, any::<u16>().prop_map(|low| Tag(0x9000_0002 | u32::from(low)))];
    (tag, any::<[u8; 16]>(), vec(any::<u8>(), 0..80)).prop_map(|(tag, guid, data)| Other {
        tag,
        guid: (!tag.is_microsoft()).then_some(guid),
        data,
    })
}

fn value() -> impl Strategy<Value = ReparseData> {
    let no_nul = name()
        .prop_map(|name| WideString::from_units(name.units().iter().copied().filter(|unit| *unit != 0).collect()));
    prop_oneof![
        (name(), name(), any::<u32>())
            .prop_map(|(substitute, print, flags)| Symlink { substitute, print, flags }.into()),
        (name(), name()).prop_map(|(substitute, print)| MountPoint { substitute, print }.into()),
        vec(any::<u8>(), 0..80).prop_map(|target| LxSymlink { target }.into()),
        (any::<u32>(), vec(no_nul, 0..6)).prop_map(|(version, strings)| AppExecLink { version, strings }.into()),
        other().prop_map(ReparseData::from),
    ]
}

/// Whatever can be read can be written and read again as the same value, unless its names shared bytes and do not fit
/// side by side; and it can be shown.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    match ReparseData::decode(bytes) {
        Ok(data) => {
            let debug = format!("{data:?}");
            prop_assert!(!debug.is_empty());
            prop_assert_eq!(
                data.target().map(|t| t.to_string()),
                data.target().map(|t| String::from_utf16_lossy(t.units()))
            );
            match data.encode() {
                Ok(again) => prop_assert_eq!(ReparseData::decode(&again), Ok(data)),
                Err(error) => prop_assert!(matches!(error, EncodeError::TooLong { .. }), "{}", error),
            }
        }
        Err(error) => prop_assert!(error.offset <= bytes.len(), "{}", error),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_value_survives(value in value()) {
        let bytes = value.encode().unwrap();
        prop_assert_eq!(ReparseData::decode(&bytes).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }

    /// Random bytes hardly ever get past the header; these do.
    #[test]
    fn any_payload_is_read_or_refused(
        tag in prop::sample::select(vec![
            Tag::SYMLINK, Tag::MOUNT_POINT, Tag::LX_SYMLINK, Tag::APPEXECLINK, Tag::NFS,
        ]),
        numbers in vec(0..40u16, 0..6),
        rest in vec(any::<u8>(), 0..60),
    ) {
        let payload = [numbers.iter().flat_map(|n| n.to_le_bytes()).collect(), rest].concat();
        let len = (payload.len() as u16).to_le_bytes();
        check(&[&tag.0.to_le_bytes()[..], &len, &[0, 0], &payload].concat())?;
    }

    #[test]
    fn damaged_buffers_are_read_or_refused(
        value in value(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in 0..4usize,
    ) {
        let mut bytes = value.encode().unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut);
        check(&bytes)?;
    }

    #[test]
    fn every_name_survives_wtf8(name in name()) {
        let bytes = name.to_wtf8();
        prop_assert_eq!(WideString::from_wtf8(&bytes), Some(name));
    }

    /// One spelling per name: what is accepted is what would have been written.
    #[test]
    fn accepted_wtf8_is_canonical(pieces in vec(prop_oneof![
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        (0xA0..=0xBFu8, 0x80..=0xBFu8).prop_map(|(b, c)| vec![0xED, b, c]),
        any::<u8>().prop_map(|b| vec![b]),
    ], 0..8)) {
        let bytes = pieces.concat();
        if let Some(name) = WideString::from_wtf8(&bytes) {
            prop_assert_eq!(name.to_wtf8(), bytes);
        }
    }

    #[test]
    fn normalising_twice_changes_nothing(typed in path_text()) {
        if let Some(full) = path::normalise(&typed) {
            prop_assert_eq!(path::normalise(&full), Some(full));
        }
    }

    /// The Win32 form of an NT path leads back to it, unless Win32 cannot name it (a dot at the end of a name, ...).
    #[test]
    fn win32_to_nt_to_win32_to_nt(typed in path_text()) {
        if let Some(nt) = path::win32_to_nt(&typed) {
            let shown = path::nt_to_win32(&nt);
            let verbatim = matches!(
                path::classify(&typed),
                path::TargetClass::Verbatim | path::TargetClass::Nt | path::TargetClass::Device
            );
            if shown != nt && !verbatim {
                prop_assert_eq!(path::win32_to_nt(&shown), Some(nt));
            }
        }
    }

    /// What a drive or share path normalises to is what its stored form shows.
    #[test]
    fn normalised_win32_survives_nt(typed in path_text()) {
        use path::TargetClass::{DriveAbsolute, Unc};
        if let (DriveAbsolute { .. } | Unc, Some(full)) = (path::classify(&typed), path::normalise(&typed)) {
            let nt = path::win32_to_nt(&full).unwrap();
            prop_assert_eq!(path::nt_to_win32(&nt), full);
        }
    }

    /// No target makes a link that cannot be read back, or one that is of another kind than was asked for.
    #[test]
    fn accepted_targets_make_sound_links(target in path_text()) {
        if let Ok(link) = Symlink::new(&target) {
            let nt = link.substitute.to_string().starts_with(r"\??\");
            prop_assert_eq!(link.is_relative(), !nt);
            prop_assert!(!link.substitute.units().contains(&u16::from(b'/')));
            prop_assert!(!link.print.is_empty() && !link.substitute.is_empty());
        }
        if let Ok(link) = MountPoint::junction(&target) {
            let text = link.substitute.to_string();
            prop_assert!(text.starts_with(r"\??\C:\") || text.starts_with(r"\??\Volume{0b2"), "{}", text);
            prop_assert!(!text.split('\\').any(|part| part == "." || part == ".."), "{}", text);
            prop_assert!(!text.ends_with('\\') || text.len() == 7, "{}", text);
            prop_assert!(!link.is_volume());
        }
    }
}
