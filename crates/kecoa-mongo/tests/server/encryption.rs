//! TLS.

use std::path::PathBuf;
use std::sync::Arc;

use bson::rawdoc;
use kecoa_mongo::server::{Options, Tls, TlsFiles, TlsMode};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Client, Server};

/// A certificate with its key in one file.
struct Certificate {
    directory: tempfile::TempDir,
    der: CertificateDer<'static>,
}

impl Certificate {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
        std::fs::write(directory.path().join("both.pem"), pem).unwrap();
        Self { directory, der: certificate.der().clone() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("both.pem")
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.path(), key: self.path(), client_authorities: None }
    }

    async fn connect(&self, server: &Server) -> std::io::Result<Client<TlsStream<TcpStream>>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(server.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        Ok(Client(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
    }
}

async fn server(certificate: &Certificate, mode: TlsMode) -> Server {
    let tls = Tls::load(mode, Some(&certificate.files())).unwrap();
    Server::start(Options { tls, ..Options::default() }).await
}

#[tokio::test]
async fn clients_are_served_as_the_mode_says() {
    let certificate = Certificate::new();
    for (name, plain, encrypted) in [
        ("disabled", true, false),
        ("allowTLS", true, true),
        ("preferTLS", true, true),
        ("requireTLS", false, true),
    ] {
        let server = server(&certificate, TlsMode::named(name).unwrap()).await;
        let mut client = server.connect().await;
        client.send(1, 0, &rawdoc! { "ping": 1 }).await;
        if plain {
            assert_eq!(client.answer().await.response_to, 1, "{name}");
            // Its first bytes are those of a record of TLS.
            let mut client = server.connect().await;
            client.send(2, 0, &rawdoc! { "ping": 1, "x": "y".repeat(0x316 - 46) }).await;
            assert_eq!(client.answer().await.response_to, 2, "{name}");
        } else {
            let mut header = [0; 16];
            use tokio::io::AsyncReadExt as _;
            let read = client.0.read_exact(&mut header).await;
            // An alert of TLS, or nothing.
            assert!(read.is_err(), "{name}");
        }
        match certificate.connect(&server).await {
            Ok(mut client) => {
                assert!(encrypted, "{name}");
                let text = "z".repeat(1_000_000);
                client.send(2, 0, &rawdoc! { "ping": 1, "text": text }).await;
                assert_eq!(client.answer().await.response_to, 2, "{name}");
            }
            Err(error) => assert!(!encrypted, "{name}: {error}"),
        }
    }
    assert_eq!(TlsMode::named("requireSSL"), None);
}

#[test]
fn what_is_wrong_with_files_is_said() {
    let certificate = Certificate::new();
    let good = certificate.files();
    let missing = certificate.directory.path().join("none.pem");
    let empty = certificate.directory.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let load = |files: Option<&TlsFiles>| {
        Tls::load(TlsMode::Allow, files).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(load(Some(&good)), "");
    assert!(load(None).contains("no file"));
    for path in [&missing, &empty] {
        let text = path.to_str().unwrap();
        let files = TlsFiles { key: path.clone(), ..good.clone() };
        assert!(load(Some(&files)).contains(text), "{}", load(Some(&files)));
        let files = TlsFiles { certificate: path.clone(), ..good.clone() };
        assert!(load(Some(&files)).contains(text), "{}", load(Some(&files)));
        let files = TlsFiles { client_authorities: Some(path.clone()), ..good.clone() };
        assert!(load(Some(&files)).contains(text), "{}", load(Some(&files)));
    }
    assert!(Tls::load(TlsMode::Disabled, None).is_ok());
}
