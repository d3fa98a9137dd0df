//! `CREATE STATISTICS`, which collects them at once: PostgreSQL's `ANALYZE`.

use kecoa_sql::Statement;

use super::edit::Sql;
use super::plan::{Analysis, Class, Piece, Reply};

/// `CREATE STATISTICS name [ON columns] FROM table [options]`; `None` for other statements, those
/// that name one of PostgreSQL's kinds among them.
pub(super) fn create(statement: &Statement<'_>) -> Option<Analysis> {
    if !statement.are(0, &["CREATE", "STATISTICS"]) || !statement.is_name(2) {
        return None;
    }
    let from = statement.find(3, statement.len(), |i| statement.is(i, "FROM"))?;
    let table = from + 1;
    let end = statement.qualified_name(table)?;
    let mut columns = String::new();
    if statement.is(3, "ON") {
        let names: Vec<(usize, usize)> = statement.elements(4, from);
        if names.iter().any(|(start, end)| *end != start + 1 || !statement.is_name(*start)) {
            return None;
        }
        columns = format!(" ({})", statement.slice(4, from));
    } else if from != 3 {
        return None;
    }
    let sql = Sql::made(format!("ANALYZE {}{columns}", statement.slice(table, end)));
    let reply = Reply::Tag("CREATE STATISTICS".to_owned(), false);
    Some(Analysis::piece(Class::Definition, Piece { reply, ..Piece::forward(sql) }))
}
