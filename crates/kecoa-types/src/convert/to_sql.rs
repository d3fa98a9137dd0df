//! Rust values as parameters.

use crate::array::binary::{push_element, push_header};
use crate::array::{Array, Dimension, text};
use crate::civil::{
    CivilDate, CivilTimestamp, CivilTimestampTz, Date, Interval, Time, TimeTz, Timestamp,
    TimestampTz,
};
use crate::{
    BitString, EncodeError, Inet, Json, MacAddr, MacAddr8, Money, Numeric, PgLsn, Tid, Uuid, Xid8,
    binary, oid,
};

/// Whether a parameter is NULL; nothing was appended then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsNull {
    /// NULL.
    Yes,
    /// A value, possibly of no bytes.
    No,
}

/// A value that can be sent as a parameter, in binary form unless it says otherwise.
///
/// Object-safe: parameter lists are `&[&dyn ToSql]`. `Sync`, so that a list that is written where it
/// is used may be kept by a future that moves between threads.
///
/// ```
/// use kecoa_types::{EncodeError, IsNull, StaticOid, ToSql, oid};
///
/// struct Cents(i64);
///
/// impl ToSql for Cents {
///     fn type_oid(&self) -> u32 {
///         oid::INT8
///     }
///     fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
///         self.0.encode_binary(out)
///     }
/// }
///
/// // For `Option<Cents>` and `Vec<Cents>`.
/// impl StaticOid for Cents {
///     const OID: u32 = oid::INT8;
/// }
///
/// let params: [&dyn ToSql; 2] = [&Some(Cents(250)), &vec![Cents(1), Cents(2)]];
/// assert_eq!(params.map(|param| param.type_oid()), [oid::INT8, oid::INT8_ARRAY]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a parameter",
    label = "`{Self}` does not implement `ToSql`",
    note = "integers are sent as i16, i32 or i64; NULL as `None::<T>`; arrays as `Vec<T>` or `&[T]`",
    note = "types of the crates chrono, jiff, rust_decimal, serde_json, time and uuid need the feature of that \
            name; for a type of your own, implement `ToSql`"
)]
pub trait ToSql: Sync {
    /// The type the parameter is declared as; the server converts from it where it must.
    fn type_oid(&self) -> u32;

    /// Appends the value in the binary form of that type.
    ///
    /// # Errors
    /// The value cannot be sent; what was appended is then to be discarded.
    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError>;

    /// Appends the value in text form.
    ///
    /// A type whose [`StaticOid::OID`] is 0 needs it to be sent within arrays: an array in binary form
    /// names the type of its elements, one in text form does not.
    ///
    /// # Errors
    /// The value cannot be sent, or its type has no text form here; what was appended is then to be
    /// discarded.
    fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        let _ = out;
        Err(EncodeError::Other(format!(
            "expected a type with a text form, because the type of the array's elements is not known \
             beforehand, found {} (ToSql::encode_text)",
            std::any::type_name::<Self>()
        )))
    }

    /// Whether the value is sent in text form: so are arrays whose elements' type is not known beforehand.
    fn is_sent_as_text(&self) -> bool {
        false
    }
}

/// A type whose values are all sent as one type, which a NULL or an array needs to know.
#[diagnostic::on_unimplemented(
    message = "it is not known as which type `None` and arrays of `{Self}` are to be sent",
    label = "`{Self}` does not implement `StaticOid`",
    note = "for a type of your own, write `impl StaticOid for … {{ const OID: u32 = 0; }}`: with 0 the server \
            infers the type"
)]
pub trait StaticOid {
    /// That type's oid; 0 for the server to infer the type, as [`ToSql::type_oid`].
    const OID: u32;
}

macro_rules! to_sql {
    ($($type:ty, $oid:ident, $value:ident, $out:ident => $encode:expr;)*) => {
        $(
            impl StaticOid for $type {
                const OID: u32 = oid::$oid;
            }

            impl ToSql for $type {
                fn type_oid(&self) -> u32 {
                    oid::$oid
                }

                fn encode_binary(&self, $out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
                    let $value = self;
                    $encode;
                    Ok(IsNull::No)
                }
            }
        )*
    };
}

to_sql! {
    bool, BOOL, value, out => binary::bool::encode(value, out);
    i16, INT2, value, out => binary::int2::encode(value, out);
    i32, INT4, value, out => binary::int4::encode(value, out);
    i64, INT8, value, out => binary::int8::encode(value, out);
    u32, OID, value, out => binary::oid::encode(value, out);
    f32, FLOAT4, value, out => binary::float4::encode(value, out);
    f64, FLOAT8, value, out => binary::float8::encode(value, out);
    str, TEXT, value, out => push_text(value, out)?;
    String, TEXT, value, out => push_text(value, out)?;
    [u8], BYTEA, value, out => out.extend_from_slice(value);
    Vec<u8>, BYTEA, value, out => out.extend_from_slice(value);
    Uuid, UUID, value, out => binary::uuid::encode(value, out);
    Numeric, NUMERIC, value, out => binary::numeric::encode(value, out);
    Json, JSONB, value, out => binary::jsonb::encode(value, out);
    Date, DATE, value, out => binary::date::encode(value, out);
    CivilDate, DATE, value, out => binary::date::encode(&Date::Finite(*value), out);
    Time, TIME, value, out => binary::time::encode(value, out);
    TimeTz, TIMETZ, value, out => binary::timetz::encode(value, out);
    Timestamp, TIMESTAMP, value, out => binary::timestamp::encode(value, out);
    CivilTimestamp, TIMESTAMP, value, out =>
        binary::timestamp::encode(&Timestamp::Finite(*value), out);
    TimestampTz, TIMESTAMPTZ, value, out => binary::timestamptz::encode(value, out);
    CivilTimestampTz, TIMESTAMPTZ, value, out =>
        binary::timestamptz::encode(&TimestampTz::Finite(*value), out);
    Interval, INTERVAL, value, out => binary::interval::encode(value, out);
    Inet, INET, value, out => binary::inet::encode(value, out);
    MacAddr, MACADDR, value, out => binary::macaddr::encode(value, out);
    MacAddr8, MACADDR8, value, out => binary::macaddr8::encode(value, out);
    BitString, VARBIT, value, out => binary::varbit::encode(value, out);
    Money, MONEY, value, out => binary::money::encode(value, out);
    PgLsn, PG_LSN, value, out => binary::pg_lsn::encode(value, out);
    Tid, TID, value, out => binary::tid::encode(value, out);
    Xid8, XID8, value, out => binary::xid8::encode(value, out);
}

