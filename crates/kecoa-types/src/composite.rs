//! Composite types (rows): their fields in both forms, for types of a program's own.
//!
//! ```
//! use kecoa_types::composite::{self, Field};
//! use kecoa_types::{oid, text};
//!
//! let fields = composite::decode_text(br#"(7,"a ""b""",)"#)?;
//! assert_eq!(fields[1].as_deref(), Some(&br#"a "b""#[..]));
//! assert_eq!(fields[2], None);
//!
//! let mut sent = Vec::new();
//! composite::encode_binary(&[Field { oid: oid::INT4, value: Some(vec![0, 0, 0, 7]) }], &mut sent).unwrap();
//! assert_eq!(composite::decode_binary(&sent)?[0].oid, oid::INT4);
//! # Ok::<(), kecoa_types::DecodeError>(())
//! ```

use crate::array::binary::{element, push_element};
use crate::quoting::{push_quoted_if, take_quoted};
use crate::{DecodeError, EncodeError};

const EXPECTED: &str = "a composite value as (field,field)";
const EXPECTED_BINARY: &str =
    "a binary composite value: a number of fields, then type, length and bytes of each";

/// A field in binary form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The type.
    pub oid: u32,
    /// The value in the binary form of its type; nothing for NULL.
    pub value: Option<Vec<u8>>,
}

/// Takes a composite value in text form apart: each field in its own text form, nothing for NULL.
///
/// # Errors
/// It is no composite value.
pub fn decode_text(bytes: &[u8]) -> Result<Vec<Option<Vec<u8>>>, DecodeError> {
    fields(bytes).ok_or_else(|| DecodeError::text(EXPECTED, bytes))
}

fn fields(bytes: &[u8]) -> Option<Vec<Option<Vec<u8>>>> {
    let mut rest = bytes.strip_prefix(b"(")?;
    let mut fields = Vec::new();
    if rest == b")" {
        return Some(fields);
    }
    loop {
        let (field, after) = take_quoted(rest, b",)")?;
        fields.push(field);
        let (end, after) = after.split_first()?;
        if *end == b')' {
            return after.is_empty().then_some(fields);
        }
        rest = after;
    }
}

/// Appends a composite value of fields in their text form.
pub fn encode_text(fields: &[Option<Vec<u8>>], out: &mut Vec<u8>) {
    let special =
        |byte: &u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b',' | b' ' | b'\t'..=b'\r');
    out.push(b'(');
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if let Some(field) = field {
            push_quoted_if(field, special, out);
        }
    }
    out.push(b')');
}

/// Takes a composite value in binary form apart.
///
/// # Errors
/// It is no composite value.
pub fn decode_binary(bytes: &[u8]) -> Result<Vec<Field>, DecodeError> {
    let refused = || DecodeError::binary(EXPECTED_BINARY, bytes);
    let (count, mut rest) = bytes.split_first_chunk::<4>().ok_or_else(refused)?;
    let count = usize::try_from(i32::from_be_bytes(*count)).map_err(|_| refused())?;
    // A field takes eight bytes or more.
    if count.checked_mul(8).is_none_or(|least| least > rest.len()) {
        return Err(refused());
    }
    let mut fields = Vec::with_capacity(count);
    for _ in 0..count {
        let (oid, behind) = rest.split_first_chunk::<4>().ok_or_else(refused)?;
        rest = behind;
        let value = element(&mut rest)?.map(<[u8]>::to_vec);
        fields.push(Field { oid: u32::from_be_bytes(*oid), value });
    }
    if rest.is_empty() { Ok(fields) } else { Err(refused()) }
}

/// Appends a composite value of fields in their binary form.
///
/// # Errors
/// A field is longer than 2 GiB - 1, or there are too many.
pub fn encode_binary(fields: &[Field], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let found = fields.len();
    let count = i32::try_from(found).map_err(|_| EncodeError::TooLong {
        expected: "a composite value of 1664 fields at most",
        found,
    })?;
    out.extend_from_slice(&count.to_be_bytes());
    for Field { oid, value } in fields {
        out.extend_from_slice(&oid.to_be_bytes());
        push_element(out, |out| {
            out.extend_from_slice(value.as_deref().unwrap_or_default());
            Ok(value.is_none())
        })?;
    }
    Ok(())
}
