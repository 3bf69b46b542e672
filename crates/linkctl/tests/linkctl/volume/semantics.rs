//! Where links lead as Windows has it, also where ntfs-3g and POSIX have it otherwise.

use reparse::{MountPoint, ReparseData, Symlink, WideString};

use super::*;

/// Sets reparse data without waiting until the kernel sees it: nobody looks before the volume is read itself.
fn set(path: &Path, data: &[u8]) {
    let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut command = std::process::Command::new("setfattr");
    command.args(["-h", "-n", testkit::ntfs::REPARSE_DATA, "-v", &format!("0x{hex}")]).arg(path);
    testkit::require::run(&mut command);
}

#[test]
fn dots_streams_and_trailing_backslashes_mean_what_they_mean_to_windows() {
    let mut volume = Volume::with_options(Fs::Ntfs, 0, "streams_interface=windows");
    tree!(volume.path(), {
        "t/real" => file("text"), "t/sub/f" => file("f"), "dir/f" => file("f"), "dir/jj" => dir, "Readme.md" => file("read"),
    });
    fs::write(volume.path().join("Readme.md:strm"), "a stream").unwrap();
    let file = |name: &str, target: &str, flags: u32| {
        let path = volume.path().join(name);
        fs::write(&path, "").unwrap();
        let text = WideString::from(target);
        let link = Symlink { substitute: text.clone(), print: text, flags };
        set(&path, &ReparseData::from(link).encode().unwrap());
    };
    let point = |name: &str, target: &str| {
        let path = volume.path().join(name);
        fs::create_dir_all(&path).unwrap();
        let point = MountPoint { substitute: target.into(), print: WideString::new() };
        set(&path, &ReparseData::from(point).encode().unwrap());
    };
    point(r"dir/jj", r"\??\C:\t");
    // `..` is taken by the text, before anything is opened; what leads above the root leads nowhere.
    let cases = [
        ("by text", r"dir\jj\..\f", "ok"),
        ("not through the junction", r"dir\jj\..\sub\f", "missing"),
        ("over what is missing", r"nope\..\Readme.md", "ok"),
        ("over a file", r"Readme.md\..\t\real", "ok"),
        ("above", r"..\Readme.md", "missing"),
        ("above by root", r"\..\Readme.md", "missing"),
        // A stream is a file; only one that is there.
        ("stream", r"Readme.md:strm", "ok"),
        ("stream of data", r"Readme.md:STRM:$DATA", "ok"),
        ("content", r"Readme.md::$DATA", "ok"),
        ("no stream", r"Readme.md:none", "missing"),
        ("stream of nothing", r"nope:strm", "missing"),
        ("other stream", r"dir:$I30:$INDEX_ALLOCATION", "elsewhere"),
        // A backslash at the end asks for a directory.
        ("backslash", r"Readme.md\", "missing"),
        ("backslash of a directory", r"t\", "wrong-kind"),
        ("slash", r"t/real", "missing"),
    ];
    for (name, target, _) in cases {
        file(name, target, 1);
    }
    file("absolute slash", r"\??\C:/t/real", 0);
    point("device", r"\Device\HarddiskVolume1\t");
    point("dos devices", r"\DosDevices\C:\t");
    point("no nt path", r"C:\t");
    volume.unmount();
    let found = links(&list(volume.image(), &[]));
    let mut expected: BTreeMap<&str, &str> = cases.map(|(name, _, state)| (name, state)).into();
    expected.extend([
        ("jj", "ok"),
        ("absolute slash", "missing"),
        ("device", "elsewhere"),
        ("dos devices", "elsewhere"),
        ("no nt path", "missing"),
    ]);
    let states: BTreeMap<String, &str> = found.iter().map(|link| (last(&path(link)).to_owned(), state(link))).collect();
    let states: BTreeMap<&str, &str> = states.iter().map(|(name, state)| (name.as_str(), *state)).collect();
    assert_eq!(states, expected);
    // The walker of mounted volumes reads the same data the same way.
    volume.mount();
    let mounted = Linkctl::on(volume.path()).ok(["list", "--json"]).json();
    for link in links(&mounted) {
        let name = path(&link);
        let wanted = expected[name.rsplit('/').next().unwrap()];
        // It asks for names, and knows no streams.
        if !name.contains("stream") && name != "content" {
            assert_eq!(state(&link), wanted, "{name}");
        }
    }
}
