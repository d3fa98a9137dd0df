//! The client's half of SCRAM, written by the standard alone.

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit, Mac};
use kecoa_mongo::auth::Mechanism;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(crate) struct Client {
    mechanism: Mechanism,
    user: String,
    password: String,
    nonce: String,
    server_signature: Vec<u8>,
}

impl Client {
    pub(crate) fn new(mechanism: Mechanism, user: &str, password: &str, nonce: &str) -> Self {
        let password = match mechanism {
            Mechanism::ScramSha1 => {
                let digest = Md5::digest(format!("{user}:mongo:{password}"));
                digest.iter().map(|byte| format!("{byte:02x}")).collect()
            }
            Mechanism::ScramSha256 => stringprep::saslprep(password).unwrap().into_owned(),
        };
        Self::with_plain(mechanism, user, &password, nonce)
    }

    /// The same, whose password is taken as it is.
    pub(crate) fn with_plain(
        mechanism: Mechanism,
        user: &str,
        password: &str,
        nonce: &str,
    ) -> Self {
        Self {
            mechanism,
            user: user.replace('=', "=3D").replace(',', "=2C"),
            password: password.to_owned(),
            nonce: nonce.to_owned(),
            server_signature: Vec::new(),
        }
    }

    pub(crate) fn first(&self) -> String {
        format!("n,,n={},r={}", self.user, self.nonce)
    }

    pub(crate) fn last(&mut self, server_first: &[u8]) -> String {
        let server_first = std::str::from_utf8(server_first).unwrap();
        let fields: Vec<&str> = server_first.split(',').collect();
        let nonce = fields[0].strip_prefix("r=").unwrap();
        assert!(nonce.starts_with(&self.nonce) && nonce.len() > self.nonce.len());
        let salt = Base64::decode_vec(fields[1].strip_prefix("s=").unwrap()).unwrap();
        let iterations: u32 = fields[2].strip_prefix("i=").unwrap().parse().unwrap();
        let salted = self.salted(&salt, iterations);
        let client_key = self.hmac(&salted, b"Client Key");
        let without_proof = format!("c=biws,r={nonce}");
        let conversation =
            format!("n={},r={},{server_first},{without_proof}", self.user, self.nonce);
        let signature = self.hmac(&self.hash(&client_key), conversation.as_bytes());
        let server_key = self.hmac(&salted, b"Server Key");
        self.server_signature = self.hmac(&server_key, conversation.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        format!("{without_proof},p={}", Base64::encode_string(&proof))
    }

    pub(crate) fn verify(&self, server_last: &[u8]) {
        let expected = format!("v={}", Base64::encode_string(&self.server_signature));
        assert_eq!(std::str::from_utf8(server_last).unwrap(), expected);
    }

    fn hash(&self, bytes: &[u8]) -> Vec<u8> {
        match self.mechanism {
            Mechanism::ScramSha1 => Sha1::digest(bytes).to_vec(),
            Mechanism::ScramSha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    fn hmac(&self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        match self.mechanism {
            Mechanism::ScramSha1 => keyed::<Hmac<Sha1>>(key, bytes),
            Mechanism::ScramSha256 => keyed::<Hmac<Sha256>>(key, bytes),
        }
    }

    fn salted(&self, salt: &[u8], iterations: u32) -> Vec<u8> {
        let mut last = self.hmac(self.password.as_bytes(), &[salt, &[0, 0, 0, 1]].concat());
        let mut all = last.clone();
        for _ in 1..iterations {
            last = self.hmac(self.password.as_bytes(), &last);
            all.iter_mut().zip(&last).for_each(|(byte, other)| *byte ^= other);
        }
        all
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}
