//! From compressed to plain bytes; `None` is what cannot be read, or has another length than declared.

use std::io::Read;

use super::zstd_header;

/// So much is reserved before the first byte is plain, whatever length is declared.
const FIRST_RESERVE: usize = 64 * 1024;

pub(super) fn noop(compressed: &[u8], length: usize) -> Option<Vec<u8>> {
    (compressed.len() == length).then(|| compressed.to_vec())
}

pub(super) fn snappy(compressed: &[u8], length: usize) -> Option<Vec<u8>> {
    // The least that a byte of input makes at most 64 bytes keeps the reservation in proportion.
    let possible = compressed.len().saturating_mul(64);
    if length > possible || snap::raw::decompress_len(compressed).ok()? != length {
        return None;
    }
    snap::raw::Decoder::new().decompress_vec(compressed).ok()
}

pub(super) fn zlib(compressed: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut decoder = flate2::bufread::ZlibDecoder::new(compressed);
    let plain = read(&mut decoder, length)?;
    decoder.into_inner().is_empty().then_some(plain)
}

pub(super) fn zstd(compressed: &[u8], length: usize) -> Option<Vec<u8>> {
    if !zstd_header::is_within(compressed, length) {
        return None;
    }
    let mut rest = compressed;
    let plain = {
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(&mut rest).ok()?;
        read(&mut decoder, length)?
    };
    rest.is_empty().then_some(plain)
}

/// Reads to the end, which must come after `length` bytes.
fn read(decoder: &mut impl Read, length: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(length.min(FIRST_RESERVE));
    // One byte more shows that there are too many.
    let limit = u64::try_from(length).ok()?.checked_add(1)?;
    decoder.take(limit).read_to_end(&mut plain).ok()?;
    Some(plain)
}
