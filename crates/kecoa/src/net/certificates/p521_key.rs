//! A client's key on P-521, with which *ring* does not sign.
//!
//! Signatures are made without randomness of their own (RFC 6979), so none can be made badly.

use std::fmt;
use std::sync::Arc;

use p521::SecretKey;
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{DerSignature, SigningKey as Key};
use p521::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

#[derive(Clone)]
pub(super) struct P521Key(Arc<Key>);

impl fmt::Debug for P521Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("P521Key").finish_non_exhaustive()
    }
}

impl P521Key {
    /// Reads a key; nothing where it is of another kind.
    pub(super) fn parse(key: &PrivateKeyDer<'_>) -> Option<P521Key> {
        let key = match key {
            PrivateKeyDer::Pkcs8(key) => SecretKey::from_pkcs8_der(key.secret_pkcs8_der()).ok()?,
            PrivateKeyDer::Sec1(key) => SecretKey::from_sec1_der(key.secret_sec1_der()).ok()?,
            _ => return None,
        };
        Some(P521Key(Arc::new(Key::from(key))))
    }
}

impl SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        let key = p521::PublicKey::from(self.0.verifying_key());
        key.to_public_key_der().ok().map(|der| der.into_vec().into())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: Result<DerSignature, _> = self.0.try_sign(message);
        let signature =
            signature.map_err(|_| rustls::Error::General("signing failed".to_owned()))?;
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

#[cfg(test)]
mod tests {
    use p521::pkcs8::EncodePrivateKey;
    use rustls::pki_types::{PrivatePkcs8KeyDer, PrivateSec1KeyDer};

    use super::super::algorithms;
    use super::*;
    use crate::net::x509;

    #[test]
    fn signs_what_its_public_key_checks() {
        let mut number = [7; 66];
        number[0] = 0;
        let secret = SecretKey::from_slice(&number).unwrap();
        let pkcs8 = secret.to_pkcs8_der().unwrap().as_bytes().to_vec();
        let sec1 = secret.to_sec1_der().unwrap().to_vec();
        let forms: [PrivateKeyDer<'_>; 2] =
            [PrivatePkcs8KeyDer::from(pkcs8).into(), PrivateSec1KeyDer::from(sec1).into()];
        for form in forms {
            let key = P521Key::parse(&form).unwrap();
            assert_eq!(format!("{key:?}"), "P521Key { .. }");
            assert!(key.choose_scheme(&[SignatureScheme::ECDSA_NISTP384_SHA384]).is_none());
            let signer = key.choose_scheme(&[SignatureScheme::ECDSA_NISTP521_SHA512]).unwrap();
            let signature = signer.sign(b"pesan").unwrap();
            let public = key.public_key().unwrap();
            let public = x509::Key::parse(&public).unwrap();
            let provided = rustls::crypto::ring::default_provider();
            let check = |message: &[u8]| {
                let provided = &provided.signature_verification_algorithms;
                algorithms::check_handshake(
                    provided,
                    signer.scheme(),
                    true,
                    Some(public),
                    message,
                    &signature,
                )
            };
            assert_eq!(check(b"pesan"), Ok(()));
            assert!(check(b"lain").is_err());
        }
        let other = rcgen::KeyPair::generate().unwrap().serialize_der();
        assert!(P521Key::parse(&PrivatePkcs8KeyDer::from(other).into()).is_none());
    }
}
