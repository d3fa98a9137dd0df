//! Binary data as text: `base64`, `base64url`, `hex`, `utf8`, `uuid`.

use ::bson::spec::BinarySubtype;
use ::bson::{Binary, RawBinaryRef, RawBsonRef};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use uuid::Uuid;

use super::cast::refused;
use super::describe;
use crate::error::Error;

const UUID: u8 = 4;

/// How binary data is written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A UUID as one, all else in base64.
    Auto,
    Base64,
    Base64Url,
    Hexadecimal,
    Utf8,
    Uuid,
}

impl Format {
    /// Read `format` of `$convert`.
    pub(super) fn read(value: Option<RawBsonRef<'_>>) -> Result<Self, Error> {
        let Some(RawBsonRef::String(name)) = value else {
            let found = describe::type_name(value);
            let text = format!("$convert requires that 'format' be a string, found: {found}");
            return Err(Error::location(4_341_114, text));
        };
        Ok(match name {
            "auto" => Self::Auto,
            "base64" => Self::Base64,
            "base64url" => Self::Base64Url,
            "hex" => Self::Hexadecimal,
            "utf8" => Self::Utf8,
            "uuid" => Self::Uuid,
            other => {
                let text = format!("Invalid 'format' argument for $convert: {other}");
                return Err(Error::location(4_341_125, text));
            }
        })
    }
}

/// Binary data as text.
pub(super) fn write(binary: RawBinaryRef<'_>, format: Format) -> Result<String, Error> {
    let uuid = match u8::from(binary.subtype) {
        UUID => Uuid::from_slice(binary.bytes).ok().map(|uuid| uuid.hyphenated().to_string()),
        _ => None,
    };
    let invalid = |what: &str| {
        let text = format!("BinData is no valid {what} in $convert with no onError value");
        Err(refused(text))
    };
    match (format, uuid) {
        (Format::Auto | Format::Uuid, Some(uuid)) => Ok(uuid),
        (Format::Uuid, None) => invalid("UUID"),
        (Format::Auto | Format::Base64, _) => Ok(Base64::encode_string(binary.bytes)),
        (Format::Base64Url, _) => Ok(Base64UrlUnpadded::encode_string(binary.bytes)),
        (Format::Hexadecimal, _) => {
            Ok(binary.bytes.iter().map(|byte| format!("{byte:02X}")).collect())
        }
        (Format::Utf8, _) => std::str::from_utf8(binary.bytes)
            .map_or_else(|_| invalid("UTF-8"), |text| Ok(text.to_owned())),
    }
}

/// Text as binary data.
pub(super) fn read(text: &str, format: Format, subtype: u8) -> Result<Binary, Error> {
    let invalid = || {
        let text = format!("Failed to parse BinData '{text}' in $convert with no onError value");
        refused(text)
    };
    if (format == Format::Uuid) != (subtype == UUID) {
        return Err(invalid());
    }
    let bytes = match format {
        Format::Base64 => Base64::decode_vec(text).map_err(|_| invalid())?,
        Format::Base64Url => {
            Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).map_err(|_| invalid())?
        }
        Format::Hexadecimal => from_hexadecimal(text).ok_or_else(invalid)?,
        Format::Utf8 => text.as_bytes().to_vec(),
        Format::Uuid => match text.len() {
            36 => Uuid::try_parse(text).map_err(|_| invalid())?.as_bytes().to_vec(),
            _ => return Err(invalid()),
        },
        Format::Auto => return Err(invalid()),
    };
    Ok(Binary { subtype: BinarySubtype::from(subtype), bytes })
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
