//! Values as MongoDB writes them in messages.

use std::fmt::Write as _;

use ::bson::RawBsonRef;
use ::bson::spec::BinarySubtype;

/// The longest text; what is beyond it is left out.
const LONGEST: usize = 16 * 1024;
/// How deep documents are written out.
const DEEPEST: usize = 100;

/// A value as text: `{ a: 1, b: "x" }`.
#[must_use]
pub fn text(value: RawBsonRef<'_>) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: RawBsonRef<'_>, depth: usize) {
    if out.len() > LONGEST || depth > DEEPEST {
        out.push_str("...");
        return;
    }
    // Writing to a string does not fail.
    let _ = match value {
        RawBsonRef::Double(value) => {
            if value.fract() == 0.0 && value.abs() < 1e16 {
                write!(out, "{value:.1}")
            } else {
                write!(out, "{value}")
            }
        }
        RawBsonRef::String(value) => write!(out, "\"{value}\""),
        RawBsonRef::Symbol(value) => write!(out, "\"{value}\""),
        RawBsonRef::Document(value) => {
            if value.is_empty() {
                out.push_str("{}");
                return;
            }
            out.push_str("{ ");
            for (at, (name, value)) in value.iter().filter_map(Result::ok).enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                let _ = write!(out, "{}: ", name.as_str());
                write_inner(out, value, depth);
                if out.len() > LONGEST {
                    break;
                }
            }
            out.push_str(" }");
            Ok(())
        }
        RawBsonRef::Array(value) => {
            if value.is_empty() {
                out.push_str("[]");
                return;
            }
            out.push_str("[ ");
            for (at, value) in value.into_iter().filter_map(Result::ok).enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write_inner(out, value, depth);
                if out.len() > LONGEST {
                    break;
                }
            }
            out.push_str(" ]");
            Ok(())
        }
        RawBsonRef::Binary(value)
            if value.subtype == BinarySubtype::Uuid && value.bytes.len() == 16 =>
        {
            let hex = hex(value.bytes);
            let part = |from, to| hex.get(from..to).unwrap_or_default();
            write!(
                out,
                "UUID(\"{}-{}-{}-{}-{}\")",
                part(0, 8),
                part(8, 12),
                part(12, 16),
                part(16, 20),
                part(20, 32)
            )
        }
        RawBsonRef::Binary(value) => {
            write!(out, "BinData({}, {})", u8::from(value.subtype), hex(value.bytes).to_uppercase())
        }
        RawBsonRef::ObjectId(value) => write!(out, "ObjectId('{value}')"),
        RawBsonRef::Boolean(value) => write!(out, "{value}"),
        RawBsonRef::DateTime(value) => write!(out, "new Date({})", value.timestamp_millis()),
        RawBsonRef::Null => write!(out, "null"),
        RawBsonRef::Undefined => write!(out, "undefined"),
        RawBsonRef::RegularExpression(value) => {
            write!(out, "/{}/{}", value.pattern.as_str(), value.options.as_str())
        }
        RawBsonRef::DbPointer(_) => write!(out, "DBPointer"),
        RawBsonRef::JavaScriptCode(value) => write!(out, "{value}"),
        RawBsonRef::JavaScriptCodeWithScope(value) => write!(out, "CodeWScope( {}, ", value.code)
            .and_then(|()| {
                write_inner(out, RawBsonRef::Document(value.scope), depth);
                write!(out, ")")
            }),
        RawBsonRef::Int32(value) => write!(out, "{value}"),
        RawBsonRef::Int64(value) => write!(out, "{value}"),
        RawBsonRef::Timestamp(value) => {
            write!(out, "Timestamp({}, {})", value.time, value.increment)
        }
        RawBsonRef::Decimal128(value) => write!(out, "{value}"),
        RawBsonRef::MinKey => write!(out, "MinKey"),
        RawBsonRef::MaxKey => write!(out, "MaxKey"),
    };
}

fn write_inner(out: &mut String, value: RawBsonRef<'_>, depth: usize) {
    write(out, value, depth + 1);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(LONGEST).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
