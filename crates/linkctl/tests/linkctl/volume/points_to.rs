//! `list --volume --points-to`: the same as on the mount.

use super::*;

/// Where links are that lead on in every way, and few other files.
const PLACES: [&str; 9] = ["junctions", "symlinks", "chains/5", "chains/middle", "loops", "hard", "Real", "short", "É"];

#[test]
fn what_leads_to_a_path_is_what_leads_there_on_the_mount() {
    let filled = Filled::of(ANY);
    let volume = filled.mounted();
    let linkctl = Linkctl::on(volume.path());
    let roots = PLACES.map(|place| volume.path().join(place));
    for (target, least) in [
        ("Real", 20),
        ("Real/deep", 10),
        ("Real/deep/f", 1),
        ("Real/other", 4),
        // Within chains (long ones take long on a mount), and junctions in the middle of a path.
        ("chains/5/3", 2),
        ("chains/middle/junction", 2),
        ("junctions/plain", 2),
        // Missing.
        ("Real/gone", 2),
        ("gone", 0),
        ("loops/a", 1),
        // Names of one file.
        ("hard/a", 3),
        ("hard", 1200),
        ("É", 1),
    ] {
        let there = volume.path().join(target);
        let options = ["list", "--json", "--points-to"].map(OsStr::new);
        let ran =
            linkctl.ok(options.into_iter().chain([there.as_os_str()]).chain(roots.iter().map(|root| root.as_os_str())));
        let rows = |document: &Value, path: &dyn Fn(&Value) -> String| {
            let row = |link: &Value| match link.get("paths") {
                Some(names) => names.as_array().unwrap().iter().map(path).collect::<Vec<_>>(),
                None => vec![path(&link["path"])],
            };
            let links = links(document);
            let wanted = links.iter().filter(|link| link["kind"] != "symlink");
            wanted.flat_map(row).collect::<Vec<_>>()
        };
        let expected = rows(&ran.json(), &|path| on_volume(&volume, path));
        let typed = format!(r"C:\{}", target.replace('/', r"\"));
        let found = rows(&list(filled.source(), &[&["--points-to", &typed], &PLACES[..]].concat()), &text);
        assert!(found.len() >= least, "{target}: {}", found.len());
        assert_same(target, found, expected);
    }
}

#[test]
fn however_the_path_is_typed() {
    let filled = Filled::of(ANY);
    let of = |typed: &str| {
        paths(&links(&list(filled.source(), &["--points-to", typed, "--kind", "symlink", "--kind", "junction"])))
    };
    let long = of(r"C:\short\a long directory");
    assert!(
        long.contains(&r"C:\short\through".to_owned()) && long.contains(&r"C:\short\a long junction".to_owned()),
        "{long:?}"
    );
    assert_eq!(of("short/ALONGD~1"), long);
    assert_eq!(of(r"\SHORT\a LONG directory"), long);
    let gone = of(r"C:\Real\gone");
    assert!(gone.len() >= 2 && gone.contains(&r"C:\junctions\dangling".to_owned()), "{gone:?}");
    assert_eq!(of(r"real\GONE"), gone);
}
