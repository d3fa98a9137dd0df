//! Columns as Rust values.

use crate::array::{self, Array};
use crate::civil::{Date, Interval, Time, TimeTz, Timestamp, TimestampTz};
use crate::{
    BitString, DecodeError, Inet, Json, MacAddr, MacAddr8, Money, Numeric, PgLsn, Tid, Uuid, Xid8,
    binary, oid, text,
};

/// A type that columns can be read as, in either form.
///
/// One of a program's own mostly goes through another:
///
/// ```
/// use kecoa_types::{DecodeError, FromSql, oid};
///
/// #[derive(Debug, PartialEq)]
/// struct Cents(i64);
///
/// impl FromSql for Cents {
///     fn accepts(oid: u32) -> bool {
///         i64::accepts(oid)
///     }
///     fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
///         i64::decode_binary(oid, bytes).map(Cents)
///     }
///     fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
///         i64::decode_text(oid, bytes).map(Cents)
///     }
/// }
///
/// assert_eq!(Cents::decode_text(oid::INT8, b"250"), Ok(Cents(250)));
/// assert_eq!(Option::<Cents>::decode_null(), Ok(None));
/// ```
///
/// [`TypeInfo`](crate::TypeInfo) has an enumeration.
#[diagnostic::on_unimplemented(
    message = "no column can be read as `{Self}`",
    label = "`{Self}` does not implement `FromSql`",
    note = "integers are read as i16, i32 or i64; what may be NULL as `Option<T>`; arrays as `Vec<T>`",
    note = "types of the crates chrono, jiff, rust_decimal, serde_json, time and uuid need the feature of that \
            name; for a type of your own, implement `FromSql`"
)]
pub trait FromSql: Sized {
    /// Whether values of that type can be read as this one.
    fn accepts(oid: u32) -> bool;

    /// Decodes the binary form of a value of type `oid`, which was accepted.
    ///
    /// # Errors
    /// The bytes are not such a value.
    fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError>;

    /// Decodes the text form of a value of type `oid`, which was accepted.
    ///
    /// # Errors
    /// The bytes are not such a value.
    fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError>;

    /// Whether arrays of that array type can be read as arrays of this type.
    ///
    /// Of an array type that is not built in only the type itself can know what its elements are: it is
    /// taken for an array of this type where values of that type would be, as with a type that accepts all.
    fn accepts_array(oid: u32) -> bool {
        match oid::element_of(oid) {
            Some(element) => Self::accepts(element),
            None => oid::is_own(oid) && Self::accepts(oid),
        }
    }

    /// What NULL is read as.
    ///
    /// # Errors
    /// Always, except for `Option`.
    fn decode_null() -> Result<Self, DecodeError> {
        Err(DecodeError::new("a value (read the column as Option for NULLs)", "NULL"))
    }
}

/// The form of a value, and the value: lets one body serve both.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Binary(&'a [u8]),
    Text(&'a [u8]),
}

/// Decodes through the modules of one type.
macro_rules! via {
    ($raw:expr, $module:ident) => {
        match $raw {
            Raw::Binary(bytes) => binary::$module::decode(bytes),
            Raw::Text(bytes) => text::$module::decode(bytes),
        }
    };
}

/// A type that is not one of those a Rust type accepts.
#[cold]
fn mismatch<T>(expected: &'static str, found: u32) -> Result<T, DecodeError> {
    let name = oid::name_of(found).unwrap_or("a type");
    Err(DecodeError::new(expected, format!("{name} (oid {found})")))
}

macro_rules! from_sql {
    ($($type:ty, $expected:literal, $raw:ident => { $($oid:ident => $decode:expr,)* })*) => {
        $(
            impl FromSql for $type {
                fn accepts(oid: u32) -> bool {
                    matches!(oid, $(oid::$oid)|*)
                }

                fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
                    let $raw = Raw::Binary(bytes);
                    match oid {
                        $(oid::$oid => $decode,)*
                        _ => mismatch($expected, oid),
                    }
                }

                fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
                    let $raw = Raw::Text(bytes);
                    match oid {
                        $(oid::$oid => $decode,)*
                        _ => mismatch($expected, oid),
                    }
                }
            }
        )*
    };
}

