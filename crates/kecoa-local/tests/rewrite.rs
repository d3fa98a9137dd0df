//! What the dialect's statements become, without a server.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kecoa_local::dialect;
use kecoa_local::dialect::catalog::{Catalog, Context, Need, TableName};
use kecoa_local::dialect::plan::{Analysis, OnError};
use kecoa_local::dialect::settings::Settings;
use proptest::prelude::*;

/// The tables the cases know: `*` marks the key, `=` what the server generates.
fn tables() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("t", &["id*", "a", "b"][..]),
        ("pair", &["x*", "y*", "v", "sum="]),
        ("keyonly", &["k*"]),
        ("nokey", &["a", "b"]),
        ("Odd Name", &["Id*", "select"]),
        ("here", &["id*"]),
    ])
}

fn answer(catalog: &mut Catalog, need: Need) {
    let rows: Vec<Vec<Option<String>>> = match &need {
        Need::Table(TableName { schema, name }) => {
            let known = matches!(schema.as_deref(), None | Some("public"));
            let columns = tables().get(name.as_str()).copied().filter(|_| known);
            let row = |column: &&str| {
                let name = column.trim_end_matches(['*', '=']);
                let flag = |mark| Some(if column.ends_with(mark) { "t" } else { "f" }.to_owned());
                vec![Some(name.to_owned()), flag('*'), flag('=')]
            };
            columns.unwrap_or_default().iter().map(row).collect()
        }
        Need::Index(table, Some(name))
            if table.name != "pair" && matches!(name.as_str(), "i" | "idx" | "primary") =>
        {
            vec![vec![Some("a".to_owned()), Some("f".to_owned()), Some("f".to_owned())]]
        }
        Need::Index(table, _) => match table.name.as_str() {
            "pair" => [("x", "f"), ("lower(y)", "t")]
                .map(|(text, expression)| {
                    let descends = Some(if expression == "t" { "t" } else { "f" }.to_owned());
                    vec![Some(text.to_owned()), Some(expression.to_owned()), descends]
                })
                .to_vec(),
            _ => Vec::new(),
        },
        // Of `t` there are these, and elsewhere an index and a table with these names.
        Need::Names(table, wanted) => {
            let row = |whose: &str, name: &str| vec![Some(whose.to_owned()), Some(name.to_owned())];
            let mut rows = Vec::new();
            if table.name == "t" {
                rows.extend([
                    row("index", "own"),
                    row("aside", "away"),
                    row("constraint", "check_a"),
                ]);
            }
            for name in wanted {
                match name.as_str() {
                    "elsewhere" => rows.push(row("of index", name)),
                    "relation" => rows.push(row("of relation", name)),
                    _ => {}
                }
            }
            rows
        }
        Need::Schema(name) => match name.as_str() {
            "public" | "sch" => vec![vec![Some("1".to_owned())]],
            _ => Vec::new(),
        },
        Need::Activity => Vec::new(),
        Need::Database(name) => match name.as_str() {
            "bank" => vec![vec![Some("1".to_owned())]],
            _ => Vec::new(),
        },
    };
    catalog.answer(need, &rows);
}

fn analyse(sql: &str) -> Vec<Analysis> {
    let mut catalog = Catalog::default();
    let mut analyses = Vec::new();
    for statement in kecoa_sql::split(sql.as_bytes(), false) {
        for asked in 0.. {
            assert!(asked < 300, "endless questions: {sql}");
            let context = Context {
                database: "defaultdb",
                catalog: &catalog,
                backslash_escapes: false,
                settings: &Settings::default(),
                parameters: None,
            };
            match dialect::analyse(&statement, &context) {
                Ok(analysis) => {
                    analyses.push(analysis);
                    break;
                }
                Err(need) => answer(&mut catalog, need),
            }
        }
    }
    analyses
}

fn rewritten(sql: &str) -> String {
    let mut texts = Vec::new();
    for analysis in analyse(sql) {
        for piece in analysis.pieces {
            let text = String::from_utf8_lossy(&piece.sql.text).into_owned();
            texts.push(if piece.on_error == OnError::Raised { format!("! {text}") } else { text });
        }
    }
    texts.join("; ").split_whitespace().collect::<Vec<_>>().join(" ")
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("rewrite/", $name, ".txt")))),*]
    };
}

const FILES: &[(&str, &str)] = &files![
    "types",
    "expressions",
    "writes",
    "definitions",
    "settings",
    "transactions",
    "cluster",
    "names",
    "queries",
    "unfinished"
];

