//! What `doctor` says of a volume.

use super::*;

#[test]
fn doctor_says_where_junctions_can_be_made_and_leaves_nothing() {
    let able = |ran: &Ran, name: &str| {
        let document = ran.json();
        let all = document["capabilities"].as_array().unwrap().clone();
        all.into_iter().find(|c| c["name"] == name).unwrap()
    };
    let mut ntfs = Bench::ntfs();
    tree!(ntfs.root(), { "t/f" => file("text") });
    let ran = ntfs.ok(["doctor", "--json"]);
    assert_eq!(ran.json()["ntfs"], true);
    for name in ["symlink-to-file", "symlink-to-directory", "hard", "junction", "replace"] {
        assert_eq!(able(&ran, name)["able"], true, "{name}: {}", ran.out);
    }
    assert!(ntfs.ok(["doctor"]).out.lines().any(|line| line.starts_with("junction") && line.ends_with("yes")));
    assert_eq!(ntfs.names(), ["t", "t/f"]);
    assert_eq!(ntfs.history(), [Value::Null; 0]);

    let ext4 = Bench::on(Volume::new(Fs::Ext4, 0));
    let before = ext4.names();
    let ran = ext4.ok(["doctor", "--json"]);
    assert_eq!((&ran.json()["ntfs"], &ran.json()["filesystem"]), (&json!(false), &json!("ext4")));
    let junction = able(&ran, "junction");
    assert_eq!((&junction["able"], &junction["error"]["kind"]), (&json!(false), &json!("not-supported")));
    assert_eq!(able(&ran, "symlink-to-file")["able"], true);
    let text = ext4.ok(["doctor"]).out;
    assert!(text.lines().any(|line| line.starts_with("junction") && line.contains("no: ")), "{text}");
    assert_eq!(ext4.names(), before);

    ntfs.volume.remount_read_only();
    let ran = ntfs.ok(["doctor", "--json"]);
    assert_eq!(ran.json()["read_only"], true);
    assert_eq!(able(&ran, "junction")["able"], false);
}
