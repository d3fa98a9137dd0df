//! Certificates.

use x509_cert::der::Error;
use x509_cert::der::oid::{AssociatedOid, ObjectIdentifier};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
    NameConstraints, SubjectAltName, SubjectKeyIdentifier,
};

use super::{
    BIT_STRING, CONTEXT_0, CONTEXT_3, Elements, Extensions, INTEGER, Key, Name, OID, SEQUENCE,
    Signed, same_name,
};

/// A certificate taken apart. Nothing is checked but the form of what is here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certificate<'a> {
    pub(crate) der: &'a [u8],
    pub(crate) signed: Signed<'a>,
    /// Whether it is of version 1, without extensions.
    pub(crate) is_version_1: bool,
    pub(crate) serial: &'a [u8],
    pub(crate) issuer: Name<'a>,
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) subject: Name<'a>,
    /// The SubjectPublicKeyInfo, with its header.
    pub(crate) public_key: &'a [u8],
    pub(crate) extensions: Extensions<'a>,
}

/// What the critical extensions of a certificate may be: those that are heeded, and those that
/// change nothing for a server's certificate, as in OpenSSL.
const KNOWN: [ObjectIdentifier; 13] = [
    KeyUsage::OID,
    SubjectAltName::OID,
    BasicConstraints::OID,
    ExtendedKeyUsage::OID,
    NameConstraints::OID,
    CrlDistributionPoints::OID,
    SubjectKeyIdentifier::OID,
    AuthorityKeyIdentifier::OID,
    // Policies: there are none that a connection could ask for.
    ObjectIdentifier::new_unwrap("2.5.29.32"),
    ObjectIdentifier::new_unwrap("2.5.29.33"),
    ObjectIdentifier::new_unwrap("2.5.29.36"),
    ObjectIdentifier::new_unwrap("2.5.29.54"),
    NETSCAPE_TYPE,
];

/// What a certificate is for, from before there were extended key usages.
const NETSCAPE_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113730.1.1");

impl<'a> Certificate<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Option<Certificate<'a>> {
        let signed = Signed::parse(der)?;
        let mut fields = Elements(signed.fields()?);
        let is_version_1 = fields.optional(CONTEXT_0).is_none();
        let serial = fields.expect(INTEGER)?;
        if fields.expect(SEQUENCE)? != signed.algorithm {
            return None;
        }
        let issuer = Name(fields.expect(SEQUENCE)?);
        let mut validity = Elements(fields.expect(SEQUENCE)?);
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        let subject = Name(fields.expect(SEQUENCE)?);
        let from = fields.0;
        fields.expect(SEQUENCE)?;
        let public_key = from.get(..from.len() - fields.0.len())?;
        let mut extensions = Extensions::default();
        for (tag, contents) in fields.by_ref() {
            if tag == CONTEXT_3 {
                let mut inside = Elements(contents);
                extensions = Extensions(inside.expect(SEQUENCE)?);
                if !inside.0.is_empty() {
                    return None;
                }
            }
        }
        (fields.0.is_empty() && extensions.are_sound()).then_some(Certificate {
            der,
            signed,
            is_version_1,
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            public_key,
            extensions,
        })
    }

    pub(crate) fn key(&self) -> Option<Key<'a>> {
        Key::parse(self.public_key)
    }

    /// Whether subject and issuer are one.
    pub(crate) fn is_self_issued(&self) -> bool {
        same_name(self.subject, self.issuer)
    }

    /// The first common name of the subject.
    pub(crate) fn common_name(&self) -> Option<&'a [u8]> {
        self.subject.common_names().next()
    }

    /// The subject's alternative names, each with its tag: 0x82 for host names, 0x87 for addresses.
    ///
    /// # Errors
    ///
    /// They are not a list of names.
    pub(crate) fn alternative_names(&self) -> Result<Vec<(u8, &'a [u8])>, Unreadable> {
        let Some(value) = self.extensions.value(&SubjectAltName::OID) else {
            return Ok(Vec::new());
        };
        let mut outside = Elements(value);
        let names = outside.expect(SEQUENCE).filter(|_| outside.0.is_empty()).ok_or(Unreadable)?;
        let mut names = Elements(names);
        let found = names.by_ref().collect();
        if names.0.is_empty() { Ok(found) } else { Err(Unreadable) }
    }

    pub(crate) fn basic_constraints(&self) -> Result<Option<BasicConstraints>, Error> {
        self.extensions.get()
    }

    pub(crate) fn key_usage(&self) -> Result<Option<KeyUsage>, Error> {
        self.extensions.get()
    }

    /// Whether Netscape's type of it, where it has one, is a server's.
    pub(crate) fn netscape_type_is_server(&self) -> bool {
        match self.extensions.value(&NETSCAPE_TYPE) {
            None => true,
            Some(value) => matches!(
                Elements(value).expect(BIT_STRING), Some([_, types, ..]) if types & 0x40 != 0
            ),
        }
    }

    pub(crate) fn purposes(&self) -> Result<Option<ExtendedKeyUsage>, Error> {
        self.extensions.get()
    }

    pub(crate) fn name_constraints(&self) -> Result<Option<NameConstraints>, Error> {
        self.extensions.get()
    }

    pub(crate) fn distribution_points(&self) -> Result<Option<CrlDistributionPoints>, Error> {
        self.extensions.get()
    }

    pub(crate) fn authority_key_identifier(&self) -> Result<Option<AuthorityKeyIdentifier>, Error> {
        self.extensions.get()
    }

    pub(super) fn subject_key_identifier(&self) -> Result<Option<SubjectKeyIdentifier>, Error> {
        self.extensions.get()
    }

    /// A critical extension that nothing here heeds.
    pub(crate) fn unknown_critical(&self) -> Option<String> {
        self.extensions.unknown_critical(&KNOWN).map(|extension| extension.name())
    }

    /// The hash function of the signature under the certificate, as RFC 5929 wants it for the
    /// channel binding `tls-server-end-point`: SHA-256 in place of those that are too weak.
    pub(crate) fn signature_hash(&self) -> Option<Hash> {
        let mut algorithm = Elements(self.signed.algorithm);
        match algorithm.expect(OID)? {
            // md5, sha1 and sha256WithRSAEncryption; ecdsa-with-SHA1 and -SHA256
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 | 5 | 11]
            | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]
            | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => Some(Hash::Sha256),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12]
            | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => Some(Hash::Sha384),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13]
            | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => Some(Hash::Sha512),
            // RSASSA-PSS, whose parameters name the hash; SHA-1 unless they do.
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10] => {
                let mut parameters = Elements(algorithm.expect(SEQUENCE)?);
                let Some(hash) = parameters.optional(CONTEXT_0) else { return Some(Hash::Sha256) };
                match Elements(Elements(hash).expect(SEQUENCE)?).expect(OID)? {
                    [0x2b, 14, 3, 2, 26] | [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => {
                        Some(Hash::Sha256)
                    }
                    [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Some(Hash::Sha384),
                    [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Some(Hash::Sha512),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// An extension does not have the form that it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// A hash function that the channel binding may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}
