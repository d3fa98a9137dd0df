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

/// What is made, changed and dropped by the same words.
pub(super) const OBJECTS: Table = &[
    (&["ACCESS", "METHOD"], UNIMPLEMENTED, "access methods"),
    (&["AGGREGATE"], UNIMPLEMENTED, "aggregates of one's own"),
    (&["CAST"], UNIMPLEMENTED, "casts of one's own"),
    (&["COLLATION"], UNIMPLEMENTED, "collations of one's own"),
    (&["CONVERSION"], UNIMPLEMENTED, "conversions"),
    (&["DEFAULT", "CONVERSION"], UNIMPLEMENTED, "conversions"),
    (&["DOMAIN"], UNIMPLEMENTED, "domains"),
    (&["EVENT", "TRIGGER"], SYNTAX, "event triggers"),
    (&["FOREIGN"], UNIMPLEMENTED, "foreign tables and data wrappers"),
    (&["LANGUAGE"], UNIMPLEMENTED, "languages of one's own"),
    (&["TRUSTED", "LANGUAGE"], UNIMPLEMENTED, "languages of one's own"),
    (&["PROCEDURAL", "LANGUAGE"], UNIMPLEMENTED, "languages of one's own"),
    (&["OPERATOR"], UNIMPLEMENTED, "operators of one's own"),
    (&["PUBLICATION"], UNIMPLEMENTED, "publications"),
    (&["RULE"], UNIMPLEMENTED, "rules"),
    (&["SERVER"], UNIMPLEMENTED, "foreign servers"),
    (&["SUBSCRIPTION"], UNIMPLEMENTED, "subscriptions"),
    (&["TABLESPACE"], UNIMPLEMENTED, "tablespaces"),
    (&["TEXT", "SEARCH"], UNIMPLEMENTED, "text search objects of one's own"),
    (&["TRANSFORM"], SYNTAX, "transforms"),
    (&["USER", "MAPPING"], SYNTAX, "user mappings"),
    (&["CONSTRAINT", "TRIGGER"], UNIMPLEMENTED, "constraint triggers"),
    (&["LARGE", "OBJECT"], SYNTAX, "large objects"),
    (&["RECURSIVE", "VIEW"], UNIMPLEMENTED, "CREATE RECURSIVE VIEW"),
    (&["ROUTINE"], SYNTAX, "ROUTINE (say FUNCTION or PROCEDURE)"),
];
