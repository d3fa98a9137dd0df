//! What rustls does not tell of a certificate: its validity, names and serial number, and the key of
//! one that is too old for it; and revocation lists as far as libpq's users have them.
//!
//! Source: RFC 5280, sections 4.1 and 5.1; DER as in ITU-T X.690.

use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::der::{GENERALIZED_TIME, UTC_TIME, element, seconds};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const BOOLEAN: u8 = 0x01;
/// The tag in front of a version; version 1 leaves it out. Also that of a list's extensions.
const CONTEXT_0: u8 = 0xa0;
/// The tag in front of a certificate's extensions.
const CONTEXT_3: u8 = 0xa3;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 29, 17];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 29, 37];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const ANY_USAGE: &[u8] = &[0x55, 29, 37, 0];

/// A certificate taken apart. Nothing is checked but the form of what is here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certificate<'a> {
    signed: Signed<'a>,
    /// Whether it is of version 1, without extensions.
    pub(super) is_version_1: bool,
    pub(super) serial: &'a [u8],
    /// The contents of the name.
    pub(super) issuer: &'a [u8],
    /// Seconds since 1970.
    pub(super) not_before: u64,
    pub(super) not_after: u64,
    subject: &'a [u8],
    /// The SubjectPublicKeyInfo, with its header.
    pub(super) public_key: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Certificate<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Option<Certificate<'a>> {
        let signed = Signed::parse(der)?;
        let mut fields = Elements(signed.fields()?);
        let is_version_1 = fields.optional(CONTEXT_0).is_none();
        let serial = fields.expect(INTEGER)?;
        if fields.expect(SEQUENCE)? != signed.algorithm {
            return None;
        }
        let issuer = fields.expect(SEQUENCE)?;
        let mut validity = Elements(fields.expect(SEQUENCE)?);
        let (not_before, not_after) = (validity.time()?, validity.time()?);
        let subject = fields.expect(SEQUENCE)?;
        let from = fields.0;
        fields.expect(SEQUENCE)?;
        let public_key = from.get(..from.len() - fields.0.len())?;
        let mut extensions: &[u8] = &[];
        for (tag, contents) in fields {
            if tag == CONTEXT_3 {
                extensions = Elements(contents).expect(SEQUENCE)?;
            }
        }
        Some(Certificate {
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

    /// Whether the key in this SubjectPublicKeyInfo (its contents) has signed the certificate.
    pub(super) fn is_signed_by(&self, key: &[u8], algorithms: &WebPkiSupportedAlgorithms) -> bool {
        self.signed.is_signed_by(key, algorithms)
    }

    /// The first common name of the subject.
    pub(super) fn common_name(&self) -> Option<&'a [u8]> {
        Elements(self.subject).find_map(|(_, set)| {
            Elements(set).find_map(|(_, attribute)| {
                let mut parts = Elements(attribute);
                (parts.expect(OID)? == COMMON_NAME).then(|| parts.next())?.map(|(_, text)| text)
            })
        })
    }

    /// The subject's alternative names, each with its tag: 0x82 for host names, 0x87 for addresses.
    pub(super) fn alternative_names(&self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let names = self.extension(SUBJECT_ALT_NAME);
        Elements(names.and_then(|names| Elements(names).expect(SEQUENCE)).unwrap_or_default())
    }

    /// Whether it may be used by a server: it says so, or says nothing of its use.
    pub(super) fn is_for_servers(&self) -> bool {
        let Some(usages) = self.extension(EXTENDED_KEY_USAGE) else { return true };
        let usages = Elements(usages).expect(SEQUENCE).unwrap_or_default();
        Elements(usages).any(|(_, usage)| usage == SERVER_AUTH || usage == ANY_USAGE)
    }

    fn extension(&self, wanted: &[u8]) -> Option<&'a [u8]> {
        Elements(self.extensions).find_map(|(_, extension)| {
            let mut parts = Elements(extension);
            let id = parts.expect(OID)?;
            parts.optional(BOOLEAN);
            (id == wanted).then(|| parts.expect(OCTET_STRING))?
        })
    }

    /// The hash function of the signature under the certificate, as RFC 5929 wants it for the
    /// channel binding `tls-server-end-point`: SHA-256 in place of those that are too weak.
    pub(super) fn signature_hash(&self) -> Option<Hash> {
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

/// A hash function that the channel binding may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// A revocation list taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevocationList<'a> {
    signed: Signed<'a>,
    /// The contents of the name.
    pub(super) issuer: &'a [u8],
    /// Seconds since 1970.
    pub(super) this_update: u64,
    pub(super) next_update: Option<u64>,
    revoked: &'a [u8],
    /// It, or one of its entries, has an extension that changes its meaning in a way that is not
    /// known here, such as that it lists part of the certificates only.
    pub(super) has_unknown_meaning: bool,
}

