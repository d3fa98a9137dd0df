//! The binary form: dimensions, whether there are NULLs, the element type, then each dimension's
//! length and lower bound, then each element with its length (-1 for NULL). All 32-bit big-endian.

use super::{Array, Dimension, MAX_DIMENSIONS, check_dimensions};
use crate::{DecodeError, EncodeError};

const HEADER: &str = "a binary array: dimensions, flags, element type, lengths and lower bounds";
const ELEMENT: &str = "a binary array element: its length and as many bytes";

/// The front of an array in binary form, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The type of the elements.
    pub element_oid: u32,
    /// The extents, outermost first.
    pub dimensions: Vec<Dimension>,
    /// How many elements follow; their lengths alone fit into the bytes that follow.
    pub count: usize,
}

#[inline]
fn take_i32(bytes: &mut &[u8]) -> Option<i32> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(i32::from_be_bytes(*head))
}

/// Reads the front of an array, and returns what is left: the elements.
///
/// # Errors
/// It is cut short, has more than six dimensions, or claims more elements than the bytes left
/// could hold.
pub fn header(bytes: &[u8]) -> Result<(Header, &[u8]), DecodeError> {
    let refused = || DecodeError::binary(HEADER, bytes);
    let mut rest = bytes;
    let dimension_count = take_i32(&mut rest)
        .and_then(|count| usize::try_from(count).ok())
        .filter(|count| *count <= MAX_DIMENSIONS)
        .ok_or_else(refused)?;
    let flags = take_i32(&mut rest).ok_or_else(refused)?;
    if !matches!(flags, 0 | 1) {
        return Err(refused());
    }
    let element_oid = take_i32(&mut rest).ok_or_else(refused)?.cast_unsigned();
    let mut dimensions = Vec::with_capacity(dimension_count);
    let mut empty = dimension_count == 0;
    for _ in 0..dimension_count {
        let length = take_i32(&mut rest)
            .and_then(|length| usize::try_from(length).ok())
            .ok_or_else(refused)?;
        let lower_bound = take_i32(&mut rest).ok_or_else(refused)?;
        empty |= length == 0;
        dimensions.push(Dimension { length, lower_bound });
    }
    if empty {
        dimensions.clear();
    }
    let count = check_dimensions(&dimensions)?;
    if count.checked_mul(4).is_none_or(|least| least > rest.len()) {
        return Err(DecodeError::binary(
            format!("a binary array with room for its {count} elements"),
            bytes,
        ));
    }
    Ok((Header { element_oid, dimensions, count }, rest))
}

/// Reads one element off the front of `rest`; `None` inside is NULL.
///
/// # Errors
/// It is cut short.
#[inline]
pub fn element<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, DecodeError> {
    let before = *rest;
    let refused = || DecodeError::binary(ELEMENT, before);
    let length = take_i32(rest).ok_or_else(refused)?;
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| refused())?;
    let (bytes, after) = rest.split_at_checked(length).ok_or_else(refused)?;
    *rest = after;
    Ok(Some(bytes))
}

/// Decodes an array whose elements `decode_element` decodes, given their type.
///
/// # Errors
/// It is not an array, or an element is refused.
pub fn decode<T>(
    bytes: &[u8],
    mut decode_element: impl FnMut(u32, &[u8]) -> Result<T, DecodeError>,
) -> Result<Array<T>, DecodeError> {
    let (Header { element_oid, dimensions, count }, mut rest) = header(bytes)?;
    // An element takes four bytes or more, so this is at most a multiple of what came.
    let mut elements = Vec::with_capacity(count);
    for _ in 0..count {
        let element = element(&mut rest)?;
        elements.push(element.map(|bytes| decode_element(element_oid, bytes)).transpose()?);
    }
    if !rest.is_empty() {
        return Err(DecodeError::binary("nothing after the last array element", rest));
    }
    Array::new(dimensions, elements)
}

/// Appends an array whose elements `encode_element` appends in their binary form.
///
/// # Errors
/// An element is refused, or longer than 2 GiB - 1.
pub fn encode<T>(
    array: &Array<T>,
    element_oid: u32,
    out: &mut Vec<u8>,
    mut encode_element: impl FnMut(&T, &mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    push_header(
        array.dimensions(),
        array.elements().iter().any(Option::is_none),
        element_oid,
        out,
    )?;
    for element in array.elements() {
        match element {
            None => out.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(value) => push_element(out, |out| encode_element(value, out).map(|()| false))?,
        }
    }
    Ok(())
}

/// Appends the front of an array.
pub(crate) fn push_header(
    dimensions: &[Dimension],
    has_nulls: bool,
    element_oid: u32,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let length = |found: usize| {
        i32::try_from(found).map_err(|_| EncodeError::TooLong {
            expected: "an array of 2147483647 elements at most",
            found,
        })
    };
    out.extend_from_slice(&length(dimensions.len())?.to_be_bytes());
    out.extend_from_slice(&i32::from(has_nulls).to_be_bytes());
    out.extend_from_slice(&element_oid.to_be_bytes());
    for dimension in dimensions {
        out.extend_from_slice(&length(dimension.length)?.to_be_bytes());
        out.extend_from_slice(&dimension.lower_bound.to_be_bytes());
    }
    Ok(())
}

/// Appends an element after its length, which is filled in last; `true` from the closure is NULL.
pub(crate) fn push_element(
    out: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<bool, EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    out.extend_from_slice(&(-1i32).to_be_bytes());
    if encode(out)? {
        out.truncate(start + 4);
        return Ok(());
    }
    let found = out.len() - start - 4;
    let length = i32::try_from(found).map_err(|_| EncodeError::TooLong {
        expected: "an array element of 2147483647 bytes at most",
        found,
    })?;
    if let Some(slot) = out.get_mut(start..start + 4) {
        slot.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}
