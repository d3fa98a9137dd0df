//! CockroachDB's words for operators that do not exist for these types, or for which several would do.

use kecoa_sql::{Statement, TokenKind};

use super::origin::Origin;

/// Where an error lies: the statement, and a byte of the client's text.
type Place<'a, 'o> = Option<(&'a Origin<'o>, usize)>;

/// An operator that does not exist for these types.
pub(super) fn operator(message: &str, place: Place<'_, '_>) -> Option<String> {
    const COMPARISONS: [&str; 16] = [
        "=", "<>", "<", ">", "<=", ">=", "~", "!~", "~*", "!~*", "~~", "!~~", "~~*", "!~~*", "@>",
        "<@",
    ];
    let rest = message.strip_prefix("operator does not exist: ")?;
    let is_operator = |part: &str| part.chars().all(|c| "+-*/<>=~!@#%^&|?".contains(c));
    let parts: Vec<&str> = rest.split(' ').collect();
    let at = parts.iter().position(|part| is_operator(part))?;
    let name = parts.get(at).copied().unwrap_or_default();
    let (left, right) = (parts.get(..at)?.join(" "), parts.get(at + 1..)?.join(" "));
    if left.is_empty() {
        return Some(format!("unsupported unary operator: {name}<{}>", shown_type(&right)));
    }
    let kind = if COMPARISONS.contains(&name) { "comparison" } else { "binary" };
    // A literal beside something that has a type is an INT4 here only.
    let literals = beside(name, place, |statement, side| {
        statement.kind(side) == Some(TokenKind::Number)
            && !statement.is_mark(side + 1, "::")
            && statement.text(side).iter().all(u8::is_ascii_digit)
    });
    let shown = |side: usize, name: &str| match literals {
        Some(literals) if name == "integer" && literals.get(side) == Some(&true) => {
            "int".to_owned()
        }
        _ => shown_type(name),
    };
    Some(format!(
        "unsupported {kind} operator: <{}> {name} <{}>",
        shown(0, &left),
        shown(1, &right)
    ))
}

/// An operator between two operands without types, one of which is a parameter.
pub(super) fn undecided(message: &str, place: Place<'_, '_>) -> Option<String> {
    let rest = message.strip_prefix("operator is not unique: unknown ")?;
    let operator = rest.strip_suffix(" unknown")?;
    let [left, right] = beside(operator, place, |statement, side| {
        let parameter = statement.kind(side) == Some(TokenKind::Parameter);
        parameter.then(|| String::from_utf8_lossy(statement.text(side)).into_owned())
    })?;
    let parameter = left.or(right)?;
    Some(format!("could not determine data type of placeholder {parameter}"))
}

/// What `look` finds in the tokens before and behind the operator at a place.
fn beside<T>(
    operator: &str,
    place: Place<'_, '_>,
    look: impl Fn(&Statement<'_>, usize) -> T,
) -> Option<[T; 2]> {
    let (origin, position) = place?;
    origin.statement(position, |statement, byte| {
        let at = (0..statement.len()).find(|at| statement.start(*at) == byte)?;
        let before = at.checked_sub(1).filter(|_| statement.text(at) == operator.as_bytes())?;
        Some([look(statement, before), look(statement, at + 1)])
    })?
}

/// CockroachDB's name of a type.
pub(super) fn shown_type(name: &str) -> String {
    let (name, array) = match name.strip_suffix("[]") {
        Some(element) => (element, "[]"),
        None => (name, ""),
    };
    let shown = match name {
        "text" => "string",
        "bigint" => "int",
        "integer" => "int4",
        "smallint" => "int2",
        "boolean" => "bool",
        "bytea" => "bytes",
        "numeric" => "decimal",
        "double precision" => "float",
        "real" => "float4",
        "character varying" => "varchar",
        "character" => "char",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        "bit varying" => "varbit",
        other => other,
    };
    format!("{shown}{array}")
}
