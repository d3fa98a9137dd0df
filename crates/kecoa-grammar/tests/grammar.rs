//! Trees of statements, and what holds for any text.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

use std::time::{Duration, Instant};

use kecoa_grammar::{Element, Error, NodeId, Tree, parse, shape};
use kecoa_sql::Statement;
use proptest::prelude::*;

const SHAPES: &str = include_str!("shapes.txt");

fn cases() -> Vec<(&'static str, &'static str)> {
    let mut lines = SHAPES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut cases = Vec::new();
    while let Some(sql) = lines.next() {
        cases.push((sql, lines.next().unwrap_or_else(|| panic!("nothing behind {sql}"))));
    }
    cases
}

fn seen(sql: &str) -> String {
    let statement = Statement::whole(sql.as_bytes(), false).unwrap();
    let at = |token: usize| {
        let text = String::from_utf8_lossy(statement.text(token)).into_owned();
        if text.is_empty() { text } else { format!(" {text}") }
    };
    match parse(&statement) {
        Ok(tree) => {
            whole(&tree, &statement);
            shape(&tree, &statement)
        }
        Err(Error::NotHeld { token }) => format!("! not-held{}", at(token)),
        Err(Error::Foreign { token, .. }) => format!("! foreign{}", at(token)),
        Err(Error::Syntax { token, .. }) => format!("! syntax{}", at(token)),
        Err(Error::TooDeep) => "! too deep".to_owned(),
    }
}

/// The leaves in order are the statement's tokens, children know their parents, and numbers rise.
fn whole(tree: &Tree, statement: &Statement<'_>) {
    let mut next = 0;
    let mut open: Vec<(NodeId, std::vec::IntoIter<Element>)> =
        vec![(tree.root().unwrap(), tree.elements(tree.root().unwrap()).into_iter())];
    while let Some((id, elements)) = open.last_mut() {
        let id = *id;
        match elements.next() {
            Some(Element::Token(token)) => {
                assert_eq!(token, next, "{}", String::from_utf8_lossy(statement.sql()));
                next += 1;
            }
            Some(Element::Node(child)) => {
                assert_eq!(tree.parent(child), Some(id));
                assert!(child < id);
                open.push((child, tree.elements(child).into_iter()));
            }
            None => {
                open.pop();
            }
        }
    }
    assert_eq!(next, statement.len(), "{}", String::from_utf8_lossy(statement.sql()));
    assert_eq!(tree.parent(tree.root().unwrap()), None);
    assert_eq!(tree.tokens(tree.root().unwrap()), (0, statement.len()));
}

