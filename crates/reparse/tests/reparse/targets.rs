//! From a typed target to the names that are stored, and from stored names to what is shown.

use reparse::path::{self, TargetClass};
use reparse::{EncodeError, MAX_TOTAL, MountPoint, ReparseData, Symlink, TargetError, WideString};

const GUID: &str = "0b2f36a4-1c1e-4e2b-9d0a-8c7d6e5f4a3b";

fn wide(text: &str) -> WideString {
    WideString::from(text)
}

#[track_caller]
fn symlink(target: &str, print: &str, substitute: &str, flags: u32) {
    let expected = Symlink { substitute: wide(substitute), print: wide(print), flags };
    assert_eq!(Symlink::new(&wide(target)), Ok(expected), "{target}");
}

#[track_caller]
fn junction(target: &str, print: &str, substitute: &str) {
    let expected = MountPoint { substitute: wide(substitute), print: wide(print) };
    assert_eq!(MountPoint::junction(&wide(target)), Ok(expected), "{target}");
}

fn no_symlink(target: &str) -> TargetError {
    Symlink::new(&wide(target)).unwrap_err()
}

fn no_junction(target: &str) -> TargetError {
    MountPoint::junction(&wide(target)).unwrap_err()
}

#[test]
fn relative_symlinks_are_stored_as_typed() {
    for text in ["x", "..", r"..\x", r".\x", r"a\..\b", r"\", r"\x", "x. ", "é:x"] {
        symlink(text, text, text, 1);
    }
    // A backslash at the end asks for a directory, and stays, as on Windows.
    for text in [r"x\", r"x\\", r"\x\"] {
        symlink(text, text, text, 1);
    }
}

