//! The signatures that can be checked: *ring*'s, and those of elliptic curves that it lacks and
//! OpenSSL takes: P-521, and P-256 and P-384 with SHA-512.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::{Digest, Sha256, Sha384, Sha512};

#[cfg(test)]
use crate::net::x509::Certificate;
use crate::net::x509::{Hash, Key, KeyKind, Signed};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

#[derive(Debug)]
struct Ecdsa {
    curve: Curve,
    hash: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
}

const P256_SHA512: Algorithm = &Ecdsa { curve: Curve::P256, hash: Hash::Sha512 };
const P384_SHA512: Algorithm = &Ecdsa { curve: Curve::P384, hash: Hash::Sha512 };
const P521_SHA256: Algorithm = &Ecdsa { curve: Curve::P521, hash: Hash::Sha256 };
const P521_SHA384: Algorithm = &Ecdsa { curve: Curve::P521, hash: Hash::Sha384 };
const P521_SHA512: Algorithm = &Ecdsa { curve: Curve::P521, hash: Hash::Sha512 };

const MORE: [Algorithm; 5] = [P256_SHA512, P384_SHA512, P521_SHA256, P521_SHA384, P521_SHA512];

/// As in rustls' own table: TLS 1.3 means the first, TLS 1.2 any curve.
const MORE_SCHEMES: [(SignatureScheme, &[Algorithm]); 3] = [
    (SignatureScheme::ECDSA_NISTP521_SHA512, &[P521_SHA512, P384_SHA512, P256_SHA512]),
    (SignatureScheme::ECDSA_NISTP384_SHA384, &[P521_SHA384]),
    (SignatureScheme::ECDSA_NISTP256_SHA256, &[P521_SHA256]),
];

impl SignatureVerificationAlgorithm for Ecdsa {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.curve {
            Curve::P256 => alg_id::ECDSA_P256,
            Curve::P384 => alg_id::ECDSA_P384,
            Curve::P521 => alg_id::ECDSA_P521,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        match self.hash {
            Hash::Sha256 => alg_id::ECDSA_SHA256,
            Hash::Sha384 => alg_id::ECDSA_SHA384,
            Hash::Sha512 => alg_id::ECDSA_SHA512,
        }
    }

    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let mut digest = match self.hash {
            Hash::Sha256 => Sha256::digest(message).to_vec(),
            Hash::Sha384 => Sha384::digest(message).to_vec(),
            Hash::Sha512 => Sha512::digest(message).to_vec(),
        };
        macro_rules! verify {
            ($curve:ident) => {
                $curve::ecdsa::VerifyingKey::from_sec1_bytes(key).and_then(|key| {
                    let signature = $curve::ecdsa::DerSignature::from_bytes(signature)?;
                    key.verify_prehash(&digest, &signature)
                })
            };
        }
        let verified = match self.curve {
            Curve::P256 => verify!(p256),
            Curve::P384 => verify!(p384),
            Curve::P521 => {
                // A hash is a number. The crate wants more than half of the digits that the curve has.
                let missing = 66 - digest.len();
                digest.splice(..0, std::iter::repeat_n(0, missing));
                verify!(p521)
            }
        };
        verified.map_err(|_| InvalidSignature)
    }
}

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignatureError {
    Wrong,
    /// The key that should have made it cannot be used.
    Key(KeyKind),
    /// The algorithm is too weak, or not known here.
    Algorithm(String),
}

/// Checks the signature of a certificate or a revocation list.
///
/// # Errors
///
/// Why it does not count.
pub(super) fn check(signed: &Signed<'_>, key: Option<Key<'_>>) -> Result<(), SignatureError> {
    let key = usable(key)?;
    let provided = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
    let mut is_known = false;
    for algorithm in provided.iter().chain(&MORE) {
        if algorithm.signature_alg_id().as_ref() != signed.algorithm {
            continue;
        }
        is_known = true;
        if algorithm.public_key_alg_id().as_ref() == key.algorithm {
            let verified = algorithm.verify_signature(key.bits, signed.message, signed.signature);
            return verified.map_err(|_| SignatureError::Wrong);
        }
    }
    // A known algorithm of another kind of key: not this key has signed.
    Err(if is_known {
        SignatureError::Wrong
    } else {
        SignatureError::Algorithm(signed.algorithm_name())
    })
}

