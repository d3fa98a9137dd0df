//! What a result looks like: formats, columns, the screen.

use std::borrow::Cow;
use std::io;

use kecoa::proto::{RowDescription, Rows};

use crate::escape;
use crate::style::Style;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns beneath each other, for people.
    Table,
    /// Fields separated by `|`, as `psql -A` has it.
    Unaligned,
    /// RFC 4180: NULL is an empty field, an empty string is `""`.
    Csv,
    /// Tab-separated, with the escapes of COPY: NULL is `\N`.
    Tsv,
    /// An array of objects for each result.
    Json,
    /// An object a line.
    Ndjson,
    /// A table of Markdown.
    Markdown,
    /// A table of HTML.
    Html,
}

impl Format {
    /// Every format, by its name.
    pub const ALL: [(&'static str, Format); 8] = [
        ("table", Format::Table),
        ("unaligned", Format::Unaligned),
        ("csv", Format::Csv),
        ("tsv", Format::Tsv),
        ("json", Format::Json),
        ("ndjson", Format::Ndjson),
        ("markdown", Format::Markdown),
        ("html", Format::Html),
    ];

    /// The format of this name; psql's name for the first, `aligned`, is taken, too.
    #[must_use]
    pub fn named(name: &str) -> Option<Format> {
        let name = if name == "aligned" { "table" } else { name };
        Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Format::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// Whether it is read by people: counts and command tags are shown beside it.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Format::Table | Format::Unaligned)
    }
}

/// When a row is shown as one line a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expanded {
    Off,
    On,
    /// Where the table would be wider than the terminal.
    Auto,
}

/// How it should look.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) format: Format,
    pub(crate) expanded: Expanded,
    /// What stands for NULL in a table.
    pub(crate) null: String,
    /// Between the fields of an unaligned row.
    pub(crate) separator: String,
    /// Neither headings nor counts.
    pub(crate) tuples_only: bool,
    /// The number of rows beneath.
    pub(crate) counted: bool,
}

/// Where it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// The columns of the terminal; none where there is no terminal.
    pub(crate) width: Option<usize>,
    /// Whether the reader sees control characters, which are escaped then.
    pub(crate) is_terminal: bool,
    /// Whether wide rows are cut to the width.
    pub(crate) cut: bool,
    pub(crate) style: Style,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What the values of a column are, as far as looks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Boolean,
    Json,
    Other,
}

impl Column {
    pub(crate) fn all(description: &RowDescription) -> Vec<Column> {
        let column = |field: &kecoa::proto::Field| Column {
            name: String::from_utf8_lossy(&field.name).into_owned(),
            kind: match field.type_oid {
                20 | 21 | 23 | 26 | 700 | 701 | 1700 => Kind::Number,
                16 => Kind::Boolean,
                114 | 3802 => Kind::Json,
                _ => Kind::Other,
            },
        };
        description.fields.iter().map(column).collect()
    }
}

/// Writes one result.
pub(crate) trait Printer {
    /// Takes rows. They are written now or later.
    fn rows(&mut self, rows: &Rows, out: &mut dyn io::Write) -> io::Result<()>;

    /// Writes what is left. A remark for the one at the terminal comes back.
    fn end(&mut self, out: &mut dyn io::Write) -> io::Result<Option<String>>;
}

/// Bytes of a value for whoever reads: escaped for a terminal, else as they are.
pub(crate) fn shown(value: &[u8], screen: Screen) -> Cow<'_, str> {
    if screen.is_terminal { escape::lines(value) } else { String::from_utf8_lossy(value) }
}
