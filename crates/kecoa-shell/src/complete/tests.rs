//! What is offered where.

use super::*;

fn names() -> Names {
    let text = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let mut names = Names {
        schemas: text(&["public", "sales"]),
        databases: text(&["bank", "defaultdb"]),
        roles: text(&["maya", "root"]),
        types: text(&["mood", "uuid"]),
        functions: text(&["now", "length", "lower"]),
        settings: text(&["search_path", "statement_timeout"]),
        indexes: text(&["accounts_pkey"]),
        sequences: text(&["ids"]),
        search_path: text(&["public"]),
        ..Names::default()
    };
    for (schema, table, columns) in [
        ("public", "accounts", &["id", "balance", "Owner"][..]),
        ("public", "My Table", &["x"]),
        ("sales", "orders", &["id", "total"]),
    ] {
        let key = (schema.to_owned(), table.to_owned());
        names.tables.push(key.clone());
        names.columns.insert(key, text(columns));
    }
    names
}

/// What is offered where `|` stands.
fn offered(text: &str) -> Vec<String> {
    let cursor = text.find('|').expect("a cursor");
    complete(&text.replace('|', ""), cursor, &names()).candidates
}

#[test]
fn a_place_gets_what_may_stand_there() {
    for (text, first) in [
        ("SELECT * FROM acc|", "accounts"),
        ("SELECT * FROM |", "accounts"),
        ("SELECT * FROM accounts, sal|", "sales"),
        ("SELECT * FROM sales.|", "orders"),
        ("SELECT bal| FROM accounts", "balance"),
        ("SELECT bal|", "balance"),
        ("SELECT * FROM accounts WHERE |", "id"),
        ("SELECT a.| FROM accounts a", "id"),
        ("SELECT a.b| FROM accounts AS a", "balance"),
        ("SELECT accounts.o| FROM accounts", "\"Owner\""),
        ("SELECT o.t| FROM sales.orders o", "total"),
        ("SELECT 1; SELECT bal| FROM accounts; SELECT 2", "balance"),
        ("INSERT INTO acc|", "accounts"),
        ("INSERT INTO accounts (ba|", "balance"),
        ("UPDATE accounts SET b|", "balance"),
        ("DROP TABLE IF EXISTS acc|", "accounts"),
        ("DROP INDEX IF EXISTS acc|", "accounts_pkey"),
        ("SELECT * FROM \"My|", "\"My Table\""),
        ("SELECT * FROM my|", "\"My Table\""),
        ("SET sta|", "statement_timeout"),
        ("SHOW sea|", "search_path"),
        ("SELECT '1'::uu|", "uuid"),
        ("ALTER TABLE accounts OWNER TO m|", "maya"),
        ("GRANT SELECT ON accounts TO m|", "maya"),
        ("REVOKE SELECT ON accounts FROM m|", "maya"),
        ("DROP SCHEMA s|", "sales"),
        ("DROP DATABASE b|", "bank"),
        ("CREATE INDEX ON accounts (ba|", "balance"),
        ("SELECT len|", "length("),
        ("sel|", "select"),
        ("SEL|", "SELECT"),
        ("\\d acc|", "accounts"),
        ("\\d sales.|", "orders"),
        ("\\c b|", "bank"),
        ("\\ti|", "timing"),
        ("\\x a|", "auto"),
        ("\\pset format c|", "csv"),
        ("\\h sel|", "SELECT"),
    ] {
        assert_eq!(offered(text).first().map(String::as_str), Some(first), "{text}");
    }
}

#[test]
fn a_place_gets_no_more_than_may_stand_there() {
    let next = ["AND", "AS", "FROM", "GROUP", "JOIN", "LIMIT", "ON", "OR", "ORDER", "RETURNING"];
    // Neither columns nor tables behind a table.
    for text in ["SELECT * FROM accounts |", "SELECT * FROM sales.orders |", "UPDATE accounts |"] {
        let found = offered(text);
        assert!(found.iter().all(|it| it.chars().all(char::is_uppercase)), "{text}: {found:?}");
        assert!(next.iter().all(|word| found.contains(&(*word).to_owned())), "{text}: {found:?}");
        assert!(found.len() < 20, "{text}: {found:?}");
    }
    // A statement begins with what it can begin with.
    assert_eq!(offered("se|"), ["select", "set"]);
    assert_eq!(offered("SELECT 1; dro|"), ["drop"]);
    assert!(offered("|").len() < 60, "{:?}", offered("|"));
    // Every keyword is there once a letter says which.
    assert_eq!(offered("SELECT * FROM accounts nat|"), ["natural"]);
    let columns = offered("SELECT * FROM accounts WHERE |");
    assert!(columns.starts_with(&["id".to_owned(), "balance".to_owned()]), "{columns:?}");
    assert!(columns.len() < 30, "{columns:?}");
}

#[test]
fn strings_and_comments_get_nothing() {
    for text in [
        "SELECT 'acc|",
        "SELECT 'acc|' FROM accounts",
        "-- sel|",
        "/* sel| */",
        "SELECT $$ sel|",
        "SELECT 12|",
    ] {
        assert_eq!(offered(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn it_never_fails_on_any_place() {
    let text = "SELECT \"a.b\" FROM é.\"x, 'q' WHERE $$ /* -- \\d \n \\x";
    for (cursor, _) in text.char_indices() {
        let completion = complete(text, cursor, &names());
        assert!(completion.start <= cursor, "{cursor}");
    }
}
