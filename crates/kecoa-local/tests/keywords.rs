//! Every keyword of CockroachDB's and of PostgreSQL's, as the name of a table, a column and an alias: it is one here
//! where it is one in CockroachDB. And every operator of PostgreSQL's is in CockroachDB's grammar, or refused.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod live;

use std::collections::BTreeMap;

use live::Server;

const KEYWORDS: &str = include_str!("keywords.txt");

/// Each word and the list it is in.
fn keywords() -> BTreeMap<String, &'static str> {
    let mut words = BTreeMap::new();
    let mut list = "";
    for line in KEYWORDS.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("= ") {
            Some(name) => list = name,
            None => words.extend(line.split_whitespace().map(|word| (word.to_owned(), list))),
        }
    }
    words
}

#[test]
fn a_word_is_a_name_where_cockroachdb_takes_it_for_one() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    let mut words = keywords();
    assert!(words.len() > 600, "{}", words.len());
    for row in client.simple("SELECT word FROM pg_get_keywords()").rows {
        words.entry(row[0].clone().unwrap()).or_insert("unreserved");
    }
    let mut wrong = Vec::new();
    for (word, list) in &words {
        let is_name = matches!(*list, "unreserved" | "column");
        let mut check = |sql: String| {
            let error = client.simple(&sql).error;
            let right = match &error {
                None => is_name,
                // DEFERRABLE and LIKE begin clauses.
                Some((code, ..)) => {
                    !is_name && matches!(code.as_str(), "42601" | "0A000" | "42P01")
                }
            };
            if !right {
                wrong.push(format!("{list}: {sql}: {error:?}"));
            }
        };
        check(format!("SELECT 1 FROM (SELECT 1) AS {word}"));
        check(format!("CREATE TABLE {word} (id INT PRIMARY KEY)"));
        check(format!("CREATE TABLE keyword (id INT PRIMARY KEY, {word} INT)"));
        if is_name {
            check(format!("INSERT INTO keyword (id, {word}) SELECT id, 2 FROM {word}"));
            check(format!("UPSERT INTO keyword (id, {word}) VALUES (1, 2)"));
            check(format!("UPDATE keyword SET {word} = {word} + 1 WHERE keyword.{word} = 2"));
            check(format!("SELECT {word} FROM keyword ORDER BY {word}"));
            check(format!("CREATE INDEX ON keyword ({word})"));
            check(format!("ALTER TABLE keyword DROP COLUMN {word}"));
            check(format!("ALTER TABLE keyword ADD COLUMN {word} INT"));
        } else {
            check(format!("CREATE TABLE made (a INT); ALTER TABLE made ADD COLUMN {word} INT"));
        }
        client.simple(&format!("DROP TABLE IF EXISTS keyword, made, \"{word}\""));
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), words.len(), wrong.join("\n"));
}

/// The operators of CockroachDB's grammar that PostgreSQL and its extensions have, too.
const OPERATORS: &str = "# #- #> #>> % & && * + - -> ->> / < <#> <-> << <<= <= <=> <> <@ = > >= >> >>= ? ?& ?| @ @> @@ \
     ^ | |/ || ||/ ~ ~* !~ !~*";

#[test]
fn operators_that_only_postgresql_has_are_refused() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    let known: Vec<&str> = OPERATORS.split_whitespace().collect();
    // Beside the operators between brackets and the like, made by the endpoint itself.
    let rows = client
        .simple("SELECT DISTINCT oprname FROM pg_operator WHERE oprname <> '//' ORDER BY 1")
        .rows;
    assert!(rows.len() > 60, "{}", rows.len());
    for name in rows.into_iter().filter_map(|row| row[0].clone()) {
        if known.contains(&name.as_str()) {
            continue;
        }
        let error = client.simple(&format!("SELECT a {name} a FROM (SELECT 'x' AS a) AS s")).error;
        let (code, message, _) = error.unwrap_or_else(|| panic!("{name} is taken"));
        // @-@ is not one operator to the endpoint, nor to CockroachDB.
        let refused = code == "42601" && message.contains("CockroachDB does not have the operator");
        assert!(refused || name == "@-@" && code == "22023", "{name}: {code} {message}");
    }
}
