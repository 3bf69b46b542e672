//! Links that nobody recorded: whole directories are found by what is in them, and in doubt nothing is taken.

use super::*;

const STRONG: [&str; 3] = ["--min-confidence", "strong", "--yes"];

/// Links into two trees of many files, two to each file; the trees have been renamed high above.
struct Renamed {
    ground: Ground,
    behind: BTreeMap<PathBuf, String>,
}

fn name_in(tree: &str, (sub, number): (usize, usize)) -> String {
    format!("s{sub}/{tree}{number}")
}

impl Renamed {
    fn new(ground: Ground, count: usize) -> Renamed {
        let mut behind = BTreeMap::new();
        let files: Vec<(usize, usize)> = (0..count).map(|n| (n % 20, n)).collect();
        for tree in ["alpha", "beta"] {
            for (number, file) in files.iter().enumerate() {
                let file = name_in(tree, *file);
                let content = format!("in {file}");
                let target = ground.at(format!("srv/{tree}/deep/{file}"));
                write(&target, &content);
                let absolute = ground.at(format!("links/{}/{tree}_a{number}", number % 25));
                link(&target, &absolute);
                let relative = ground.at(format!("links/{}/{tree}_r{number}", number % 25));
                link(format!("../../srv/{tree}/deep/{file}"), &relative);
                behind.extend([(absolute, content.clone()), (relative, content)]);
            }
        }
        rename(ground.at("srv/alpha"), ground.at("srv/first"));
        rename(ground.at("srv/beta"), ground.at("srv/second"));
        Renamed { ground, behind }
    }

    #[track_caller]
    fn assert_all_mended(&self) {
        for (path, content) in &self.behind {
            assert_eq!(read(path).as_ref(), Some(content), "{}", path.display());
        }
    }
}

#[test]
fn a_mapping_is_told_with_how_many_of_how_many_it_mends() {
    let renamed = Renamed::new(Ground::new(), 60);
    let ran = renamed.ground.ok(["repair", "links"].into_iter().chain(STRONG));
    assert!(ran.out.contains("[DIR]/srv/alpha -> [DIR]/srv/first mends 120 of 120"), "{ran}");
    assert!(ran.out.contains("[DIR]/srv/beta -> [DIR]/srv/second mends 120 of 120"), "{ran}");
    assert!(ran.out.contains("mended 240 links (operation 1; `linkctl undo 1` takes it back)"), "{ran}");
    renamed.assert_all_mended();
}

#[test]
fn unless_asked_nothing_inferred_is_applied_and_the_exit_code_says_that_links_remain() {
    let renamed = Renamed::new(Ground::new(), 60);
    let before = testkit::Snapshot::of(renamed.ground.root());
    let ran = renamed.ground.run(["repair", "links", "--yes"]).exits(1);
    before.assert_unchanged();
    let ran = ran.says("240 more are mended with --min-confidence strong");
    assert!(ran.out.contains("240 stay broken"), "{ran}");
    assert_eq!(renamed.ground.history(), [Value::Null; 0], "nothing was done");
}
