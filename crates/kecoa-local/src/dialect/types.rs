//! CockroachDB's type names where a type is expected.

use kecoa_sql::Statement;
use kecoa_sql::TokenKind;

use super::edit::Edits;
use super::plan::Refusal;
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

/// PostgreSQL's types that CockroachDB's grammar names only to refuse them.
const UNIMPLEMENTED: &[(&str, &str)] = &[
    ("box", "the type BOX"),
    ("cidr", "the type CIDR (use INET)"),
    ("circle", "the type CIRCLE"),
    ("line", "the type LINE"),
    ("lseg", "the type LSEG"),
    ("macaddr", "the type MACADDR (use STRING)"),
    ("macaddr8", "the type MACADDR8 (use STRING)"),
    ("money", "the type MONEY (use DECIMAL)"),
    ("path", "the type PATH"),
    ("txid_snapshot", "the type TXID_SNAPSHOT"),
    ("xml", "the type XML (use STRING)"),
];

/// PostgreSQL's types of which CockroachDB knows nothing.
const UNKNOWN: &[&str] = &[
    "cid",
    "datemultirange",
    "daterange",
    "gtrgm",
    "gtsvector",
    "halfvec",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "nchar",
    "nummultirange",
    "numrange",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
    "pg_dependencies",
    "pg_mcv_list",
    "pg_ndistinct",
    "pg_node_tree",
    "pg_snapshot",
    "point",
    "polygon",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regoper",
    "regoperator",
    "sparsevec",
    "tid",
    "tsmultirange",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "xid",
    "xid8",
];

/// The error for the type whose name stands at `index`, if only PostgreSQL has it.
fn refusal(statement: &Statement<'_>, index: usize, name: &str) -> Option<Refusal> {
    if let Ok(found) = UNIMPLEMENTED.binary_search_by_key(&name, |(known, _)| known) {
        let (_, what) = UNIMPLEMENTED.get(found)?;
        return Some(Refusal::syntax(statement, index, "0A000", what));
    }
    UNKNOWN.binary_search(&name).ok()?;
    let hint = "CockroachDB does not have it; SET kecoa_strict = off lets PostgreSQL's through, \
                which fails on a cluster";
    let message = format!("type \"{name}\" does not exist");
    Some(Refusal { hint: hint.to_owned(), ..Refusal::new("42704", message) })
}

/// The error for what stands behind the type whose name stands at `index`.
fn modifiers(statement: &Statement<'_>, index: usize, name: &str) -> Option<Refusal> {
    if name == "national" && statement.is_any(index + 1, &["CHAR", "CHARACTER"]) {
        return Some(Refusal::syntax(statement, index, "42601", "NATIONAL (say VARCHAR)"));
    }
    let open = index + 1;
    let closing = statement.partner(open).filter(|_| statement.is_mark(open, "("));
    let bounds = closing.map_or(open, |closing| closing + 1);
    if statement.is_mark(bounds, "[")
        && statement.partner(bounds).is_some_and(|closing| statement.is_mark(closing + 1, "["))
    {
        return Some(Refusal::syntax(statement, bounds, "0A000", "arrays of arrays"));
    }
    if !matches!(name, "decimal" | "dec" | "numeric") {
        return None;
    }
    let [(first, _), (second, _)] = statement.elements(open + 1, closing?)[..] else { return None };
    if statement.is_mark(second, "-") {
        return Some(Refusal::syntax(statement, second, "42601", "a negative scale"));
    }
    let number = |at: usize| std::str::from_utf8(statement.text(at)).ok()?.parse::<u64>().ok();
    let (precision, scale) = (number(first)?, number(second)?);
    let message = format!("scale ({scale}) must be between 0 and precision ({precision})");
    (scale > precision).then(|| Refusal::new("22023", message))
}

/// Whether the word at `index` names a type that is refused.
pub(super) fn is_refused(statement: &Statement<'_>, index: usize) -> bool {
    statement.name(index).is_some_and(|name| refusal(statement, index, &name).is_some())
}

/// Rewrites the type that starts at `index`. `column` is true in a column's definition, where
/// `SERIAL` may stand.
///
/// # Errors
/// The type is one of PostgreSQL's that CockroachDB does not have.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    index: usize,
    column: bool,
    edits: &mut Edits,
) -> Result<(), Refusal> {
    if statement.is(index, "pg_catalog") && statement.is_mark(index + 1, ".") {
        // The same type: its name is left as it is.
        let refused = edits.settings.strict.then(|| statement.name(index + 2)).flatten();
        return refused.and_then(|name| refusal(statement, index + 2, &name)).map_or(Ok(()), Err);
    }
    if !statement.is_name(index) || statement.is_mark(index + 1, ".") {
        return Ok(());
    }
    let Some(name) = statement.name(index) else { return Ok(()) };
    if edits.settings.strict
        && let Some(refusal) =
            refusal(statement, index, &name).or_else(|| modifiers(statement, index, &name))
    {
        return Err(refusal);
    }
    if statement.kind(index) == Some(TokenKind::Word)
        && let Some(change) = change(&name)
    {
        apply(statement, index, &change, column, edits);
    }
    Ok(())
}

fn apply(
    statement: &Statement<'_>,
    index: usize,
    change: &Change,
    column: bool,
    edits: &mut Edits,
) {
    let start = statement.start(index);
    let brackets = statement.partner(index + 1).filter(|_| statement.is_mark(index + 1, "("));
    match change {
        Change::Int if edits.settings.small_int => {
            edits.replace(start, statement.end(index), "INT4");
        }
        Change::Int => edits.replace(start, statement.end(index), "INT8"),
        Change::Name(name) => edits.replace(start, statement.end(index), *name),
        Change::Bare(name) => {
            edits.replace(start, statement.end(brackets.unwrap_or(index)), *name);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_halves() {
        assert!(UNIMPLEMENTED.is_sorted_by_key(|(name, _)| name));
        assert!(UNKNOWN.is_sorted());
    }
}
