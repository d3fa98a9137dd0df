//! Private keys, in PEM form or binary, and encrypted ones in PEM form.
//!
//! Two forms of encryption are in use: PKCS#8's ("BEGIN ENCRYPTED PRIVATE KEY", RFC 8018's PBES2),
//! and that of OpenSSL before it ("Proc-Type: 4,ENCRYPTED", RFC 1421, with the key made from the
//! password by MD5). No message here quotes a file: it would be a key.

use super::pem;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use base64ct::{Base64, Encoding};
use md5::{Digest, Md5};
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

/// Why a file gave no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// There is none in it, or it is damaged.
    NoKey,
    PasswordMissing,
    PasswordWrong,
    /// A form of encryption that is not known here.
    Unsupported,
}

/// How many rounds of key derivation are plausible: OpenSSL makes 2,048. The file is the user's own,
/// but a connection must not take minutes because of it.
const MAX_ROUNDS: u32 = 10_000_000;
/// The memory that scrypt may take, in bytes; OpenSSL's own limit is half of it.
const MAX_MEMORY: u64 = 64 << 20;

const PKCS8: &str = "ENCRYPTED PRIVATE KEY";

/// The first private key of a PEM file, or the one of a binary file.
pub(super) fn private_key(
    file: &[u8],
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, KeyError> {
    let normalized = pem::normalized(file);
    let text = String::from_utf8_lossy(&normalized);
    let Some(section) = Section::encrypted(&text) else {
        // The parser's own message could quote the file.
        let found = PrivateKeyDer::from_pem_slice(&normalized).ok();
        let found = found.or_else(|| PrivateKeyDer::try_from(file.to_vec()).ok());
        return found.ok_or(KeyError::NoKey);
    };
    let password = password.filter(|password| !password.is_empty());
    let password = password.ok_or(KeyError::PasswordMissing)?;
    let data = section.data.ok_or(KeyError::NoKey)?;
    match (section.label, section.cipher) {
        (PKCS8, _) => from_pkcs8(&data, password),
        ("RSA PRIVATE KEY", Some(cipher)) => {
            decrypt(cipher, data, password).map(|key| PrivatePkcs1KeyDer::from(key).into())
        }
        ("EC PRIVATE KEY", Some(cipher)) => {
            decrypt(cipher, data, password).map(|key| PrivateSec1KeyDer::from(key).into())
        }
        _ => Err(KeyError::Unsupported),
    }
}

fn from_pkcs8(data: &[u8], password: &str) -> Result<PrivateKeyDer<'static>, KeyError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(data).map_err(|_| KeyError::Unsupported)?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(KeyError::Unsupported);
    };
    let plausible = match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MAX_ROUNDS,
        Kdf::Scrypt(scrypt) => scrypt
            .cost_parameter
            .checked_mul(128 * u64::from(scrypt.block_size))
            .is_some_and(|memory| memory <= MAX_MEMORY && scrypt.parallelization <= 16),
        _ => false,
    };
    if !plausible {
        return Err(KeyError::Unsupported);
    }
    use pkcs8::pkcs5::Error::{AlgorithmParametersInvalid, UnsupportedAlgorithm};
    match info.decrypt(password) {
        Ok(key) => Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()),
        Err(pkcs8::Error::EncryptedPrivateKey(
            UnsupportedAlgorithm { .. } | AlgorithmParametersInvalid { .. },
        )) => Err(KeyError::Unsupported),
        // Decrypted by a wrong password, the padding or what is in it makes no sense.
        Err(_) => Err(KeyError::PasswordWrong),
    }
}

/// An encrypted section of a PEM file.
struct Section<'a> {
    label: &'a str,
    /// Name of the cipher and initialisation vector, in the old form.
    cipher: Option<(&'a str, &'a str)>,
    /// Nothing if it is damaged.
    data: Option<Vec<u8>>,
}

impl Section<'_> {
    /// The first private key, if it is encrypted.
    fn encrypted(text: &str) -> Option<Section<'_>> {
        let mut lines = text.lines().map(str::trim);
        let label = lines.find_map(|line| {
            let label = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
            label.ends_with("PRIVATE KEY").then_some(label)
        })?;
        let mut is_encrypted = label == PKCS8;
        let mut cipher = None;
        let mut base64 = String::new();
        let mut is_whole = false;
        for line in lines {
            if line.starts_with("-----END ") {
                is_whole = true;
                break;
            }
            match line.split_once(':') {
                Some(("Proc-Type", kind)) => is_encrypted |= kind.contains("ENCRYPTED"),
                Some(("DEK-Info", info)) => cipher = info.trim().split_once(','),
                Some(_) => {}
                None => base64.push_str(line),
            }
        }
        let data = is_whole.then(|| Base64::decode_vec(&base64).ok()).flatten();
        is_encrypted.then_some(Section { label, cipher, data })
    }
}

