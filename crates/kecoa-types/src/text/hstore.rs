//! `hstore`: `"key"=>"value", "key"=>NULL`.

use crate::{DecodeError, Hstore};

/// Decodes pairs as the server prints them.
///
/// # Errors
/// It is none, or not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<Hstore, DecodeError> {
    parse(bytes)
        .ok_or_else(|| DecodeError::text("an hstore as \"key\"=>\"value\", \"key\"=>NULL", bytes))
}

fn parse(bytes: &[u8]) -> Option<Hstore> {
    let mut pairs = Hstore::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (key, behind) = quoted(rest)?;
        let behind = behind.strip_prefix(b"=>")?;
        let (value, behind) = match behind.strip_prefix(b"NULL") {
            Some(behind) => (None, behind),
            None => quoted(behind).map(|(value, behind)| (Some(value), behind))?,
        };
        pairs.0.insert(key, value);
        rest = match behind.strip_prefix(b", ") {
            Some([]) => return None,
            Some(next) => next,
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    Some(pairs)
}

fn quoted(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut rest = bytes.strip_prefix(b"\"")?;
    let mut text = Vec::new();
    loop {
        match rest {
            [b'"', behind @ ..] => return Some((String::from_utf8(text).ok()?, behind)),
            [b'\\', byte, behind @ ..] | [byte, behind @ ..] => {
                text.push(*byte);
                rest = behind;
            }
            [] => return None,
        }
    }
}

/// Appends the pairs in the server's order.
pub fn encode(value: &Hstore, out: &mut Vec<u8>) {
    for (index, (key, value)) in value.pairs().into_iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        push(key, out);
        out.extend_from_slice(b"=>");
        match value {
            Some(value) => push(value, out),
            None => out.extend_from_slice(b"NULL"),
        }
    }
}

fn push(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}
