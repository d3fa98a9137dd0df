//! Binary form to the text that the server prints with its usual settings.

use kecoa_types::{DecodeError, array, binary, oid, text};

use super::form::Form;

/// Whether the type's binary form can be via.
pub(in crate::convert::load) fn is_known(oid: u32) -> bool {
    Form::of_type(oid).is_some() || oid::element_of(oid).and_then(Form::of_type).is_some()
}

/// Appends a value of a type that [`is_known`].
pub(in crate::convert::load) fn value(
    oid: u32,
    data: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    if let Some(form) = Form::of_type(oid) {
        return scalar(form, data, out);
    }
    let unknown = || DecodeError::new("a type with a known binary form", format!("oid {oid}"));
    let form = oid::element_of(oid).and_then(Form::of_type).ok_or_else(unknown)?;
    let elements = array::binary::decode(data, |_, data| {
        let mut text = Vec::new();
        scalar(form, data, &mut text).map(|()| text)
    })?;
    array::text::encode(&elements, oid::delimiter_of(oid), out, |element, out| {
        out.extend_from_slice(element);
    });
    Ok(())
}

/// Appends a value that is not an array.
pub(super) fn scalar(form: Form, data: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    macro_rules! through {
        ($module:ident) => {
            text::$module::encode(&binary::$module::decode(data)?, out)
        };
    }
    match form {
        Form::Int2 => through!(int2),
        Form::Int4 => through!(int4),
        Form::Int8 => through!(int8),
        Form::Oid => through!(oid),
        Form::Float4 => through!(float4),
        Form::Float8 => through!(float8),
        Form::Numeric => through!(numeric),
        Form::Plain(_) => out.extend_from_slice(data),
        Form::Bool => through!(bool),
        Form::Date => through!(date),
        Form::Time => through!(time),
        Form::TimeTz => through!(timetz),
        Form::Timestamp => through!(timestamp),
        Form::TimestampTz => through!(timestamptz),
        Form::Interval => through!(interval),
        Form::Bytea => text::bytea::encode(data, out),
        Form::Jsonb => match data {
            [1, json @ ..] => out.extend_from_slice(json),
            _ => return Err(DecodeError::binary("jsonb of version 1", data)),
        },
        Form::Uuid => through!(uuid),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_text(oid: u32, data: &[u8]) -> String {
        let mut out = Vec::new();
        value(oid, data, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_as_the_server_does() {
        assert_eq!(as_text(oid::INT2, &[0xff, 0xfe]), "-2");
        assert_eq!(as_text(oid::BOOL, &[1]), "t");
        assert_eq!(as_text(oid::FLOAT4, &0.1f32.to_be_bytes()), "0.1");
        assert_eq!(as_text(oid::BYTEA, b"a\xff"), "\\x61ff");
        assert_eq!(as_text(oid::JSONB, b"\x01{}"), "{}");
        assert_eq!(as_text(oid::TIMESTAMPTZ, &[0; 8]), "2000-01-01 00:00:00+00");
        assert_eq!(as_text(oid::DATE, &i32::MAX.to_be_bytes()), "infinity");
    }

    #[test]
    fn writes_arrays_with_nulls_quotes_and_bounds() {
        let mut data = Vec::new();
        for word in [1, 1, 25, 3, 0, 1, i32::from(b'"') << 24] {
            data.extend_from_slice(&i32::to_be_bytes(word));
        }
        data.truncate(data.len() - 3);
        data.extend_from_slice(&(-1i32).to_be_bytes());
        data.extend_from_slice(&0i32.to_be_bytes());
        assert_eq!(as_text(oid::TEXT_ARRAY, &data), r#"[0:2]={"\"",NULL,""}"#);
    }

    #[test]
    fn refuses_what_is_malformed_or_unknown() {
        assert!(value(oid::INT4, &[1], &mut Vec::new()).is_err());
        assert!(value(oid::JSONB, &[2], &mut Vec::new()).is_err());
        assert!(value(oid::POINT, &[0; 16], &mut Vec::new()).is_err());
        assert!(!is_known(oid::POINT) && !is_known(0) && is_known(oid::UUID_ARRAY));
        assert!(!is_known(oid::CHAR) && !is_known(oid::CHAR_ARRAY));
    }
}
