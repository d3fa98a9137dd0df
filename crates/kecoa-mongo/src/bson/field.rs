//! A field of a document by its name, for those who look at one field of many documents.

use ::bson::oid::ObjectId;
use ::bson::{DateTime, RawBsonRef, RawDocument};

/// The first field of that name, without a look at the other values. What is behind a place that is no BSON is not
/// found.
#[must_use]
pub fn field<'doc>(document: &'doc RawDocument, name: &str) -> Option<RawBsonRef<'doc>> {
    let bytes = document.as_bytes();
    let (name, mut place) = (name.as_bytes(), 4);
    for number in 0_usize.. {
        let (kind, element) = bytes.get(place..)?.split_first()?;
        if *kind == 0 {
            return None;
        }
        let is_named = element.get(name.len()) == Some(&0) && element.starts_with(name);
        let length = if is_named { name.len() } else { length_of_text(element)? };
        let value = element.get(length + 1..)?;
        if is_named && !name.contains(&0) {
            return read(*kind, value).or_else(|| {
                // The rarer types, read by the library.
                document.iter_elements().nth(number)?.ok()?.value().ok()
            });
        }
        place += 1 + length + 1 + size(*kind, value)?;
    }
    None
}

fn length_of_text(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == 0)
}

/// How many bytes a value takes.
fn size(kind: u8, value: &[u8]) -> Option<usize> {
    let length = || usize::try_from(i32::from_le_bytes(*value.first_chunk()?)).ok();
    Some(match kind {
        // undefined, null, the least and the greatest key
        0x06 | 0x0a | 0x7f | 0xff => 0,
        // false, true
        0x08 => 1,
        // int32
        0x10 => 4,
        // double, date, timestamp, int64
        0x01 | 0x09 | 0x11 | 0x12 => 8,
        // an object id
        0x07 => 12,
        // a decimal
        0x13 => 16,
        // string, code, symbol
        0x02 | 0x0d | 0x0e => 4 + length()?,
        // document, array, code with scope
        0x03 | 0x04 | 0x0f => length()?,
        // binary data
        0x05 => 5 + length()?,
        // a regular expression
        0x0b => {
            let pattern = length_of_text(value)? + 1;
            pattern + length_of_text(value.get(pattern..)?)? + 1
        }
        // a pointer
        0x0c => 4 + length()? + 12,
        _ => return None,
    })
}

/// A value of the types that most are of.
fn read(kind: u8, value: &[u8]) -> Option<RawBsonRef<'_>> {
    Some(match kind {
        0x01 => RawBsonRef::Double(f64::from_le_bytes(*value.first_chunk()?)),
        0x02 => {
            let text = value.get(4..size(kind, value)?.checked_sub(1)?)?;
            RawBsonRef::String(std::str::from_utf8(text).ok()?)
        }
        0x03 => {
            RawBsonRef::Document(RawDocument::from_bytes(value.get(..size(kind, value)?)?).ok()?)
        }
        0x07 => RawBsonRef::ObjectId(ObjectId::from_bytes(*value.first_chunk()?)),
        0x08 => RawBsonRef::Boolean(*value.first()? != 0),
        0x09 => {
            RawBsonRef::DateTime(DateTime::from_millis(i64::from_le_bytes(*value.first_chunk()?)))
        }
        0x0a => RawBsonRef::Null,
        0x10 => RawBsonRef::Int32(i32::from_le_bytes(*value.first_chunk()?)),
        0x12 => RawBsonRef::Int64(i64::from_le_bytes(*value.first_chunk()?)),
        _ => return None,
    })
}
