//! Public keys: of what kind one is, and how long.

use super::{BIT_STRING, Elements, INTEGER, OID, SEQUENCE, bits, oid_name, without_zeros};
use crate::der::element;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
const P521: &[u8] = &[0x2b, 0x81, 4, 0, 35];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const ED448: &[u8] = &[0x2b, 0x65, 0x71];

/// The key in a SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    /// The contents of the AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) bits: &'a [u8],
}

/// What can be done with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Good,
    /// RSA of so many bits, which are too few or more than is sensible.
    RsaOfBits(usize),
    /// What signatures of it are called, which cannot be checked here.
    Unknown(String),
}

impl<'a> Key<'a> {
    /// Takes a SubjectPublicKeyInfo with its header.
    pub(crate) fn parse(info: &'a [u8]) -> Option<Key<'a>> {
        let (SEQUENCE, contents, []) = element(info)? else { return None };
        let mut parts = Elements(contents);
        let algorithm = parts.expect(SEQUENCE)?;
        Some(Key { algorithm, bits: bits(parts.expect(BIT_STRING)?)? })
    }

    pub(crate) fn kind(&self) -> KeyKind {
        let mut parts = Elements(self.algorithm);
        match (parts.expect(OID).unwrap_or_default(), parts.next()) {
            (RSA, _) => match self.rsa_bits().unwrap_or(0) {
                2048..=8192 => KeyKind::Good,
                count => KeyKind::RsaOfBits(count),
            },
            (EC, Some((OID, P256 | P384 | P521))) | (ED25519, None) => KeyKind::Good,
            (EC, Some((OID, curve))) => KeyKind::Unknown(format!("ECDSA on {}", oid_name(curve))),
            (EC, _) => KeyKind::Unknown("ECDSA on a curve without a name".to_owned()),
            (ED448, _) => KeyKind::Unknown("Ed448".to_owned()),
            (other, _) => KeyKind::Unknown(oid_name(other)),
        }
    }

    fn rsa_bits(&self) -> Option<usize> {
        let modulus = Elements(Elements(self.bits).expect(SEQUENCE)?).expect(INTEGER)?;
        let modulus = without_zeros(modulus);
        let unused = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
        Some(modulus.len() * 8 - unused)
    }
}
