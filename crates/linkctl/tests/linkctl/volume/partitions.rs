//! Disks with partitions: GPT and MBR, one volume or several.

use disk::{Disk, SECTOR};

use super::*;

fn image(windows: bool) -> Vec<u8> {
    fs::read(disk::volume(windows).image()).unwrap()
}

/// Partition 1 is no NTFS, 3 holds Windows, 4 holds data.
fn gpt(sector: usize) -> (Disk, PathBuf) {
    let mut disk = Disk::new();
    disk.gpt(sector);
    let mut start = 1 << 20;
    for (number, content) in [(1, vec![0xee; 4 << 20]), (3, image(true)), (4, image(false))] {
        disk.fill(start / SECTOR, &content);
        disk.gpt_entry(sector, number, start, content.len());
        start += content.len().next_multiple_of(1 << 20);
    }
    let path = disk.write();
    (disk, path)
}

/// Partition 1 holds Windows, 2 and the logical 5 are no NTFS, and the logical 6 holds data.
fn mbr() -> (Disk, PathBuf) {
    let mut disk = Disk::new();
    let count = disk.fill(2048, &image(true));
    disk.mbr(0, 0, 7, 2048, count);
    disk.mbr(0, 1, 0x83, 20_480, 100);
    disk.mbr(0, 2, 0x0f, 30_720, 40_960);
    disk.mbr(30_720, 0, 0x83, 64, 100);
    disk.mbr(30_720, 1, 0x05, 20_480, 20_480);
    let count = disk.fill(30_720 + 20_480 + 2048, &image(false));
    disk.mbr(30_720 + 20_480, 0, 7, 2048, count);
    let path = disk.write();
    (disk, path)
}

/// What `list --json` says of several volumes.
#[track_caller]
fn rows(disk: &Path, args: &[&str]) -> Vec<(String, String)> {
    let ran = run("list", disk, ["--json"].iter().chain(args)).exits(0);
    links(&ran.json()).iter().map(|link| (path(link), state(link).to_owned())).collect()
}

fn owned(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(path, state)| ((*path).to_owned(), (*state).to_owned())).collect()
}

#[track_caller]
fn all_volumes(disk: &Path, system: u32, data: u32) {
    let ran = run("list", disk, ["--json", "--stats"]).exits(0);
    let ran = ran.says(&format!("partition {system} holds Windows, and is taken for drive C:"));
    let ran = ran.says(&format!("nobody knows the letter of partition {data}"));
    let document = ran.json();
    let (s, d) = (format!(r"Partition{system}"), format!(r"Partition{data}"));
    let found: Vec<_> = links(&document).iter().map(|link| (path(link), state(link).to_owned())).collect();
    let expected = [
        (format!(r"{s}\Users\all"), "ok"),
        (format!(r"{s}\Users\gone"), "missing"),
        (format!(r"{s}\Users\to data"), "elsewhere"),
        (format!(r"{d}\relative"), "ok"),
        (format!(r"{d}\to Windows"), "elsewhere"),
    ];
    assert_eq!(found, expected.map(|(path, state)| (path, state.to_owned())));
    assert_eq!(text(&link(&links(&document), &format!(r"{s}\Users\all"))["resolved"]), format!(r"{s}\Windows"));
    let numbers: Vec<_> = document["stats"].as_array().unwrap().iter().map(|one| &one["partition"]).collect();
    assert_eq!(numbers, [&Value::from(system), &Value::from(data)]);
}

#[track_caller]
fn one_volume(disk: &Path, system: u32, data: u32) {
    let (system, data) = (system.to_string(), data.to_string());
    let on_c = [(r"C:\Users\all", "ok"), (r"C:\Users\gone", "missing"), (r"C:\Users\to data", "elsewhere")];
    assert_eq!(rows(disk, &["--partition", &system]), owned(&on_c));
    let on_d = [(r"D:\relative", "ok"), (r"D:\to Windows", "elsewhere")];
    assert_eq!(rows(disk, &["--partition", &data, "--drive", "D"]), owned(&on_d));
    let on_c = [(r"C:\relative", "ok"), (r"C:\to Windows", "missing")];
    assert_eq!(rows(disk, &["--partition", &data]), owned(&on_c));
}

#[test]
fn gpt_of_every_sector_size() {
    for sector in [512, 4096] {
        let (_disk, path) = gpt(sector);
        all_volumes(&path, 3, 4);
        one_volume(&path, 3, 4);
    }
}

