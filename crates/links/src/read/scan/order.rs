//! What was found, in the order of paths.

use std::path::{Component, Path, is_separator};

/// Sorts by paths, in the order that [`Path`] itself has; what has the same path stays in its order.
///
/// Each path is taken apart once, not with every comparison, and its parent only where another one came before: most
/// finds follow those of their own directory.
pub fn sort_by_path<T>(items: &mut [T], path: impl Fn(&T) -> &Path) {
    let mut keys = Keys::default();
    if !items.iter().all(|item| keys.add(path(item))) {
        return items.sort_by(|a, b| path(a).cmp(path(b)));
    }
    // Most paths begin alike: what comes behind that is compared as one number first.
    let common = keys.common();
    let mut order: Vec<(u64, &[u8], usize)> = keys
        .iter()
        .enumerate()
        .map(|(index, key)| {
            let rest = key.get(common..).unwrap_or_default();
            let mut head = [0; 8];
            let length = rest.len().min(head.len());
            head[..length].copy_from_slice(&rest[..length]);
            (u64::from_be_bytes(head), rest, index)
        })
        .collect();
    order.sort_unstable();
    for place in 0..order.len() {
        // What belongs here has been swapped away from where it was, if that lies before.
        let mut from = order[place].2;
        while from < place {
            from = order[from].2;
        }
        order[place].2 = from;
        items.swap(place, from);
    }
}

/// Bytes that compare as paths do, one path after the other.
#[derive(Default)]
struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The parent of the last path, and the key of the parent.
    parent: Vec<u8>,
    of_parent: Vec<u8>,
}

impl Keys {
    /// Adds a path. `false` where its order cannot be told by bytes.
    fn add(&mut self, path: &Path) -> bool {
        let text = path.as_os_str().as_encoded_bytes();
        let at = text.iter().rposition(|&byte| is_separator(char::from(byte)));
        let (parent, name) = text.split_at(at.map_or(0, |at| at + 1));
        let plain = if parent.is_empty() || matches!(name, b"" | b"." | b"..") {
            push(path, &mut self.bytes)
        } else {
            let mut plain = !name.contains(&0);
            if self.parent != parent {
                parent.clone_into(&mut self.parent);
                self.of_parent.clear();
                plain &= path.parent().is_some_and(|parent| push(parent, &mut self.of_parent));
            }
            self.bytes.extend(&self.of_parent);
            push_name(name, &mut self.bytes);
            plain
        };
        self.ends.push(self.bytes.len());
        plain
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let key = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            key
        })
    }

    /// With how many bytes all of them begin.
    fn common(&self) -> usize {
        let mut keys = self.iter();
        let first = keys.next().unwrap_or_default();
        keys.fold(first.len(), |common, key| {
            let same = first.get(..common).is_some_and(|first| key.starts_with(first));
            if same { common } else { first.iter().zip(key).take_while(|(a, b)| a == b).count() }
        })
    }
}

/// Components compare by their sort first: a name ends before anything that goes on.
fn push(path: &Path, key: &mut Vec<u8>) -> bool {
    for component in path.components() {
        match component {
            // Letters of drives compare without their case.
            Component::Prefix(_) => return false,
            Component::RootDir => key.push(1),
            Component::CurDir => key.push(2),
            Component::ParentDir => key.push(3),
            Component::Normal(name) if name.as_encoded_bytes().contains(&0) => return false,
            Component::Normal(name) => push_name(name.as_encoded_bytes(), key),
        }
    }
    true
}

fn push_name(name: &[u8], key: &mut Vec<u8>) {
    key.push(4);
    key.extend(name);
    key.push(0);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Sorts both ways; numbers tell apart what has the same path.
    fn check(paths: &[PathBuf]) {
        let mut sorted: Vec<(&PathBuf, usize)> = paths.iter().zip(0..).collect();
        let mut expected = sorted.clone();
        expected.sort_by(|a, b| a.0.cmp(b.0));
        sort_by_path(&mut sorted, |item| item.0);
        assert_eq!(sorted, expected);
        for ((sorted, _), (expected, _)) in sorted.iter().zip(&expected) {
            assert_eq!(sorted.as_os_str(), expected.as_os_str());
        }
    }

    #[test]
    fn paths_of_every_form_come_in_the_order_of_paths() {
        let paths = [
            "",
            "/",
            ".",
            "..",
            "a",
            "./a",
            "../a",
            "a/",
            "a//b",
            "a/b",
            "a/./b",
            "a/../b",
            "/a",
            "//a",
            "a-b",
            "a.b",
            "a/b/c",
            "ab",
            "a/b-",
            "a/b/",
            "-x",
            "+",
            "a\u{1}b",
            "a/\u{1}",
            "\u{e9}",
            "a/\u{e9}/x",
            "..a",
            "...",
            "./../a",
            "../../b",
            "A",
            "a/b\0c",
            r"C:\a",
            r"c:\b",
            r"C:a",
            r"\\server\share\a",
        ];
        let mut paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
        check(&paths);
        paths.reverse();
        check(&paths);
        check(&paths[..paths.len() - 5]);
        check(&[]);
    }

    #[test]
    fn made_up_paths_come_in_the_order_of_paths() {
        let mut state = 1u64;
        let mut next = |most: usize| {
            // Knuth's MMIX generator: its upper bits are good enough.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % most
        };
        for _ in 0..2_000 {
            let paths: Vec<PathBuf> = (0..next(40))
                .map(|_| (0..next(12)).map(|_| ["a", "b", ".", "/", "-", "\u{1}", "\u{e9}"][next(7)]).collect())
                .map(|text: String| text.into())
                .collect();
            check(&paths);
        }
    }
}
