//! CockroachDB's byte string literals, `b'…'` and `x'…'`, which are bit strings to PostgreSQL.

/// The bytes of `b'…'` as a `bytea` literal, or `None` when an escape is not finished.
pub(super) fn escaped(token: &[u8]) -> Option<String> {
    let inner = token.strip_prefix(b"b'")?.strip_suffix(b"'")?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'\'' => {
                // Doubled, or the lexer would have ended the string.
                rest = rest.strip_prefix(b"'").unwrap_or(rest);
                bytes.push(b'\'');
            }
            b'\\' => {
                let (&escape, tail) = rest.split_first()?;
                rest = tail;
                match escape {
                    b'x' => {
                        let (digits, tail) = rest.split_at_checked(2)?;
                        bytes.push(number(digits, 16)?);
                        rest = tail;
                    }
                    b'0'..=b'3' => {
                        let (digits, tail) = rest.split_at_checked(2)?;
                        bytes.push(number(&[&[escape], digits].concat(), 8)?);
                        rest = tail;
                    }
                    _ => bytes.push(match escape {
                        b'a' => 7,
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'v' => 11,
                        other => other,
                    }),
                }
            }
            other => bytes.push(other),
        }
    }
    Some(literal(&bytes))
}

/// The bytes of `x'…'` as a `bytea` literal, or `None` when they are not pairs of hex digits.
pub(super) fn hexadecimal(token: &[u8]) -> Option<String> {
    let inner = token.get(2..)?.strip_suffix(b"'")?;
    let whole = inner.len().is_multiple_of(2) && inner.iter().all(u8::is_ascii_hexdigit);
    whole.then(|| format!("E'\\\\x{}'::BYTEA", String::from_utf8_lossy(inner)))
}

fn number(digits: &[u8], radix: u32) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

fn literal(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("E'\\\\x{digits}'::BYTEA")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_hex() {
        assert_eq!(escaped(br"b'a\x00\'\n\001'").unwrap(), r"E'\\x6100270a01'::BYTEA");
        assert_eq!(escaped(b"b'it''s'").unwrap(), r"E'\\x69742773'::BYTEA");
        assert_eq!(escaped(br"b'\xg0'"), None);
        assert_eq!(hexadecimal(b"x'1F'").unwrap(), r"E'\\x1F'::BYTEA");
        assert_eq!(hexadecimal(b"x'1'"), None);
    }
}
