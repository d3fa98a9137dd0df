//! What rustls does not tell of a certificate: from when until when it is valid, and the key of one
//! that is too old for it.
//!
//! Source: RFC 5280, section 4.1; DER as in ITU-T X.690.

const SEQUENCE: u8 = 0x30;
/// The tag in front of a version; version 1 leaves it out.
const VERSION: u8 = 0xa0;

/// Seconds since 1970 of a certificate's notBefore and notAfter.
pub(super) fn validity(certificate: &[u8]) -> Option<(u64, u64)> {
    let (SEQUENCE, validity, _) = element(from_validity(certificate)?)? else { return None };
    let (tag, not_before, rest) = element(validity)?;
    let not_before = seconds(tag, not_before)?;
    let (tag, not_after, _) = element(rest)?;
    Some((not_before, seconds(tag, not_after)?))
}

/// A certificate's SubjectPublicKeyInfo, with its header.
pub(super) fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    // validity, subject
    let rest = element(element(from_validity(certificate)?)?.2)?.2;
    let (SEQUENCE, _, after) = element(rest)? else { return None };
    rest.get(..rest.len() - after.len())
}

/// The hash function of the signature under a certificate, as RFC 5929 wants it for the channel
/// binding `tls-server-end-point`: SHA-256 in place of those that are too weak.
pub(super) fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let fields = element(element(certificate)?.1)?.1;
    let rest = match element(fields)? {
        (VERSION, _, after) => after,
        _ => fields,
    };
    // serialNumber
    let (SEQUENCE, algorithm, _) = element(element(rest)?.2)? else { return None };
    const OID: u8 = 6;
    let (OID, oid, _) = element(algorithm)? else { return None };
    match oid {
        // md5, sha1 and sha256WithRSAEncryption; ecdsa-with-SHA1 and -SHA256
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 | 5 | 11]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => Some(Hash::Sha256),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => Some(Hash::Sha384),
        _ => None,
    }
}

/// A hash function that the channel binding may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

/// Whether a certificate is of version 1, without extensions.
pub(super) fn is_version_1(certificate: &[u8]) -> bool {
    let fields = || element(element(certificate)?.1);
    let first = || element(fields()?.1);
    first().is_some_and(|(tag, _, _)| tag != VERSION)
}

/// The fields of a certificate from its validity on.
fn from_validity(certificate: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, certificate, _) = element(certificate)? else { return None };
    let (SEQUENCE, mut rest, _) = element(certificate)? else { return None };
    if let (VERSION, _, after) = element(rest)? {
        rest = after;
    }
    // serialNumber, signature, issuer
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    Some(rest)
}

/// Tag, contents, and what follows.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        if !(1..=3).contains(&count) {
            return None;
        }
        let (bytes, after) = rest.split_at_checked(count)?;
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = after;
    }
    let (contents, after) = rest.split_at_checked(length)?;
    Some((tag, contents, after))
}

/// A UTCTime `YYMMDDHHMMSSZ` or a GeneralizedTime `YYYYMMDDHHMMSSZ`.
fn seconds(tag: u8, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match tag {
        0x17 => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: u64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        0x18 => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let part = |at: usize| rest.get(at..at + 2).and_then(|digits| digits.parse::<u64>().ok());
    let (month, day) = (part(0)?, part(2)?);
    let (hour, minute, second) = (part(4)?, part(6)?, part(8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days since 1970-01-01 in the Gregorian calendar, for years from 1970.
fn days(year: u64, month: u64, day: u64) -> u64 {
    // Counted from March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_seconds() {
        assert_eq!(seconds(0x17, b"700101000000Z"), Some(0));
        assert_eq!(seconds(0x17, b"240229123456Z"), Some(1_709_210_096));
        assert_eq!(seconds(0x18, b"20500101000000Z"), Some(2_524_608_000));
        assert_eq!(seconds(0x17, b"491231235959Z"), Some(2_524_607_999));
        for wrong in [&b"2402291234Z"[..], b"240229123456", b"24022912345xZ", b"241329123456Z"] {
            assert_eq!(seconds(0x17, wrong), None);
        }
    }

    #[test]
    fn reads_a_certificate_and_survives_its_pieces() {
        use rcgen::PublicKeyData;
        let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2051, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        assert_eq!(validity(&der), Some((1_709_164_800, 2_556_144_000)));
        assert_eq!(public_key(&der), Some(&*key.subject_public_key_info()));
        assert_eq!(signature_hash(&der), Some(Hash::Sha256));
        assert!(!is_version_1(&der) && !is_version_1(&[]));
        for end in 0..der.len() {
            assert_eq!(validity(&der[..end]), None);
            assert_eq!(public_key(&der[..end]), None);
        }
        for at in 0..der.len().min(200) {
            let mut changed = der.clone();
            changed[at] ^= 0xff;
            let _ = (validity(&changed), public_key(&changed), signature_hash(&changed));
        }
    }
}
