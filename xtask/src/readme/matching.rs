//! Compares what a command printed with what stands on the page.

/// Whether `actual` is what `expected` describes: `[..]` is anything within a line, a line `...` any lines.
pub(crate) fn matches(expected: &str, actual: &str) -> bool {
    let (expected, actual) = (lines(expected), lines(actual));
    wild(&expected, &actual, |line| *line == "...", |pattern, line| line_matches(pattern, line))
}

/// The lines that are missing (`-`) and those that came instead (`+`), between the ones that agree.
pub(crate) fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual) = (lines(expected), lines(actual));
    let agree = |(pattern, line): &(&&str, &&str)| line_matches(pattern, line);
    let head = expected.iter().zip(&actual).take_while(agree).count();
    let (expected_rest, actual_rest) = (&expected[head..], &actual[head..]);
    let tail = expected_rest.iter().rev().zip(actual_rest.iter().rev()).take_while(agree).count();
    let (missing, last) = expected_rest.split_at(expected_rest.len() - tail);
    let instead = &actual_rest[..actual_rest.len() - tail];

    let parts = [("   ", &expected[..head]), ("  -", missing), ("  +", instead), ("   ", last)];
    let mut text = String::new();
    for (sign, lines) in parts {
        for line in lines {
            text += &format!("{sign} {line}\n");
        }
    }
    text
}

/// Editors strip blanks at line ends from a page, and a reader cannot see them: they do not count.
fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let mut rest = line;
    let mut parts = pattern.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Matches items against patterns of which some stand for any number of items. Keeps the last such pattern and
/// gives it one item more whenever the rest does not fit; no earlier one ever needs to be tried again.
fn wild<P, T>(patterns: &[P], items: &[T], is_any: impl Fn(&P) -> bool, fits: impl Fn(&P, &T) -> bool) -> bool {
    let (mut pattern, mut item) = (0, 0);
    let mut any: Option<(usize, usize)> = None;
    while item < items.len() {
        if pattern < patterns.len() && is_any(&patterns[pattern]) {
            any = Some((pattern, item));
            pattern += 1;
        } else if pattern < patterns.len() && fits(&patterns[pattern], &items[item]) {
            pattern += 1;
            item += 1;
        } else if let Some((at, taken)) = any {
            any = Some((at, taken + 1));
            pattern = at + 1;
            item = taken + 1;
        } else {
            return false;
        }
    }
    patterns[pattern..].iter().all(is_any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_match_with_and_without_wildcards() {
        for (pattern, line, expected) in [
            ("", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a", "ba", false),
            ("[..]", "", true),
            ("[..]", "anything", true),
            ("a[..]c", "abc", true),
            ("a[..]c", "ac", true),
            ("a[..]a", "a", false),
            ("a[..]b[..]c", "axbxbxc", true),
            ("a[..]b[..]c", "axcxb", false),
            ("[..]b", "abab", true),
            ("[..]", "ü", true),
        ] {
            assert_eq!(line_matches(pattern, line), expected, "{pattern:?} {line:?}");
        }
    }

    #[test]
    fn texts_match_with_and_without_wildcards() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "\n", true),
            ("", "a\n", false),
            ("a\n", "a  \n\n", true),
            ("a\n", "", false),
            ("a\n\nb\n", "a\nb\n", false),
            ("...\n", "", true),
            ("...\n", "a\nb\n", true),
            ("a\n...\nc\n", "a\nc\n", true),
            ("a\n...\nc\n", "a\nb\nb\nc\n", true),
            ("a\n...\nc\n", "a\nb\n", false),
            ("...\nb\n...\nc\n", "a\nb\nc\nb\nx\nc\n", true),
            ("...\nb [..]\n", "a\nb 1\nb 2\n", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn difference_shows_only_what_differs_as_different() {
        assert_eq!(difference("a\nb\nc\n", "a\nx\ny\nc\n"), "    a\n  - b\n  + x\n  + y\n    c\n");
        assert_eq!(difference("a\n", ""), "  - a\n");
    }
}
