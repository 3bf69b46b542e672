//! Takes comments and literals out of Rust source.

/// The source with every byte of comments, strings and characters turned into a blank, except line ends: what
/// is left is code, at the same line and column.
pub(super) fn blank(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = literal_end(bytes, at);
        if end > at {
            code.extend(bytes[at..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
            at = end;
        } else {
            // Code outside of comments and literals may hold letters beyond ASCII, in names.
            code.push(if byte.is_ascii() { *byte } else { b'_' });
            at += 1;
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Where the comment or literal that starts at `at` ends; `at` itself where none does.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + comment_length(rest);
    }
    match rest[0] {
        b'"' => at + quoted_length(rest, b'"'),
        b'\'' => at + character_length(rest),
        // `r"`, `r#"`; the `r` of a longer name (`br` and `cr` apart, whose first letter is left) starts none.
        b'r' if !is_name(before(bytes, at)) || starts_raw(bytes, at) => at + raw_length(rest),
        _ => at,
    }
}

fn before(bytes: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|before| bytes.get(before)).copied()
}

/// Whether the `r` at `at` belongs to `br` or `cr`.
fn starts_raw(bytes: &[u8], at: usize) -> bool {
    matches!(before(bytes, at), Some(b'b' | b'c')) && !is_name(before(bytes, at - 1))
}

fn is_name(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii())
}

/// Block comments nest.
fn comment_length(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match rest.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `'a'` is a character, `'a` a lifetime: a character ends after one character or one escape.
fn character_length(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return quoted_length(rest, b'\'');
    }
    let width = match rest.get(1) {
        Some(0xF0..) => 4,
        Some(0xE0..) => 3,
        Some(0xC0..) => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

/// `r#"..."#`: ends at a quote with as many hashes. Zero where it is no raw string, but a name (`r#type`).
fn raw_length(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let start = hashes + 2;
    let end = [&b"\""[..], &vec![b'#'; hashes]].concat();
    let found = rest[start..].windows(end.len()).position(|window| window == end);
    found.map_or(rest.len(), |found| start + found + end.len())
}

#[cfg(test)]
mod tests {
    use super::blank;

    #[test]
    fn only_code_is_left() {
        for (source, code) in [
            ("a // unsafe\nb", "a b"),
            ("a /* x /* y */ z */ b", "a b"),
            ("f(\"un\\\"safe\") + 1", "f( ) + 1"),
            ("let c = '\"'; x", "let c = ; x"),
            ("let c = '\\''; x", "let c = ; x"),
            ("let c = 'ü'; x", "let c = ; x"),
            ("fn a<'a>(x: &'a str) {}", "fn a<'a>(x: &'a str) {}"),
            ("r#\"a \"b\" c\"# d", "d"),
            ("br\"\\\" d", "b d"),
            ("r#type var\"x\" d", "r#type var d"),
            ("b'\\'' d", "b d"),
            ("\"two\nlines\" d", "d"),
        ] {
            let blanked = blank(source);
            assert_eq!(blanked.split_whitespace().collect::<Vec<_>>().join(" "), code, "{source}");
            assert_eq!(blanked.len(), source.len(), "{source}");
            assert_eq!(blanked.lines().count(), source.lines().count(), "{source}");
        }
    }

    #[test]
    fn unfinished_source_does_not_end_it() {
        for source in ["\"a", "\"a\\", "/* a", "r#\"a", "'", "'\\", "r", "/", "b", ""] {
            assert_eq!(blank(source).lines().count(), source.lines().count(), "{source}");
        }
    }
}
