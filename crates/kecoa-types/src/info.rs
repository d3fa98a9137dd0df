//! What the catalogue knows about a type that a database has beside the built-in ones.

use crate::DecodeError;

/// What kind of type it is: `pg_type.typtype`, and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TypeKind {
    /// A base type, as an extension brings it.
    Base,
    /// An enumeration, whose values are labels in both forms.
    Enum,
    /// A composite type: see [`composite`](crate::composite).
    Composite,
    /// Another type with constraints, and the oid of that one; values are in its form.
    Domain(u32),
    /// A range, and the oid of its bounds' type.
    Range(u32),
    /// A multirange, and the oid of the type of the bounds of its ranges.
    Multirange(u32),
    /// None that columns have.
    Pseudo,
}

/// A type of a database, looked up by name.
///
/// Nothing here asks a server: send [`TypeInfo::QUERY`] with the name as its one parameter, and give the
/// row's columns, as text, to [`TypeInfo::from_columns`].
///
/// A program's own type needs its oid rarely: [`ToSql::type_oid`](crate::ToSql::type_oid) may be 0, which
/// asks the server to infer it, and [`FromSql::accepts`](crate::FromSql::accepts) may be true for all.
///
/// ```
/// use kecoa_types::{DecodeError, EncodeError, FromSql, IsNull, StaticOid, ToSql};
///
/// /// `CREATE TYPE mood AS ENUM ('sad', 'happy')`
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Mood {
///     Sad,
///     Happy,
/// }
///
/// impl FromSql for Mood {
///     fn accepts(_: u32) -> bool {
///         true
///     }
///
///     // An enumeration's two forms are the same.
///     fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
///         Self::decode_text(oid, bytes)
///     }
///
///     fn decode_text(_: u32, bytes: &[u8]) -> Result<Self, DecodeError> {
///         match bytes {
///             b"sad" => Ok(Self::Sad),
///             b"happy" => Ok(Self::Happy),
///             _ => Err(DecodeError::text("a mood", bytes)),
///         }
///     }
/// }
///
/// impl ToSql for Mood {
///     fn type_oid(&self) -> u32 {
///         0
///     }
///
///     fn encode_binary(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
///         out.extend_from_slice(match self {
///             Self::Sad => b"sad",
///             Self::Happy => b"happy",
///         });
///         Ok(IsNull::No)
///     }
///
///     // For arrays.
///     fn encode_text(&self, out: &mut Vec<u8>) -> Result<IsNull, EncodeError> {
///         self.encode_binary(out)
///     }
/// }
///
/// // For `Option<Mood>`, `Vec<Mood>`, `Vec<Option<Mood>>` as parameters.
/// impl StaticOid for Mood {
///     const OID: u32 = 0;
/// }
///
/// let mut sent = Vec::new();
/// Mood::Happy.encode_binary(&mut sent).unwrap();
/// assert_eq!(Mood::decode_binary(0, &sent), Ok(Mood::Happy));
/// assert!(Mood::decode_text(0, b"angry").is_err());
///
/// let mut sent = Vec::new();
/// vec![Some(Mood::Sad), None].encode_text(&mut sent).unwrap();
/// assert_eq!(sent, b"{sad,NULL}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeInfo {
    /// The type's name, without its schema.
    pub name: String,
    /// The schema it is in.
    pub schema: String,
    /// The type.
    pub oid: u32,
    /// The type of arrays of it; 0 where there is none.
    pub array_oid: u32,
    /// What separates the elements of such arrays in text form.
    pub delimiter: u8,
    /// What kind of type it is.
    pub kind: TypeKind,
}

impl TypeInfo {
    /// Looks a type up by the name that is its one parameter, by the rules of SQL: the search path, lower
    /// case, quotes. One row of seven columns of type text, or none.
    /// `absent` stands in for a column that `pg_range` lacks before PostgreSQL 14 and on CockroachDB.
    pub const QUERY: &'static str = "\
        SELECT t.oid::text, t.typarray::text, t.typname::text, n.nspname::text, t.typdelim::text, \
        t.typtype::text, coalesce((SELECT r.rngsubtype FROM pg_catalog.pg_range r \
        WHERE r.rngtypid = t.oid OR rngmultitypid = t.oid), t.typbasetype, 0)::oid::text \
        FROM (SELECT 0::oid AS rngmultitypid) absent, pg_catalog.pg_type t \
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
        WHERE t.oid = to_regtype($1::text)";

    /// From the columns of [`QUERY`](Self::QUERY)'s row.
    ///
    /// # Errors
    /// They are not those.
    pub fn from_columns(columns: &[Option<&str>]) -> Result<Self, DecodeError> {
        Self::read(columns).ok_or_else(|| {
            DecodeError::new("the row of TypeInfo::QUERY", format!("{} columns", columns.len()))
        })
    }

    fn read(columns: &[Option<&str>]) -> Option<Self> {
        let [
            Some(oid),
            Some(array),
            Some(name),
            Some(schema),
            Some(delimiter),
            Some(kind),
            Some(of),
        ] = columns
        else {
            return None;
        };
        let of: u32 = of.parse().ok()?;
        Some(Self {
            name: (*name).to_owned(),
            schema: (*schema).to_owned(),
            oid: oid.parse().ok()?,
            array_oid: array.parse().ok()?,
            delimiter: *delimiter.as_bytes().first()?,
            kind: match *kind {
                "b" => TypeKind::Base,
                "e" => TypeKind::Enum,
                "c" => TypeKind::Composite,
                "d" => TypeKind::Domain(of),
                "r" => TypeKind::Range(of),
                "m" => TypeKind::Multirange(of),
                "p" => TypeKind::Pseudo,
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_or_refused() {
        let row = [
            Some("70000"),
            Some("70001"),
            Some("mood"),
            Some("public"),
            Some(","),
            Some("e"),
            Some("0"),
        ];
        let info = TypeInfo::from_columns(&row).unwrap();
        assert_eq!((info.oid, info.array_oid, info.kind), (70_000, 70_001, TypeKind::Enum));
        let mut domain = row;
        (domain[5], domain[6]) = (Some("d"), Some("23"));
        assert_eq!(TypeInfo::from_columns(&domain).unwrap().kind, TypeKind::Domain(23));
        for column in 0..row.len() {
            let mut bad = row;
            bad[column] = None;
            assert!(TypeInfo::from_columns(&bad).is_err());
        }
        domain[5] = Some("?");
        assert!(TypeInfo::from_columns(&domain).is_err());
    }
}
