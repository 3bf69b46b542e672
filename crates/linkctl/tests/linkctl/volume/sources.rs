//! What can be a SOURCE, what cannot, and that nothing is ever written to it.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use super::*;

#[test]
fn other_formats_are_named_with_the_command_that_helps() {
    let linkctl = Linkctl::new();
    for (at, sign, words) in [
        (0, &b"QFI\xfb"[..], &["qcow2", "qemu-nbd --read-only", "--format=qcow2", "/dev/nbd0"][..]),
        (0, b"vhdxfile", &["VHDX", "qemu-nbd --read-only", "--format=vhdx"]),
        (0, b"conectix", &["VHD", "qemu-nbd --read-only", "--format=vpc"]),
        (0, b"KDMV", &["VMDK", "qemu-nbd --read-only", "--format=vmdk"]),
        (0x40, b"\x7f\x10\xda\xbe", &["VDI", "qemu-nbd --read-only", "--format=vdi"]),
        (0, b"EVF\x09\x0d\x0a\xff\x00", &["EWF", "ewfmount"]),
        (3, b"-FVE-FS-", &["BitLocker", "cryptsetup open --type bitlk --readonly"]),
        (0, b"LUKS\xba\xbe", &["LUKS", "cryptsetup open --readonly"]),
        (0, b"\x1f\x8b\x08", &["compressed"]),
        (0, b"MSWIM\0\0\0", &["WIM", "wimmount"]),
        (3, b"EXFAT   ", &["exFAT"]),
        (3, b"ReFS\0\0\0\0", &["ReFS"]),
    ] {
        let mut bytes = vec![0; 100_000];
        bytes[at..at + sign.len()].copy_from_slice(sign);
        fs::write(linkctl.at("disk.img"), &bytes).unwrap();
        for args in [&["list"][..], &["check"], &["show", r"C:\x"]] {
            let ran = linkctl.output([args, &["--volume", "disk.img"]].concat()).exits(3);
            assert_eq!(ran.out, "");
            words.iter().fold(ran, |ran, word| ran.says(word)).says("disk.img");
        }
        let ran = linkctl.output(["dir", "--volume", "disk.img"]).exits(1);
        words.iter().fold(ran, |ran, word| ran.says(word));
    }
}

#[test]
fn other_file_systems_are_named() {
    let mut volume = Volume::new(Fs::Ext4, 0);
    volume.unmount();
    run("list", volume.image(), [""; 0]).exits(3).says("ext2, ext3 or ext4").says("mounted");
}

#[test]
fn what_is_no_source_is_refused() {
    let linkctl = Linkctl::new();
    tree!(linkctl.work(), {
        "empty" => file(""), "short" => file("NTFS"), "zeros" => file(vec![0; 1 << 20]), "fifo" => fifo, "dir" => dir,
        "boot" => file([b"\xeb\x52\x90NTFS    ".as_slice(), &[0; 501]].concat()),
    });
    for (source, words) in [
        ("empty", "no NTFS volume"),
        ("short", "no NTFS volume"),
        ("zeros", "no NTFS volume"),
        ("boot", "at byte 0"),
        ("fifo", "neither a disk image nor a block device"),
        ("dir", "directory"),
        ("/dev/null", "neither a disk image nor a block device"),
        ("missing", "no such file or directory"),
    ] {
        for args in [&["list"][..], &["check"], &["show", r"C:\x"]] {
            let ran = linkctl.output([args, &["--volume", source]].concat()).exits(3).says(words);
            assert_eq!(ran.out, "", "{source}");
        }
        let document = linkctl.output(["list", "--json", "--volume", source]).exits(3).json();
        assert_eq!(document["errors"][0]["exit"], 3, "{source}");
    }
}

