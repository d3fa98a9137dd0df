//! DBPointers, whose parts crate `bson` keeps to itself.

use ::bson::raw::cstr;
use ::bson::{RawBsonRef, RawDocumentBuf};

/// What a DBPointer is compared by: the length of its namespace, the namespace, the id. Other values give the same
/// nothing.
pub(crate) fn comparable(value: RawBsonRef<'_>) -> Vec<u8> {
    let RawBsonRef::DbPointer(_) = value else { return Vec::new() };
    let mut document = RawDocumentBuf::new();
    document.append(cstr!(""), value);
    // Length of the document, type, empty name; length, namespace, zero, id; the document's end.
    let bytes = document.as_bytes().get(6..).unwrap_or(&[]);
    let Some((length, rest)) = bytes.split_first_chunk() else { return Vec::new() };
    let content = rest.split_last().map_or(rest, |(_, content)| content);
    let mut comparable = u32::from_le_bytes(*length).to_be_bytes().to_vec();
    comparable.extend_from_slice(content);
    comparable
}
