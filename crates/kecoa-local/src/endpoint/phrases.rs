//! PostgreSQL's messages that CockroachDB says in other words, one a row.
//!
//! A row has PostgreSQL's words with `{}` for what varies, and CockroachDB's with `{0}`, `{1}` … for what
//! was found in these places; `{0:t}` is a type under CockroachDB's name, `{0:l}` a list of them. A row's
//! SQLSTATE becomes CockroachDB's where that is another.

use super::operator_words::shown_type;
use super::replies::Fields;

/// What PostgreSQL says, and what CockroachDB does.
#[derive(Debug)]
struct Phrase {
    code: &'static str,
    /// Where PostgreSQL says it, when the words alone do not tell.
    routine: Option<&'static str>,
    theirs: &'static str,
    /// What the DETAIL says first, whose places count on from the message's.
    detail: Option<&'static str>,
    becomes: &'static str,
    ours: &'static str,
}

/// A row of the same SQLSTATE.
const fn same(code: &'static str, theirs: &'static str, ours: &'static str) -> Phrase {
    Phrase { code, routine: None, theirs, detail: None, becomes: code, ours }
}

/// A row whose SQLSTATE becomes another.
const fn other(
    code: &'static str,
    theirs: &'static str,
    becomes: &'static str,
    ours: &'static str,
) -> Phrase {
    Phrase { code, routine: None, theirs, detail: None, becomes, ours }
}

/// A row for what one routine says.
const fn said_by(routine: &'static str, phrase: Phrase) -> Phrase {
    Phrase { routine: Some(routine), ..phrase }
}

/// A row that looks into the DETAIL, too.
const fn with_detail(detail: &'static str, phrase: Phrase) -> Phrase {
    Phrase { detail: Some(detail), ..phrase }
}

