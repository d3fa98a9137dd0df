//! Column values as Rust values.

use kecoa_proto::Format;
use kecoa_types::FromSql;

use crate::error::Error;

/// A column's value as a Rust value. `name` is asked for when it has to be named in an error.
///
/// The column's type is checked for NULL, too: a program that reads the wrong type learns it from the
/// first row, not from the first row with a value.
pub(super) fn decode<T: FromSql>(
    oid: u32,
    format: Format,
    value: Option<&[u8]>,
    name: impl Fn() -> String,
) -> Result<T, Error> {
    if !T::accepts(oid) {
        return Err(mismatch::<T>(oid, &name()));
    }
    let decoded = match value {
        None => T::decode_null(),
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
        in_short(std::any::type_name::<T>()),
    ))
}

/// A type's name as programs write those of the standard library. Others keep their paths: several crates
/// have a `Date`.
fn in_short(name: &str) -> String {
    ["core::option::", "alloc::string::", "alloc::vec::"]
        .iter()
        .fold(name.to_owned(), |name, path| name.replace(path, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kecoa_types::oid;

    fn read<T: FromSql>(oid: u32, value: Option<&[u8]>) -> Result<T, String> {
        let name = || "column 0".to_owned();
        decode(oid, Format::Text, value, name).map_err(|error| error.to_string())
    }

    #[test]
    fn null_of_another_type_is_refused() {
        assert_eq!(read::<Option<i64>>(oid::INT8, None), Ok(None));
        assert_eq!(
            read::<Option<i64>>(oid::TEXT, None),
            Err("column 0: expected a type that Option<i64> can be read from, found text (oid 25)"
                .to_owned())
        );
        assert_eq!(
            read::<Option<Vec<Option<String>>>>(oid::INT4_ARRAY, None),
            Err("column 0: expected a type that Option<Vec<Option<String>>> can be read from, \
                 found _int4 (oid 1007)"
                .to_owned())
        );
        // Without Option, the type comes before the NULL.
        assert!(read::<i64>(oid::BOOL, None).is_err_and(|error| error.contains("found bool")));
        assert!(read::<i64>(oid::INT8, None).is_err_and(|error| error.contains("found NULL")));
    }
}
