//! Every dependency is explained in docs/dependencies.md, and nothing is explained that is not one.
//!
//! A row of a table there whose first cell names crates (`` | `serde`, `serde_json` | ... ``), or an entry of a
//! list that begins with one (``- `serde`: ...``), says that they are dependencies.

use std::collections::BTreeMap;

use super::Finding;

const PAGE: &str = "docs/dependencies.md";

/// Checks the manifests among the files against the page.
pub(super) fn check(files: &[(String, String)]) -> Vec<Finding> {
    let manifests = files.iter().filter(|(path, _)| path == "Cargo.toml" || path.ends_with("/Cargo.toml"));
    let (mut own, mut used) = (Vec::new(), BTreeMap::new());
    for (path, text) in manifests {
        let manifest = Manifest::read(text);
        own.extend(manifest.own);
        for (line, name) in manifest.dependencies {
            used.entry(name).or_insert((path, line));
        }
    }
    used.retain(|name, _| !own.contains(name));

    let Some((_, page)) = files.iter().find(|(path, _)| path == PAGE) else {
        return vec![Finding::new(PAGE, 1, "this file is missing: it explains the dependencies")];
    };
    let unexplained = used
        .iter()
        .filter(|(name, _)| !page.contains(&format!("`{name}`")))
        .map(|(name, (path, line))| Finding::new(path, *line, format!("`{name}` is not in {PAGE}")));
    let unused = entries(page)
        .into_iter()
        .filter(|(_, name)| !used.contains_key(name))
        .map(|(line, name)| Finding::new(PAGE, line, format!("`{name}` is no dependency")));
    unexplained.chain(unused).collect()
}

/// What one Cargo.toml says, as far as it matters here.
#[derive(Debug, Default)]
struct Manifest {
    /// The names of the package and of its library.
    own: Vec<String>,
    dependencies: Vec<(usize, String)>,
}

impl Manifest {
    /// Reads the plain TOML that manifests are written in: tables, `key = value`, values over several lines.
    fn read(text: &str) -> Self {
        let mut manifest = Self::default();
        let mut table = String::new();
        let mut open = 0;
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            // Within a list or an inline table that goes on over lines.
            if open > 0 {
                open += balance(line);
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                table = name.trim().to_owned();
                // `[dependencies.serde]`
                if let Some((above, name)) = table.rsplit_once('.').filter(|(above, _)| lists_dependencies(above)) {
                    manifest.dependencies.push((index + 1, unquoted(name)));
                    table = format!("{above}.{name}");
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            open = balance(value);
            let key = key.trim();
            if matches!(table.as_str(), "package" | "lib") && key == "name" {
                manifest.own.push(unquoted(value));
            }
            if lists_dependencies(&table) {
                // `serde.workspace = true`, and `short = { package = "long-name" }`
                let name = key.split('.').next().unwrap_or(key);
                let renamed = value.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1));
                manifest.dependencies.push((index + 1, unquoted(renamed.unwrap_or(name))));
            }
        }
        manifest
    }
}

fn lists_dependencies(table: &str) -> bool {
    let last = table.rsplit('.').next().unwrap_or(table);
    matches!(last, "dependencies" | "dev-dependencies" | "build-dependencies")
}

fn balance(text: &str) -> i32 {
    text.chars().map(|letter| i32::from("[{".contains(letter)) - i32::from("]}".contains(letter))).sum()
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

/// The crates the page says are used, with their lines.
fn entries(page: &str) -> Vec<(usize, String)> {
    let mut entries = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let line = line.trim_start();
        let names = if let Some(row) = line.strip_prefix('|') {
            quoted(row.split('|').next().unwrap_or_default())
        } else if let Some(entry) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            let entry = entry.trim_start_matches('*');
            if entry.starts_with('`') { quoted(entry).into_iter().take(1).collect() } else { Vec::new() }
        } else {
            Vec::new()
        };
        entries.extend(names.into_iter().map(|name| (index + 1, name.to_owned())));
    }
    entries
}

/// Words between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(manifest: &str, page: &str) -> Vec<String> {
        let own = "[package]\nname = \"links\"\n";
        let files = [("Cargo.toml", manifest), ("crates/links/Cargo.toml", own), (PAGE, page)];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn explained_dependencies_are_right() {
        let manifest = "\
[workspace.dependencies]
links = { path = \"crates/links\", version = \"0.1.0\" }
serde = { version = \"1.0\", features = [
    \"derive\", # with = a comment
] }
serde_json.workspace = true
[dev-dependencies.insta]
version = \"1\"
[target.'cfg(windows)'.dependencies]
short = { package = \"long-name\", version = \"1\" }
[workspace.lints.rust]
unsafe_code = \"deny\"
";
        let page = "\
| crate | why |
|---|---|
| `serde`, `serde_json` | `Serialize` everywhere |
- **`insta`**: `assert_snapshot`
- `long-name`
- no crate: `in text`
";
        assert_eq!(found(manifest, page), [""; 0]);
    }

    #[test]
    fn both_directions_are_checked() {
        assert_eq!(
            found("[dependencies]\nclap = \"4\"\n", "# Page\n\n| `serde` | x |\n"),
            ["Cargo.toml:2: `clap` is not in docs/dependencies.md", "docs/dependencies.md:3: `serde` is no dependency"]
        );
        assert_eq!(check(&[]).len(), 1);
    }
}
