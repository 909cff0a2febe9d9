// SPDX-License-Identifier: GPL-2.0-only
//! Text that others chose, made fit for a terminal and for columns.

/// Appends text of any bytes as one word: what would not be printed as it is, or
/// would not be one word, is escaped.
pub fn word(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                ' ' => out.extend_from_slice(b"\\x20"),
                '\'' | '"' => out.push(char as u8),
                _ => out.extend_from_slice(char.escape_debug().to_string().as_bytes()),
            }
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
}