#[test]
fn mbr_with_logical_partitions() {
    let (_disk, path) = mbr();
    all_volumes(&path, 1, 6);
    one_volume(&path, 1, 6);
}

#[test]
fn the_only_volume_of_a_disk_has_its_letter() {
    let mut disk = Disk::new();
    let count = disk.fill(2048, &image(false));
    disk.mbr(0, 3, 7, 2048, count);
    let path = disk.write();
    assert_eq!(rows(&path, &[]), owned(&[(r"C:\relative", "ok"), (r"C:\to Windows", "missing")]));
    assert_eq!(run("list", &path, ["--json"]).err, "");
    assert_eq!(rows(&path, &["--drive", "e"])[0].0, r"E:\relative");
}

#[test]
fn paths_say_which_volume_they_are_on() {
    let (_disk, path) = gpt(512);
    assert_eq!(
        rows(&path, &[r"Partition4\"]),
        owned(&[(r"Partition4\relative", "ok"), (r"Partition4\to Windows", "elsewhere")])
    );
    let both = rows(&path, &["partition3/users", r"Partition4\relative"]);
    assert_eq!(both.len(), 4);
    assert_eq!(rows(&path, &["--points-to", r"Partition3\Windows"]), owned(&[(r"Partition3\Users\all", "ok")]));
    let shown = run("show", &path, ["--json", r"Partition4\data\g"]).exits(0).json();
    let names = shown["links"][0]["names"]["found"].as_array().unwrap().iter().map(text).collect::<Vec<_>>();
    assert_eq!(names, [r"Partition4\data\f", r"Partition4\data\g"]);
    for verb in ["show", "list"] {
        for typed in [r"C:\Users", r"\Users", r"Partition1\x"] {
            run(verb, &path, [typed]).exits(2).says("Partition3").says("Partition4").says("--partition");
        }
    }
    let hard = run("list", &path, ["--json", "--hard"]).exits(0).json();
    assert_eq!(links(&hard).len(), 1);
    let ran = run("check", &path, ["--json"]).exits(1);
    let found = ran.json()["findings"].as_array().unwrap().iter().map(self::path).collect::<Vec<_>>();
    assert_eq!(found, [r"Partition3\Users\gone"]);
}

#[test]
fn dir_takes_one_volume() {
    let (_disk, path) = gpt(512);
    let ran = Linkctl::new().output([OsStr::new("dir"), OsStr::new("--volume"), path.as_os_str(), OsStr::new("/s")]);
    let ran = ran.exits(1).says("--partition").says("3, 4");
    assert_eq!(ran.out, "");
    let args = ["--partition", "4", "/s", "/al", "/b"].map(OsStr::new);
    let ran = run("dir", &path, args).exits(0);
    assert_eq!(ran.out, "C:\\relative\nC:\\to Windows\n");
}

#[test]
fn no_such_partition() {
    let (_disk, path) = gpt(512);
    for (number, code, text) in [
        ("1", 3, "partition 1 holds no NTFS volume"),
        ("2", 2, "there is no partition 2"),
        ("9", 2, "there is no partition 9"),
        ("0", 2, "there is no partition 0"),
    ] {
        let ran = run("list", &path, ["--partition", number]).exits(code);
        ran.says(text).says("3 (NTFS, 4 MiB)").says("1 (other, 4 MiB)");
    }
    run("list", &path, ["--drive", "D"]).exits(2).says("3 (NTFS").says("4 (NTFS");
    run("list", disk::volume(false).image(), ["--partition", "1"]).exits(3).says("there is no partition 1");
    let mut empty = Disk::new();
    empty.gpt(512);
    run("list", empty.write(), [""; 0]).exits(3).says("the partition table is empty");
    Linkctl::new().output(["list", "--partition", "1"]).exits(2).says("--volume");
}

#[test]
fn a_table_that_leads_back_to_itself_ends() {
    let mut disk = Disk::new();
    let count = disk.fill(4096, &image(false));
    disk.mbr(0, 0, 0x05, 2048, 40_960);
    disk.mbr(2048, 0, 7, 2048, count);
    disk.mbr(2048, 1, 0x05, 0, 40_960);
    assert_eq!(rows(&disk.write(), &["--partition", "5"]).len(), 2);
}
