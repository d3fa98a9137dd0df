//! What session variables refuse: `sql_safe_updates`, `require_explicit_primary_keys`.

use kecoa_sql::Statement;

use super::plan::Refusal;
use super::settings::Settings;
use super::vector_index;

/// The error for a statement that a session variable refuses.
pub(super) fn refusal(statement: &Statement<'_>, settings: &Settings) -> Option<Refusal> {
    let refused = settings.safe_updates.then(|| dangerous(statement)).flatten();
    if let Some(what) = refused {
        let message = format!("rejected (sql_safe_updates = true): {what}");
        return Some(Refusal::new("01000", message));
    }
    if settings.explicit_primary_keys
        && let Some(table) = without_key(statement)
    {
        let message = format!(
            "no primary key specified for table {table} (require_explicit_primary_keys = true)"
        );
        return Some(Refusal::new("42P16", message));
    }
    None
}

fn dangerous(statement: &Statement<'_>) -> Option<&'static str> {
    let length = statement.len();
    if statement.are(0, &["ALTER", "TABLE"]) {
        let elements = statement.elements(2, length);
        let mut starts = elements.iter().map(|(start, end)| {
            // The first has the table's name in front.
            (*start..*end).find(|at| statement.is(*at, "DROP")).unwrap_or(*end)
        });
        return starts
            .any(|at| {
                statement.is(at, "DROP")
                    && !statement.is_any(
                        at + 1,
                        &["CONSTRAINT", "NOT", "DEFAULT", "STORED", "EXPRESSION", "IDENTITY"],
                    )
            })
            .then_some("ALTER TABLE DROP COLUMN will remove all data in that column");
    }
    if vector_index::is_one(statement) {
        return Some(
            "CREATE VECTOR INDEX will disable writes to the table while the index is being built",
        );
    }
    if statement.are(0, &["DROP", "DATABASE"]) {
        // Whether it holds anything cannot be seen from here.
        return (!statement.is(length - 1, "CASCADE"))
            .then_some("DROP DATABASE on non-empty database without explicit CASCADE");
    }
    // The ends of the brackets around.
    let mut around = Vec::new();
    for at in 0..length {
        while around.last().is_some_and(|end| *end <= at) {
            around.pop();
        }
        let end = around.last().copied().unwrap_or(length);
        if let Some(closing) = statement.partner(at).filter(|closing| *closing > at) {
            around.push(closing);
        }
        let starts = at == 0
            || statement.is_mark(at - 1, "(")
            || statement.is_mark(at - 1, "[")
            || statement.is_mark(at - 1, ")") && statement.is(0, "WITH") && end == length
            || statement.is_any(at - 1, &["EXPLAIN", "ANALYZE", "AS"]);
        let limited =
            || statement.find(at, end, |i| statement.is_any(i, &["WHERE", "LIMIT"])).is_some();
        if starts && statement.is(at, "UPDATE") && !limited() {
            return Some("UPDATE without WHERE or LIMIT clause");
        }
        if starts && statement.are(at, &["DELETE", "FROM"]) && !limited() {
            return Some("DELETE without WHERE or LIMIT clause");
        }
        if starts
            && statement.is(at, "SELECT")
            && !limited()
            && let Some(lock) = statement.find(at, end, |i| statement.is(i, "FOR"))
        {
            if statement.is_any(lock + 1, &["UPDATE", "NO"]) {
                return Some("SELECT FOR UPDATE without WHERE or LIMIT clause");
            }
            if statement.is_any(lock + 1, &["SHARE", "KEY"]) {
                return Some("SELECT FOR SHARE without WHERE or LIMIT clause");
            }
        }
    }
    None
}

/// The name of the table that is made without a primary key.
fn without_key(statement: &Statement<'_>) -> Option<String> {
    if !statement.is(0, "CREATE") {
        return None;
    }
    let table = (1..4).find(|at| statement.is(*at, "TABLE"))?;
    let name = table + if statement.are(table + 1, &["IF", "NOT", "EXISTS"]) { 4 } else { 1 };
    let end = statement.qualified_name(name)?;
    let has = (end..statement.len()).any(|at| {
        statement.are(at, &["PRIMARY", "KEY"])
            || statement.is(at, "LIKE")
            || statement.is(at, "INHERITS")
    });
    (!has).then(|| statement.slice(name, end).into_owned())
}