#[rustfmt::skip]
const PHRASES: &[Phrase] = &[
    // Names.
    same("42703", "column \"{}\" named in key does not exist", "column \"{0}\" does not exist"),
    said_by("checkInsertTargets",
        other("42701", "column \"{}\" specified more than once",
            "42601", "multiple assignments to the same column \"{0}\"")),
    same("42701", "column \"{}\" specified more than once", "duplicate column name: \"{0}\""),
    same("42601", "multiple assignments to same column \"{}\"", "multiple assignments to the same column \"{0}\""),
    same("42712", "table name \"{}\" specified more than once",
        "source name \"{0}\" specified more than once (missing AS clause)"),
    same("42712", "WITH query name \"{}\" specified more than once", "WITH query name {0} specified more than once"),
    same("42P10", "WITH query \"{}\" has {} columns available but {} columns specified",
        "source \"{0}\" has {1} columns available but {2} columns specified"),
    same("42P10", "table \"{}\" has {} columns available but {} columns specified",
        "source \"{0}\" has {1} columns available but {2} columns specified"),
    other("42601", "SELECT * with no tables specified is not valid",
        "42602", "cannot use \"*\" without a FROM clause"),
    same("42704", "constraint \"{}\" for table \"{}\" does not exist",
        "unique constraint \"{0}\" for table \"{1}\" does not exist"),
    same("42710", "constraint \"{}\" for relation \"{}\" already exists", "duplicate constraint name: \"{0}\""),
    same("42710", "policy \"{}\" for table \"{}\" already exists",
        "policy with name \"{0}\" already exists on table \"{1}\""),
    same("42710", "enum label \"{}\" already exists", "enum value \"{0}\" already exists"),
    with_detail("Key (enumtypid, enumlabel)=({}, {}) already exists.",
        other("23505", "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"",
            "42P17", "enum definition contains duplicate value \"{1}\"")),
    same("42710", "role \"{}\" already exists", "a role/user named {0} already exists"),
    same("42704", "role \"{}\" does not exist", "role/user \"{0}\" does not exist"),
    other("22023", "role \"{}\" does not exist", "42704", "role/user \"{0}\" does not exist"),
    same("42601", "unrecognized privilege type \"{}\"", "not a valid privilege: \"{0}\""),
    same("42883", "could not find a function named \"{}\"", "unknown function: {0}()"),

    // Dependencies.
    same("2BP01", "cannot drop schema {} because other objects depend on it",
        "schema \"{0}\" is not empty and CASCADE was not specified"),
    with_detail("constraint {} on table {} depends on table {}",
        same("2BP01", "cannot drop table {} because other objects depend on it",
            "\"{0}\" is referenced by foreign key from table \"{2}\"")),
    with_detail("view {} depends on table {}",
        same("2BP01", "cannot drop table {} because other objects depend on it",
            "cannot drop relation \"{0}\" because view \"{1}\" depends on it")),
    with_detail("view {} depends on view {}",
        same("2BP01", "cannot drop view {} because other objects depend on it",
            "cannot drop relation \"{0}\" because view \"{1}\" depends on it")),
    with_detail("view {} depends on column {}",
        same("2BP01", "cannot drop column {} of table {} because other objects depend on it",
            "cannot drop column \"{0}\" because view \"{2}\" depends on it")),
    with_detail("Table \"{}\" references \"{}\".",
        same("0A000", "cannot truncate a table referenced in a foreign key constraint",
            "\"{1}\" is referenced by foreign key from table \"{0}\"")),
    same("2BP01", "role \"{}\" cannot be dropped because some objects depend on it",
        "role {0} cannot be dropped because some objects depend on it"),

    // Definitions.
    same("42830", "there is no unique constraint matching given keys for referenced table \"{}\"",
        "there is no unique constraint matching given keys for referenced table {0}"),
    other("42P17", "cannot use generated column \"{}\" in column generation expression",
        "42P16", "computed column expression cannot reference computed columns: \"{0}\""),
    other("42601", "both default and generation expression specified for column \"{}\" of table \"{}\"",
        "42P16", "computed columns cannot have default values"),
    other("0A000", "cannot use column reference in DEFAULT expression",
        "42601", "variable sub-expressions are not allowed in DEFAULT"),
    same("0A000", "cannot use subquery in DEFAULT expression", "subqueries are not allowed in DEFAULT"),
    same("0A000", "cannot use subquery in check constraint", "subqueries are not allowed in CHECK"),
    same("42P16", "column \"{}\" is in a primary key", "column \"{0}\" is in a primary index"),
    same("42804", "column \"{}\" is of type {} but default expression is of type {}",
        "expected DEFAULT expression to have type {1:t}, but the one of column \"{0}\" has type {2:t}"),
    same("42P13", "return type mismatch in function declared to return {}",
        "return type mismatch in function declared to return {0:t}"),
    same("42809", "{}({}) is a procedure", "{0}({1:l}) is a procedure"),
    same("42809", "{}({}) is not a procedure", "{0}({1:l}) is not a procedure"),

    // Types.
    same("42804", "column \"{}\" is of type {} but expression is of type {}",
        "value type {2:t} doesn't match type {1:t} of column \"{0}\""),
    same("42804", "argument of AND must be type boolean, not type {}", "incompatible AND argument type: {0:t}"),
    same("42804", "argument of OR must be type boolean, not type {}", "incompatible OR argument type: {0:t}"),
    same("42804", "argument of NOT must be type boolean, not type {}", "incompatible NOT argument type: {0:t}"),
    same("42804", "argument of FILTER must be type boolean, not type {}",
        "incompatible FILTER expression type: {0:t}"),
    same("42804", "argument of CHECK must be type boolean, not type {}",
        "expected CHECK expression to have type bool, but it has type {0:t}"),
    same("42804", "argument of {} must be type boolean, not type {}",
        "argument of {0} must be type bool, not type {1:t}"),
    same("42804", "{} types {} and {} cannot be matched", "{0} types {1:t} and {2:t} cannot be matched"),
    same("42846", "cannot cast type {} to {}", "invalid cast: {0:t} -> {1:t}"),
    same("22023", "cannot cast jsonb {} to type {}", "cannot cast jsonb {0} to type {1:t}"),
    same("42P18", "cannot determine type of empty array",
        "cannot determine type of empty array. Consider casting to the desired type, for example ARRAY[]::int[]"),
    other("42601", "unequal number of entries in row expressions",
        "22023", "unequal number of entries in tuple expressions"),
    other("42601", "subquery has too many columns", "22023", "subquery has too many columns"),
    other("42601", "subquery has too few columns", "22023", "subquery has too few columns"),
    same("42P02", "there is no parameter ${}", "no value provided for placeholder: ${0}"),
    same("42P18", "could not determine data type of parameter ${}",
        "could not determine data type of placeholder ${0}"),

    other("22023", "operator is not unique: unknown crdb_internal.% unknown",
        "42P18", "could not determine data type of placeholder: one of the two beside % needs a type"),

    // Values.
    same("22003", "value \"{}\" is out of range for type bigint",
        "could not parse \"{0}\" as type int: strconv.ParseInt: parsing \"{0}\": value out of range"),
    with_detail("{}",
        same("22P02", "invalid input syntax for type json", "could not parse JSON: {0}")),
    other("22011", "negative substring length not allowed", "22023", "negative substring length not allowed"),
    same("22023", "character number must be positive",
        "input value must be >= 0 and <= 1114111 (maximum Unicode code point)"),
    other("54000", "requested character too large for encoding: {}",
        "22023", "input value must be >= 0 and <= 1114111 (maximum Unicode code point)"),
    same("22023", "unrecognized encoding: \"{}\"",
        "only 'hex', 'escape', and 'base64' formats are supported for encode() and decode()"),
    same("22023", "unit \"{}\" not recognized for type {}", "unsupported timespan: {0}"),
    other("0A000", "unit \"{}\" not supported for type {}", "22023", "unsupported timespan: {0}"),
    same("22023", "cannot extract elements from {}", "cannot be called on a non-array"),
    same("22023", "cannot call jsonb_object_keys on {}", "cannot call json_object_keys on {0}"),
    same("22023", "step size cannot equal zero", "step cannot be 0"),
    same("2201W", "LIMIT must not be negative", "negative value for LIMIT"),
    same("2201X", "OFFSET must not be negative", "negative value for OFFSET"),

    // Writes.
    same("21000", "ON CONFLICT DO UPDATE command cannot affect row a second time",
        "UPSERT or INSERT...ON CONFLICT command cannot affect row a second time"),
    same("55000", "cannot insert a non-DEFAULT value into column \"{}\"",
        "cannot write directly to computed column \"{0}\""),
    same("55000", "column \"{}\" can only be updated to DEFAULT",
        "cannot write directly to computed column \"{0}\""),

    // Aggregates and windows.
    other("22014", "argument of ntile must be greater than zero",
        "22023", "argument of ntile() must be greater than zero"),
    other("22016", "argument of nth_value must be greater than zero",
        "22023", "argument of nth_value() must be greater than zero"),
    same("42809", "window function {} requires an OVER clause", "window function {0}() requires an OVER clause"),
    same("42809", "OVER specified, but {} is not a window function nor an aggregate function",
        "OVER specified, but {0}() is neither a window function nor an aggregate function"),
    same("42809", "FILTER specified, but {} is not an aggregate function",
        "FILTER specified, but {0}() is not an aggregate function"),

    // Sessions.
    with_detail("Expected {} parameters but got {}.",
        same("42601", "wrong number of parameters for prepared statement \"{}\"",
            "wrong number of parameters for prepared statement \"{0}\": expected {1}, got {2}")),
    same("57014", "canceling statement due to statement timeout",
        "query execution canceled due to statement timeout"),
    same("57014", "canceling statement due to user request", "query execution canceled"),
];

