//! Whole rows as tuples and structs.

use std::marker::PhantomData;

use kecoa_proto::{Format, RowDescription};
use kecoa_types::FromSql;

use super::decode::{decode, mismatch};
use super::names;
use crate::error::Error;
use crate::row::ResultSet;

/// What a row can be read as: tuples of up to 16 columns, and structs that derive it.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// # kecoa::example::blocking(|client| {
/// use kecoa::FromRow;
///
/// #[derive(FromRow, Debug, PartialEq)]
/// struct Account {
///     id: i64,
///     #[kecoa(rename = "holder_name")]
///     holder: String,
///     note: Option<String>,
/// }
///
/// let accounts: Vec<Account> = client.query_as(
///     "SELECT 'Ada' AS holder_name, NULL::text AS note, 7::int8 AS id",
///     &[],
/// )?;
/// assert_eq!(accounts, [Account { id: 7, holder: "Ada".to_owned(), note: None }]);
///
/// let names: Vec<(String, i64)> =
///     client.query_as("SELECT 'a', 1::int8 UNION ALL SELECT 'b', 2 ORDER BY 1", &[])?;
/// assert_eq!(names, [("a".to_owned(), 1), ("b".to_owned(), 2)]);
/// # Ok(()) });
/// # }
/// ```
///
/// The derived form finds columns by the names of the fields; more columns than fields are no
/// error. On a field, `#[kecoa(rename = "…")]` gives another name, `#[kecoa(flatten)]` reads a
/// field that is a [`FromRow`] itself from the same row, `#[kecoa(skip)]` takes its `Default`. A
/// tuple, or a tuple struct, takes columns in order; a tuple takes all of them.
///
/// By hand: [`find`](FromRow::find) says which columns, once a result;
/// [`read`](FromRow::read) takes their values in the same order, once a row.
///
/// ```
/// use kecoa::{Columns, Error, FromRow, Values};
///
/// struct Point { x: f64, y: f64 }
///
/// impl FromRow for Point {
///     fn find(columns: &mut Columns<'_>) -> Result<(), Error> {
///         columns.named::<f64>("x")?;
///         columns.named::<f64>("y")
///     }
///
///     fn read(values: &mut Values<'_>) -> Result<Self, Error> {
///         Ok(Point { x: values.take()?, y: values.take()? })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "rows cannot be read as `{Self}`",
    label = "`{Self}` does not implement `FromRow`",
    note = "for a struct, write `#[derive(kecoa::FromRow)]`; one column is read as a tuple of one: `(i64,)`"
)]
pub trait FromRow: Sized {
    /// Finds the columns, and checks their types.
    ///
    /// # Errors
    /// A column is missing, or of a type that the field cannot be read from.
    fn find(columns: &mut Columns<'_>) -> Result<(), Error>;

    /// Reads a row: takes the values of the columns in the order in which they were found.
    ///
    /// # Errors
    /// A value cannot be read: NULL where no `Option` is, a value out of range.
    fn read(values: &mut Values<'_>) -> Result<Self, Error>;
}

/// The columns of a result, of which [`FromRow::find`] picks some.
#[derive(Debug)]
pub struct Columns<'a> {
    description: &'a RowDescription,
    found: Vec<Found>,
    /// The next column to be taken by its position.
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    number: usize,
    oid: u32,
    format: Format,
}

impl<'a> Columns<'a> {
    /// The columns: names, types, forms.
    #[must_use]
    pub fn description(&self) -> &'a RowDescription {
        self.description
    }

    /// Picks the column of this name; the first, of several.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there is none,
    /// [`Conversion`](crate::ErrorKind::Conversion) when its type cannot be read as `T`.
    pub fn named<T: FromSql>(&mut self, name: &str) -> Result<(), Error> {
        let fields = &self.description.fields;
        match fields.iter().position(|field| field.name == name.as_bytes()) {
            Some(number) => self.pick::<T>(number),
            None => Err(Error::usage_after_the_fact(format!(
                "expected a column {}, found {}",
                names::quoted(name.as_bytes()),
                names::all(self.description)
            ))),
        }
    }

