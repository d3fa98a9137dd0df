//! The binary forms of types.

use kecoa_types::oid;

use crate::convert::load::kind::Kind;

/// A binary form, and the object made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    /// Text in the client's encoding: no different from its text form.
    Plain(Kind),
    Bool,
    Date,
    Time,
    TimeTz,
    Timestamp,
    /// An instant, in UTC.
    TimestampTz,
    Interval,
    Bytea,
    /// A version byte, then text.
    Jsonb,
    Uuid,
}

impl Form {
    /// The form of a built-in type's values.
    pub(in crate::convert) fn of_type(oid: u32) -> Option<Form> {
        Some(match oid {
            oid::INT2 => Form::Int2,
            oid::INT4 => Form::Int4,
            oid::INT8 => Form::Int8,
            oid::OID => Form::Oid,
            oid::FLOAT4 => Form::Float4,
            oid::FLOAT8 => Form::Float8,
            oid::NUMERIC => Form::Numeric,
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::UNKNOWN => {
                Form::Plain(Kind::Text)
            }
            oid::BOOL => Form::Bool,
            oid::DATE => Form::Date,
            oid::TIME => Form::Time,
            oid::TIMETZ => Form::TimeTz,
            oid::TIMESTAMP => Form::Timestamp,
            oid::TIMESTAMPTZ => Form::TimestampTz,
            oid::INTERVAL => Form::Interval,
            oid::BYTEA => Form::Bytea,
            oid::JSON => Form::Plain(Kind::Json),
            oid::JSONB => Form::Jsonb,
            oid::UUID => Form::Uuid,
            _ => return None,
        })
    }

    /// The form of a type's values from which the same object can be made as `kind` makes of text.
    pub(in crate::convert) fn of(oid: u32, kind: Kind) -> Option<Form> {
        match Form::of_type(oid)? {
            // Any way to read text will do.
            Form::Plain(Kind::Text) if matches!(kind, Kind::Text | Kind::Bytes) => {
                Some(Form::Plain(kind))
            }
            form => (form.kind() == kind).then_some(form),
        }
    }

    /// What loads the text form.
    pub(in crate::convert) fn kind(self) -> Kind {
        match self {
            Form::Int2 | Form::Int4 | Form::Int8 | Form::Oid => Kind::Int,
            Form::Float4 | Form::Float8 => Kind::Float,
            Form::Numeric => Kind::Decimal,
            Form::Plain(kind) => kind,
            Form::Bool => Kind::Bool,
            Form::Date => Kind::Date,
            Form::Time | Form::TimeTz => Kind::Time,
            Form::Timestamp => Kind::Timestamp,
            Form::TimestampTz => Kind::TimestampTz,
            Form::Interval => Kind::Interval,
            Form::Bytea => Kind::Bytea,
            Form::Jsonb => Kind::Json,
            Form::Uuid => Kind::Uuid,
        }
    }

    /// Whether the garbage collector ignores the objects made.
    pub(in crate::convert) fn is_atomic(self) -> bool {
        self.kind().is_atomic()
    }
}