/// CockroachDB's built-in functions, as the list of them has it: a name before a tab, a line each.
const BUILTINS: &str = include_str!("../dialect/functions/builtins.tsv");

/// Puts an error into CockroachDB's words, if they are known.
pub(super) fn rephrase(error: &mut Fields) {
    let field = |name| String::from_utf8_lossy(error.get(name).unwrap_or_default()).into_owned();
    let (message, detail, routine) = (field(b'M'), field(b'D'), field(b'R'));
    // What a function of the user's says.
    if routine == "exec_stmt_raise" {
        return;
    }
    if error.code() == "42883" && routine == "ParseFuncOrColumn" {
        if let Some(said) = unknown_function(&message) {
            error.set(b'M', &said);
        }
        return;
    }
    for phrase in PHRASES.iter().filter(|phrase| phrase.code == error.code()) {
        if phrase.routine.is_some_and(|needed| needed != routine) {
            continue;
        }
        let Some(mut found) = places(phrase.theirs, &message, true) else { continue };
        if let Some(pattern) = phrase.detail {
            let first = detail.lines().next().unwrap_or_default();
            let Some(more) = places(pattern, first, false) else { continue };
            found.extend(more);
        }
        error.set(b'M', &filled(phrase.ours, &found));
        error.set(b'C', phrase.becomes);
        return;
    }
}

/// `function f(integer, text) does not exist`: CockroachDB tells a name that it does not know from types.
fn unknown_function(message: &str) -> Option<String> {
    let rest = message.strip_prefix("function ")?;
    let (call, _) = rest.split_once(") does not exist")?;
    let (name, arguments) = call.split_once('(')?;
    let plain = name.strip_prefix("pg_catalog.").unwrap_or(name);
    if matches!(plain, "iferror" | "iserror") {
        let why = "no expression of PostgreSQL's catches an error";
        return Some(format!("the local endpoint has no {}: {why}", plain.to_uppercase()));
    }
    let listed = BUILTINS
        .lines()
        .find_map(|line| line.strip_prefix(plain).and_then(|rest| rest.strip_prefix('\t')));
    Some(match listed.map(|line| line.split_once("missing: ")) {
        Some(Some((_, why))) => format!("the local endpoint has no {plain}(): {why}"),
        Some(None) => format!("unknown signature: {plain}({})", list(arguments)),
        None => format!("unknown function: {plain}()"),
    })
}

