//! Binary data as text: `base64`, `base64url`, `hex`, `utf8`, `uuid`.

use ::bson::spec::BinarySubtype;
use ::bson::{Binary, RawBinaryRef};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use uuid::Uuid;

use super::cast::refused;
use crate::error::{Code, Error};

const UUID: u8 = 4;

/// Binary data as text.
pub(super) fn write(binary: RawBinaryRef<'_>, format: Option<&str>) -> Result<String, Error> {
    let subtype = u8::from(binary.subtype);
    let Some(format) = format else {
        let text = "Format must be specified when converting from 'binData' to 'string'";
        return Err(Error::new(Code::FAILED_TO_PARSE, text));
    };
    let uuid = || {
        Uuid::from_slice(binary.bytes).map(|uuid| uuid.hyphenated().to_string()).map_err(|_| {
            refused(
                "Failed to parse BinData in $convert with no onError value: Invalid UUID"
                    .to_owned(),
            )
        })
    };
    match format {
        "auto" if subtype == UUID => uuid(),
        "uuid" if subtype == UUID => uuid(),
        "auto" | "base64" => Ok(Base64::encode_string(binary.bytes)),
        "base64url" => Ok(Base64UrlUnpadded::encode_string(binary.bytes)),
        "hex" => Ok(binary.bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
        "utf8" => std::str::from_utf8(binary.bytes).map(str::to_owned).map_err(|_| {
            refused("Invalid UTF-8 in $convert with no onError value".to_owned())
        }),
        "uuid" => Err(refused(
            "Failed to parse BinData in $convert with no onError value: Unsupported subtype for format 'uuid'"
                .to_owned(),
        )),
        other => Err(unknown(other)),
    }
}

/// Text as binary data.
pub(super) fn read(text: &str, format: Option<&str>, subtype: u8) -> Result<Binary, Error> {
    let Some(format) = format else {
        let text = "Format must be specified when converting to 'binData'";
        return Err(Error::new(Code::FAILED_TO_PARSE, text));
    };
    let invalid = || {
        refused(format!(
            "Input is not a valid {format} string in $convert with no onError value: {text}"
        ))
    };
    if (format == "uuid") != (subtype == UUID) {
        let text = format!("Can't convert to UUID in $convert with no onError value: {text}");
        return Err(refused(text));
    }
    let bytes = match format {
        "base64" => Base64::decode_vec(text).map_err(|_| invalid())?,
        "base64url" => {
            Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).map_err(|_| invalid())?
        }
        "hex" => from_hexadecimal(text).ok_or_else(invalid)?,
        "utf8" => text.as_bytes().to_vec(),
        "uuid" => match text.len() {
            36 => Uuid::try_parse(text).map_err(|_| invalid())?.as_bytes().to_vec(),
            _ => return Err(invalid()),
        },
        "auto" => {
            let text = "Format 'auto' is not supported when converting from 'string' to 'binData'";
            return Err(Error::new(Code::FAILED_TO_PARSE, text));
        }
        other => return Err(unknown(other)),
    };
    Ok(Binary { subtype: BinarySubtype::from(subtype), bytes })
}

fn unknown(format: &str) -> Error {
    refused(format!("Invalid 'format' argument for $convert: {format}"))
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    digits?
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect()
}