/// Checks a signature in the TLS handshake.
///
/// # Errors
///
/// Why it does not count.
pub(super) fn check_handshake(
    provided: &WebPkiSupportedAlgorithms,
    scheme: SignatureScheme,
    is_tls13: bool,
    key: Option<Key<'_>>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let key = usable(key)?;
    // TLS 1.3 has no such signatures, though certificates may have.
    if is_tls13 && is_pkcs1(scheme) {
        return Err(SignatureError::Wrong);
    }
    let candidates = provided.mapping.iter().chain(&MORE_SCHEMES);
    let candidates = candidates.filter(|(known, _)| *known == scheme).flat_map(|(_, all)| *all);
    let count = if is_tls13 { 1 } else { usize::MAX };
    let right = candidates
        .take(count)
        .find(|algorithm| algorithm.public_key_alg_id().as_ref() == key.algorithm)
        .ok_or(SignatureError::Wrong)?;
    right.verify_signature(key.bits, message, signature).map_err(|_| SignatureError::Wrong)
}

fn is_pkcs1(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::RSA_PKCS1_SHA256
            | SignatureScheme::RSA_PKCS1_SHA384
            | SignatureScheme::RSA_PKCS1_SHA512
    )
}

fn usable(key: Option<Key<'_>>) -> Result<Key<'_>, SignatureError> {
    let key = key.ok_or_else(|| SignatureError::Key(KeyKind::Unknown("unreadable".to_owned())))?;
    match key.kind() {
        KeyKind::Good => Ok(key),
        other => Err(SignatureError::Key(other)),
    }
}

/// What servers may sign with. Ed448 comes last: a server that has nothing else shows its
/// certificate then, and can be told why that is no use.
pub(super) fn schemes(provided: &WebPkiSupportedAlgorithms) -> Vec<SignatureScheme> {
    let mut schemes = provided.supported_schemes();
    schemes.extend([SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ED448]);
    schemes
}

/// Whether the authority's key has signed.
#[cfg(test)]
pub(in super::super) fn is_signed_by(signed: &Signed<'_>, authority: &Certificate<'_>) -> bool {
    check(signed, authority.key()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys from fixed numbers, and what they sign.
    #[test]
    fn checks_what_ring_does_not() {
        let message = b"pesan";
        macro_rules! signed {
            ($curve:ident, $size:literal, $digest:expr) => {{
                let mut digest = $digest;
                if digest.len() < $size / 2 + 1 {
                    digest.splice(..0, vec![0; $size - digest.len()]);
                }
                let mut number = [7; $size];
                number[0] = 0;
                let key = $curve::ecdsa::SigningKey::from_slice(&number).unwrap();
                let signature: $curve::ecdsa::DerSignature =
                    p256::ecdsa::signature::hazmat::PrehashSigner::sign_prehash(&key, &digest)
                        .unwrap();
                let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                (public, signature.as_bytes().to_vec())
            }};
        }
        let sha512 = Sha512::digest(message).to_vec();
        let sha384 = Sha384::digest(message).to_vec();
        let sha256 = Sha256::digest(message).to_vec();
        let cases = [
            (P256_SHA512, signed!(p256, 32, sha512.clone())),
            (P384_SHA512, signed!(p384, 48, sha512.clone())),
            (P521_SHA512, signed!(p521, 66, sha512)),
            (P521_SHA384, signed!(p521, 66, sha384)),
            (P521_SHA256, signed!(p521, 66, sha256)),
        ];
        for (at, (algorithm, (key, signature))) in cases.iter().enumerate() {
            assert!(algorithm.verify_signature(key, message, signature).is_ok(), "{at}");
            assert!(algorithm.verify_signature(key, b"lain", signature).is_err(), "{at}");
            assert!(algorithm.verify_signature(key, message, &[]).is_err(), "{at}");
            assert!(algorithm.verify_signature(&[], message, signature).is_err(), "{at}");
            for (other, (algorithm, _)) in cases.iter().enumerate() {
                let verified = algorithm.verify_signature(key, message, signature);
                assert_eq!(verified.is_ok(), at == other, "{at} {other}");
            }
            for cut in 0..signature.len() {
                assert!(algorithm.verify_signature(key, message, &signature[..cut]).is_err());
                let mut changed = signature.clone();
                changed[cut] ^= 1;
                assert!(algorithm.verify_signature(key, message, &changed).is_err());
            }
        }
    }
}
