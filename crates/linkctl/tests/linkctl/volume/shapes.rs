//! Volumes of every shape: each link, its state, and each group of hard links, by the index and by a full scan.

use reparse::ReparseData;
use testkit::ntfs_volumes::{APP_EXEC_LINK, LX_SYMLINK, MANY_NAMES, MOUNT_POINT, SYMLINK};

use super::*;

#[test]
fn clusters_of_512_bytes() {
    links_states_and_hard_links(0);
}

#[test]
fn clusters_of_1_kib() {
    links_states_and_hard_links(1);
}

#[test]
fn clusters_of_4_kib() {
    links_states_and_hard_links(2);
}

#[test]
fn clusters_of_64_kib() {
    links_states_and_hard_links(3);
}

#[test]
fn sectors_and_records_of_4_kib() {
    links_states_and_hard_links(4);
}

#[test]
fn records_of_4_kib_in_clusters_of_64_kib() {
    links_states_and_hard_links(5);
}

fn links_states_and_hard_links(shape: usize) {
    let filled = Filled::of(shape);
    let found = both_ways(filled);
    links_are_those_of_a_walk(filled, &found);
    states_are_those_of_the_mount(filled, &found);
    hard_links_are_those_of_a_walk(filled);
}

/// By the index and by a full scan: the same, but for what it took.
fn both_ways(filled: &Filled) -> Vec<Value> {
    let by = |more: &[&str], way: &str| {
        let mut document = list(filled.source(), more);
        let stats = document.as_object_mut().unwrap().remove("stats").unwrap();
        let stats = stats.as_array().unwrap().clone();
        assert_eq!((stats.len(), &stats[0]["way"], &stats[0]["stale"]), (1, &way.into(), &0.into()), "{stats:?}");
        (document, stats[0].clone())
    };
    let (index, little) = by(&["--stats"], "index");
    let (scan, much) = by(&["--stats", "--full-scan"], "scan");
    assert_eq!(index, scan, "{}", filled.shape.name);
    assert_eq!(index["errors"], Value::Array(Vec::new()));
    let (little, much) = (|field: &str| little[field].as_u64().unwrap(), |field: &str| much[field].as_u64().unwrap());
    assert!(little("bytes") < much("bytes") && little("records") < much("records"));
    assert!(much("bytes") > much("mft_bytes"), "a full scan reads the whole table");
    let mut records: Vec<u64> = filled.expected.links.iter().map(|link| link.mft).collect();
    records.sort_unstable();
    records.dedup();
    assert_eq!(little("link_records"), records.len() as u64);
    links(&index)
}

/// Path, kind, target, tag.
type Row = (String, String, Option<String>, Option<String>);

fn links_are_those_of_a_walk(filled: &Filled, found: &[Value]) {
    let row = |link: &Value| -> Row {
        let optional = |field: &str| link.get(field).filter(|value| !value.is_null());
        let tag = optional("tag").map(|tag| tag.as_str().unwrap().to_owned());
        (path(link), link["kind"].as_str().unwrap().to_owned(), optional("target").map(text), tag)
    };
    let expected = filled.expected.links.iter().map(|link| {
        let tag = Some(format!("0x{:08x}", link.tag()));
        (link.path.clone(), kind(link).to_owned(), target(&link.raw), tag)
    });
    assert_same(filled.shape.name, found.iter().map(row).collect(), expected.collect());
    assert!(found.iter().map(|link| in_order(&link["path"])).is_sorted(), "they come in the order of paths");
}

/// What paths are compared by: what is in a directory follows it.
fn in_order(path: &Value) -> Vec<Vec<u8>> {
    name(path).split(|byte| *byte == b'\\').map(<[u8]>::to_vec).collect()
}

/// The kind that a link has to be listed as.
fn kind(link: &ExpectedLink) -> &'static str {
    match (link.tag(), ReparseData::decode(&link.raw)) {
        (SYMLINK, Ok(_)) if link.directory => "symlink-dir",
        (SYMLINK, Ok(_)) => "symlink-file",
        (MOUNT_POINT, Ok(ReparseData::MountPoint(point))) => {
            let substitute = point.substitute.to_string();
            let volume = substitute.starts_with(r"\??\Volume{") && substitute.trim_end_matches('\\').ends_with('}');
            if volume { "mount-point" } else { "junction" }
        }
        (LX_SYMLINK, Ok(_)) => "wsl",
        (APP_EXEC_LINK, Ok(_)) => "app-exec",
        _ => "other",
    }
}

