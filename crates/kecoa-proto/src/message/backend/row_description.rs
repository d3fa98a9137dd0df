//! RowDescription: the columns of a result.

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{ProtocolError, UsageError};
use crate::message::format::Format;
use crate::message::read::Reader;
use crate::message::tags::backend as tags;
use crate::message::write;

/// The columns of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowDescription {
    /// One a column.
    pub fields: Vec<Field>,
}

/// A column of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its name, in the client's encoding.
    pub name: Bytes,
    /// The oid of the table it comes from; 0 if from none.
    pub table_oid: u32,
    /// Its number in that table; 0 if from none.
    pub column: i16,
    /// The oid of its type.
    pub type_oid: u32,
    /// The size of its type in bytes; negative if it varies (`pg_type.typlen`).
    pub type_size: i16,
    /// What the type's parentheses said, in the type's own code (`pg_attribute.atttypmod`); -1 for
    /// nothing.
    pub type_modifier: i32,
    /// The form its values come in; text in the answer to a Describe of a statement, where it is
    /// not known yet.
    pub format: Format,
}

impl RowDescription {
    /// Reads the body of a RowDescription.
    pub(crate) fn decode(body: Bytes) -> Result<RowDescription, ProtocolError> {
        let mut reader = Reader::new(tags::name(tags::ROW_DESCRIPTION), body);
        let description = RowDescription::read(&mut reader)?;
        reader.end()?;
        Ok(description)
    }

    fn read(r: &mut Reader) -> Result<RowDescription, ProtocolError> {
        let count = r.count("a number of columns")?;
        // A field takes 19 bytes at least: a claim of more fields than that is not believed.
        if count.saturating_mul(19) > r.remaining() {
            return Err(r.malformed(
                format!("{count} columns"),
                format!("{} bytes, too few for them", r.remaining()),
            ));
        }
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            fields.push(Field {
                name: r.string("a column's name")?,
                table_oid: r.u32("a table's oid")?,
                column: r.i16("a column's number")?,
                type_oid: r.u32("a type's oid")?,
                type_size: r.i16("a type's size")?,
                type_modifier: r.i32("a type's modifier")?,
                format: r.format()?,
            });
        }
        Ok(RowDescription { fields })
    }

    pub(super) fn write(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        write::count(out, self.fields.len(), "columns")?;
        for field in &self.fields {
            write::string(out, &field.name, "a column's name")?;
            out.put_u32(field.table_oid);
            out.put_i16(field.column);
            out.put_u32(field.type_oid);
            out.put_i16(field.type_size);
            out.put_i32(field.type_modifier);
            out.put_i16(field.format.code());
        }
        Ok(())
    }
}