#[test]
fn absolute_symlinks_keep_the_typed_text_as_print_name() {
    symlink(r"c:\Games", r"c:\Games", r"\??\c:\Games", 0);
    symlink("C:/a/./b/../c", "C:/a/./b/../c", r"\??\C:\a\c", 0);
    symlink(r"C:\", r"C:\", r"\??\C:\", 0);
    symlink("C:/", "C:/", r"\??\C:\", 0);
    symlink(r"C:\x\", r"C:\x\", r"\??\C:\x\", 0);
    symlink("C:/x/", "C:/x/", r"\??\C:\x\", 0);
    symlink(r"C:\a\..", r"C:\a\..", r"\??\C:\", 0);
    symlink(r"\\s\h\x\", r"\\s\h\x\", r"\??\UNC\s\h\x\", 0);
    symlink(r"\\s\h\", r"\\s\h\", r"\??\UNC\s\h\", 0);
    symlink("//s/h/../x", "//s/h/../x", r"\??\UNC\s\h\x", 0);
    symlink(r"\\.\COM1", r"\\.\COM1", r"\??\COM1", 0);
}

#[test]
fn verbatim_symlinks_are_not_normalised() {
    symlink(r"\\?\C:\x. ", r"\\?\C:\x. ", r"\??\C:\x. ", 0);
    symlink(r"\\?\C:\a\..\b\", r"\\?\C:\a\..\b\", r"\??\C:\a\..\b\", 0);
    symlink(r"\\?\C:\", r"\\?\C:\", r"\??\C:\", 0);
    symlink(r"\\?\UNC\s\h\", r"\\?\UNC\s\h\", r"\??\UNC\s\h\", 0);
    let volume = format!(r"\\?\Volume{{{GUID}}}\");
    symlink(&volume, &volume, &format!(r"\??\Volume{{{GUID}}}\"), 0);
    symlink(&format!(r"{volume}x\"), &format!(r"{volume}x\"), &format!(r"\??\Volume{{{GUID}}}\x\"), 0);
}

/// `mklink /d shadow \\?\GLOBALROOT\...\` works only with the backslash.
#[test]
fn shadow_copies_keep_their_trailing_backslash() {
    let typed = r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\";
    symlink(typed, typed, r"\??\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\", 0);
}

#[test]
fn targets_that_are_no_symlink() {
    assert_eq!(no_symlink(""), TargetError::Empty);
    assert_eq!(no_symlink(r"\\?\"), TargetError::Empty);
    assert_eq!(no_symlink(r"\\.\"), TargetError::Empty);
    assert_eq!(no_symlink("a\0b"), TargetError::Nul { index: 1 });
    assert_eq!(no_symlink("C:\\\0"), TargetError::Nul { index: 3 });
    assert_eq!(no_symlink("../x"), TargetError::ForwardSlash { index: 2 });
    assert_eq!(no_symlink("/x"), TargetError::ForwardSlash { index: 0 });
    assert_eq!(no_symlink(r"\\?\C:/x"), TargetError::ForwardSlash { index: 6 });
    assert_eq!(no_symlink("C:x"), TargetError::DriveRelative { letter: 'C' });
    assert_eq!(no_symlink("z:"), TargetError::DriveRelative { letter: 'z' });
    assert_eq!(no_symlink(r"\??\C:\x"), TargetError::NtPath);
    assert_eq!(no_symlink(r"\\"), TargetError::NoServer);
    assert_eq!(no_symlink(r"\\\s\h"), TargetError::NoServer);
    assert!(no_symlink("a/b").to_string().contains("error 123"));
}

#[test]
fn junctions_store_the_whole_normalised_path() {
    junction(r"c:\Games\", r"c:\Games", r"\??\c:\Games");
    // Names that end in dots and spaces are to the letter.
    junction("C:/a./b/../c. ", r"C:\a.\c. ", r"\??\C:\a.\c. ");
    junction(r"C:\", r"C:\", r"\??\C:\");
    junction(r"C:\..\..", r"C:\", r"\??\C:\");
    junction(r"\\?\C:\x.\", r"C:\x.", r"\??\C:\x.");
    junction(r"\\.\C:\a\..\x", r"C:\x", r"\??\C:\x");
    let volume = format!(r"\\?\Volume{{{GUID}}}\x");
    junction(&volume, &volume, &format!(r"\??\Volume{{{GUID}}}\x"));
}

#[test]
fn targets_that_are_no_junction() {
    assert_eq!(no_junction(""), TargetError::Empty);
    assert_eq!(no_junction("C:\\a\0"), TargetError::Nul { index: 4 });
    assert_eq!(no_junction("x"), TargetError::NotAbsolute);
    assert_eq!(no_junction(r"\x"), TargetError::NotAbsolute);
    assert_eq!(no_junction("C:x"), TargetError::DriveRelative { letter: 'C' });
    for remote in [r"\\s\h", "//s/h", r"\\?\UNC\s\h", r"\\.\unc\s\h"] {
        assert_eq!(no_junction(remote), TargetError::Network, "{remote}");
    }
    for device in [r"\\.\COM1", r"\\?\GLOBALROOT\Device\x\", r"\\?\C:", r"\\?\C:x"] {
        assert_eq!(no_junction(device), TargetError::NotLocal, "{device}");
    }
    assert_eq!(no_junction(r"\??\C:\x"), TargetError::NtPath);
    assert_eq!(no_junction(r"\\?\C:\a\..\b"), TargetError::DotComponent);
    assert_eq!(no_junction(r"\\?\C:\a/b"), TargetError::ForwardSlash { index: 8 });
    assert_eq!(no_junction(&format!(r"\\?\Volume{{{GUID}}}\")), TargetError::VolumeRoot);
}

#[test]
fn volume_mount_points() {
    let stored = wide(&format!(r"\??\Volume{{{GUID}}}\"));
    for typed in [format!(r"\\?\Volume{{{GUID}}}\"), format!(r"\\?\Volume{{{GUID}}}"), stored.to_string()] {
        let point = MountPoint::volume(&wide(&typed)).unwrap();
        assert_eq!((&point.substitute, point.print.is_empty(), point.is_volume()), (&stored, true, true));
    }
    let below = format!(r"\\?\Volume{{{GUID}}}\x");
    let bad_guid = format!(r"\\?\Volume{{{}}}\", GUID.replace('-', "0"));
    for typed in [&below, &bad_guid, r"C:\", "", r"\\?\Volume{}\", r"Volume{x}\"] {
        assert_eq!(MountPoint::volume(&wide(typed)), Err(TargetError::NotVolume), "{typed}");
    }
    // A junction below a volume's root is one, however its volume is named.
    assert!(!MountPoint::junction(&wide(&below)).unwrap().is_volume());
    assert!(!MountPoint::junction(&wide(r"C:\")).unwrap().is_volume());
}

#[test]
fn the_longest_target_has_4089_characters() {
    let target = |n: usize| wide(&format!(r"C:\{}", "a".repeat(n - 3)));
    let sizes = |n| {
        let symlink = ReparseData::from(Symlink::new(&target(n)).unwrap()).encode();
        let junction = ReparseData::from(MountPoint::junction(&target(n)).unwrap()).encode();
        [symlink, junction].map(|bytes| bytes.map(|bytes| bytes.len()))
    };
    assert_eq!(sizes(4089), [Ok(MAX_TOTAL), Ok(MAX_TOTAL)]);
    let too_long = Err(EncodeError::TooLong { len: MAX_TOTAL + 4 });
    assert_eq!(sizes(4090), [too_long.clone(), too_long]);
}

#[test]
fn classes() {
    let class = |text: &str| path::classify(&wide(text));
    for text in ["", "x", ".", r"..\x", "1:\\x", "é:\\x", "?", ":"] {
        assert_eq!(class(text), TargetClass::Relative, "{text}");
    }
    for text in [r"\", "/", r"\x", r"\?\x", r"\??x"] {
        assert_eq!(class(text), TargetClass::Rooted, "{text}");
    }
    for text in [r"c:\", "c:/x"] {
        assert_eq!(class(text), TargetClass::DriveAbsolute { letter: 'c' }, "{text}");
    }
    for text in ["C:", "C:x", "C:."] {
        assert_eq!(class(text), TargetClass::DriveRelative { letter: 'C' }, "{text}");
    }
    for text in [r"\\", r"\\s\h", "//s/h", r"/\s", r"\\?x\y", r"\\..\x"] {
        assert_eq!(class(text), TargetClass::Unc, "{text}");
    }
    for text in [r"\\?\", r"\\?\C:\x", r"\\?\Volume{x}\", r"\\?\UNC\s\h"] {
        assert_eq!(class(text), TargetClass::Verbatim, "{text}");
    }
    for text in [r"\\.\x", r"\\.", r"\\?", "//?/C:/x", r"\\./x", r"\\?/x"] {
        assert_eq!(class(text), TargetClass::Device, "{text}");
    }
    for tail in ["", r"\", r"\x"] {
        let text = format!(r"\\?\vOLUME{{{GUID}}}{tail}");
        assert_eq!(class(&text), TargetClass::Volume(GUID.into()), "{text}");
    }
    assert_eq!(class(&format!(r"\\?\Volume{{{GUID}}}x")), TargetClass::Verbatim);
    assert_eq!(class(r"\??\C:\x"), TargetClass::Nt);
}

#[test]
fn normalising() {
    for (typed, full) in [
        (r"C:\", r"C:\"),
        ("C:/a//b", r"C:\a\b"),
        (r"C:\a\.\b\..\c\", r"C:\a\c\"),
        (r"C:\..\a", r"C:\a"),
        (r"C:\a\..\..", r"C:\"),
        // One dot at the end of any component, all dots and spaces at the end of the path.
        (r"C:\a.\b .\c . .", r"C:\a\b \c"),
        (r"C:\a..\...\b", r"C:\a..\...\b"),
        (r"C:\a\...", r"C:\a\"),
        (r"C:\ ", r"C:\"),
        (r"C:\a \.", r"C:\a"),
        (r"\\s\h", r"\\s\h"),
        (r"\\s\h\", r"\\s\h\"),
        (r"\\s\h\..\..\x", r"\\s\h\x"),
        ("//s//h/x", r"\\s\h\x"),
        (r"\\s", r"\\s"),
        (r"\\.\C:\a\..\b", r"\\.\C:\b"),
        ("//?/C:/a/../b", r"\\?\C:\b"),
        (r"\\?\C:/a\..\b. ", r"\\?\C:/a\..\b. "),
        (r"\??\C:\a\..\b", r"\??\C:\a\..\b"),
    ] {
        assert_eq!(path::normalise(&wide(typed)), Some(wide(full)), "{typed}");
    }
    for typed in ["", "x", r"\x", "C:x", r"\\", r"\\\s"] {
        assert_eq!(path::normalise(&wide(typed)), None, "{typed}");
        assert_eq!(path::win32_to_nt(&wide(typed)), None, "{typed}");
    }
}

#[test]
fn win32_to_nt_and_back() {
    for (win32, nt, back) in [
        (r"C:\x", r"\??\C:\x", r"C:\x"),
        (r"\\s\h\x", r"\??\UNC\s\h\x", r"\\s\h\x"),
        (r"\\.\dev", r"\??\dev", r"\??\dev"),
        (r"\\?\C:\x", r"\??\C:\x", r"C:\x"),
        (r"\\?\UNC\s\h", r"\??\UNC\s\h", r"\\s\h"),
        (r"\??\C:\x", r"\??\C:\x", r"C:\x"),
    ] {
        assert_eq!(path::win32_to_nt(&wide(win32)), Some(wide(nt)), "{win32}");
        assert_eq!(path::nt_to_win32(&wide(nt)), wide(back), "{nt}");
    }
    let volume = wide(&format!(r"\\?\Volume{{{GUID}}}\"));
    let nt = path::win32_to_nt(&volume).unwrap();
    assert_eq!(nt, wide(&format!(r"\??\Volume{{{GUID}}}\")));
    assert_eq!(path::nt_to_win32(&nt), volume);
}

/// A stored name must not be able to show as a path of another kind than it is.
#[test]
fn nt_paths_that_win32_cannot_say_are_shown_raw() {
    for nt in [
        r"\??\C:x",
        r"\??\C:/x",
        r"\??\UNC\",
        r"\??\UNC\\s\h",
        r"\??\UNC\?\C:\x",
        r"\??\UNC\.\COM1",
        r"\??\UNC\.",
        r"\??\Volume{x}\",
        r"\??\",
        r"\Device\HarddiskVolume1\x",
        r"C:\x",
        "",
    ] {
        assert_eq!(path::nt_to_win32(&wide(nt)), wide(nt));
    }
    assert_eq!(path::nt_to_win32(&wide(r"\??\C:")), wide("C:"));
    assert_eq!(path::nt_to_win32(&wide(r"\??\unc\s\h")), wide(r"\\s\h"));
}

/// The print name may lie; what is shown is where Windows goes.
#[test]
fn print_name_and_destination_are_kept_apart() {
    let link = Symlink { substitute: wide(r"\??\C:\evil"), print: wide(r"C:\good"), flags: 0 };
    assert_eq!((link.target(), link.destination()), (wide(r"C:\evil"), wide(r"C:\evil")));
    assert_eq!(ReparseData::from(link).other_name(), Some(&wide(r"C:\good")));
    let link = MountPoint { substitute: wide(r"\??\C:\evil"), print: wide(r"C:\good") };
    assert_eq!((link.target(), link.destination()), (wide(r"C:\evil"), wide(r"C:\evil")));
    // What is only spelt otherwise does not lie.
    for print in [r"C:\EVIL", r"c:\evil\", "C:/x/../evil", r"\\?\C:\evil"] {
        let link = MountPoint { substitute: wide(r"\??\C:\evil"), print: wide(print) };
        assert_eq!(link.target(), wide(print));
        assert_eq!(ReparseData::from(link).other_name(), None);
    }
    // A relative substitute that looks like an NT path is still relative.
    let link = Symlink { substitute: wide(r"\??\C:\x"), print: WideString::new(), flags: 1 };
    assert_eq!(link.target(), wide(r"\??\C:\x"));
}

#[test]
fn to_backslashes_changes_nothing_else() {
    assert_eq!(path::to_backslashes(&wide(r"../a\b/")), wide(r"..\a\b\"));
}