#[test]
fn a_truncated_image_gives_what_is_left() {
    let filled = Filled::of(ANY);
    let (_dir, image) = filled.copy();
    let half = filled.shape.size / 2;
    File::options().write(true).open(&image).unwrap().set_len(half).unwrap();
    run("list", &image, [""; 0]).exits(3).says("at byte ").says("the source ends before the volume does");

    // Behind the beginning of the table, most is left.
    let bytes = filled.bytes();
    let records = (0..bytes.len()).step_by(1024).filter(|at| bytes[*at..].starts_with(b"FILE"));
    let records: Vec<usize> = records.collect();
    let cut = records[records.len() * 9 / 10] as u64;
    fs::copy(filled.source(), &image).unwrap();
    File::options().write(true).open(&image).unwrap().set_len(cut).unwrap();
    for scan in [&[][..], &["--full-scan"]] {
        let ran = run("list", &image, ["--json"].iter().chain(scan)).exits(3).says("at byte ");
        let (all, left) = (list(filled.source(), &[]), ran.json());
        let (all, left) = (paths(&links(&all)), paths(&links(&left)));
        assert!(left.len() < all.len() && left.iter().all(|path| all.contains(path)), "{}", left.len());
        assert!(!ran.json()["errors"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_mounted_image_is_read_with_a_note() {
    let filled = Filled::of(ANY);
    let volume = filled.mounted();
    let ran = run("list", volume.image(), ["--json"]).exits(0).says("note: ").says("is mounted on");
    let ran = ran.says(volume.path().to_str().unwrap());
    assert!(links(&ran.json()) == links(&list(filled.source(), &[])));
    run("show", volume.image(), [r"C:\Real"]).exits(0).says("is mounted on");
    run("check", volume.image(), [r"C:\chains\5"]).exits(0).says("is mounted on");
    run("dir", volume.image(), ["/al"]).says("is mounted on");
    assert!(volume.is_mounted());
}

/// A loop device, detached when dropped.
struct Loop(PathBuf);

impl Loop {
    fn of(image: &Path) -> Loop {
        let output = Command::new("losetup").args(["--find", "--show", "--read-only"]).arg(image).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Loop(String::from_utf8(output.stdout).unwrap().trim_end().into())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let status = Command::new("losetup").arg("--detach").arg(&self.0).status();
        assert!(status.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[test]
fn a_block_device_is_a_source() {
    let filled = Filled::of(ANY);
    let (_dir, image) = filled.copy();
    let device = Loop::of(&image);
    for scan in [&[][..], &["--full-scan"]] {
        assert!(list(&device.0, scan) == list(filled.source(), scan));
    }
    let shown = run("show", &device.0, ["--json", r"C:\junctions\plain"]).exits(0).json();
    assert_eq!(text(&shown["links"][0]["resolved"]), r"C:\Real");
}

#[test]
fn a_mounted_device_and_the_image_behind_it_get_a_note() {
    let filled = Filled::of(ANY);
    let (dir, image) = filled.copy();
    let device = Loop::of(&image);
    let mount = dir.path().join("mnt");
    fs::create_dir(&mount).unwrap();
    let status = Command::new("ntfs-3g")
        .args(["-o", "ro"])
        .arg(&device.0)
        .arg(&mount)
        .stderr(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let sources = [run("list", &device.0, ["--json"]), run("list", &image, ["--json"])];
    assert!(Command::new("umount").arg(&mount).status().unwrap().success());
    for ran in sources {
        let ran = ran.exits(0).says("is mounted on").says("mnt");
        assert_eq!(links(&ran.json()).len(), filled.expected.links.len());
    }
}

#[test]
fn nothing_is_written() {
    let filled = Filled::of(ANY);
    let nobody = Linkctl::nobody();
    let image = nobody.at("image");
    let before = filled.bytes();
    fs::write(&image, &before).unwrap();
    fs::set_permissions(&image, fs::Permissions::from_mode(0o400)).unwrap();
    chown(&image, Some(crate::common::NOBODY), None).unwrap();
    let times = |meta: fs::Metadata| (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec(), meta.len());
    let stat = times(image.metadata().unwrap());
    let expected = links(&list(filled.source(), &[]));
    for args in [&["list", "--json"][..], &["list", "--json", "--full-scan"]] {
        let ran = nobody.ok([args, &["--volume", "image"]].concat());
        assert!(links(&ran.json()) == expected);
    }
    nobody.ok(["list", "--hard", "--volume", "image"]);
    nobody.output(["check", "--volume", "image"]).exits(1);
    nobody.ok(["show", "--raw", "--volume", "image", r"C:\junctions\plain"]);
    nobody.ok(["dir", "--volume", "image", "/s"]);
    assert!(fs::read(&image).unwrap() == before, "the image has changed");
    assert_eq!(times(image.metadata().unwrap()), stat);

    chown(&image, Some(0), None).unwrap();
    nobody.output(["list", "--volume", "image"]).exits(3).says("ermission denied");
}
