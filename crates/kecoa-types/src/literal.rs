//! Values and names as SQL text.
//!
//! These make what psycopg2 2.9 and libpq make, byte for byte, because applications compare and log
//! it. They are the pieces; a driver's adapters compose them.

use crate::EncodeError;
use crate::text::hex::push_hex;
use crate::text::real::Shortest;

/// The session's `standard_conforming_strings`: what a backslash means in an ordinary literal.
///
/// CockroachDB is always `On`; PostgreSQL has it off only where somebody turned it off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StandardConformingStrings {
    /// A backslash is a character like any other.
    #[default]
    On,
    /// A backslash escapes, and is doubled to be one; the literal is marked with an `E`.
    Off,
    /// As `Off`, without the `E`: what psycopg2 makes without a connection, and on one where the
    /// setting was turned off after connecting. A server that has it on reads backslashes doubled.
    OffUnmarked,
}

fn check_nul(value: &[u8]) -> Result<(), EncodeError> {
    match memchr::memchr(0, value) {
        Some(position) => Err(EncodeError::Nul { position }),
        None => Ok(()),
    }
}

/// Appends `value`, each of its `first` and `second` bytes doubled.
fn push_doubling(value: &[u8], first: u8, second: u8, out: &mut Vec<u8>) {
    out.reserve(value.len() + 2);
    let mut rest = value;
    while let Some(position) = memchr::memchr2(first, second, rest) {
        let (plain, after) = rest.split_at_checked(position + 1).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        out.extend(plain.last());
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// A literal that reads the same under either `standard_conforming_strings`: libpq's
/// `PQescapeLiteral`. With a backslash in it, it is ` E'…'`, with a space in front so that it does
/// not join the word before.
///
/// # Errors
/// The value has a NUL, which text in PostgreSQL cannot.
pub fn quote_literal(value: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    push_portable_literal(value, &mut out)?;
    Ok(out)
}

/// Appends what [`quote_literal`] returns.
///
/// # Errors
/// As [`quote_literal`]; nothing is appended then.
pub fn push_portable_literal(value: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    check_nul(value)?;
    if memchr::memchr(b'\\', value).is_some() {
        out.extend_from_slice(b" E'");
        push_doubling(value, b'\'', b'\\', out);
    } else {
        out.push(b'\'');
        push_doubling(value, b'\'', b'\'', out);
    }
    out.push(b'\'');
    Ok(())
}

/// Appends a literal as psycopg2's `QuotedString` does on a connection with that setting: `'…'`
/// with quotes doubled; where it is off, `E'…'` with backslashes doubled too.
///
/// # Errors
/// The value has a NUL; nothing is appended then.
pub fn push_literal(
    value: &[u8],
    setting: StandardConformingStrings,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    check_nul(value)?;
    match setting {
        StandardConformingStrings::On => {
            out.push(b'\'');
            push_doubling(value, b'\'', b'\'', out);
        }
        StandardConformingStrings::Off => {
            out.extend_from_slice(b"E'");
            push_doubling(value, b'\'', b'\\', out);
        }
        StandardConformingStrings::OffUnmarked => {
            out.push(b'\'');
            push_doubling(value, b'\'', b'\\', out);
        }
    }
    out.push(b'\'');
    Ok(())
}

/// An identifier in double quotes, always: libpq's `PQescapeIdentifier`.
///
/// # Errors
/// The name has a NUL.
pub fn quote_ident(name: &[u8]) -> Result<Vec<u8>, EncodeError> {
    check_nul(name)?;
    let mut out = Vec::with_capacity(name.len() + 2);
    out.push(b'"');
    push_doubling(name, b'"', b'"', &mut out);
    out.push(b'"');
    Ok(out)
}

/// Appends bytes as psycopg2's `Binary` does: `'\x0102'::bytea`; where
/// `standard_conforming_strings` is off, `E'\\x0102'::bytea`.
pub fn push_bytea(value: &[u8], setting: StandardConformingStrings, out: &mut Vec<u8>) {
    out.extend_from_slice(match setting {
        StandardConformingStrings::On => br"'\x",
        StandardConformingStrings::Off => br"E'\\x",
        StandardConformingStrings::OffUnmarked => br"'\\x",
    });
    push_hex(value, out);
    out.extend_from_slice(b"'::bytea");
}

/// Appends an integer, with a space before a minus sign so that `a -%s` does not become a comment.
pub fn push_int(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b' ');
    }
    crate::text::integer::push(value, out);
}

/// Appends a number already in decimal digits, as [`push_int`] does: Python's big integers and
/// decimals.
pub fn push_number(digits: &[u8], out: &mut Vec<u8>) {
    if digits.first() == Some(&b'-') {
        out.push(b' ');
    }
    out.extend_from_slice(digits);
}

/// Appends a floating-point number as psycopg2's `Float` does: Python's `repr` (`1.0`, `1e-05`,
/// `1e+16`), a space before a minus sign, `'NaN'::float` and `'±Infinity'::float`.
pub fn push_float(value: f64, out: &mut Vec<u8>) {
    let shortest = Shortest::of(value);
    if let Shortest::Special(word) = shortest {
        out.push(b'\'');
        out.extend_from_slice(word.as_bytes());
        return out.extend_from_slice(b"'::float");
    }
    if value.is_sign_negative() {
        out.push(b' ');
    }
    shortest.push(16, true, out);
}