/// What stands in the places `{}` of a pattern; `whole` asks for all of the text.
fn places<'t>(pattern: &str, text: &'t str, whole: bool) -> Option<Vec<&'t str>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next().unwrap_or_default())?;
    let mut found = Vec::new();
    for part in parts {
        let (place, behind) = if part.is_empty() { (rest, "") } else { rest.split_once(part)? };
        found.push(place);
        rest = behind;
    }
    (!whole || rest.is_empty()).then_some(found)
}

/// A message with its places filled.
fn filled(ours: &str, found: &[&str]) -> String {
    let mut said = String::new();
    let mut rest = ours;
    while let Some((before, place)) = rest.split_once('{') {
        said.push_str(before);
        let Some((place, behind)) = place.split_once('}') else { break };
        let (number, form) = place.split_once(':').unwrap_or((place, ""));
        let value = number.parse().ok().and_then(|at: usize| found.get(at)).copied();
        let value = value.unwrap_or_default();
        match form {
            "t" => said.push_str(&named(value)),
            "l" => said.push_str(&list(value)),
            _ => said.push_str(value),
        }
        rest = behind;
    }
    said.push_str(rest);
    said
}

/// A type as CockroachDB names it; what has none is a string for it, and an integer literal an INT.
fn named(name: &str) -> String {
    match name {
        "unknown" => "string".to_owned(),
        "integer" => "int".to_owned(),
        other => shown_type(other),
    }
}

/// The same for each of a list.
fn list(names: &str) -> String {
    names.split(", ").map(named).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rephrased(code: &str, message: &str, fields: &[(u8, &str)]) -> (String, String) {
        let mut error = Fields::own("ERROR", code, message);
        for (name, value) in fields {
            error.set(*name, value);
        }
        rephrase(&mut error);
        (error.code().to_owned(), String::from_utf8_lossy(error.get(b'M').unwrap()).into_owned())
    }

    #[test]
    fn words_and_codes() {
        for (code, theirs, fields, becomes, ours) in [
            (
                "42701",
                "column \"a\" specified more than once",
                &[(b'R', "checkInsertTargets")][..],
                "42601",
                "multiple assignments to the same column \"a\"",
            ),
            (
                "42701",
                "column \"a\" specified more than once",
                &[],
                "42701",
                "duplicate column name: \"a\"",
            ),
            (
                "2BP01",
                "cannot drop table t because other objects depend on it",
                &[(
                    b'D',
                    "constraint c_fk on table c depends on table t\nview v depends on table t",
                )],
                "2BP01",
                "\"t\" is referenced by foreign key from table \"c\"",
            ),
            (
                "42804",
                "column \"a\" is of type bigint but expression is of type boolean",
                &[],
                "42804",
                "value type bool doesn't match type int of column \"a\"",
            ),
            (
                "42883",
                "function length(integer, unknown) does not exist",
                &[(b'R', "ParseFuncOrColumn")],
                "42883",
                "unknown signature: length(int, string)",
            ),
            (
                "42883",
                "function nosuch() does not exist",
                &[(b'R', "ParseFuncOrColumn")],
                "42883",
                "unknown function: nosuch()",
            ),
            ("2201W", "LIMIT must not be negative", &[], "2201W", "negative value for LIMIT"),
            ("42704", "role \"a\" is elsewhere", &[], "42704", "role \"a\" is elsewhere"),
            (
                "2201W",
                "LIMIT must not be negative",
                &[(b'R', "exec_stmt_raise")],
                "2201W",
                "LIMIT must not be negative",
            ),
        ] {
            assert_eq!(
                rephrased(code, theirs, fields),
                (becomes.to_owned(), ours.to_owned()),
                "{theirs}"
            );
        }
    }

    #[test]
    fn every_place_of_ours_is_one_of_theirs() {
        for phrase in PHRASES {
            let count = |text: &str| text.matches("{}").count();
            let places = count(phrase.theirs) + phrase.detail.map_or(0, count);
            for at in 0..9 {
                let used = ["}", ":t}", ":l}"]
                    .iter()
                    .any(|end| phrase.ours.contains(&format!("{{{at}{end}")));
                assert!(!used || at < places, "{phrase:?}");
            }
        }
    }
}