impl<'a> RevocationList<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Option<RevocationList<'a>> {
        let signed = Signed::parse(der)?;
        let mut fields = Elements(signed.fields()?);
        // Of version 1, which `openssl ca -gencrl` makes, it has no number.
        fields.optional(INTEGER);
        if fields.expect(SEQUENCE)? != signed.algorithm {
            return None;
        }
        let issuer = fields.expect(SEQUENCE)?;
        let this_update = fields.time()?;
        let next_update = match { fields }.next() {
            Some((UTC_TIME | GENERALIZED_TIME, _)) => Some(fields.time()?),
            _ => None,
        };
        let revoked = fields.optional(SEQUENCE).unwrap_or_default();
        let extensions = fields.optional(CONTEXT_0).unwrap_or_default();
        let extensions = Elements(extensions).optional(SEQUENCE).unwrap_or_default();
        let mut has_unknown_meaning = has_critical(extensions);
        let mut entries = Elements(revoked);
        for (tag, entry) in entries.by_ref() {
            let mut entry = Elements(entry);
            if tag != SEQUENCE {
                return None;
            }
            entry.expect(INTEGER)?;
            entry.time()?;
            has_unknown_meaning |= has_critical(entry.optional(SEQUENCE).unwrap_or_default());
        }
        let whole = entries.0.is_empty() && fields.0.is_empty();
        whole.then_some(RevocationList {
            signed,
            issuer,
            this_update,
            next_update,
            revoked,
            has_unknown_meaning,
        })
    }

    /// Whether the key in this SubjectPublicKeyInfo (its contents) has signed the list.
    pub(super) fn is_signed_by(&self, key: &[u8], algorithms: &WebPkiSupportedAlgorithms) -> bool {
        self.signed.is_signed_by(key, algorithms)
    }

    /// Whether it lists the certificate with this serial number.
    pub(super) fn lists(&self, serial: &[u8]) -> bool {
        let wanted = without_zeros(serial);
        Elements(self.revoked)
            .any(|(_, entry)| Elements(entry).expect(INTEGER).map(without_zeros) == Some(wanted))
    }
}

/// A number without what is only there for its sign.
fn without_zeros(number: &[u8]) -> &[u8] {
    let from = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    number.get(from..).unwrap_or_default()
}

/// Whether one of the extensions must be understood.
fn has_critical(extensions: &[u8]) -> bool {
    Elements(extensions).any(|(_, extension)| {
        let mut parts = Elements(extension);
        parts.next();
        matches!(parts.optional(BOOLEAN), Some([value]) if *value != 0)
    })
}

/// What is signed, and the signature: the form that certificates and revocation lists share.
#[derive(Clone, Copy, Debug)]
struct Signed<'a> {
    /// With its header.
    message: &'a [u8],
    /// The contents of the AlgorithmIdentifier.
    algorithm: &'a [u8],
    signature: &'a [u8],
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

    fn is_signed_by(&self, key: &[u8], algorithms: &WebPkiSupportedAlgorithms) -> bool {
        let mut parts = Elements(key);
        let (Some(kind), Some(key)) =
            (parts.expect(SEQUENCE), parts.expect(BIT_STRING).and_then(bits))
        else {
            return false;
        };
        algorithms.all.iter().any(|algorithm| {
            algorithm.signature_alg_id().as_ref() == self.algorithm
                && algorithm.public_key_alg_id().as_ref() == kind
                && algorithm.verify_signature(key, self.message, self.signature).is_ok()
        })
    }
}

/// The algorithm (its contents) and the bits of a key in its SubjectPublicKeyInfo with header.
pub(super) fn key_of(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = Elements(Elements(info).expect(SEQUENCE)?);
    Some((parts.expect(SEQUENCE)?, bits(parts.expect(BIT_STRING)?)?))
}

