//! Certificates.

use x509_cert::der::asn1::BitStringRef;
use x509_cert::der::oid::db::{rfc5280, rfc5912};
use x509_cert::der::oid::{AssociatedOid, ObjectIdentifier};
use x509_cert::der::{Decode, Error};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
    NameConstraints, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::extensions::Extensions;
use super::general_names::{AlternativeName, alternative_names};
use super::key::Key;
use super::name::{Name, directory_names, same_name};
use super::reading::{
    CONTEXT_0, CONTEXT_3, Elements, INTEGER, OBJECT_IDENTIFIER, Result, SEQUENCE, only,
    without_zeros,
};
use super::signed::Signed;
use super::time::time;

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

/// What the critical extensions of a certificate may be: those that are applied, and those that
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
    rfc5280::ID_CE_CERTIFICATE_POLICIES,
    rfc5280::ID_CE_POLICY_MAPPINGS,
    rfc5280::ID_CE_POLICY_CONSTRAINTS,
    rfc5280::ID_CE_INHIBIT_ANY_POLICY,
    NETSCAPE_TYPE,
];

/// What a certificate is for, from before there were extended key usages.
const NETSCAPE_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113730.1.1");
/// Which is not in the table of numbers.
const ECDSA_WITH_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
/// The bit of Netscape's type that stands for servers.
const NETSCAPE_SERVER: usize = 1;

impl<'a> Certificate<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Option<Certificate<'a>> {
        Certificate::read(der).ok()
    }

    fn read(der: &'a [u8]) -> Result<Certificate<'a>> {
        let signed = Signed::parse(der)?;
        let mut fields = signed.fields()?;
        let is_version_1 = fields.optional(CONTEXT_0).is_none();
        let serial = fields.expect(INTEGER)?;
        signed.check_algorithm(&mut fields)?;
        let issuer = Name(fields.expect(SEQUENCE)?);
        let mut dates = Elements(fields.expect(SEQUENCE)?);
        let (not_before, not_after) = (time(dates.element()?)?, time(dates.element()?)?);
        let subject = Name(fields.expect(SEQUENCE)?);
        let public_key = fields.element()?;
        public_key.expect(SEQUENCE)?;
        let mut extensions = Extensions::default();
        for field in fields {
            let field = field?;
            if field.tag == CONTEXT_3 {
                extensions = Extensions::parse(only(field.contents, SEQUENCE)?)?;
            }
        }
        Ok(Certificate {
            der,
            signed,
            is_version_1,
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            public_key: public_key.bytes,
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

    /// The subject's alternative names.
    ///
    /// # Errors
    ///
    /// They are not a list of names.
    pub(crate) fn alternative_names(&self) -> Result<Vec<AlternativeName<'a>>> {
        self.extensions
            .value(&SubjectAltName::OID)
            .map_or_else(|| Ok(Vec::new()), alternative_names)
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
            Some(value) => BitStringRef::from_der(value)
                .is_ok_and(|types| types.get(NETSCAPE_SERVER) == Some(true)),
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

    fn subject_key_identifier(&self) -> Result<Option<SubjectKeyIdentifier>, Error> {
        self.extensions.get()
    }

    /// A critical extension that is not known here.
    pub(crate) fn unknown_critical(&self) -> Option<String> {
        self.extensions.unknown_critical(&KNOWN).map(|extension| extension.name())
    }

    /// The hash function of the signature under the certificate, as RFC 5929 wants it for the
    /// channel binding `tls-server-end-point`: SHA-256 in place of those that are too weak.
    pub(crate) fn signature_hash(&self) -> Option<Hash> {
        let mut algorithm = Elements(self.signed.algorithm);
        let oid = algorithm.expect(OBJECT_IDENTIFIER).ok()?;
        Some(match ObjectIdentifier::from_bytes(oid).ok()? {
            rfc5912::MD_5_WITH_RSA_ENCRYPTION
            | rfc5912::SHA_1_WITH_RSA_ENCRYPTION
            | rfc5912::SHA_256_WITH_RSA_ENCRYPTION
            | ECDSA_WITH_SHA_1
            | rfc5912::ECDSA_WITH_SHA_256 => Hash::Sha256,
            rfc5912::SHA_384_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_384 => Hash::Sha384,
            rfc5912::SHA_512_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_512 => Hash::Sha512,
            // Its parameters name the hash function; SHA-1 unless they do.
            rfc5912::ID_RSASSA_PSS => {
                let mut parameters = Elements(algorithm.expect(SEQUENCE).ok()?);
                let Some(hash) = parameters.optional(CONTEXT_0) else { return Some(Hash::Sha256) };
                match AlgorithmIdentifierRef::from_der(hash).ok()?.oid {
                    rfc5912::ID_SHA_1 | rfc5912::ID_SHA_256 => Hash::Sha256,
                    rfc5912::ID_SHA_384 => Hash::Sha384,
                    rfc5912::ID_SHA_512 => Hash::Sha512,
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    /// Whether what somebody says of his signer's key fits this certificate's.
    pub(crate) fn is_identified_by(&self, identifier: Option<&AuthorityKeyIdentifier>) -> bool {
        let Some(identifier) = identifier else { return true };
        if let (Some(wanted), Ok(Some(found))) =
            (&identifier.key_identifier, self.subject_key_identifier())
            && wanted.as_bytes() != found.0.as_bytes()
        {
            return false;
        }
        if let Some(serial) = &identifier.authority_cert_serial_number
            && without_zeros(serial.as_bytes()) != without_zeros(self.serial)
        {
            return false;
        }
        let Some(names) = &identifier.authority_cert_issuer else { return true };
        directory_names(names).next().is_none()
            || directory_names(names).any(|name| name.is(self.issuer))
    }
}

/// A hash function that the channel binding may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}