/// `rewrite/*.txt`: a statement, and behind `=>` on the next line what becomes of it; `!` and a part
/// of the message for an error; `==` for what stays as it is. Blanks are compared as one.
#[test]
fn statements_become_what_the_table_says() {
    let mut failures = Vec::new();
    let mut checked = 0;
    let mut lines = FILES
        .iter()
        .copied()
        .flat_map(|(file, text)| text.lines().map(move |line| (file, line)))
        .filter(|(_, line)| !line.is_empty());
    while let Some((file, sql)) = lines.next() {
        if sql.starts_with('#') {
            continue;
        }
        let (_, expected) = lines.next().unwrap_or_else(|| panic!("{file}: nothing behind {sql}"));
        let found = rewritten(sql);
        checked += 1;
        let right = if expected == "==" {
            found == sql
        } else if let Some(part) = expected.strip_prefix("! ") {
            found.starts_with("! ") && found.contains(part)
        } else if let Some(text) = expected.strip_prefix("=> ") {
            found == text
        } else {
            panic!("{file}: {expected:?} behind {sql}");
        };
        if !right {
            failures.push(format!("{file}: {sql}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(failures.is_empty(), "{} of {checked}\n{}", failures.len(), failures.join("\n"));
    assert!(checked > 150, "only {checked} cases");
}

#[test]
fn time_grows_with_the_text_and_no_faster() {
    let hostile = [
        "(".repeat(100_000),
        "CAST(".repeat(50_000),
        "IF(a,".repeat(50_000),
        "a::".repeat(50_000),
        "[SHOW ".repeat(20_000),
        "UPSERT INTO t ".repeat(2_000),
        format!("CREATE TABLE x ({})", "a INT, INDEX (a), ".repeat(5_000)),
        format!("CREATE TABLE x ({}", "INDEX (".repeat(20_000)),
        "/*".repeat(100_000),
        "$a$".repeat(99_999),
        "'\\'".repeat(99_999),
        "SELECT ".to_owned() + &"IFNULL(x, ".repeat(20_000) + &")".repeat(20_000),
        "ALTER TABLE t ".to_owned() + &"ADD a INT,".repeat(20_000),
        "WITH a AS (DELETE FROM t LIMIT 1) ".repeat(5_000),
        "(UPDATE t SET a = 1 LIMIT 1 ".repeat(10_000),
        "SELECT * FROM t AS OF SYSTEM TIME '-1s' ".repeat(10_000),
        "SELECT 1 ".to_owned() + &"// 1 ".repeat(50_000),
        "SELECT ".to_owned() + &"FROM defaultdb.t ".repeat(20_000),
        "CREATE INDEX i ON t (a) ".to_owned() + &"NOT VISIBLE ".repeat(30_000),
        "CREATE INDEX i ON t (a) WHERE ".to_owned() + &"NOT VISIBLE a ".repeat(30_000),
        "ALTER INDEX t@i ".to_owned() + &"NOT VISIBLE ".repeat(30_000),
        "ALTER DATABASE bank ".to_owned() + &"ADD REGION a ".repeat(20_000),
        "CREATE TABLE a (b INT) ".to_owned() + &"LOCALITY GLOBAL ".repeat(20_000),
    ];
    for sql in hostile {
        let started = Instant::now();
        analyse(&sql);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?} for {}…", &sql[..20]);
    }
}

/// Whether every comment and quote in a text has its end: PostgreSQL's rules, read a second time and
/// as plainly as can be.
fn ends(sql: &[u8], backslash_escapes: bool) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let mut at = 0;
    // The string before has escapes, and whether a line ended since.
    let mut before = (false, false);
    while at < sql.len() {
        let rest = &sql[at..];
        if rest.starts_with(b"--") {
            at += rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
            continue;
        } else if rest.starts_with(b"/*") {
            let mut depth = 0;
            loop {
                let rest = &sql[at..];
                if rest.starts_with(b"/*") {
                    (depth, at) = (depth + 1, at + 2);
                } else if rest.starts_with(b"*/") {
                    (depth, at) = (depth - 1, at + 2);
                    if depth == 0 {
                        break;
                    }
                } else if rest.is_empty() {
                    return false;
                } else {
                    at += 1;
                }
            }
            continue;
        } else if matches!(rest[0], b'\'' | b'"') {
            let quote = rest[0];
            let prefix = at.checked_sub(1).map(|before| sql[before]);
            let starts_word = at < 2 || !word(sql[at - 2]) && sql[at - 2] != b'$';
            let escapes = quote == b'\''
                && match prefix {
                    Some(b'E' | b'e' | b'b') if starts_word => true,
                    Some(b'x' | b'X' | b'B') if starts_word => false,
                    Some(b'&') => false,
                    _ => backslash_escapes || before == (true, true),
                };
            at += 1;
            loop {
                match sql.get(at) {
                    None => return false,
                    Some(b'\\') if escapes => at += 2,
                    Some(byte) if *byte == quote && sql.get(at + 1) == Some(&quote) => at += 2,
                    Some(byte) if *byte == quote => break,
                    Some(_) => at += 1,
                }
            }
            at += 1;
            before = (escapes, false);
            continue;
        } else if rest[0] == b'$' {
            let tag = 1 + rest[1..].iter().take_while(|b| word(**b)).count();
            if rest.get(tag) != Some(&b'$') || rest[1].is_ascii_digit() {
                at += 1;
                continue;
            }
            let Some(end) =
                (at + tag + 1..sql.len()).find(|i| sql[*i..].starts_with(&rest[..=tag]))
            else {
                return false;
            };
            at = end + tag;
        } else if word(rest[0]) {
            at += rest.iter().take_while(|b| word(**b) || **b == b'$').count();
            before = (false, false);
            continue;
        } else if rest[0] == b'\n' {
            before.1 = true;
        } else if rest[0] != b' ' {
            before = (false, false);
        }
        at += 1;
    }
    true
}

proptest! {
    #[test]
    fn any_bytes_are_analysed(sql in proptest::collection::vec(any::<u8>(), 0..120)) {
        analyse(&String::from_utf8_lossy(&sql));
    }

    #[test]
    fn any_words_are_analysed(words in proptest::collection::vec(prop::sample::select(vec![
        "CREATE", "TABLE", "t", "(", ")", ",", "INDEX", "UNIQUE", "FAMILY", "STRING", "INT",
        "SERIAL", "UPSERT", "INTO", "VALUES", "RETURNING", "ON", "UPDATE", "AS", "CAST", "IF",
        "SHOW", "FROM", "[", "]", "{", "@", "i", "::", "1", "'s'", "$1", "WITH", "USING", "HASH",
        "STORING", "PRIMARY", "KEY", "NOT", "EXISTS", "DROP", "DATABASE", "ALTER", "ADD", "SET",
        "BEGIN", "SAVEPOINT", "ROLLBACK", "TO", "=", ".", "ASC", "CREATE", "CONSTRAINT", "WHERE",
        "INVERTED", "DEFAULT", "\"Q\"", "PREPARE", "EXPLAIN", "version", "b'\\x'", "x'0'", ";",
        "OF", "SYSTEM", "TIME", "'-1s'", "LIMIT", "ORDER", "BY", "DELETE", "NOTHING", "//",
        "defaultdb", "JOIN", "LOCALITY", "REGIONAL", "GLOBAL", "ROW", "REGION", "PRIMARY",
        "CONFIGURE", "ZONE", "VISIBLE", "VISIBILITY", "0.5", "CASCADE", "TYPE", "COLUMNS",
        "GRANTS", "COMMENT", "REGIONS", "DATABASE", "SURVIVE", "TRANSACTION", "TRUNCATE",
    ]), 0..30)) {
        analyse(&words.join(" "));
    }

    /// What an edit does not touch comes out byte by byte: strings, comments and quoted names that
    /// hold the dialect's own words, around an edit of each kind.
    #[test]
    fn what_is_quoted_stays_around_edits(
        words in "[^'\"\\\\/*\0]{0,9}",
        kept in prop::sample::select(vec![
            "AS OF SYSTEM TIME '-1s'", "7 // 2", "LIMIT 1", "FROM defaultdb.t", "t@i", "a::STRING",
            "RETURNING NOTHING", "UPSERT INTO t", "LOCALITY GLOBAL",
        ]),
        edited in prop::sample::select(vec![
            ("SELECT a::STRING AS q, ", " FROM t"),
            ("SELECT ", " FROM defaultdb.t AS OF SYSTEM TIME '-1s'"),
            ("UPDATE t SET a = ", " ORDER BY a LIMIT 1"),
            ("UPSERT INTO t (id, a) VALUES (1, ", ") RETURNING NOTHING"),
            ("SELECT 1::STRING, ", " FROM t@i"),
        ]),
    ) {
        let quoted = format!(
            "'{words}{}' /* {kept} {words} */ || \"{words}{kept} \"",
            kept.replace('\'', "''")
        );
        let sql = format!("{}{quoted}{}", edited.0, edited.1);
        let analyses = analyse(&sql);
        let text = String::from_utf8_lossy(&analyses[0].pieces[0].sql.text).into_owned();
        prop_assert!(text.contains(&quoted), "{} became {}", sql, text);
        prop_assert!(text != sql);
    }

    /// What is not understood to its last byte is not changed in any, and not cut.
    #[test]
    fn what_is_not_understood_is_sent_as_it_is(
        pieces in proptest::collection::vec(prop::sample::select(vec![
            "UPSERT INTO t VALUES (1)", "DELETE FROM t ", " WHERE a = 1", "a::STRING", "7 // 2", ";",
            "'", "\"", "/*", "*/", "--", "\n", "$$", "$a$", "E'", "U&'", "b'", "x'", "N'", "\\",
            "\u{1}", "é", "1", "SELECT ", "(", ")", "'it''s'", "/* a */", "$$ b $$", "\"c d\"",
        ]), 0..24),
        backslash_escapes: bool,
    ) {
        let sql = pieces.concat();
        let statements = kecoa_sql::split(sql.as_bytes(), backslash_escapes);
        if statements.iter().all(kecoa_sql::Statement::is_understood) {
            prop_assert!(ends(sql.as_bytes(), backslash_escapes), "{} has no end", sql);
            return Ok(());
        }
        prop_assert_eq!(statements.len(), 1);
        let settings = Settings::default(); let context = Context { database: "d", catalog: &Catalog::default(), backslash_escapes, settings: &settings, parameters: None };
        let analysis = dialect::analyse(&statements[0], &context).unwrap();
        prop_assert_eq!(analysis.pieces.len(), 1);
        prop_assert_eq!(&analysis.pieces[0].sql.text, statements[0].sql());
        let after = &sql.as_bytes()[statements[0].offset() + statements[0].sql().len()..];
        prop_assert!(ends(after, backslash_escapes));
    }

    /// What is not CockroachDB's own comes out byte by byte, and positions stay.
    #[test]
    fn plain_text_stays(literal in "[^'\\\\\0]{0,40}", name in "[a-z]{3,8}") {
        let sql = format!("SELECT '{literal}' /* {} */ FROM \"{name} STRING\" WHERE x = $1",
            literal.replace("*/", "").replace("/*", ""));
        let analyses = analyse(&sql);
        prop_assert_eq!(&analyses[0].pieces[0].sql.text, sql.trim().as_bytes());
        let characters = sql.chars().count();
        for position in [1, characters / 2 + 1, characters] {
            let moved = analyses[0].pieces[0].sql.client_position(position, sql.as_bytes());
            prop_assert_eq!(moved, Some(position));
        }
    }
}

/// Drivers send a list of small numbers as an INT2[] or an INT4[].
#[test]
fn a_small_array_is_alike_to_what_it_is_compared_with() {
    let settings = Settings::default();
    let planned = |sql: &str, types: &[u32]| {
        let statements = kecoa_sql::split(sql.as_bytes(), false);
        let context = Context {
            database: "d",
            catalog: &Catalog::default(),
            backslash_escapes: false,
            settings: &settings,
            parameters: Some(types),
        };
        let analysis = dialect::analyse(&statements[0], &context).unwrap();
        String::from_utf8(analysis.pieces[0].sql.text.clone()).unwrap()
    };
    assert_eq!(
        planned("SELECT 1 FROM t WHERE t.a @> $1 AND ($2) = f(b) AND c = ANY ($1)", &[1005, 1007])
            .replace(" AS \"?column?\"", ""),
        "SELECT 1::INT8 FROM t WHERE t.a @> crdb_internal.alike(t.a, $1) AND ($2::INT8[]) = f(b) \
         AND c = ANY ($1)"
    );
    for types in [&[1016][..], &[0], &[1009], &[]] {
        assert_eq!(planned("DELETE FROM t WHERE a && $1", types), "DELETE FROM t WHERE a && $1");
    }
}

/// `cargo test --release -p kecoa-local --test rewrite -- --ignored --nocapture time_of`
#[test]
#[ignore = "a measurement"]
fn time_of_planning_the_tables_statements() {
    let mut lines = FILES
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut medians = Vec::new();
    while let (Some(sql), Some(_)) = (lines.next(), lines.next()) {
        // What the database answers is known, so that planning alone is measured.
        let mut catalog = Catalog::default();
        let settings = Settings::default();
        let statements = kecoa_sql::split(sql.as_bytes(), false);
        let Some(statement) = statements.first() else { continue };
        let mut took = Vec::new();
        while took.len() < 300 {
            let context = Context {
                database: "defaultdb",
                catalog: &catalog,
                backslash_escapes: false,
                settings: &settings,
                parameters: None,
            };
            let started = Instant::now();
            let planned = std::hint::black_box(dialect::analyse(statement, &context));
            match planned {
                Ok(_) => took.push(started.elapsed().as_nanos()),
                Err(need) => answer(&mut catalog, need),
            }
        }
        took.sort_unstable();
        medians.push(took[took.len() / 2]);
    }
    medians.sort_unstable();
    println!(
        "{} statements: median {} ns, 9 of 10 under {} ns",
        medians.len(),
        medians[medians.len() / 2],
        medians[medians.len() * 9 / 10]
    );
}
