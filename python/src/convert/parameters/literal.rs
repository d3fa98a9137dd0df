//! SQL literals taken apart: the type that PostgreSQL gives them, and their value in text form.

use kecoa_types::{ClientEncoding, oid};

/// Types that a literal may be cast to, by the names that adapters use.
const CASTS: &[(&[u8], u32)] = &[
    (b"date", oid::DATE),
    (b"time", oid::TIME),
    (b"timetz", oid::TIMETZ),
    (b"timestamp", oid::TIMESTAMP),
    (b"timestamptz", oid::TIMESTAMPTZ),
    (b"interval", oid::INTERVAL),
    (b"float", oid::FLOAT8),
    (b"numeric", oid::NUMERIC),
    (b"bytea", oid::BYTEA),
    (b"uuid", oid::UUID),
    (b"json", oid::JSON),
    (b"jsonb", oid::JSONB),
    (b"inet", oid::INET),
    (b"cidr", oid::CIDR),
];

/// What the server reads literals by.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// How bytes group into characters.
    pub(crate) characters: ClientEncoding,
    /// `standard_conforming_strings`: a backslash is a plain character in `'…'`.
    pub(crate) standard_strings: bool,
    /// Integers are always of eight bytes (CockroachDB).
    pub(crate) wide: bool,
}

/// Appends the value of a literal and gives its type (0: unknown) and whether it is NULL. Nothing
/// for what is no literal of a known form; what was appended is to be dropped then.
pub(super) fn read(literal: &[u8], rules: Rules, out: &mut Vec<u8>) -> Option<(u32, bool)> {
    // A negative number has a space in front, so has E'…'.
    let literal = literal.strip_prefix(b" ").unwrap_or(literal);
    match literal {
        b"NULL" => Some((0, true)),
        b"true" | b"false" => {
            out.extend_from_slice(literal);
            Some((oid::BOOL, false))
        }
        [b'\'' | b'E', ..] => quoted(literal, rules, out).map(|oid| (oid, false)),
        [b'A', ..] => array(literal, rules, out).map(|oid| (oid, false)),
        _ => {
            let oid = number(literal, rules.wide)?;
            out.extend_from_slice(literal);
            Some((oid, false))
        }
    }
}

/// The type of a numeric constant.
fn number(text: &[u8], wide: bool) -> Option<u32> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.first().is_none_or(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    if digits.len() < text.len() && digits.iter().all(|byte| matches!(byte, b'0' | b'.')) {
        // A number has no negative zero, but `-0.0::float8` in a statement has: the sign comes last.
        return None;
    }
    if digits.iter().all(u8::is_ascii_digit) {
        // A minus sign is part of the constant.
        let value = std::str::from_utf8(text).ok()?.parse::<i64>();
        return Some(match value {
            Ok(value) if !wide && i32::try_from(value).is_ok() => oid::INT4,
            Ok(_) => oid::INT8,
            Err(_) => oid::NUMERIC,
        });
    }
    let mut rest = digits;
    let mut skip = |test: fn(&u8) -> bool| {
        let count = rest.iter().take_while(|byte| test(byte)).count();
        rest = rest.get(count..).unwrap_or_default();
        count
    };
    skip(u8::is_ascii_digit);
    if skip(|byte| *byte == b'.') > 1 {
        return None;
    }
    skip(u8::is_ascii_digit);
    if skip(|byte| matches!(byte, b'e' | b'E')) == 1
        && (skip(|byte| matches!(byte, b'+' | b'-')) > 1 || skip(u8::is_ascii_digit) == 0)
    {
        return None;
    }
    rest.is_empty().then_some(oid::NUMERIC)
}

