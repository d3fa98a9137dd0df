//! Parts of file names: a hash that is the same tomorrow, and digits that nobody else has.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// FNV-1a: names of files need a hash that is the same tomorrow, not one that resists an enemy.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Sixteen hexadecimal digits that nobody else has just now.
pub fn random_suffix() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