    /// Picks the next column.
    ///
    /// # Errors
    /// As [`named`](Columns::named).
    pub fn positional<T: FromSql>(&mut self) -> Result<(), Error> {
        let number = self.next;
        self.next += 1;
        if number < self.description.fields.len() {
            return self.pick::<T>(number);
        }
        Err(Error::usage_after_the_fact(format!(
            "expected at least {}, found {}",
            names::count(number + 1),
            names::all(self.description)
        )))
    }

    fn pick<T: FromSql>(&mut self, number: usize) -> Result<(), Error> {
        let Some(field) = self.description.fields.get(number) else { return Ok(()) };
        if !T::accepts(field.type_oid) {
            return Err(mismatch::<T>(field.type_oid, &names::one(self.description, number)));
        }
        self.found.push(Found { number, oid: field.type_oid, format: field.format });
        Ok(())
    }
}

/// The values of one row, which [`FromRow::read`] takes in the order of the columns found.
#[derive(Debug)]
pub struct Values<'a> {
    description: &'a RowDescription,
    found: std::slice::Iter<'a, Found>,
    fields: &'a [Option<&'a [u8]>],
}

impl Values<'_> {
    /// The value of the next column that was found.
    ///
    /// # Errors
    /// [`ErrorKind::Conversion`](crate::ErrorKind::Conversion) when it cannot be read as `T`;
    /// [`Usage`](crate::ErrorKind::Usage) when [`FromRow::find`] found no further column.
    #[inline]
    pub fn take<T: FromSql>(&mut self) -> Result<T, Error> {
        let Some(found) = self.found.next() else {
            let message = "expected a further column to be found before its value is taken";
            return Err(Error::usage_after_the_fact(message));
        };
        let value = self.fields.get(found.number).copied().flatten();
        decode(found.oid, found.format, value, || names::one(self.description, found.number))
    }
}

/// Reads the rows of one result.
pub(crate) struct Reader<'a, T> {
    columns: Columns<'a>,
    reads: PhantomData<fn() -> T>,
}

impl<'a, T: FromRow> Reader<'a, T> {
    pub(crate) fn new(description: &'a RowDescription) -> Result<Reader<'a, T>, Error> {
        let mut columns = Columns { description, found: Vec::new(), next: 0 };
        T::find(&mut columns)?;
        Ok(Reader { columns, reads: PhantomData })
    }

    pub(crate) fn read(&self, fields: &[Option<&[u8]>]) -> Result<T, Error> {
        let Columns { description, found, .. } = &self.columns;
        T::read(&mut Values { description, found: found.iter(), fields })
    }
}

/// All rows of a result.
pub(crate) fn read_all<T: FromRow>(set: &ResultSet) -> Result<Vec<T>, Error> {
    let Some(description) = &set.description else { return Ok(Vec::new()) };
    let reader = Reader::<T>::new(description)?;
    let mut all = Vec::with_capacity(set.row_count());
    for rows in &set.rows {
        let mut fields = Vec::with_capacity(description.fields.len());
        for row in rows {
            fields.clear();
            fields.extend(row.fields());
            all.push(reader.read(&fields)?);
        }
    }
    Ok(all)
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {
        $(
            impl<$($name: FromSql),+> FromRow for ($($name,)+) {
                fn find(columns: &mut Columns<'_>) -> Result<(), Error> {
                    let expected = [$(stringify!($name)),+].len();
                    let found = columns.description.fields.len();
                    if found != expected {
                        return Err(Error::usage_after_the_fact(format!(
                            "expected {}, found {}",
                            names::count(expected),
                            names::all(columns.description)
                        )));
                    }
                    $(columns.positional::<$name>()?;)+
                    Ok(())
                }

                #[inline]
                fn read(values: &mut Values<'_>) -> Result<Self, Error> {
                    Ok(($(values.take::<$name>()?,)+))
                }
            }
        )*
    };
}

tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
    (A B C D E F G H I J K L M) (A B C D E F G H I J K L M N) (A B C D E F G H I J K L M N O)
    (A B C D E F G H I J K L M N O P)
}