/// Decrypts OpenSSL's old form.
fn decrypt(
    (cipher, vector): (&str, &str),
    mut data: Vec<u8>,
    password: &str,
) -> Result<Vec<u8>, KeyError> {
    let vector = hex(vector.trim()).ok_or(KeyError::NoKey)?;
    let salt = vector.get(..8).ok_or(KeyError::NoKey)?;
    let key = |length: usize| {
        let mut key: Vec<u8> = Vec::new();
        let mut last: Vec<u8> = Vec::new();
        while key.len() < length {
            let round = Md5::new_with_prefix(&last).chain_update(password).chain_update(salt);
            last = round.finalize().to_vec();
            key.extend_from_slice(&last);
        }
        key.truncate(length);
        key
    };
    macro_rules! plain {
        ($cipher:ty, $length:expr) => {
            cbc::Decryptor::<$cipher>::new_from_slices(&key($length), &vector)
                .map_err(|_| KeyError::NoKey)?
                .decrypt_padded::<Pkcs7>(&mut data)
        };
    }
    let plain = match cipher {
        "AES-128-CBC" => plain!(aes::Aes128, 16),
        "AES-192-CBC" => plain!(aes::Aes192, 24),
        "AES-256-CBC" => plain!(aes::Aes256, 32),
        "DES-EDE3-CBC" => plain!(des::TdesEde3, 24),
        _ => return Err(KeyError::Unsupported),
    };
    let plain = plain.map_err(|_| KeyError::PasswordWrong)?;
    // One wrong password in 256 leaves something that looks like padding.
    let is_key = plain.first() == Some(&0x30);
    if is_key { Ok(plain.to_vec()) } else { Err(KeyError::PasswordWrong) }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, half| byte << 4 | half))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = include_str!("../tests/keys.txt");
    const PASSWORD: Option<&str> = Some("rahasia");

    fn pem(name: &str) -> &'static str {
        let section = KEYS.split("\n# ").find_map(|section| section.strip_prefix(name));
        section.unwrap().trim_start()
    }

    /// The public half of a key, which is the same in every form.
    fn public(key: PrivateKeyDer<'static>) -> Vec<u8> {
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        key.public_key().unwrap().to_vec()
    }

    #[test]
    fn reads_what_openssl_writes() {
        let wanted = public(private_key(pem("plain\n").as_bytes(), None).unwrap());
        for name in [
            "old AES-128",
            "old AES-192",
            "old AES-256",
            "old 3DES",
            "AES-256 SHA-256",
            "AES-128 SHA-1",
            "3DES SHA-1",
            "scrypt",
        ] {
            let pem = pem(name).as_bytes();
            assert_eq!(public(private_key(pem, PASSWORD).unwrap()), wanted, "{name}");
            for missing in [None, Some("")] {
                assert_eq!(private_key(pem, missing).unwrap_err(), KeyError::PasswordMissing);
            }
            for wrong in ["rahasia ", "Rahasia", "x"] {
                let error = private_key(pem, Some(wrong)).unwrap_err();
                assert_eq!(error, KeyError::PasswordWrong, "{name}");
            }
            let with_others = format!(
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n\
                -----END EC PARAMETERS-----\n{}",
                String::from_utf8_lossy(pem)
            );
            assert_eq!(public(private_key(with_others.as_bytes(), PASSWORD).unwrap()), wanted);
            let windows = String::from_utf8_lossy(pem).replace('\n', "\r\n");
            assert_eq!(public(private_key(windows.as_bytes(), PASSWORD).unwrap()), wanted);
        }
    }

    #[test]
    fn says_what_it_cannot_read() {
        for name in ["old Camellia", "PBES1", "20,000,000 rounds"] {
            let error = private_key(pem(name).as_bytes(), PASSWORD).unwrap_err();
            assert_eq!(error, KeyError::Unsupported, "{name}");
        }
        for nothing in
            ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            assert_eq!(private_key(nothing.as_bytes(), PASSWORD).unwrap_err(), KeyError::NoKey);
        }
    }

    #[test]
    fn survives_damage() {
        for name in ["old AES-128", "AES-256 SHA-256", "PBES1"] {
            let whole = pem(name).as_bytes();
            for end in 0..whole.len() - "-----END EC PRIVATE KEY-----\n".len() {
                assert!(private_key(&whole[..end], PASSWORD).is_err());
            }
            for at in (0..whole.len()).step_by(3) {
                let mut changed = whole.to_vec();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                let _ = private_key(&changed, PASSWORD);
            }
        }
    }
}