fn string(raw: Raw<'_>) -> Result<String, DecodeError> {
    let (Raw::Binary(bytes) | Raw::Text(bytes)) = raw;
    text::text::decode(bytes).map(str::to_owned)
}

/// The text of a geometric type.
fn geometry(oid: u32, raw: Raw<'_>) -> Result<String, DecodeError> {
    match raw {
        Raw::Text(_) => string(raw),
        Raw::Binary(bytes) => {
            let mut out = Vec::new();
            binary::geometry::write_text(oid, bytes, &mut out)?;
            string(Raw::Text(&out))
        }
    }
}

/// What a function of type `void` returns: nothing, in either form.
fn void(raw: Raw<'_>) -> Result<(), DecodeError> {
    match raw {
        Raw::Binary([]) | Raw::Text([]) => Ok(()),
        Raw::Binary(bytes) | Raw::Text(bytes) => Err(DecodeError::binary("void: no bytes", bytes)),
    }
}

from_sql! {
    (), "a column of type void", raw => { VOID => void(raw), }
    Inet, "a column of type inet or cidr", raw => {
        INET => via!(raw, inet),
        CIDR => via!(raw, cidr),
    }
    MacAddr, "a column of type macaddr", raw => { MACADDR => via!(raw, macaddr), }
    MacAddr8, "a column of type macaddr8", raw => { MACADDR8 => via!(raw, macaddr8), }
    BitString, "a column of type bit or varbit", raw => {
        BIT => via!(raw, varbit),
        VARBIT => via!(raw, varbit),
    }
    Money, "a column of type money", raw => { MONEY => via!(raw, money), }
    PgLsn, "a column of type pg_lsn", raw => { PG_LSN => via!(raw, pg_lsn), }
    Tid, "a column of type tid", raw => { TID => via!(raw, tid), }
    Xid8, "a column of type xid8", raw => { XID8 => via!(raw, xid8), }
    bool, "a column of type bool", raw => { BOOL => via!(raw, bool), }
    i16, "a column of type int2", raw => { INT2 => via!(raw, int2), }
    i32, "a column of type int4 or int2", raw => {
        INT4 => via!(raw, int4),
        INT2 => via!(raw, int2).map(Self::from),
    }
    i64, "a column of type int8, int4, int2 or oid", raw => {
        INT8 => via!(raw, int8),
        INT4 => via!(raw, int4).map(Self::from),
        INT2 => via!(raw, int2).map(Self::from),
        OID => via!(raw, oid).map(Self::from),
    }
    u32, "a column of type oid", raw => { OID => via!(raw, oid), }
    f32, "a column of type float4", raw => { FLOAT4 => via!(raw, float4), }
    f64, "a column of type float8 or float4", raw => {
        FLOAT8 => via!(raw, float8),
        FLOAT4 => via!(raw, float4).map(Self::from),
    }
    Numeric, "a column of type numeric or an integer", raw => {
        NUMERIC => via!(raw, numeric),
        INT8 => via!(raw, int8).map(Self::from),
        INT4 => via!(raw, int4).map(Self::from),
        INT2 => via!(raw, int2).map(i32::from).map(Self::from),
    }
    String, "a column of a text type, json, jsonb, xml or a geometric type", raw => {
        TEXT => string(raw),
        VARCHAR => string(raw),
        BPCHAR => string(raw),
        NAME => string(raw),
        UNKNOWN => string(raw),
        XML => string(raw),
        JSON => string(raw),
        JSONB => via!(raw, jsonb).map(Json::into_string),
        POINT => geometry(oid::POINT, raw),
        LSEG => geometry(oid::LSEG, raw),
        PATH => geometry(oid::PATH, raw),
        BOX => geometry(oid::BOX, raw),
        POLYGON => geometry(oid::POLYGON, raw),
        LINE => geometry(oid::LINE, raw),
        CIRCLE => geometry(oid::CIRCLE, raw),
    }
    Vec<u8>, "a column of type bytea", raw => { BYTEA => via!(raw, bytea), }
    Uuid, "a column of type uuid", raw => { UUID => via!(raw, uuid), }
    Json, "a column of type json or jsonb", raw => {
        JSON => via!(raw, json),
        JSONB => via!(raw, jsonb),
    }
    Date, "a column of type date", raw => { DATE => via!(raw, date), }
    Time, "a column of type time", raw => { TIME => via!(raw, time), }
    TimeTz, "a column of type timetz", raw => { TIMETZ => via!(raw, timetz), }
    Timestamp, "a column of type timestamp", raw => { TIMESTAMP => via!(raw, timestamp), }
    TimestampTz, "a column of type timestamptz", raw => { TIMESTAMPTZ => via!(raw, timestamptz), }
    Interval, "a column of type interval", raw => { INTERVAL => via!(raw, interval), }
}

