//! Text of a server, made safe for a terminal, and its width there.
//!
//! What a server sends is foreign: a control character in it could move the cursor, hide text or type for
//! the user. Here each becomes a visible escape such as `\x1b`.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character must not reach a terminal: controls, and what reorders the text around it.
fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{2028}' | '\u{2029}' | '\u{feff}'
        )
}

fn push_escape(character: char, into: &mut String) {
    match character {
        '\n' => into.push_str("\\n"),
        '\r' => into.push_str("\\r"),
        '\t' => into.push_str("\\t"),
        _ if u32::from(character) < 0x80 => {
            into.push_str(&format!("\\x{:02x}", u32::from(character)));
        }
        _ => into.push_str(&format!("\\u{:04x}", u32::from(character))),
    }
}

/// The text with every character escaped that `kept` does not allow and a terminal must not see. Bytes
/// that are no UTF-8 become `\xff`.
fn escaped(text: &[u8], kept: fn(char) -> bool) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text)
        && !text.chars().any(|character| is_hostile(character) && !kept(character))
    {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_hostile(character) && !kept(character) {
                push_escape(character, &mut shown);
            } else {
                shown.push(character);
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    Cow::Owned(shown)
}

/// One line, for a terminal: ends of lines are escaped, too.
pub(crate) fn line(text: &[u8]) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Text that may have several lines, for a terminal.
pub(crate) fn lines(text: &[u8]) -> Cow<'_, str> {
    escaped(text, |character| matches!(character, '\n' | '\t'))
}

/// How many columns the text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The beginning of the text that fits, with `…` at its end where something was cut off.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut taken = 0;
    let mut end = 0;
    for (index, character) in text.char_indices() {
        let next = taken + character.width().unwrap_or(0);
        if next + 1 > columns {
            break;
        }
        taken = next;
        end = index + character.len_utf8();
    }
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_controls_a_terminal_gets_through() {
        for (text, shown) in [
            (&b"plain"[..], "plain"),
            (b"\x1b[31mred\x07", "\\x1b[31mred\\x07"),
            (b"a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{9b}31m".as_bytes(), "\\u009b31m"),
            ("\u{202e}abc".as_bytes(), "\\u202eabc"),
            (b"\xff\xc3(", "\\xff\\xc3("),
            ("日本 é".as_bytes(), "日本 é"),
        ] {
            assert_eq!(line(text), shown);
        }
        assert_eq!(lines(b"a\n\x1b"), "a\n\\x1b");
    }

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 1), "…");
    }
}
