//! A server's certificate, its authority's and a revocation list, whatever their bytes are: they are
//! taken apart and held to every rule but their signatures.
#![no_main]

use libfuzzer_sys::fuzz_target;

// Two lengths of two bytes, the certificates of these lengths, and the list. All three may be the same
// bytes as well, as in a seed that is one certificate.
fuzz_target!(|data: &[u8]| {
    kecoa::fuzz_certificates([data; 3]);
    let Some(([a, b, c, d], rest)) = data.split_first_chunk() else { return };
    let length = |high: &u8, low: &u8| usize::from(u16::from_be_bytes([*high, *low]));
    let (leaf, others) = rest.split_at(length(a, b).min(rest.len()));
    let (authority, list) = others.split_at(length(c, d).min(others.len()));
    kecoa::fuzz_certificates([leaf, authority, list]);
});
