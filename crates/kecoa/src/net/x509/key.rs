//! Public keys: of what kind one is, and how long.

use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::{rfc5912, rfc8410};

use super::reading::{
    BIT_STRING, Elements, INTEGER, OBJECT_IDENTIFIER, Result, SEQUENCE, Unreadable, only,
    whole_bytes, without_zeros,
};
use super::signed::{oid_in, oid_name};

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
        let mut parts = Elements(only(info, SEQUENCE).ok()?);
        let algorithm = parts.expect(SEQUENCE).ok()?;
        let bits = whole_bytes(parts.expect(BIT_STRING).ok()?).ok()?;
        Some(Key { algorithm, bits })
    }

    pub(crate) fn kind(&self) -> KeyKind {
        let oid = oid_in(self.algorithm).unwrap_or_default();
        match ObjectIdentifier::from_bytes(oid) {
            Ok(rfc5912::RSA_ENCRYPTION) => match self.rsa_bits().unwrap_or(0) {
                2048..=8192 => KeyKind::Good,
                count => KeyKind::RsaOfBits(count),
            },
            Ok(rfc5912::ID_EC_PUBLIC_KEY) => match self.curve() {
                Ok(rfc5912::SECP_256_R_1 | rfc5912::SECP_384_R_1 | rfc5912::SECP_521_R_1) => {
                    KeyKind::Good
                }
                Ok(curve) => KeyKind::Unknown(format!("ECDSA on {}", oid_name(curve.as_bytes()))),
                Err(_) => KeyKind::Unknown("ECDSA on a curve without a name".to_owned()),
            },
            Ok(rfc8410::ID_ED_25519) if self.has_no_parameters() => KeyKind::Good,
            Ok(rfc8410::ID_ED_448) => KeyKind::Unknown("Ed448".to_owned()),
            _ => KeyKind::Unknown(oid_name(oid)),
        }
    }

    /// The curve that the parameters name.
    fn curve(&self) -> Result<ObjectIdentifier> {
        let mut parts = Elements(self.algorithm);
        parts.element()?;
        ObjectIdentifier::from_bytes(parts.expect(OBJECT_IDENTIFIER)?).map_err(|_| Unreadable)
    }

    fn has_no_parameters(&self) -> bool {
        let mut parts = Elements(self.algorithm);
        parts.element().is_ok() && parts.finish().is_ok()
    }

    fn rsa_bits(&self) -> Result<usize> {
        let modulus = Elements(Elements(self.bits).expect(SEQUENCE)?).expect(INTEGER)?;
        let modulus = without_zeros(modulus);
        let unused = modulus.first().map_or(0, |first| first.leading_zeros());
        Ok((modulus.len() * 8).saturating_sub(usize::try_from(unused).unwrap_or(8)))
    }
}