#[test]
fn statements_have_the_trees_of_the_table() {
    let mut failures = Vec::new();
    for (sql, expected) in cases() {
        let found = seen(sql);
        if found != expected {
            failures.push(format!("{sql}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
    assert!(cases().len() > 80);
}

/// Text of hostile depth and length is answered in a small stack and in linear time.
#[test]
fn depth_and_time_are_bounded() {
    let many = 10_000;
    let hostile = vec![
        format!("SELECT {}1{}", "(".repeat(many), ")".repeat(many)),
        format!("SELECT {}1", "(".repeat(many)),
        format!("SELECT {}a", "- ".repeat(many)),
        format!("SELECT {}a", "NOT ".repeat(many)),
        format!("SELECT {}a", "CASE WHEN ".repeat(many)),
        format!("SELECT {}", "ARRAY[".repeat(many)),
        format!("SELECT ARRAY{}", "[".repeat(many)),
        format!("SELECT {}", "f(".repeat(many)),
        format!("SELECT {}", "a[".repeat(many)),
        format!("SELECT {}", "(SELECT ".repeat(many)),
        format!("SELECT * FROM {}", "(".repeat(many)),
        format!("SELECT * FROM {}", "(SELECT * FROM ".repeat(many)),
        format!("SELECT * FROM {}", "[SELECT * FROM ".repeat(many)),
        format!("SELECT * FROM {}", "a JOIN ".repeat(many)),
        format!("{}SELECT 1", "EXPLAIN ".repeat(many)),
        format!("{}SELECT 1", "WITH a AS (".repeat(many)),
        format!("SELECT a IN {}", "(".repeat(many)),
        format!("SELECT a {}", "IN (a ".repeat(many)),
        format!("SELECT a{}", " BETWEEN a".repeat(many)),
        format!("SELECT a{}", " = ANY (a".repeat(many)),
    ];
    let wide = vec![
        format!("SELECT 1{}", " + 1".repeat(5 * many)),
        format!("SELECT 1{}", " AND a".repeat(5 * many)),
        format!("SELECT 1{}", ", a AS b".repeat(5 * many)),
        format!("SELECT a{}", "::INT".repeat(5 * many)),
        format!("SELECT a{}", "[1]".repeat(5 * many)),
        format!("SELECT a{}", ".b".repeat(5 * many)),
        format!("INSERT INTO t VALUES (1){}", ", (1, 'a', $1)".repeat(5 * many)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(5 * many)),
        format!("SELECT * FROM a{}", " JOIN a ON true".repeat(5 * many)),
        format!("SELECT {}1", "a.b.c.d.e 'x' ".repeat(5 * many)),
    ];
    // What people write is nested less deep than this.
    let levels = 190;
    let nested: Vec<String> = ["(1 + ", "(a OR ", "f(a, ", "CASE WHEN a THEN ", "(", "a[1 + "]
        .iter()
        .map(|opening| {
            let closing = if opening.starts_with("CASE") {
                " END"
            } else if opening.starts_with('a') {
                "]"
            } else {
                ")"
            };
            format!("SELECT {}1{}", opening.repeat(levels), closing.repeat(levels))
        })
        .collect();
    // On a stack of its own.
    let deep: Vec<String> =
        ["(1 + ", "(a OR b AND NOT c = d + -e * (", "f(a OR b = c + ", "CASE WHEN a THEN ", "("]
            .iter()
            .map(|opening| {
                let brackets = opening.matches('(').count();
                let levels = 990 / brackets.max(1);
                let closing = if brackets == 0 { " END".to_owned() } else { ")".repeat(brackets) };
                format!("SELECT {}1{}", opening.repeat(levels), closing.repeat(levels))
            })
            .collect();
    let run = move || {
        for sql in nested.iter().chain(&deep) {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            assert!(parse(&statement).is_ok(), "{}", &sql[..40]);
        }
        for sql in &hostile {
            let started = Instant::now();
            assert!(seen(sql).starts_with('!'), "{}", &sql[..40]);
            assert!(started.elapsed() < Duration::from_secs(5), "{}", &sql[..40]);
        }
        for sql in &wide {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            let started = Instant::now();
            drop(parse(&statement));
            assert!(started.elapsed() < Duration::from_secs(5), "{}", &sql[..40]);
        }
    };
    // Of a debug build; a thread of tokio has 2 MiB.
    let small = std::thread::Builder::new().stack_size(3 << 19);
    small.spawn(run).unwrap().join().unwrap();
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "a",
    "b",
    "t",
    "1",
    "2.5",
    "'s'",
    "$1",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "*",
    "+",
    "-",
    "=",
    "<",
    "->",
    "||",
    "::",
    ":::",
    ":",
    "INT",
    "STRING",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "BETWEEN",
    "IS",
    "NULL",
    "ANY",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AS",
    "JOIN",
    "LEFT",
    "ON",
    "USING",
    "WITH",
    "ORDINALITY",
    "UNION",
    "VALUES",
    "INSERT",
    "INTO",
    "UPDATE",
    "SET",
    "DELETE",
    "RETURNING",
    "OVER",
    "PARTITION",
    "ROW",
    "ARRAY",
    "EXISTS",
    "CAST",
    "INTERVAL",
    "DATE",
    "COLLATE",
    "AT",
    "TIME",
    "ZONE",
    "LATERAL",
    "@",
    "{",
    "}",
    "EXPLAIN",
    "SHOW",
    "DESC",
    "NULLS",
    "FIRST",
    "FOR",
    "DEFAULT",
    "DISTINCT",
    "FILTER",
    "ESCAPE",
];

proptest! {
    #[test]
    fn any_words_have_a_whole_tree_or_none(
        words in proptest::collection::vec(prop::sample::select(WORDS), 0..25)
    ) {
        let sql = format!("SELECT {}", words.join(" "));
        drop(seen(&sql));
    }
}

/// The table's statements with a word more, less or another: every one of them.
#[test]
fn statements_with_a_fault_have_a_whole_tree_or_none() {
    for (sql, _) in cases() {
        let words: Vec<&str> = sql.split(' ').collect();
        for place in 0..words.len() {
            let (before, after) = words.split_at(place);
            let tried = |middle: &[&str], after: &[&str]| {
                let sql = [before, middle, after].concat().join(" ");
                if let Some(statement) = Statement::whole(sql.as_bytes(), false)
                    && let Ok(tree) = parse(&statement)
                {
                    whole(&tree, &statement);
                }
            };
            tried(&[], &after[1..]);
            for word in WORDS {
                tried(&[word], after);
                tried(&[word], &after[1..]);
            }
        }
    }
}

/// `cargo test --release -p kecoa-grammar --test grammar -- --ignored --nocapture time`
#[test]
#[ignore = "a measurement"]
fn time_of_the_tables_statements() {
    let cases: Vec<Statement<'_>> = cases()
        .into_iter()
        .filter(|(_, expected)| !expected.starts_with('!'))
        .map(|(sql, _)| Statement::whole(sql.as_bytes(), false).unwrap())
        .collect();
    let mut medians: Vec<(u128, usize)> = cases
        .iter()
        .map(|statement| {
            let mut took: Vec<u128> = (0..1000)
                .map(|_| {
                    let started = Instant::now();
                    drop(std::hint::black_box(parse(std::hint::black_box(statement))));
                    started.elapsed().as_nanos()
                })
                .collect();
            took.sort_unstable();
            (took[500], statement.len())
        })
        .collect();
    medians.sort_unstable();
    let tokens: usize = medians.iter().map(|(_, tokens)| tokens).sum();
    println!(
        "{} statements of {} tokens at the mean: median {} ns, 9 of 10 under {} ns",
        medians.len(),
        tokens / medians.len(),
        medians[medians.len() / 2].0,
        medians[medians.len() * 9 / 10].0,
    );
}
