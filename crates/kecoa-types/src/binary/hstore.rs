//! `hstore`: the number of pairs, then each key with its length and each value with its length, which
//! is -1 for NULL.

use crate::array::binary::element;
use crate::{DecodeError, Hstore};

/// Decodes the pairs.
///
/// # Errors
/// They are cut short, or not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<Hstore, DecodeError> {
    let refused =
        || DecodeError::binary("an hstore: a number of pairs, then each with lengths", bytes);
    let (count, mut rest) = bytes.split_first_chunk::<4>().ok_or_else(refused)?;
    let count = u32::try_from(i32::from_be_bytes(*count)).map_err(|_| refused())?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| refused());
    let mut pairs = Hstore::default();
    for _ in 0..count {
        let key = text(element(&mut rest)?.ok_or_else(refused)?)?;
        let value = element(&mut rest)?.map(text).transpose()?;
        pairs.0.insert(key, value);
    }
    if rest.is_empty() { Ok(pairs) } else { Err(refused()) }
}

/// Appends the pairs in the server's order. There are fewer than 2^31, of texts below 2 GiB.
pub fn encode(value: &Hstore, out: &mut Vec<u8>) {
    let length = |length: usize| i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes();
    out.extend_from_slice(&length(value.0.len()));
    for (key, value) in value.pairs() {
        out.extend_from_slice(&length(key.len()));
        out.extend_from_slice(key.as_bytes());
        match value {
            Some(value) => {
                out.extend_from_slice(&length(value.len()));
                out.extend_from_slice(value.as_bytes());
            }
            None => out.extend_from_slice(&(-1i32).to_be_bytes()),
        }
    }
}
