//! A volume that nobody has mounted: an image that `cargo xtask windows` makes, with ntfs-3g.

use std::path::PathBuf;

use super::Linkctl;

/// What it holds is told where it is made.
fn image() -> PathBuf {
    let image = std::env::var("LINKCTL_TEST_VOLUME").expect("`cargo xtask windows` names the image");
    // Wine knows the whole of the other system as drive Z.
    if image.starts_with('/') { format!("Z:{}", image.replace('/', "\\")).into() } else { image.into() }
}

#[test]
fn its_links_are_listed_with_target_and_state() {
    let linkctl = Linkctl::new();
    let image = image();
    let image = image.to_str().unwrap();
    let listed = linkctl.ok(["list", "--volume", image, "--format", "csv"]);
    assert_eq!(
        listed.out,
        "path,kind,target,resolved,state,links,size,print\nC:\\L,junction,C:\\t,C:\\t,ok,,,\nC:\\gone,junction,C:\\n,,missing,,,\n"
    );
    let other = linkctl.ok(["list", "--volume", image, "--drive", "D", "--format", "csv", "--full-scan"]);
    assert!(other.out.contains("D:\\L,junction,C:\\t,,elsewhere"), "{}", other.out);
    let hard = linkctl.ok(["list", "--volume", image, "--hard", "--format", "paths"]);
    assert_eq!(hard.out, "C:\\t\\one\nC:\\two\n");
    linkctl.run(["check", "--volume", image]).exits(1);
    let shown = linkctl.ok(["show", "--volume", image, "c:\\l"]);
    assert!(shown.out.contains("resolved    C:\\t"), "{}", shown.out);
    let dir = linkctl.ok(["dir", "--volume", image, "/s", "/al"]);
    assert!(dir.out.contains("<JUNCTION>     L [C:\\t]"), "{}", dir.out);
}

#[test]
fn what_is_no_volume_is_refused_in_words() {
    let linkctl = Linkctl::new();
    let file = linkctl.write("text", "no volume");
    let refused = linkctl.run(["list", "--volume", file.to_str().unwrap()]).exits(3);
    assert!(refused.err.contains("no NTFS volume"), "{}", refused.err);
}