fn push_text(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if let Some(position) = memchr::memchr(0, value.as_bytes()) {
        return Err(EncodeError::Nul { position });
    }
    out.extend_from_slice(value.as_bytes());
    Ok(())
}

impl<T: StaticOid + ?Sized> StaticOid for &T {
    const OID: u32 = T::OID;
}

impl<T: ToSql + ?Sized> ToSql for &T {
    fn type_oid(&self) -> u32 {
        T::type_oid(self)
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        T::encode_binary(self, out)
    }

    fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        T::encode_text(self, out)
    }

    fn is_sent_as_text(&self) -> bool {
        T::is_sent_as_text(self)
    }
}

impl<T: StaticOid> StaticOid for Option<T> {
    const OID: u32 = T::OID;
}

/// `None` is NULL.
impl<T: ToSql + StaticOid> ToSql for Option<T> {
    fn type_oid(&self) -> u32 {
        T::OID
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        match self {
            Some(value) => value.encode_binary(out),
            None => Ok(IsNull::Yes),
        }
    }

    fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        match self {
            Some(value) => value.encode_text(out),
            None => Ok(IsNull::Yes),
        }
    }

    fn is_sent_as_text(&self) -> bool {
        self.as_ref().is_some_and(T::is_sent_as_text)
    }
}

/// The array type of an element type; 0, which asks the server to infer it, where there is none.
const fn array_oid(element: u32) -> u32 {
    match oid::array_of(element) {
        Some(array) => array,
        None => 0,
    }
}

impl<T: StaticOid> StaticOid for [T] {
    const OID: u32 = array_oid(T::OID);
}

impl<T: StaticOid> StaticOid for Vec<T> {
    const OID: u32 = array_oid(T::OID);
}

/// An array of one dimension.
impl<T: ToSql + StaticOid> ToSql for [T] {
    fn type_oid(&self) -> u32 {
        array_oid(T::OID)
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        let dimension = [Dimension { length: self.len(), lower_bound: 1 }];
        let dimensions = if self.is_empty() { &[][..] } else { &dimension[..] };
        let flags = out.len() + 4;
        push_header(dimensions, false, T::OID, out)?;
        let mut has_nulls = false;
        for element in self {
            push_element(out, |out| {
                let null = element.encode_binary(out)? == IsNull::Yes;
                has_nulls |= null;
                Ok(null)
            })?;
        }
        // Known only now: the last byte of the flags.
        if let (Some(flag), true) = (out.get_mut(flags + 3), has_nulls) {
            *flag = 1;
        }
        Ok(IsNull::No)
    }

    fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        let elements = self.iter().map(element_text).collect::<Result<_, _>>()?;
        push_text_array(&Array::from_elements(elements), out)
    }

    fn is_sent_as_text(&self) -> bool {
        T::OID == 0
    }
}

/// An array of one dimension.
impl<T: ToSql + StaticOid> ToSql for Vec<T> {
    fn type_oid(&self) -> u32 {
        array_oid(T::OID)
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        self.as_slice().encode_binary(out)
    }

    fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        self.as_slice().encode_text(out)
    }

    fn is_sent_as_text(&self) -> bool {
        self.as_slice().is_sent_as_text()
    }
}

impl<T: StaticOid> StaticOid for Array<T> {
    const OID: u32 = array_oid(T::OID);
}

impl<T: ToSql + StaticOid> ToSql for Array<T> {
    fn type_oid(&self) -> u32 {
        array_oid(T::OID)
    }

    fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        let has_nulls = self.elements().iter().any(Option::is_none);
        push_header(self.dimensions(), has_nulls, T::OID, out)?;
        for element in self.elements() {
            push_element(out, |out| Ok(element.encode_binary(out)? == IsNull::Yes))?;
        }
        Ok(IsNull::No)
    }

    fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
        let elements = self.elements().iter().map(element_text).collect::<Result<_, _>>()?;
        let array = Array::new(self.dimensions().to_vec(), elements)
            .map_err(|error| EncodeError::Other(error.to_string()))?;
        push_text_array(&array, out)
    }

    fn is_sent_as_text(&self) -> bool {
        T::OID == 0
    }
}

/// An element of an array in text form; nothing for NULL.
fn element_text(element: &impl ToSql) -> Result<Option<Vec<u8>>, EncodeError> {
    let mut bytes = Vec::new();
    Ok(match element.encode_text(&mut bytes)? {
        IsNull::Yes => None,
        IsNull::No => Some(bytes),
    })
}

/// Appends an array whose elements are in text form.
fn push_text_array(array: &Array<Vec<u8>>, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
    text::encode(array, b',', out, |element, out| out.extend_from_slice(element));
    Ok(IsNull::No)
}
