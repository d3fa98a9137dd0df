//! The value of a string with escapes, as PostgreSQL reads it.

use std::iter::Peekable;
use std::str::Chars;

/// What stands between the quotes of `E'…'`, or `None` when PostgreSQL refuses it.
pub(super) fn value(inner: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(inner.len());
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            // Doubled, or the lexer would have ended the string.
            '\'' => push(&mut bytes, letters.next().filter(|next| *next == '\'')?),
            '\\' => escape(&mut letters, &mut bytes)?,
            other => push(&mut bytes, other),
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn escape(letters: &mut Peekable<Chars<'_>>, bytes: &mut Vec<u8>) -> Option<()> {
    let letter = letters.next()?;
    match letter {
        'b' => bytes.push(8),
        'f' => bytes.push(12),
        'n' => bytes.push(b'\n'),
        'r' => bytes.push(b'\r'),
        't' => bytes.push(b'\t'),
        '0'..='7' => {
            let first = letter.to_digit(8)?;
            // PostgreSQL keeps the lower eight bits of three digits.
            bytes.push(number(letters, 8, 2, first).0.to_le_bytes()[0]);
        }
        'x' => match number(letters, 16, 2, 0) {
            (_, 0) => bytes.push(b'x'),
            (code, _) => bytes.push(u8::try_from(code).ok()?),
        },
        'u' | 'U' => push(bytes, unicode(letters, letter)?),
        other => push(bytes, other),
    }
    Some(())
}

/// `\u` and four digits, `\U` and eight; two halves of a character, too.
fn unicode(letters: &mut Peekable<Chars<'_>>, kind: char) -> Option<char> {
    let code = exactly(letters, kind)?;
    if !(0xD800..0xDC00).contains(&code) {
        return char::from_u32(code);
    }
    letters.next_if_eq(&'\\')?;
    let kind = letters.next_if(|letter| matches!(letter, 'u' | 'U'))?;
    let second = exactly(letters, kind).filter(|code| (0xDC00..0xE000).contains(code))?;
    char::from_u32(0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00))
}

fn exactly(letters: &mut Peekable<Chars<'_>>, kind: char) -> Option<u32> {
    let digits = if kind == 'u' { 4 } else { 8 };
    let (code, found) = number(letters, 16, digits, 0);
    (found == digits).then_some(code)
}

/// Up to `most` digits that follow `first`, and how many there were.
fn number(letters: &mut Peekable<Chars<'_>>, radix: u32, most: u32, first: u32) -> (u32, u32) {
    let (mut value, mut found) = (first, 0);
    while found < most
        && let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(radix))
    {
        letters.next();
        value = value.wrapping_mul(radix).wrapping_add(digit);
        found += 1;
    }
    (value, found)
}

fn push(bytes: &mut Vec<u8>, letter: char) {
    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (inner, expected) in [
            (r"a\\b\'c''d", Some(r"a\b'c'd")),
            (r"\b\f\n\r\t\q", Some("\u{8}\u{c}\n\r\tq")),
            (r"\162\60z\x41\x4z\xq", Some("r0zA\u{4}zxq")),
            (r"\xc3\xa9\303\251", Some("\u{e9}\u{e9}")),
            (r"\u00e9\U0001F980\uD83E\uDD80", Some("\u{e9}\u{1F980}\u{1F980}")),
            (r"\xc3", None),
            (r"\0", None),
            (r"\u12", None),
            (r"\uD83Ex", None),
            (r"\", None),
        ] {
            assert_eq!(value(inner).as_deref(), expected, "{inner}");
        }
    }
}
