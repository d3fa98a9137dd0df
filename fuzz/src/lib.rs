//! What several targets do with their bytes.

pub mod documents;

use kecoa_types::DecodeError;

/// Decodes, and holds what was decoded to its own encoding.
pub fn round_trip<T>(
    data: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    encode: impl Fn(&T, &mut Vec<u8>),
) {
    let Ok(value) = decode(data) else { return };
    let mut first = Vec::new();
    encode(&value, &mut first);
    let again = decode(&first).expect("what was encoded can be decoded");
    let mut second = Vec::new();
    encode(&again, &mut second);
    assert_eq!(first, second);
}
