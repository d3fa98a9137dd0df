//! What is signed, and the signature: the form that certificates and revocation lists share.

use x509_cert::der::oid::ObjectIdentifier;

use super::reading::{
    BIT_STRING, Elements, OBJECT_IDENTIFIER, Result, SEQUENCE, Unreadable, only, whole_bytes,
};

/// The frame of a certificate or a revocation list. It keeps the bytes as they came: what is
/// written again from a structure that was read need not be what was signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// With its header.
    pub(crate) message: &'a [u8],
    /// The contents of the AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Signed<'a>> {
        let mut parts = Elements(only(der, SEQUENCE)?);
        let message = parts.element()?.bytes;
        let algorithm = parts.expect(SEQUENCE)?;
        let signature = whole_bytes(parts.expect(BIT_STRING)?)?;
        parts.finish().map(|()| Signed { message, algorithm, signature })
    }

    /// The fields of what is signed.
    pub(super) fn fields(&self) -> Result<Elements<'a>> {
        only(self.message, SEQUENCE).map(Elements)
    }

    /// What is signed names the algorithm as well, which must be the same.
    pub(super) fn check_algorithm(&self, fields: &mut Elements<'a>) -> Result<()> {
        if fields.expect(SEQUENCE)? == self.algorithm { Ok(()) } else { Err(Unreadable) }
    }

    /// What the algorithm is called, or its number.
    pub(crate) fn algorithm_name(&self) -> String {
        oid_in(self.algorithm).map(oid_name).unwrap_or_default()
    }
}

/// The bytes of the object identifier at the beginning of an algorithm.
pub(super) fn oid_in(algorithm: &[u8]) -> Result<&[u8]> {
    Elements(algorithm).expect(OBJECT_IDENTIFIER)
}

/// What an object identifier stands for, or its numbers.
pub(super) fn oid_name(oid: &[u8]) -> String {
    let Ok(oid) = ObjectIdentifier::from_bytes(oid) else { return "unreadable".to_owned() };
    let known = x509_cert::der::oid::db::DB.by_oid(&oid);
    known.map_or_else(|| oid.to_string(), str::to_owned)
}