/// The contents of an element.
pub(super) fn contents(der: &[u8]) -> Option<&[u8]> {
    element(der).map(|(_, contents, _)| contents)
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

    fn time(&mut self) -> Option<u64> {
        let (tag, text) = self.next()?;
        u64::try_from(seconds(tag, text)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(params: &rcgen::CertificateParams) -> (Vec<u8>, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().der().to_vec(), key)
    }

    #[test]
    fn reads_a_certificate_and_survives_its_pieces() {
        use rcgen::PublicKeyData;
        let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2051, 1, 1);
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "o");
        params.distinguished_name.push(rcgen::DnType::CommonName, "c.example");
        params.serial_number = Some(vec![0x81, 2].into());
        let (der, key) = certificate(&params);
        let read = Certificate::parse(&der).unwrap();
        assert_eq!((read.not_before, read.not_after), (1_709_164_800, 2_556_144_000));
        assert_eq!(read.public_key, &*key.subject_public_key_info());
        assert_eq!(read.signature_hash(), Some(Hash::Sha256));
        assert!(!read.is_version_1 && read.is_for_servers());
        assert_eq!(read.serial, [0, 0x81, 2]);
        let names: Vec<_> = read.alternative_names().collect();
        assert_eq!(names, [(0x82, &b"a.example"[..])]);
        assert_eq!(read.common_name(), Some(&b"c.example"[..]));
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        let contents = element(read.public_key).unwrap().1;
        assert!(read.is_signed_by(contents, &algorithms));
        let (_, other) = certificate(&params);
        let other = other.subject_public_key_info();
        assert!(!read.is_signed_by(element(&other).unwrap().1, &algorithms));
        for end in 0..der.len() {
            assert!(Certificate::parse(&der[..end]).is_none());
        }
        for at in 0..der.len() {
            for with in [0x00, 0x01, 0x80, 0xff] {
                let mut changed = der.clone();
                changed[at] ^= with;
                if let Some(read) = Certificate::parse(&changed) {
                    let _ = (read.common_name(), read.alternative_names().count());
                    assert!(changed == der || !read.is_signed_by(contents, &algorithms));
                }
            }
        }
    }

    #[test]
    fn tells_what_a_certificate_is_for() {
        use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        for (usages, wanted) in
            [(vec![], true), (vec![ClientAuth], false), (vec![ClientAuth, ServerAuth], true)]
        {
            let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.extended_key_usages = usages;
            let (der, _) = certificate(&params);
            assert_eq!(Certificate::parse(&der).unwrap().is_for_servers(), wanted);
        }
    }

    #[test]
    fn reads_a_list_and_survives_its_pieces() {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign];
        let (authority, key) = certificate(&params);
        let authority = Certificate::parse(&authority).unwrap();
        let revoked = |serial: &[u8]| rcgen::RevokedCertParams {
            serial_number: serial.to_vec().into(),
            revocation_time: rcgen::date_time_ymd(2024, 1, 1),
            reason_code: Some(rcgen::RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2024, 2, 29),
            next_update: rcgen::date_time_ymd(2051, 1, 1),
            crl_number: vec![1].into(),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked(&[7]), revoked(&[0x81, 2])],
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        let issuer = rcgen::Issuer::from_params(&params, &key);
        let der = list.signed_by(&issuer).unwrap().der().to_vec();
        let read = RevocationList::parse(&der).unwrap();
        assert_eq!((read.this_update, read.next_update), (1_709_164_800, Some(2_556_144_000)));
        assert_eq!(read.issuer, authority.issuer);
        assert!(!read.has_unknown_meaning);
        assert!(read.lists(&[7]) && read.lists(&[0, 0x81, 2]));
        assert!(!read.lists(&[8]) && !read.lists(&[]) && !read.lists(&[7, 7]));
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        assert!(read.is_signed_by(element(authority.public_key).unwrap().1, &algorithms));
        for end in 0..der.len() {
            assert!(RevocationList::parse(&der[..end]).is_none());
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0xff;
            if let Some(read) = RevocationList::parse(&changed) {
                assert!(!read.is_signed_by(element(authority.public_key).unwrap().1, &algorithms));
            }
        }
    }

    /// What `openssl ca -gencrl` makes unless its settings say otherwise.
    #[test]
    fn reads_lists_of_version_1() {
        let name = "300d310b300906035504030c0263 61".replace(' ', "");
        let algorithm = "300a06082a8648ce3d040302";
        let entry = "30120201 07170d3234303130313030303030305a".replace(' ', "");
        let fields = format!("{algorithm}{name}170d3234303232393030303030305a3014{entry}");
        let wrapped = |contents: &str| format!("30{:02x}{contents}", contents.len() / 2);
        let list = wrapped(&format!("{}{algorithm}0304003000ff", wrapped(&fields)));
        let der = |list: &str| -> Vec<u8> {
            let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
            list.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
        };
        let bytes = der(&list);
        let read = RevocationList::parse(&bytes).unwrap();
        assert_eq!((read.this_update, read.next_update), (1_709_164_800, None));
        assert!(read.lists(&[7]) && !read.lists(&[8]));
        // Critical: this list is about some of the certificates only.
        let partial = "a011300f300d0603551d1c0101ff04033001ff";
        let list =
            wrapped(&format!("{}{algorithm}0304003000ff", wrapped(&format!("{fields}{partial}"))));
        let bytes = der(&list);
        assert!(RevocationList::parse(&bytes).unwrap().has_unknown_meaning);
    }
}
