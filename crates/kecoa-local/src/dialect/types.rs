//! CockroachDB's type names where a type is expected.

use kecoa_sql::Statement;
use kecoa_sql::TokenKind;

use super::edit::Edits;
use super::settings::Serial;

/// The digits that PostgreSQL's `NUMERIC` is declared with at most.
const MAX_PRECISION: u64 = 1000;

/// What a type name becomes.
enum Change {
    /// Another name, with what stands in brackets behind it kept.
    Name(&'static str),
    /// Another name, without what stands in brackets behind it.
    Bare(&'static str),
    /// `STRING`: `VARCHAR(n)` with a length, `TEXT` without.
    Text,
    /// `DECIMAL(p, s)`: PostgreSQL's precision ends at 1000.
    Decimal,
    /// `INT`: 64 bits, unless `default_int_size` is 4.
    Int,
    /// A column that fills itself.
    Serial,
}

fn change(word: &str) -> Option<Change> {
    Some(match word {
        "string" => Change::Text,
        "bytes" | "blob" => Change::Bare("BYTEA"),
        "int" | "integer" => Change::Int,
        "int64" => Change::Name("INT8"),
        "int32" => Change::Name("INT4"),
        "int16" => Change::Name("INT2"),
        "decimal" | "dec" | "numeric" => Change::Decimal,
        "float64" => Change::Name("FLOAT8"),
        "float32" => Change::Name("FLOAT4"),
        "json" => Change::Name("JSONB"),
        "serial" | "serial2" | "serial4" | "serial8" | "bigserial" | "smallserial" => {
            Change::Serial
        }
        _ => return None,
    })
}

/// Whether the word at `index` names a type only CockroachDB has, or one that it means differently.
pub(super) fn is_changed_type(statement: &Statement<'_>, index: usize) -> bool {
    statement.kind(index) == Some(TokenKind::Word)
        && statement.name(index).is_some_and(|name| change(&name).is_some())
}

/// Rewrites the type that starts at `index`. `column` is true in a column's definition, where
/// `SERIAL` may stand.
pub(super) fn rewrite(statement: &Statement<'_>, index: usize, column: bool, edits: &mut Edits) {
    if statement.kind(index) != Some(TokenKind::Word) || statement.is_mark(index + 1, ".") {
        return;
    }
    let Some(change) = statement.name(index).as_deref().and_then(change) else {
        return;
    };
    let start = statement.start(index);
    let brackets = statement.partner(index + 1).filter(|_| statement.is_mark(index + 1, "("));
    match change {
        Change::Int if edits.settings.small_int => {
            edits.replace(start, statement.end(index), "INT4");
        }
        Change::Int => edits.replace(start, statement.end(index), "INT8"),
        Change::Name(name) => edits.replace(start, statement.end(index), name),
        Change::Bare(name) => {
            edits.replace(start, statement.end(brackets.unwrap_or(index)), name);
        }
        Change::Decimal => {
            let precision = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
            if brackets.is_some() && precision(statement.text(index + 2)) > Some(MAX_PRECISION) {
                let most = MAX_PRECISION.to_string();
                edits.replace(statement.start(index + 2), statement.end(index + 2), most);
            }
        }
        Change::Text => {
            let name = if brackets.is_some() { "VARCHAR" } else { "TEXT" };
            edits.replace(start, statement.end(index), name);
        }
        Change::Serial if column => {
            let short = statement.is_any(index, &["SERIAL2", "SMALLSERIAL"]);
            let small = statement.is(index, "SERIAL4")
                || statement.is(index, "SERIAL") && edits.settings.small_int;
            let text = match edits.settings.serial {
                Serial::RowId => "INT8 NOT NULL DEFAULT unique_rowid()",
                Serial::UnorderedRowId => "INT8 NOT NULL DEFAULT unordered_unique_rowid()",
                Serial::Sequence if short => "SERIAL2",
                Serial::Sequence if small => "SERIAL4",
                Serial::Sequence => "SERIAL8",
            };
            edits.replace(start, statement.end(index), text);
        }
        Change::Serial => {}
    }
}
