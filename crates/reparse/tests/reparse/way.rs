//! Which way the data of a link points.

use reparse::way::{Part, Way, way};
use reparse::{MountPoint, ReparseData, Symlink, WideString};

#[test]
fn forms_that_windows_does_not_follow_lead_nowhere() {
    let link = |substitute: &str, flags| {
        let substitute = WideString::from(substitute);
        way(&ReparseData::Symlink(Symlink { print: substitute.clone(), substitute, flags }), Some('C'))
    };
    let names = |names: &[&str]| names.iter().map(|name| Part::Name((*name).into())).collect::<Vec<_>>();
    assert_eq!(link(r"a\b", 1), Way::FromLink(names(&["a", "b"])));
    assert_eq!(link(r"\a", 1), Way::FromRoot(names(&["a"])));
    assert_eq!(link(r"\??\c:\a", 0), Way::FromRoot(names(&["a"])));
    for (substitute, flags) in [(r"\??\C:\a", 1), ("a", 0), (r"C:\a", 0), ("a/b", 1), (r"\??\C:\a/b", 0)] {
        assert!(matches!(link(substitute, flags), Way::Nowhere(_)), "{substitute} {flags}");
    }
    assert!(matches!(link(r"\Device\x", 0), Way::Elsewhere(_)));
    assert!(matches!(link(r"\??\C:/a", 0), Way::Nowhere(_)));
    let point = |substitute: &str| {
        let point = MountPoint { substitute: substitute.into(), print: WideString::new() };
        way(&ReparseData::MountPoint(point), Some('C'))
    };
    assert!(matches!(point(r"\Device\x"), Way::Elsewhere(_)));
    assert!(matches!(point(r"C:\x"), Way::Nowhere(_)));
    assert!(matches!(point(r"..\x"), Way::Nowhere(_)));
}

#[test]
fn dots_are_taken_by_the_text_and_a_backslash_at_the_end_asks_for_a_directory() {
    let link = |substitute: &str| {
        let substitute = WideString::from(substitute);
        way(&ReparseData::Symlink(Symlink { print: substitute.clone(), substitute, flags: 1 }), None)
    };
    let name = |name: &str| Part::Name(name.into());
    assert_eq!(link(r"a\b\..\c"), Way::FromLink(vec![name("a"), name("c")]));
    assert_eq!(link(r"..\a\..\..\b"), Way::FromLink(vec![Part::Up, Part::Up, name("b")]));
    assert_eq!(link(r"\a\..\..\b"), Way::FromRoot(vec![Part::Up, name("b")]));
    assert_eq!(link(r"a\"), Way::FromLink(vec![name("a"), Part::Directory]));
    assert_eq!(link(r"a\.."), Way::FromLink(vec![]));
    assert_eq!(link(r"..\"), Way::FromLink(vec![Part::Up]));
}

#[test]
fn other_volumes_are_told_from_what_is_on_them() {
    const VOLUME: &str = r"\??\Volume{26a21bda-a627-11d7-9931-806e6f6e6963}";
    for (substitute, root, names) in [
        (r"\??\D:\a\b".to_owned(), r"D:\".to_owned(), &["a", "b"][..]),
        (r"\??\D:\".to_owned(), r"D:\".to_owned(), &[]),
        (r"\??\UNC\s\h\a".to_owned(), r"\\s\h\".to_owned(), &["a"]),
        (r"\??\UNC\s\h".to_owned(), r"\\s\h\".to_owned(), &[]),
        (format!(r"{VOLUME}\a"), format!(r"\\?\{}\", &VOLUME[4..]), &["a"]),
        (format!(r"{VOLUME}\"), format!(r"\\?\{}\", &VOLUME[4..]), &[]),
    ] {
        let link = Symlink { print: WideString::new(), substitute: substitute.as_str().into(), flags: 0 };
        let Way::FromOther { root: found, parts, .. } = way(&ReparseData::Symlink(link), Some('C')) else {
            panic!("{substitute}");
        };
        let names: Vec<Part> = names.iter().map(|name| Part::Name((*name).into())).collect();
        assert_eq!((found.to_string(), parts), (root, names), "{substitute}");
    }
}
