//! Certificates and revocation lists, as far as it takes to judge them.
//!
//! Their frame is read here, because what is signed must be had byte by byte, and because there are
//! lists of version 1; what an extension says is read by `x509-cert`.
//!
//! Source: RFC 5280, sections 4 and 5; DER as in ITU-T X.690.

mod certificate;
mod key;
mod name;
mod revocation_list;
#[cfg(test)]
mod tests;

use x509_cert::der::oid::{AssociatedOid, ObjectIdentifier};
use x509_cert::der::{Decode, Error};
use x509_cert::ext::pkix::AuthorityKeyIdentifier;

use crate::der::{element, seconds};

pub(super) use certificate::{Certificate, Hash};
pub(super) use key::{Key, KeyKind};
pub(super) use name::{DirectoryName, Name, readable, same_name};
pub(super) use revocation_list::{RevocationList, Scope};

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// The tag in front of a version; version 1 leaves it out. Also that of a list's extensions.
const CONTEXT_0: u8 = 0xa0;
/// The tag in front of a certificate's extensions.
const CONTEXT_3: u8 = 0xa3;

/// What is signed, and the signature: the form that certificates and revocation lists share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    /// With its header.
    pub(super) message: &'a [u8],
    /// The contents of the AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    fn parse(der: &'a [u8]) -> Option<Signed<'a>> {
        let (SEQUENCE, whole, []) = element(der)? else { return None };
        let mut parts = Elements(whole);
        parts.expect(SEQUENCE)?;
        let message = whole.get(..whole.len() - parts.0.len())?;
        let algorithm = parts.expect(SEQUENCE)?;
        let signature = bits(parts.expect(BIT_STRING)?)?;
        parts.0.is_empty().then_some(Signed { message, algorithm, signature })
    }

    fn fields(&self) -> Option<&'a [u8]> {
        element(self.message).map(|(_, fields, _)| fields)
    }

    /// What the algorithm is called, or its number.
    pub(super) fn algorithm_name(&self) -> String {
        Elements(self.algorithm).expect(OID).map(oid_name).unwrap_or_default()
    }
}

/// Extensions one behind the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extensions<'a>(&'a [u8]);

/// One extension.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extension<'a> {
    oid: &'a [u8],
    pub(super) is_critical: bool,
    value: &'a [u8],
}

impl Extension<'_> {
    pub(super) fn name(&self) -> String {
        oid_name(self.oid)
    }
}

impl<'a> Extensions<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = Extension<'a>> {
        Elements(self.0).filter_map(|(_, extension)| {
            let mut parts = Elements(extension);
            let oid = parts.expect(OID)?;
            let is_critical = matches!(parts.optional(BOOLEAN), Some([value]) if *value != 0);
            Some(Extension { oid, is_critical, value: parts.expect(OCTET_STRING)? })
        })
    }

    /// Whether they are well formed and none is there twice.
    fn are_sound(self) -> bool {
        let count = Elements(self.0).count();
        let whole = Elements(self.0).rest().is_empty();
        let mut oids: Vec<&[u8]> = self.iter().map(|extension| extension.oid).collect();
        oids.sort_unstable();
        oids.dedup();
        whole && oids.len() == count
    }

    fn value(self, oid: &ObjectIdentifier) -> Option<&'a [u8]> {
        self.iter().find(|extension| extension.oid == oid.as_bytes()).map(|found| found.value)
    }

    /// What an extension says, if it is there.
    ///
    /// # Errors
    ///
    /// It does not have the form that it must have.
    pub(super) fn get<T>(self) -> Result<Option<T>, Error>
    where
        T: Decode<'a, Error = Error> + AssociatedOid,
    {
        self.value(&T::OID).map(T::from_der).transpose()
    }

    /// A critical extension that is not among these.
    pub(super) fn unknown_critical(self, known: &[ObjectIdentifier]) -> Option<Extension<'a>> {
        self.iter().find(|extension| {
            extension.is_critical && !known.iter().any(|known| known.as_bytes() == extension.oid)
        })
    }
}

/// Whether what is said of the signer's key fits this authority.
pub(super) fn identifies(
    identifier: Option<&AuthorityKeyIdentifier>,
    authority: &Certificate<'_>,
) -> bool {
    let Some(identifier) = identifier else { return true };
    if let (Some(wanted), Ok(Some(found))) =
        (&identifier.key_identifier, authority.subject_key_identifier())
        && wanted.as_bytes() != found.0.as_bytes()
    {
        return false;
    }
    if let Some(serial) = &identifier.authority_cert_serial_number
        && without_zeros(serial.as_bytes()) != without_zeros(authority.serial)
    {
        return false;
    }
    let Some(names) = &identifier.authority_cert_issuer else { return true };
    name::directory_names(names).next().is_none()
        || name::directory_names(names).any(|name| name.is(authority.issuer))
}

/// A number without what is only there for its sign.
fn without_zeros(number: &[u8]) -> &[u8] {
    let from = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    number.get(from..).unwrap_or_default()
}

/// What an object identifier stands for, or its numbers.
fn oid_name(oid: &[u8]) -> String {
    let Ok(oid) = ObjectIdentifier::from_bytes(oid) else { return "unreadable".to_owned() };
    let known = x509_cert::der::oid::db::DB.by_oid(&oid);
    known.map_or_else(|| oid.to_string(), str::to_owned)
}

/// The whole bytes of a bit string.
fn bits(contents: &[u8]) -> Option<&[u8]> {
    contents.split_first().and_then(|(unused, bits)| (*unused == 0).then_some(bits))
}

/// Elements one behind the other: tags and contents.
#[derive(Clone, Copy, Debug)]
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, contents, rest) = element(self.0)?;
        self.0 = rest;
        Some((tag, contents))
    }
}

impl<'a> Elements<'a> {
    /// The next one, which must have that tag.
    fn expect(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next().and_then(|(tag, contents)| (tag == wanted).then_some(contents))
    }

    /// The next one, if it has that tag.
    fn optional(&mut self, wanted: u8) -> Option<&'a [u8]> {
        let (tag, contents, rest) = element(self.0)?;
        (tag == wanted).then(|| {
            self.0 = rest;
            contents
        })
    }

    /// Seconds since 1970.
    fn time(&mut self) -> Option<i64> {
        let (tag, text) = self.next()?;
        seconds(tag, text)
    }

    /// What is no element any more.
    fn rest(mut self) -> &'a [u8] {
        while self.next().is_some() {}
        self.0
    }
}