/// The target that has to be shown: the print name, or else the other one without what is only for the NT kernel.
fn target(raw: &[u8]) -> Option<String> {
    let lies = ReparseData::decode(raw).is_ok_and(|data| data.other_name().is_some());
    let of = |print: &WideString, substitute: &WideString| {
        if !print.is_empty() && !lies {
            return print.to_string();
        }
        let substitute = substitute.to_string();
        match substitute.strip_prefix(r"\??\") {
            Some(rest) if rest.starts_with("Volume{") => format!(r"\\?\{rest}"),
            Some(rest) => match rest.strip_prefix(r"UNC\") {
                Some(share) => format!(r"\\{share}"),
                None => rest.to_owned(),
            },
            None => substitute,
        }
    };
    match ReparseData::decode(raw).ok()? {
        ReparseData::Symlink(link) => Some(of(&link.print, &link.substitute)),
        ReparseData::MountPoint(point) => Some(of(&point.print, &point.substitute)),
        ReparseData::LxSymlink(link) => Some(match WideString::from_wtf8(&link.target) {
            Some(wide) => wide.to_string(),
            None => String::from_utf8_lossy(&link.target).into_owned(),
        }),
        ReparseData::AppExecLink(link) => link.target().map(ToString::to_string),
        _ => None,
    }
}

/// What is another state on the mount, and on the volume, and why.
const OTHERWISE: [(&str, &str, &str); 4] = [
    // Linux cannot ask for such a name; on NTFS there is none.
    (r"C:\tags\symlink, NUL", "unreachable", "missing"),
    // Nor for one longer than 255 bytes: in the target of a WSL link, `\` is part of a name.
    (r"C:\large\wsl 1000", "too-long", "missing"),
    (r"C:\large\wsl 4000", "too-long", "missing"),
    // It leads above the root: on the mount, out of it; what WSL has above a volume, nobody knows.
    (r"C:\large\names", "missing", "elsewhere"),
];
/// Where a long name is resolved on the volume, and an 8.3 name stays as it is on the mount.
const LONGER: [(&str, &str); 3] = [
    (r"C:\short\a long symlink", r"C:\short\linked file.text"),
    (r"C:\short\link with two names", r"C:\short\a file with a long name.text"),
    (r"C:\short\through", r"C:\short\a long directory"),
];

fn states_are_those_of_the_mount(filled: &Filled, found: &[Value]) {
    // What Interix makes of `symlink` is no reparse point, and what WSL makes of `mknod` no symlink.
    let comparable = |path: &str| !path.starts_with(r"C:\special\");
    let resolved = |link: &Value| link.get("resolved").filter(|path| !path.is_null()).map(text);
    let on_mount = filled.live.iter().filter(|live| comparable(&live.path)).map(|live| {
        let path = live.path.clone();
        let otherwise = OTHERWISE.iter().find(|(other, mount, _)| path == *other && state(&live.link) == *mount);
        let expected = otherwise.map_or(state(&live.link), |(.., volume)| volume).to_owned();
        let longer = LONGER.iter().find(|(other, _)| path == *other).map(|(_, long)| (*long).to_owned());
        let leads = longer.or_else(|| live.resolved.clone());
        (path, expected, leads)
    });
    let here = found.iter().filter(|link| comparable(&path(link)));
    let here = here.map(|link| (path(link), state(link).to_owned(), resolved(link)));
    assert_same(filled.shape.name, here.collect(), on_mount.collect());
    let states: BTreeSet<&str> = found.iter().map(state).collect();
    assert_eq!(states, ["elsewhere", "loop", "missing", "ok", "too-long", "wrong-kind"].into());
}

fn hard_links_are_those_of_a_walk(filled: &Filled) {
    let found = links(&list(filled.source(), &["--hard"]));
    let number = |group: &Value, field: &str| group[field].as_u64().unwrap();
    let mut groups = Vec::new();
    for group in &found {
        let names: Vec<String> = group["paths"].as_array().unwrap().iter().map(text).collect();
        assert!(group["paths"].as_array().unwrap().iter().map(in_order).is_sorted());
        assert_eq!((&group["kind"], state(group)), (&"hard".into(), "ok"));
        assert_eq!(number(group, "links"), names.len() as u64, "{names:?}");
        assert_eq!((number(group, "outside"), number(group, "frees")), (0, number(group, "allocated")));
        groups.push((names, number(group, "size"), number(group, "allocated")));
    }
    let record = if filled.shape.mkntfs.contains(&"-s") { 4096 } else { 1024 };
    let cluster = 512;
    let expected = filled.expected.hard.iter().map(|group| {
        let ExpectedGroup { paths, size, allocated, .. } = group.clone();
        let listed = groups.iter().find(|(names, ..)| sorted(names) == paths);
        let listed = listed.map_or(0, |(.., allocated)| *allocated);
        let allocated = if paths.iter().any(|path| path == r"C:\hard\streams") {
            // What its 40 other streams take is freed, too, but is nothing that `stat` tells.
            assert!((1..=40 * 65_536).contains(&listed) && listed % cluster == 0, "{listed}");
            listed
        } else if size < record && allocated == size.next_multiple_of(512) && listed == 0 {
            // Data in its record takes no clusters.
            0
        } else {
            allocated
        };
        (paths, size, allocated)
    });
    let expected: Vec<_> = expected.collect();
    let found: Vec<_> = groups.iter().map(|(names, size, allocated)| (sorted(names), *size, *allocated)).collect();
    assert_same(filled.shape.name, found, expected);
    assert!(groups.iter().any(|(names, size, _)| names.len() == MANY_NAMES && *size == 10));
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}
