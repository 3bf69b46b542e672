//! The formats of `list --volume`: each says what the JSON says.

use super::*;

#[track_caller]
fn out(args: &[&str]) -> Vec<u8> {
    let ran = run("list", Filled::of(ANY).source(), args).exits(0);
    assert_eq!(ran.err, "");
    ran.bytes
}

fn all() -> Vec<Value> {
    links(&list(Filled::of(ANY).source(), &[]))
}

#[test]
fn ndjson_has_the_same_records() {
    let text = String::from_utf8(out(&["--format", "ndjson"])).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines == all());
    let sorted = String::from_utf8(out(&["--format", "ndjson", "--sort"])).unwrap();
    assert!(sorted == text, "they are sorted anyway");
}

#[test]
fn csv_has_the_same_fields() {
    let bytes = out(&["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let head = reader.byte_headers().unwrap().clone();
    let at = |field: &str| head.iter().position(|name| name == field.as_bytes()).unwrap();
    let rows: Vec<_> = reader.byte_records().map(Result::unwrap).collect();
    let all = all();
    assert_eq!(rows.len(), all.len());
    for (row, link) in rows.iter().zip(&all) {
        assert_eq!(&row[at("kind")], link["kind"].as_str().unwrap().as_bytes());
        assert_eq!(&row[at("state")], state(link).as_bytes());
    }
    let of = |wanted: &str| rows.iter().find(|row| &row[at("path")] == wanted.as_bytes()).unwrap();
    let row = of(r"C:\symlinks\through a junction");
    assert_eq!((&row[at("target")], &row[at("resolved")]), (&br"..\junctions\plain\deep"[..], &br"C:\Real\deep"[..]));
}

#[test]
fn paths_are_those_of_the_records() {
    let names: Vec<Vec<u8>> = all().iter().map(|link| name(&link["path"])).collect();
    let with = |end: u8| names.iter().flat_map(|name| [name.as_slice(), &[end]].concat()).collect::<Vec<u8>>();
    assert!(out(&["--format", "paths"]) == with(b'\n'));
    assert!(out(&["-0"]) == with(0));
    let hard = links(&list(Filled::of(ANY).source(), &["--hard"]));
    let each = hard.iter().flat_map(|group| group["paths"].as_array().unwrap().iter().map(name));
    let each: Vec<u8> = each.flat_map(|name| [name, vec![0]].concat()).collect();
    assert!(out(&["-0", "--hard"]) == each);
}

#[test]
fn a_table_has_a_row_for_each() {
    let table = String::from_utf8(out(&[])).unwrap();
    let all = all();
    let mut rows = table.lines();
    assert_eq!(rows.next().unwrap().split_whitespace().collect::<Vec<_>>(), ["KIND", "STATE", "LINK"]);
    let rows: Vec<&str> = rows.collect();
    assert_eq!(rows.len(), all.len(), "not a name breaks a line");
    for (row, link) in rows.iter().zip(&all) {
        let words: Vec<&str> = row.split_whitespace().take(2).collect();
        assert_eq!(words, [link["kind"].as_str().unwrap(), state(link)], "{row}");
    }
    assert!(rows.iter().any(|row| row.ends_with(r"C:\junctions\plain -> C:\Real")));
}

#[test]
fn a_summary_counts_them() {
    let all = all();
    let summary = run("list", Filled::of(ANY).source(), ["--summary", "--json"]).exits(0).json();
    let counts = |key: &dyn Fn(&Value) -> String| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        all.iter().for_each(|link| *counts.entry(key(link)).or_default() += 1);
        counts
    };
    let said = |field: &str| {
        let rows = summary[field].as_array().unwrap().iter();
        rows.map(|row| (text(&row["name"]), row["links"].as_u64().unwrap())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(summary["links"], all.len());
    assert_eq!(summary["broken"], all.iter().filter(|link| is_broken(link)).count());
    assert_eq!(said("kinds"), counts(&|link| link["kind"].as_str().unwrap().to_owned()));
    assert_eq!(said("states"), counts(&|link| state(link).to_owned()));
    let top = |link: &Value| path(link).split('\\').take(2).collect::<Vec<_>>().join("\\");
    assert_eq!(said("directories"), counts(&top));
    assert_eq!(said("filesystems"), [(r"C:\".to_owned(), all.len() as u64)].into());
    run("list", Filled::of(ANY).source(), ["--summary", "--format", "csv"]).exits(2);
}

#[test]
fn stats_are_told_in_every_format() {
    let source = Filled::of(ANY).source();
    for format in ["table", "ndjson", "csv", "paths"] {
        let plain = out(&["--format", format]);
        for (more, way) in [(&[][..], "index"), (&["--full-scan"], "scan")] {
            let ran = run("list", &source, ["--stats", "--format", format].iter().chain(more)).exits(0);
            assert!(ran.bytes == plain, "{format}");
            assert!(ran.err.contains(way) && ran.err.contains("0 stale entries"), "{format}: {}", ran.err);
        }
    }
}