/// `'…'`, `E'…'`, with a cast or without.
fn quoted(literal: &[u8], rules: Rules, out: &mut Vec<u8>) -> Option<u32> {
    // A byte of a longer character may look like a backslash.
    let outline = rules.characters.mask_multibyte(literal);
    let (escapes, mut rest) = match &*outline {
        [b'E', b'\'', rest @ ..] => (true, rest),
        [b'\'', rest @ ..] => (false, rest),
        _ => return None,
    };
    loop {
        let at = memchr::memchr2(b'\'', b'\\', rest)?;
        let start = literal.len() - rest.len();
        out.extend_from_slice(literal.get(start..start + at)?);
        let (special, behind) = rest.get(at..)?.split_first()?;
        rest = behind;
        match (special, rest.first()) {
            (b'\\', Some(b'\\')) if escapes => {
                out.push(b'\\');
                rest = rest.get(1..)?;
            }
            (b'\\', _) if escapes => return None,
            // An adapter that asks for no connection cannot know that it is to write `E'…'`.
            (b'\\', _) if !rules.standard_strings => return None,
            (b'\\', _) => out.push(b'\\'),
            (_, Some(b'\'')) => {
                out.push(b'\'');
                rest = rest.get(1..)?;
            }
            _ => break,
        }
    }
    if rest.is_empty() {
        return Some(0);
    }
    let cast = rest.strip_prefix(b"::")?;
    CASTS.iter().find(|(name, _)| *name == cast).map(|(_, oid)| *oid)
}

/// `ARRAY[…]` of literals, in one dimension.
fn array(literal: &[u8], rules: Rules, out: &mut Vec<u8>) -> Option<u32> {
    let mut rest = literal.strip_prefix(b"ARRAY[")?.strip_suffix(b"]")?;
    let mut element = None;
    let mut value = Vec::new();
    out.push(b'{');
    loop {
        let end = item_end(rest);
        let (item, behind) = rest.split_at_checked(end)?;
        value.clear();
        let (oid, is_null) = match item.strip_prefix(b" ").unwrap_or(item) {
            [b'A', ..] => return None,
            item => read(item, rules, &mut value)?,
        };
        if is_null {
            out.extend_from_slice(b"NULL");
        } else {
            element = Some(element.map_or(Some(oid), |known| common(known, oid))?);
            out.push(b'"');
            for (byte, seen) in value.iter().zip(rules.characters.mask_multibyte(&value).iter()) {
                if matches!(seen, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(*byte);
            }
            out.push(b'"');
        }
        match behind.split_first() {
            None => break,
            Some((_, behind)) => {
                out.push(b',');
                rest = behind;
            }
        }
    }
    out.push(b'}');
    match element? {
        // An array of unknown literals is one of text.
        0 => Some(oid::TEXT_ARRAY),
        element => oid::array_of(element),
    }
}

/// Where an element of a list of literals ends: at a comma outside of quotes.
fn item_end(text: &[u8]) -> usize {
    let mut inside = false;
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'\'' => inside = !inside,
            b',' if !inside => return index,
            _ => {}
        }
    }
    text.len()
}

