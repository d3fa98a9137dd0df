//! Columns as messages name them.

use kecoa_proto::RowDescription;

/// More names make a message longer, not clearer.
const SHOWN: usize = 16;
/// Nor do longer ones, in characters; PostgreSQL's have 63 bytes at most, CockroachDB's any number.
const LONGEST: usize = 64;

/// How many columns there are: `1 column`, `2 columns`.
pub(super) fn count(columns: usize) -> String {
    format!("{columns} column{}", if columns == 1 { "" } else { "s" })
}

/// The number of the columns, and their names.
pub(super) fn all(description: &RowDescription) -> String {
    let count = count(description.fields.len());
    match list(description) {
        names if names.is_empty() => count,
        names => format!("{count} ({names})"),
    }
}

/// The names of the columns, the first ones of many.
pub(super) fn list(description: &RowDescription) -> String {
    let fields = &description.fields;
    let mut names: Vec<_> = fields.iter().take(SHOWN).map(|field| quoted(&field.name)).collect();
    if fields.len() > SHOWN {
        names.push(format!("{} more", fields.len() - SHOWN));
    }
    names.join(", ")
}

/// One column.
pub(super) fn one(description: &RowDescription, number: usize) -> String {
    let name = description.fields.get(number).map_or(&b""[..], |field| &field.name);
    format!("column {}", quoted(name))
}

/// A name in quotes, bounded.
pub(super) fn quoted(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", name.get(..end).unwrap_or_default()),
        None => format!("{name:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kecoa_proto::Field;

    fn columns(names: impl Iterator<Item = String>) -> RowDescription {
        let field = |name: String| Field { name: name.into(), ..Field::default() };
        RowDescription { fields: names.map(field).collect() }
    }

    #[test]
    fn names_are_bounded() {
        let one_column = columns(["id".to_owned()].into_iter());
        assert_eq!(all(&one_column), "1 column (\"id\")");
        assert_eq!(all(&columns(std::iter::empty())), "0 columns");
        let many = all(&columns((0..20).map(|number| format!("c{number}"))));
        assert!(many.starts_with("20 columns (\"c0\", \"c1\", "), "{many}");
        assert!(many.ends_with("\"c15\", 4 more)"), "{many}");
        let long = list(&columns(["é".repeat(10_000)].into_iter()));
        assert_eq!(long, format!("\"{}\"…", "é".repeat(64)));
    }
}
