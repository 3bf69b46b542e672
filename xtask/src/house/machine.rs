//! No path of the machine that the repository happens to be on: it would be wrong on every other.

use std::path::Path;

use super::Finding;

/// Directories every system has: texts may name them, wherever the checkout is.
const EVERYWHERE: &[&str] = &["", "/", "/tmp", "/var/tmp", "/home", "/mnt", "/opt", "/srv", "/usr/src", "/media"];

/// What must not be named: the directory the checkout is in, and the user's.
pub(super) fn paths(checkout: &Path, home: &str) -> Vec<String> {
    let mut paths = vec![checkout.display().to_string(), home.trim_end_matches('/').to_owned()];
    paths.extend(checkout.parent().map(|parent| parent.display().to_string()));
    paths.retain(|path| !EVERYWHERE.contains(&path.as_str()));
    // Where one is in another, the place is told once.
    let all = paths.clone();
    paths.retain(|path| !all.iter().any(|other| path.starts_with(&format!("{other}/"))));
    paths.dedup();
    paths
}

/// Checks one file of any kind.
pub(super) fn check(file: &str, text: &str, paths: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in paths {
        for (offset, _) in text.match_indices(path.as_str()) {
            let part = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
            let starts = !text[..offset].ends_with(part);
            // A full stop ends a sentence as often as it goes on with a name.
            let ends = !text[offset + path.len()..].starts_with(|next| part(next) && next != '.');
            if starts && ends {
                findings.push(Finding::at(file, text, offset, format!("{path} is a path of this machine")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_one_machine_count() {
        assert_eq!(paths(Path::new("/data/linkctl"), "/home/ada"), ["/home/ada", "/data"]);
        assert_eq!(paths(Path::new("/home/ada/linkctl"), "/home/ada/"), ["/home/ada", "/home/ada"][..1]);
        assert_eq!(paths(Path::new("/tmp/linkctl"), "/"), ["/tmp/linkctl"]);
    }

    #[test]
    fn paths_are_found_as_whole_names() {
        let paths = ["/data".to_owned()];
        let lines = |text| check("a.md", text, &paths).iter().map(|finding| finding.line).collect::<Vec<_>>();
        assert_eq!(lines("a\n`/data/linkctl`\nsee /data.\n\"/data\""), [2, 3, 4]);
        assert_eq!(lines("/database usr/data ../data /data-2 https://example.org/data"), [0; 0]);
    }
}
