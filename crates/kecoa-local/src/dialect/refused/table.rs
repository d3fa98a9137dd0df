//! What is found by its words, and what CockroachDB says of it.

use kecoa_sql::Statement;

/// Not in CockroachDB's grammar.
pub(super) const SYNTAX: &str = "42601";
/// In its grammar, only to say that it is not there.
pub(super) const UNIMPLEMENTED: &str = "0A000";

/// The token at which it starts, the SQLSTATE and the name.
pub(super) type Found = Option<(usize, &'static str, &'static str)>;
/// Words, the SQLSTATE and the name.
pub(super) type Table = &'static [(&'static [&'static str], &'static str, &'static str)];

/// The first row of a table whose words stand at `at`.
pub(super) fn look(statement: &Statement<'_>, at: usize, table: Table) -> Found {
    let found = table.iter().find(|(words, ..)| statement.are(at, words));
    found.map(|(_, code, what)| (at, *code, *what))
}
