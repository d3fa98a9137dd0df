//! `SHOW SAVEPOINT STATUS`.

use crate::dialect::edit::Sql;
use crate::dialect::plan::{Piece, Reply};
use crate::dialect::quote::quote;

/// The answer: the savepoints that were set before any work, then those that were set after.
pub(in crate::dialect) fn savepoints(initial: &[String], later: &[String]) -> Piece {
    let row = |(place, (name, initial)): (usize, (&String, bool))| {
        format!("({place}, {}, {initial})", quote(name))
    };
    let all = initial.iter().map(|name| (name, true)).chain(later.iter().map(|name| (name, false)));
    let rows: Vec<String> = all.enumerate().map(row).collect();
    let (rows, none) = match rows.as_slice() {
        [] => ("(0, '', false)".to_owned(), " WHERE false"),
        rows => (rows.join(", "), ""),
    };
    let sql = format!(
        "SELECT s.name::text AS savepoint_name, s.initial AS is_initial_savepoint \
         FROM (VALUES {rows}) AS s(place, name, initial){none} ORDER BY s.place"
    );
    let reply = Reply::Tag("SHOW SAVEPOINT STATUS".to_owned(), true);
    Piece { reply, ..Piece::forward(Sql::made(sql)) }
}
