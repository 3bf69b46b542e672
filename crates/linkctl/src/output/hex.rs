//! Bytes for people.

/// Sixteen bytes a line: offset, bytes, characters.
pub(crate) fn dump(bytes: &[u8]) -> String {
    let mut dump = String::new();
    for (index, line) in bytes.chunks(16).enumerate() {
        let mut hex = String::new();
        for (column, byte) in line.iter().enumerate() {
            if column == 8 {
                hex.push(' ');
            }
            hex.push_str(&format!(" {byte:02x}"));
        }
        let text: String =
            line.iter().map(|&byte| if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' }).collect();
        dump.push_str(&format!("{:04x}: {hex:<50} {text}\n", index * 16));
    }
    dump
}
