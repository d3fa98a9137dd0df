//! Tokens of a statement.

/// The word that a text begins with.
pub(super) fn first_word(sql: &[u8]) -> &[u8] {
    let length = sql.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    sql.get(..length).unwrap_or_default()
}

/// Whether a word is one of these, in lower case.
pub(super) fn is_word_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether a byte may be part of a name.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}
