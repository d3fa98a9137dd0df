//! Which Arrow type a column of a result becomes.

use std::fmt;

use kecoa_proto::Field;
use kecoa_types::oid;

/// How the values of a column are read, and what they become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// At most 38 digits take 128 bits, at most 76 take 256.
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// Text that is the same in both forms.
    Text,
    /// A number without a fixed scale, as text: `numeric` may have any number of digits, and NaN.
    Numeric,
    TimeTz,
    Json,
    Jsonb,
    Bytea,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Uuid,
    List {
        element: Box<Kind>,
        delimiter: u8,
    },
    /// As the server writes it; this has no binary form that we read.
    Other,
}

/// The most digits of a 128-bit and of a 256-bit decimal.
const DIGITS_128: u8 = 38;
const DIGITS_256: u8 = 76;

/// The version in front of a type modifier.
const MODIFIER_HEADER: i32 = 4;

impl Kind {
    pub(super) fn of(field: &Field) -> Kind {
        Kind::of_type(field.type_oid, field.type_modifier)
    }

    fn of_type(type_oid: u32, modifier: i32) -> Kind {
        match type_oid {
            oid::BOOL => Kind::Bool,
            oid::INT2 => Kind::Int2,
            oid::INT4 => Kind::Int4,
            oid::INT8 => Kind::Int8,
            oid::OID => Kind::Oid,
            oid::FLOAT4 => Kind::Float4,
            oid::FLOAT8 => Kind::Float8,
            oid::NUMERIC => decimal(modifier).unwrap_or(Kind::Numeric),
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::UNKNOWN | oid::XML => {
                Kind::Text
            }
            oid::TIMETZ => Kind::TimeTz,
            oid::JSON => Kind::Json,
            oid::JSONB => Kind::Jsonb,
            oid::BYTEA => Kind::Bytea,
            oid::DATE => Kind::Date,
            oid::TIME => Kind::Time,
            oid::TIMESTAMP => Kind::Timestamp,
            oid::TIMESTAMPTZ => Kind::TimestampTz,
            oid::INTERVAL => Kind::Interval,
            oid::UUID => Kind::Uuid,
            _ => match oid::element_of(type_oid) {
                Some(element) => Kind::List {
                    element: Box::new(Kind::of_type(element, modifier)),
                    delimiter: oid::delimiter_of(type_oid),
                },
                None => Kind::Other,
            },
        }
    }

    /// Arrow's format string.
    pub(super) fn format(&self) -> String {
        let fixed = match self {
            Kind::Bool => "b",
            Kind::Int2 => "s",
            Kind::Int4 => "i",
            Kind::Int8 => "l",
            Kind::Oid => "I",
            Kind::Float4 => "f",
            Kind::Float8 => "g",
            Kind::Decimal { precision, scale } if *precision <= DIGITS_128 => {
                return format!("d:{precision},{scale}");
            }
            Kind::Decimal { precision, scale } => return format!("d:{precision},{scale},256"),
            Kind::Text | Kind::Numeric | Kind::TimeTz | Kind::Json | Kind::Jsonb | Kind::Other => {
                "u"
            }
            Kind::Bytea => "z",
            Kind::Date => "tdD",
            Kind::Time => "ttu",
            Kind::Timestamp => "tsu:",
            Kind::TimestampTz => "tsu:UTC",
            Kind::Interval => "tin",
            Kind::Uuid => "w:16",
            Kind::List { .. } => "+l",
        };
        fixed.to_owned()
    }

    /// The name of the extension type, for types that Arrow stores as another.
    pub(super) fn extension(&self) -> Option<&'static str> {
        match self {
            Kind::Uuid => Some("arrow.uuid"),
            Kind::Json | Kind::Jsonb => Some("arrow.json"),
            _ => None,
        }
    }

    /// Whether binary form is less work, for the server and here together. Text is the same in both, and
    /// a number without a fixed scale becomes text again.
    pub(super) fn is_better_in_binary(&self) -> bool {
        match self {
            Kind::Text | Kind::Numeric | Kind::TimeTz | Kind::Json | Kind::Jsonb | Kind::Other => {
                false
            }
            Kind::List { element, .. } => {
                matches!(**element, Kind::Text) || element.is_better_in_binary()
            }
            _ => true,
        }
    }

    /// Whether a decimal takes 256 bits.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self, Kind::Decimal { precision, .. } if *precision > DIGITS_128)
    }
}

/// `numeric(precision, scale)` where Arrow has a decimal for it.
fn decimal(modifier: i32) -> Option<Kind> {
    let bits = modifier.checked_sub(MODIFIER_HEADER).filter(|bits| *bits >= 0)?;
    let precision = u8::try_from(bits >> 16).ok().filter(|digits| *digits <= DIGITS_256)?;
    // The scale has 11 bits and a sign: from PostgreSQL 15 it may be below 0 or above the precision.
    let scale = ((bits & 0x7ff) ^ 0x400) - 0x400;
    let scale = u8::try_from(scale).ok().filter(|scale| *scale <= precision)?;
    Some(Kind::Decimal { precision, scale })
}

/// As Arrow's own libraries name types.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Bool => "bool",
            Kind::Int2 => "int16",
            Kind::Int4 => "int32",
            Kind::Int8 => "int64",
            Kind::Oid => "uint32",
            Kind::Float4 => "float",
            Kind::Float8 => "double",
            Kind::Decimal { precision, scale } => {
                let bits = if self.is_wide() { 256 } else { 128 };
                return write!(f, "decimal{bits}({precision}, {scale})");
            }
            Kind::Text | Kind::Numeric | Kind::TimeTz | Kind::Other => "string",
            Kind::Json | Kind::Jsonb => "json",
            Kind::Bytea => "binary",
            Kind::Date => "date32[day]",
            Kind::Time => "time64[us]",
            Kind::Timestamp => "timestamp[us]",
            Kind::TimestampTz => "timestamp[us, tz=UTC]",
            Kind::Interval => "month_day_nano_interval",
            Kind::Uuid => "uuid",
            Kind::List { element, .. } => return write!(f, "list<item: {element}>"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_come_from_type_modifiers() {
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        let kind = |precision, scale| Kind::of_type(oid::NUMERIC, modifier(precision, scale));
        assert_eq!(kind(12, 2), Kind::Decimal { precision: 12, scale: 2 });
        assert_eq!(kind(12, 2).format(), "d:12,2");
        assert_eq!(kind(76, 76).format(), "d:76,76,256");
        assert_eq!(kind(77, 2), Kind::Numeric);
        assert_eq!(kind(5, -2), Kind::Numeric);
        assert_eq!(kind(2, 5), Kind::Numeric);
        assert_eq!(Kind::of_type(oid::NUMERIC, -1), Kind::Numeric);
    }

    #[test]
    fn lists_name_their_elements() {
        let kind = Kind::of_type(oid::UUID_ARRAY, -1);
        assert_eq!((kind.format().as_str(), kind.to_string().as_str()), ("+l", "list<item: uuid>"));
    }
}
