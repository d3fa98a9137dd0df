//! Column values as Rust values.

use kecoa_proto::Format;
use kecoa_types::FromSql;

use crate::error::Error;

/// A column's value as a Rust value. `name` is asked for when it has to be named in an error.
pub(super) fn decode<T: FromSql>(
    oid: u32,
    format: Format,
    value: Option<&[u8]>,
    name: impl Fn() -> String,
) -> Result<T, Error> {
    let decoded = match value {
        None => T::decode_null(),
        Some(_) if !T::accepts(oid) => return Err(mismatch::<T>(oid, &name())),
        Some(bytes) if format == Format::Binary => T::decode_binary(oid, bytes),
        Some(bytes) => T::decode_text(oid, bytes),
    };
    decoded.map_err(|error| Error::conversion(name()).with_source(error))
}

/// The error of a column whose type cannot be read as `T`.
#[cold]
pub(super) fn mismatch<T>(oid: u32, column: &str) -> Error {
    let name = kecoa_types::oid::name_of(oid).unwrap_or("another type");
    Error::conversion(format!(
        "{column}: expected a type that {} can be read from, found {name} (oid {oid})",
        std::any::type_name::<T>(),
    ))
}
