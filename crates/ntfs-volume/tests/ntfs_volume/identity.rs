//! Names and serial numbers of real volumes, and what is none.

use std::fs;
use std::process::Command;

use ntfs_volume::identity;
use testkit::require;

fn image(options: &[&str]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(8 << 20).unwrap();
    require::run(Command::new("mkntfs").args(["-F", "-Q", "-q"]).args(options).arg(file.path()));
    fs::read(file.path()).unwrap()
}

#[test]
fn names_and_numbers_are_those_that_mkntfs_wrote() {
    for (options, label) in [
        (&["-L", "My Games é"][..], Some("My Games é")),
        (&[], None),
        (&["-c", "512", "-L", "small clusters"], Some("small clusters")),
        (&["-c", "65536", "-L", "large clusters"], Some("large clusters")),
        (&["-s", "4096", "-L", "4 KiB sectors and records"], Some("4 KiB sectors and records")),
    ] {
        let image = image(options);
        let found = identity(&image).unwrap_or_else(|error| panic!("{options:?}: {error}"));
        assert_eq!(found.label.map(|units| String::from_utf16(&units).unwrap()).as_deref(), label, "{options:?}");
        assert_eq!(found.serial.to_le_bytes(), image[0x48..0x50], "{options:?}");
    }
}

#[test]
fn what_is_no_volume_or_a_broken_one_is_an_error_and_never_a_panic() {
    for bytes in [vec![], vec![0; 100], vec![0; 512], vec![0xff; 70_000]] {
        identity(bytes).unwrap_err();
    }
    identity(fs::read("/proc/self/exe").unwrap()).unwrap_err();
    let good = image(&["-L", "label"]);
    // Cut off anywhere, and with any byte of the boot sector or of the record turned over.
    for length in (0..good.len()).step_by(4_099) {
        let cut = identity(&good[..length]);
        assert!(cut.is_err() || length > 16_384, "{length}");
    }
    let cluster = 4_096;
    let record =
        usize::try_from(u64::from_le_bytes(good[0x30..0x38].try_into().unwrap())).unwrap() * cluster + 3 * 1_024;
    assert_eq!(&good[record..record + 4], b"FILE");
    let mut refused = 0;
    for at in (0..512).chain(record..record + 1_024) {
        for flip in [0xff, 0x01, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            refused += usize::from(identity(&bad).is_err());
        }
    }
    assert!(refused > 20, "{refused}");
}