impl<T: FromSql> FromSql for Option<T> {
    fn accepts(oid: u32) -> bool {
        T::accepts(oid)
    }

    fn accepts_array(oid: u32) -> bool {
        T::accepts_array(oid)
    }

    fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        T::decode_binary(oid, bytes).map(Some)
    }

    fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        T::decode_text(oid, bytes).map(Some)
    }

    fn decode_null() -> Result<Self, DecodeError> {
        Ok(None)
    }
}

const ARRAY: &str = "an array whose elements can be read as asked";

/// The element type of an array that `T` reads, checked; 0 where only `T` itself knows it.
fn element_of<T: FromSql>(array: u32) -> Result<u32, DecodeError> {
    if T::accepts_array(array) {
        Ok(oid::element_of(array).unwrap_or(0))
    } else {
        mismatch(ARRAY, array)
    }
}

/// An array of any dimensions.
impl<T: FromSql> FromSql for Array<T> {
    fn accepts(oid: u32) -> bool {
        T::accepts_array(oid)
    }

    fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        element_of::<T>(oid)?;
        array::binary::decode(bytes, |element, bytes| {
            // What the value itself says it holds, which need not be what its column says.
            if T::accepts(element) {
                T::decode_binary(element, bytes)
            } else {
                mismatch(ARRAY, element)
            }
        })
    }

    fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        let element = element_of::<T>(oid)?;
        array::text::decode(bytes, oid::delimiter_of(oid), |bytes| T::decode_text(element, bytes))
    }
}

/// An array of one dimension; `Vec<Option<T>>` takes NULLs.
impl<T: FromSql> FromSql for Vec<T> {
    fn accepts(oid: u32) -> bool {
        Array::<T>::accepts(oid)
    }

    fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        flat(Array::decode_binary(oid, bytes)?)
    }

    fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
        flat(Array::decode_text(oid, bytes)?)
    }
}

/// The elements of an array that has no more than one dimension.
fn flat<T: FromSql>(array: Array<T>) -> Result<Vec<T>, DecodeError> {
    if array.dimensions().len() > 1 {
        return Err(DecodeError::new(
            "an array of one dimension (read others as Array)",
            format!("{} dimensions", array.dimensions().len()),
        ));
    }
    let elements = array.into_elements().into_iter().enumerate();
    elements.map(|(index, element)| element.map_or_else(|| null(index), Ok)).collect()
}

/// What a NULL in an array is read as.
fn null<T: FromSql>(index: usize) -> Result<T, DecodeError> {
    T::decode_null().map_err(|_| {
        DecodeError::new(
            "an array without NULL (read one with NULLs as Vec<Option<T>>)",
            format!("NULL as element {}", index + 1),
        )
    })
}
