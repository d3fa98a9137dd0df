//! Certificates made for one test.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SigningKey, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Encode, Reader, SliceReader, Tag};

/// An authority, its certificate in a file.
pub(super) struct Authority {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
}

pub(super) struct Leaf {
    pub(super) pem: String,
    der: CertificateDer<'static>,
    pub(super) key: KeyPair,
}

impl Authority {
    pub(super) fn new(name: &str) -> Authority {
        let directory = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(directory.path().join("ca.crt"), certificate.pem()).unwrap();
        let der = certificate.der().clone();
        Authority { directory, issuer: Issuer::new(params, key), der }
    }

    pub(super) fn file(&self) -> String {
        self.path("ca.crt").to_str().unwrap().to_owned()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A certificate for a name or address, valid in these years.
    pub(super) fn sign(&self, name: &str, from: i32, until: i32) -> Leaf {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { pem: certificate.pem(), der: certificate.der().clone(), key }
    }

    /// A server's configuration with a good certificate for `name`.
    pub(super) fn server(&self, name: &str) -> Arc<ServerConfig> {
        self.sign(name, 2020, 2090).server(None)
    }
}

impl Leaf {
    /// What `openssl req -x509` makes: a server's certificate that signed itself as an authority.
    pub(super) fn self_signed(name: &str, until: i32) -> Leaf {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Leaf { pem: certificate.pem(), der: certificate.der().clone(), key }
    }

    /// The same certificate as version 1: without its version and its extensions.
    pub(super) fn version_1(mut self, authority: &Authority) -> Leaf {
        let certificate = elements(SliceReader::new(&self.der).unwrap());
        let [fields, algorithm, _] = *elements(contents(certificate[0])) else { panic!() };
        let fields = elements(contents(fields));
        let fields = sequence(&fields[1..fields.len() - 1].concat());
        let signature = [&[0], &*authority.issuer.key().sign(&fields).unwrap()].concat();
        let signature = [&[3, u8::try_from(signature.len()).unwrap()], &*signature].concat();
        let der = sequence(&[&fields, algorithm, &signature].concat());
        self.der = CertificateDer::from(der);
        self
    }

    /// A server that uses it, and asks for clients' certificates of an authority.
    pub(super) fn server(&self, clients: Option<&Authority>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der.clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        // Not `with_single_cert`: it refuses what the tests need, keys of others and version 1.
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let pair = CertifiedKey::new(vec![self.der.clone()], key);
        Arc::new(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(pair))))
    }
}

/// What is in an element.
fn contents(element: &[u8]) -> SliceReader<'_> {
    SliceReader::new(AnyRef::from_der(element).unwrap().value()).unwrap()
}

/// Elements one behind the other, each with its header.
fn elements(mut reader: SliceReader<'_>) -> Vec<&[u8]> {
    std::iter::from_fn(|| (!reader.is_finished()).then(|| reader.tlv_bytes().unwrap())).collect()
}

fn sequence(contents: &[u8]) -> Vec<u8> {
    AnyRef::new(Tag::Sequence, contents).unwrap().to_der().unwrap()
}