/// The type of an array whose elements are of two.
fn common(a: u32, b: u32) -> Option<u32> {
    let rank = |oid| match oid {
        oid::INT4 => Some(0),
        oid::INT8 => Some(1),
        oid::NUMERIC => Some(2),
        _ => None,
    };
    match (rank(a), rank(b)) {
        _ if a == b => Some(a),
        (Some(x), Some(y)) => Some(if x > y { a } else { b }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules =
        Rules { characters: ClientEncoding::Plain, standard_strings: true, wide: false };

    fn reads(literal: &str) -> Option<(u32, Option<String>)> {
        let mut out = Vec::new();
        let (oid, is_null) = read(literal.as_bytes(), RULES, &mut out)?;
        Some((oid, (!is_null).then(|| String::from_utf8(out).unwrap())))
    }

    #[test]
    fn literals_have_the_type_of_constants() {
        let some = |oid, text: &str| Some((oid, Some(text.to_owned())));
        assert_eq!(reads("NULL"), Some((0, None)));
        assert_eq!(reads("true"), some(oid::BOOL, "true"));
        assert_eq!(reads("2147483647"), some(oid::INT4, "2147483647"));
        // The sign belongs to the constant.
        assert_eq!(reads(" -2147483648"), some(oid::INT4, "-2147483648"));
        assert_eq!(reads(" -9223372036854775808"), some(oid::INT8, "-9223372036854775808"));
        assert_eq!(reads("2147483648"), some(oid::INT8, "2147483648"));
        assert_eq!(reads("9223372036854775808"), some(oid::NUMERIC, "9223372036854775808"));
        assert_eq!(reads("1.5e-07"), some(oid::NUMERIC, "1.5e-07"));
        assert_eq!(reads("'NaN'::float"), some(oid::FLOAT8, "NaN"));
        assert_eq!(reads("'it''s; ok'"), some(0, "it's; ok"));
        assert_eq!(reads(" E'a\\\\b''c'"), some(0, "a\\b'c"));
        assert_eq!(reads("'2024-01-01'::date"), some(oid::DATE, "2024-01-01"));
        assert_eq!(reads("'\\x00ff'::bytea"), some(oid::BYTEA, "\\x00ff"));
    }

    #[test]
    fn literals_are_read_by_characters() {
        let read = |literal: &[u8]| {
            let mut out = Vec::new();
            let rules = Rules { characters: ClientEncoding::ShiftJis, ..RULES };
            let (oid, _) = read(literal, rules, &mut out)?;
            Some((oid, out))
        };
        assert_eq!(read(b"E'\x95\\\\\\'"), Some((0, b"\x95\\\\".to_vec())));
        assert_eq!(read(b"E'\x95\\'"), Some((0, b"\x95\\".to_vec())));
        let array = Some((oid::TEXT_ARRAY, b"{\"\x95\\\",\"\\\\\"}".to_vec()));
        assert_eq!(read(b"ARRAY['\x95\\','\\']"), array);
        assert_eq!(read(b"ARRAY[E'\x95\\',E'\\\\']"), array);
    }

    #[test]
    fn a_backslash_that_may_escape_is_for_the_server() {
        let rules = Rules { standard_strings: false, ..RULES };
        let read = |literal: &[u8]| {
            let mut out = Vec::new();
            read(literal, rules, &mut out).map(|(oid, _)| (oid, out))
        };
        assert_eq!(read(b"'a\\\\b'"), None);
        assert_eq!(read(b"'\\\\001'::bytea"), None);
        assert_eq!(read(b"ARRAY['a\\\\b']"), None);
        assert_eq!(read(b"E'a\\\\b'"), Some((0, b"a\\b".to_vec())));
    }

    #[test]
    fn a_negative_zero_is_for_the_statement() {
        for text in [" -0.0", "-0", "ARRAY[1.0, -0.0]"] {
            assert_eq!(reads(text), None, "{text}");
        }
        assert_eq!(reads("0.0"), Some((oid::NUMERIC, Some("0.0".to_owned()))));
    }

    #[test]
    fn arrays_have_one_type() {
        let some = |oid, text: &str| Some((oid, Some(text.to_owned())));
        assert_eq!(reads("ARRAY[1,NULL,-3]"), some(oid::INT4_ARRAY, "{\"1\",NULL,\"-3\"}"));
        assert_eq!(reads("ARRAY[1,5000000000]"), some(oid::INT8_ARRAY, "{\"1\",\"5000000000\"}"));
        assert_eq!(reads("ARRAY['a,b','c\"''']"), some(oid::TEXT_ARRAY, "{\"a,b\",\"c\\\"'\"}"));
        assert_eq!(reads("ARRAY[1,'a']"), None);
        assert_eq!(reads("ARRAY[ARRAY[1]]"), None);
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "(1, 2)",
            // A tuple of one value, for IN.
            "( -1)",
            "( -2147483648)",
            "( -1, 2)",
            "(( -1))",
            "1; DROP",
            "now()",
            "'a' || 'b'",
            "'a'; --",
            "1.2.3",
            "1e",
            "'a'::x",
            "'a",
            "E'\\n'",
            "--1",
            "infinity",
        ] {
            assert_eq!(reads(text), None, "{text}");
        }
    }
}
