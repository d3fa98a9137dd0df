//! `encrypt` and `encryptMetadata`: how clients encrypt a value. The server checks the form alone.

use ::bson::{RawBsonRef, RawDocument};

use super::types;
use crate::bson::type_class::type_name;
use crate::error::{Code, Error};

const ALGORITHMS: [&str; 2] =
    ["AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic", "AEAD_AES_256_CBC_HMAC_SHA_512-Random"];

/// Check the argument of a keyword.
///
/// # Errors
///
/// 40415 for an unknown field, 14 for a wrong type, 2 for an unknown algorithm.
pub(super) fn check(keyword: &str, document: &RawDocument) -> Result<(), Error> {
    let of_metadata = keyword == "encryptMetadata";
    for (name, value) in document.iter().map_while(Result::ok) {
        let name = name.as_str();
        match (name, value) {
            ("algorithm", RawBsonRef::String(algorithm)) => {
                if !ALGORITHMS.contains(&algorithm) {
                    return Err(Error::new(
                        Code::BAD_VALUE,
                        format!(
                            "expected an algorithm for '{keyword}.{name}', found '{algorithm}'"
                        ),
                    ));
                }
            }
            ("keyId", RawBsonRef::Array(_)) => {}
            // It leads to the key from the document.
            ("keyId", RawBsonRef::String(_)) if !of_metadata => {}
            ("bsonType", value) if !of_metadata => {
                types::parse("bsonType", value)?;
            }
            ("algorithm" | "keyId", value) => {
                return Err(Error::new(
                    Code::TYPE_MISMATCH,
                    format!(
                        "BSON field '{keyword}.{name}' is the wrong type '{}'",
                        type_name(value)
                    ),
                ));
            }
            _ => {
                return Err(Error::location(
                    40415,
                    format!("BSON field '{keyword}.{name}' is an unknown field."),
                ));
            }
        }
    }
    Ok(())
}
