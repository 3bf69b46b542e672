//! Directories of other users: what is found there is weaker.

use super::*;

#[test]
fn a_directory_of_another_user_is_no_strong_find() {
    for (owner, confidence) in [(0, Confidence::Strong), (NOBODY, Confidence::Weak)] {
        let ground = Ground::on(Fs::Ext4);
        for name in ["a", "b", "c", "d", "e", "f"] {
            link(format!("../old/{name}"), ground.at("root/desk").join(name));
            write(ground.at("pub/evil/old").join(name), "x");
        }
        let mut chown = Command::new("chown");
        chown.args(["-R", &owner.to_string()]).arg(ground.at("pub/evil"));
        assert!(chown.status().unwrap().success());
        let weak = ground.repair(["root"]).at_least(Confidence::Weak).plan();
        assert_eq!(weak.links().len(), 6);
        for path in weak.links().keys() {
            assert_eq!(weak.confidence(path), Some(confidence), "of {owner}: {path}: {weak}");
        }
        let strong = ground.repair(["root"]).at_least(Confidence::Strong).plan();
        let taken = strong.links().keys().filter(|path| strong.outcome(path) == Outcome::Planned).count();
        assert_eq!(taken, if owner == 0 { 6 } else { 0 }, "{strong}");
    }
}

#[test]
fn a_directory_beside_the_one_that_is_gone_is_in_the_same_hands() {
    let ground = Ground::new();
    for n in ["a", "b", "c", "d", "e", "f"] {
        write(ground.at("tree/new").join(n), n);
        link(Path::new("../tree/old").join(n), ground.at("links").join(n));
    }
    for path in ["tree", "tree/new"] {
        chown(ground.at(path), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    assert_eq!(ground.repair(["links"]).plan().confidence("links/a"), Some(Confidence::Strong));
}
