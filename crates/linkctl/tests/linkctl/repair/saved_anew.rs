//! Files that an editor saved anew: another inode has the recorded name.

use super::*;

#[test]
fn a_file_that_was_saved_anew_is_found_with_its_directory_by_an_ordinary_user_too() {
    // Something on the volume is closed to this user.
    let ground = Ground::nobody(Fs::Ext4);
    write(ground.at("dir/a"), "old");
    link("../dir/a", ground.at("links/a"));
    chown(ground.at("links"), Some(NOBODY), Some(NOBODY)).unwrap();
    ground.ok(["track", "links"]);
    write(ground.at("dir/a.new"), "new");
    rename(ground.at("dir/a.new"), ground.at("dir/a"));
    rename(ground.at("dir"), ground.at("moved"));
    let ran = ground.run(["repair", "--dry-run", "--json", "links"]);
    assert_eq!(records(&ran)["links/a"]["confidence"], "strong", "{ran}");
}
