//! What was recorded is found again wherever it went on its file system, by what it is.

use super::*;

#[test]
fn a_target_of_several_links_is_found_for_each() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "one");
    link(ground.at("data/f"), ground.at("links/a"));
    link("../data/f", ground.at("links/b"));
    link("../links/a", ground.at("links/c"));
    ground.track(["links"]);
    rename(ground.at("data/f"), ground.at("far/g"));
    let ran = ground.repair(["links"]).run().mends_all();
    for name in ["a", "b", "c"] {
        assert_eq!(read(ground.at("links").join(name)).as_deref(), Some("one"), "{name}\n{ran}");
    }
    assert_eq!(ground.target("links/b"), Path::new("../far/g"), "a relative link stays relative");
    assert_eq!(ground.target("links/c"), Path::new("../links/a"), "a link to a mended link stays as it is");
}

#[test]
fn a_link_to_a_link_follows_that_link_and_not_what_is_behind_it() {
    let ground = Ground::on(Fs::Ext4);
    write(ground.at("data/f"), "one");
    link(ground.at("data/f"), ground.at("mid/m"));
    link(ground.at("mid/m"), ground.at("links/l"));
    ground.track(["links"]);
    rename(ground.at("mid/m"), ground.at("far/n"));
    ground.repair(["links"]).run().mends_all();
    assert_eq!(ground.target("links/l"), ground.at("far/n"));
}
