//! The functions that the endpoint puts into a database. None makes a call fail that PostgreSQL
//! understands: every call is written in every way a client may write it, and understood by a database
//! without them and by one with them. And the list of CockroachDB's says truly which are there.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    reason = "a test may fail"
)]

mod live;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use kecoa_local::dialect::BOOTSTRAP_SQL;
use live::{Client, Server};

/// What PostgreSQL makes of a call: the type of the result, or the error.
const KIND: &str = "CREATE FUNCTION pg_temp.kind(call text) RETURNS text LANGUAGE plpgsql AS $$ \
    DECLARE found text; \
    BEGIN \
      EXECUTE 'PREPARE subject AS ' || call; \
      SELECT array_to_string(s.result_types, ',') INTO found \
        FROM pg_prepared_statements s WHERE s.name = 'subject'; \
      DEALLOCATE subject; \
      RETURN found; \
    EXCEPTION WHEN OTHERS THEN RETURN 'error ' || SQLSTATE; \
    END $$";

/// Calls that have another result, as CockroachDB has it: the function, before, after. `*` is any.
const CHANGED: &[(&str, &str, &str)] = &[
    ("*", "smallint", "bigint"),
    ("*", "integer", "bigint"),
    ("*", "integer[]", "bigint[]"),
    ("*", "json", "jsonb"),
    ("extract", "numeric", "double precision"),
    ("cbrt", "double precision", "numeric"),
    ("div", "numeric", "bigint"),
    ("log", "numeric", "double precision"),
    ("div", "numeric", "double precision"),
    ("pow", "double precision", "bigint"),
    ("power", "double precision", "bigint"),
    ("round", "numeric", "double precision"),
    ("sign", "double precision", "bigint"),
    ("sum", "bigint", "numeric"),
    ("sum", "real", "double precision"),
    ("pg_sleep", "void", "boolean"),
    ("sha224", "bytea", "text"),
    ("sha256", "bytea", "text"),
    ("sha384", "bytea", "text"),
    ("sha512", "bytea", "text"),
    // Of int4 for a bit string and int8 for bytes nothing is left to tell them by, as in CockroachDB.
    ("get_bit", "integer", "error 42725"),
    ("set_bit", "bit", "error 42725"),
    ("set_bit", "bytea", "error 42725"),
    // Of times alone.
    ("to_char", "text", "error 42883"),
    // The third argument is none of CockroachDB's.
    ("json_populate_record", "*", "error 42883"),
    ("json_populate_recordset", "*", "error 42883"),
];

fn may_change(call: &str, before: &str, after: &str) -> bool {
    let name = call.trim_start_matches("SELECT ").split('(').next().unwrap().replace('"', "");
    CHANGED.iter().any(|(function, from, to)| {
        (*function == "*" || *function == name) && (*from == "*" || *from == before) && *to == after
    })
}

fn run<S: Read + Write>(client: &mut Client<S>, sql: &str) -> Vec<Vec<Option<String>>> {
    let replies = client.simple(sql);
    assert_eq!(replies.error, None, "{sql}");
    replies.rows
}

fn kinds<S: Read + Write>(client: &mut Client<S>) -> BTreeMap<String, String> {
    run(client, "SELECT sql, coalesce(pg_temp.kind(sql), '') FROM calls")
        .into_iter()
        .map(|row| (row[0].clone().unwrap(), row[1].clone().unwrap()))
        .collect()
}

/// Every call means what it meant, is an error no more, or is one of those that `may` change.
fn assert_none_worse(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    may: impl Fn(&str, &str, &str) -> bool,
) {
    let worse: Vec<String> = before
        .iter()
        .map(|(call, before)| (call, before, &after[call]))
        .filter(|(call, before, after)| {
            before != after && !before.starts_with("error") && !may(call, before, after)
        })
        .map(|(call, before, after)| format!("{call}: {before} became {after}"))
        .collect();
    assert!(worse.is_empty(), "{} of {}\n{}", worse.len(), before.len(), worse.join("\n"));
}

/// Puts `values` into the only column of a table.
fn fill<'a, S: Read + Write>(
    client: &mut Client<S>,
    table: &str,
    values: impl Iterator<Item = &'a str>,
) {
    let values: Vec<String> =
        values.map(|value| format!("('{}')", value.replace('\'', "''"))).collect();
    for some in values.chunks(500) {
        run(client, &format!("INSERT INTO {table} VALUES {}", some.join(", ")));
    }
}

#[test]
fn what_postgresql_understands_is_understood() {
    let Some(server) = Server::start() else { return };
    let mut ours = server.postgres("defaultdb");
    if run(&mut ours, "SHOW server_version_num")[0][0].as_deref() < Some("160000") {
        return; // it does not tell the types of a prepared statement
    }
    run(&mut ours, "CREATE DATABASE plain TEMPLATE template0");
    let mut plain = server.postgres("plain");

    let added = run(
        &mut ours,
        "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace \
         AND (oid BETWEEN 8000 AND 9999 OR oid >= 16384)",
    );
    let names: Vec<String> = added.into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert!(names.len() > 150, "{}", names.len());
    for client in [&mut plain, &mut ours] {
        run(client, KIND);
        run(client, "CREATE TEMP TABLE names (name text)");
    }
    fill(&mut plain, "names", names.iter().map(String::as_str));
    run(&mut plain, include_str!("prelude/calls.sql"));
    let before = kinds(&mut plain);
    assert!(before.len() > 4000, "{}", before.len());
    run(&mut ours, "CREATE TEMP TABLE calls (sql text)");
    fill(&mut ours, "calls", before.keys().map(String::as_str));
    let after = kinds(&mut ours);
    assert_none_worse(&before, &after, may_change);

    // What takes an int4 takes an int8.
    run(&mut plain, "DROP TABLE calls");
    run(&mut plain, include_str!("prelude/wide.sql"));
    let wide: Vec<String> = run(&mut plain, "SELECT sql FROM calls")
        .into_iter()
        .map(|row| row[0].clone().unwrap())
        .filter(|call| !KEPT.iter().any(|name| call.starts_with(&format!("SELECT {name}"))))
        .filter(|call| !FOREIGN.lines().any(|name| call.starts_with(&format!("SELECT {name}("))))
        .collect();
    assert!(wide.len() > 150, "{}", wide.len());
    run(&mut ours, "TRUNCATE calls");
    fill(&mut ours, "calls", wide.iter().map(String::as_str));
    let refused: Vec<String> = kinds(&mut ours)
        .into_iter()
        .filter(|(_, kind)| kind.starts_with("error"))
        .map(|(call, kind)| format!("{call}: {kind}"))
        .collect();
    assert!(refused.is_empty(), "{} of {}\n{}", refused.len(), wide.len(), refused.join("\n"));
}

/// What has another result for an INT2 or an INT4, as documented, or is none of CockroachDB's.
const OF_WIDTH: [&str; 3] = ["max", "min", "@"];

/// Drivers send INT2 and INT4 for small numbers: whatever takes an INT8 takes them, and gives the same type.
#[test]
fn an_integer_of_any_width_is_one() {
    let Some(server) = Server::start() else { return };
    let mut ours = server.postgres("defaultdb");
    if run(&mut ours, "SHOW server_version_num")[0][0].as_deref() < Some("160000") {
        return; // it does not tell the types of a prepared statement
    }
    let listed: BTreeSet<&str> = LIST.lines().filter_map(|line| line.split('\t').next()).collect();
    let templates: Vec<String> = run(&mut ours, include_str!("prelude/widths.sql"))
        .into_iter()
        .filter_map(|row| Some((row[0].clone()?, row[1].clone()?)))
        .filter(|(_, name)| {
            let function = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            !OF_WIDTH.contains(&name.as_str()) && (!function || listed.contains(name.as_str()))
        })
        .map(|(template, _)| template)
        .collect();
    assert!(templates.len() > 200, "{}", templates.len());
    run(&mut ours, KIND);
    run(&mut ours, "CREATE TEMP TABLE calls (sql text)");
    let calls = |template: &str| {
        let mut calls: Vec<String> =
            ["int8", "int4", "int2"].iter().map(|width| template.replace('?', width)).collect();
        calls.push(template.replacen('?', "int2", 1).replace('?', "int4"));
        calls.push(template.replacen('?', "int8", 1).replace('?', "int2"));
        calls
    };
    let all: BTreeSet<String> = templates.iter().flat_map(|template| calls(template)).collect();
    fill(&mut ours, "calls", all.iter().map(String::as_str));
    let found = kinds(&mut ours);
    let mut wrong = Vec::new();
    for template in &templates {
        let wide = &found[&template.replace('?', "int8")];
        for call in calls(template) {
            if found[&call] != *wide {
                wrong.push(format!("{call}: {}, not {wide}", found[&call]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// What PostgreSQL makes of an operator's parameters.
const PARAMETERS: &str = "CREATE FUNCTION pg_temp.kind(call text) RETURNS text LANGUAGE plpgsql AS $$ \
    DECLARE found text; \
    BEGIN \
      EXECUTE 'PREPARE subject AS ' || call; \
      SELECT array_to_string(s.parameter_types, ',') INTO found \
        FROM pg_prepared_statements s WHERE s.name = 'subject'; \
      DEALLOCATE subject; \
      RETURN found; \
    EXCEPTION WHEN OTHERS THEN RETURN 'error ' || SQLSTATE; \
    END $$";

/// Parameters that get another type, as CockroachDB has it: the operators, before, after.
const RETYPED: &[(&[&str], &str, &str)] = &[
    // Bits are shifted by an INT, and INT is not computed in FLOAT.
    (&["<<", ">>"], "integer", "bigint"),
    (&["<<", ">>"], "integer", "smallint"),
    (&["^"], "double precision", "bigint"),
    (&["^"], "double precision", "integer"),
    (&["^"], "double precision", "smallint"),
    // The days of two dates.
    (&["-"], "integer", "bigint"),
    // Text search whose queries and documents are not put together.
    (&["&&", "<->", "<@", "@>"], "tsquery", "error 42883"),
    (&["<@", "@>"], "tsquery", "error 42725"),
    (&["||"], "tsquery", "text"),
    (&["||"], "tsvector", "text"),
    // Two numbers of which nothing is known.
    (&["^"], "double precision,double precision", "error 42725"),
];

#[test]
fn an_operator_types_its_parameters_as_before() {
    let Some(server) = Server::start() else { return };
    let mut ours = server.postgres("defaultdb");
    if run(&mut ours, "SHOW server_version_num")[0][0].as_deref() < Some("160000") {
        return; // it does not tell the types of a prepared statement
    }
    run(&mut ours, "CREATE DATABASE plain TEMPLATE template0");
    let mut plain = server.postgres("plain");
    for client in [&mut plain, &mut ours] {
        run(client, PARAMETERS);
    }
    run(&mut plain, include_str!("prelude/parameters.sql"));
    let before = kinds(&mut plain);
    assert!(before.len() > 2000, "{}", before.len());
    run(&mut ours, "CREATE TEMP TABLE calls (sql text)");
    fill(&mut ours, "calls", before.keys().map(String::as_str));
    let after = kinds(&mut ours);
    let may = |call: &str, before: &str, after: &str| {
        RETYPED.iter().any(|(operators, from, to)| {
            *from == before && *to == after && call.split(' ').any(|word| operators.contains(&word))
        })
    };
    assert_none_worse(&before, &after, may);
    // Of CockroachDB's own operators a parameter has the other side's type, and no two are guessed at.
    run(&mut ours, "TRUNCATE calls");
    let own =
        ["NULL::bigint // $1", "$1 // NULL::bigint", "$1 // NULL::numeric", "$1 % NULL::float8"];
    // The operator of trigrams is not in question: the endpoint asks for the one of numbers.
    let undecided =
        ["$1 // $2", "$1 OPERATOR(crdb_internal.%) $2", "$1 ^ $2", "$1 / $2", "$1 + $2"];
    let calls: Vec<String> =
        own.iter().chain(&undecided).map(|call| format!("SELECT {call}")).collect();
    fill(&mut ours, "calls", calls.iter().map(String::as_str));
    let found = kinds(&mut ours);
    for call in own {
        let other = call.split("NULL::").nth(1).unwrap().split(' ').next().unwrap();
        let expected = if other == "float8" { "double precision" } else { other };
        assert_eq!(found[&format!("SELECT {call}")], expected, "{call}");
    }
    for call in undecided {
        assert_eq!(found[&format!("SELECT {call}")], "error 42725", "{call}");
    }
}

/// What goes on taking int4 alone, or is none of CockroachDB's: libpq calls large objects with it, and CockroachDB has neither
/// ranges nor replication slots, and not the locks and numbers at the end.
const KEPT: [&str; 17] = [
    "to_char(",
    "lo_",
    "loread",
    "lowrite",
    "int4",
    "pg_isolation_test",
    "pg_logical_slot",
    "pg_promote",
    "gist_translate",
    "satisfies_hash",
    "json_array_element",
    "NULL::json ->",
    "textlen",
    "pg_advisory_lock(",
    "pg_advisory_lock_shared(",
    "pg_try_advisory_lock_shared(",
    "random(",
];

const LIST: &str = include_str!("../src/dialect/functions/builtins.tsv");

#[test]
fn the_list_says_what_is_there() {
    let Some(server) = Server::start() else { return };
    let mut ours = server.postgres("defaultdb");
    let names = |client: &mut Client<_>, condition: &str| -> BTreeSet<String> {
        let sql = format!(
            "SELECT DISTINCT CASE n.nspname WHEN 'pg_catalog' THEN '' ELSE n.nspname || '.' END \
               || p.proname \
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
             WHERE n.nspname IN ('pg_catalog', 'information_schema', 'crdb_internal') \
               AND {condition}"
        );
        run(client, &sql).into_iter().map(|row| row[0].clone().unwrap()).collect()
    };
    // An original that was put aside is none of CockroachDB's functions.
    let found = names(
        &mut ours,
        "NOT (n.nspname = 'crdb_internal' AND (p.oid < 8000 OR p.oid BETWEEN 10000 AND 11999))",
    );
    let mut listed = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in LIST.lines().filter(|line| !line.starts_with('#')) {
        let [name, signature, state] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}");
        };
        if !listed.insert(name.to_owned()) {
            wrong.push(format!("{name} is listed twice"));
        }
        match state {
            "there" if !found.contains(name) => wrong.push(format!("{name} is not there")),
            "there" if signature.is_empty() => wrong.push(format!("{name} has no signature")),
            "there" | "syntax" => {}
            _ if state.starts_with("packaged: ") && !signature.is_empty() => {}
            _ if !state.starts_with("missing: ") => wrong.push(format!("{name} is {state}")),
            _ if found.contains(name) => wrong.push(format!("{name} is there")),
            _ => {}
        }
    }
    // What is CockroachDB's own in pg_catalog is in the list.
    let own = "n.nspname = 'pg_catalog' AND (p.oid BETWEEN 8000 AND 9999 OR p.oid >= 16384) \
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')";
    let postgres = names(&mut ours, "(p.oid < 8000 OR p.oid BETWEEN 10000 AND 16383)");
    for name in names(&mut ours, own) {
        let original =
            postgres.contains(&name) || postgres.contains(&format!("crdb_internal.{name}"));
        if !original && !listed.contains(&name) {
            wrong.push(format!("{name} is not listed"));
        }
    }
    assert!(listed.len() > 800, "{}", listed.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A literal is a STRING for each function of CockroachDB's that takes a value of any type.
#[test]
fn an_untyped_literal_is_a_string() {
    let Some(server) = Server::start() else { return };
    let mut ours = server.client("defaultdb");
    let listed: BTreeSet<&str> = LIST.lines().filter_map(|line| line.split('\t').next()).collect();
    // Of sorted sets the value is what is sorted by, and records come from JSON.
    let others = ["cume_dist", "dense_rank", "percent_rank", "percentile_disc", "rank"];
    let found = run(
        &mut server.postgres("defaultdb"),
        "SELECT DISTINCT p.proname::text, p.prokind::text, \
           (SELECT string_agg(CASE WHEN y.typname LIKE '%array' THEN 'ARRAY[''a'']' \
              WHEN y.typname LIKE 'any%' OR y.typname = 'text' THEN '''a''' ELSE '1' END, ', ' ORDER BY t.n) \
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t(o, n) JOIN pg_type y ON y.oid = t.o) \
         FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND EXISTS ( \
           SELECT 1 FROM unnest(p.proargtypes::oid[]) AS t(o) JOIN pg_type y ON y.oid = t.o \
           WHERE y.typname IN ('any', 'anyelement', 'anynonarray', 'anycompatible')) \
         ORDER BY 1, 3",
    );
    let mut wrong = Vec::new();
    let mut called = 0;
    for row in &found {
        let [Some(name), Some(kind), Some(arguments)] = &row[..] else { continue };
        if !listed.contains(name.as_str())
            || others.contains(&name.as_str())
            || name.contains("populate_record")
        {
            continue;
        }
        called += 1;
        let pairs = if name.contains("build_object") { ", 'a'" } else { "" };
        let over = if kind == "w" { " OVER ()" } else { "" };
        let replies = ours.simple(&format!("SELECT {name}({arguments}{pairs}){over}"));
        if let Some(error) = replies.error {
            wrong.push(format!("{name}({arguments}): {error:?}"));
        }
    }
    assert!(called > 30, "{called}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const FOREIGN: &str = include_str!("../src/dialect/functions/foreign.txt");

/// What is neither CockroachDB's nor put aside, and may be called: drivers and tools ask for it, PostgreSQL's
/// grammar calls it by its name, or it is another name of an operator or a cast.
const STAYS: &[&str] = &[
    // Tools, of the catalogue.
    "acldefault",
    "current_query",
    "currtid2",
    "makeaclitem",
    "mxid_age",
    "row_security_active",
    "to_regcollation",
    "to_regoper",
    "to_regoperator",
    "to_regtypemod",
    // libpq, for large objects.
    "loread",
    "lowrite",
    // The grammar.
    "position",
    "system_user",
    // Types of the catalogue, casts and operators.
    "amvalidate",
    "bitshiftleft",
    "bitshiftright",
    "bytea",
    "date_mi",
    "dexp",
    "dlog1",
    "dlog10",
    "dround",
    "dtrunc",
    "enum_in",
    "enum_out",
    "enum_send",
    "float4div",
    "float4mi",
    "float4mul",
    "float4um",
    "int2",
    "int24div",
    "int24mi",
    "int24mul",
    "int24pl",
    "int28div",
    "int2div",
    "int2mi",
    "int2mod",
    "int2mul",
    "int2not",
    "int2pl",
    "int2shl",
    "int2shr",
    "int2um",
    "int2up",
    "int4",
    "int42div",
    "int42mi",
    "int42mul",
    "int42pl",
    "int48div",
    "int4div",
    "int4inc",
    "int4mi",
    "int4mod",
    "int4mul",
    "int4not",
    "int4pl",
    "int4shl",
    "int4shr",
    "int4um",
    "int4up",
    "int8",
    "int82div",
    "int84div",
    "int8_sum",
    "int8div",
    "int8shl",
    "int8shr",
    "json_array_element",
    "json_array_element_text",
    "json_object_field",
    "json_object_field_text",
    "jsonb_delete",
    "like",
    "network",
    "notlike",
    "numeric_div",
    "numeric_div_trunc",
    "numeric_exp",
    "numeric_inc",
    "numeric_ln",
    "numeric_log",
    "numeric_power",
    "numeric_sqrt",
    "postgresql_fdw_validator",
    "shell_in",
    "shell_out",
    "textlen",
    "timestamp",
    "timestamptz",
    "xideqint4",
    "xidneqint4",
    // CockroachDB has it, and its documentation leaves it out of the list.
    "format",
];

#[test]
fn what_only_postgresql_has_is_put_aside() {
    let Some(server) = Server::start() else { return };
    let mut ours = server.postgres("defaultdb");
    let listed: BTreeSet<&str> = LIST.lines().filter_map(|line| line.split('\t').next()).collect();
    let foreign: BTreeSet<&str> = FOREIGN.lines().collect();
    assert!(FOREIGN.lines().is_sorted());
    let both: Vec<_> = listed.intersection(&foreign).collect();
    assert!(both.is_empty(), "CockroachDB has {both:?}");
    let rows = run(&mut ours, include_str!("prelude/callable.sql"));
    assert!(rows.len() > 400, "{}", rows.len());
    let left: Vec<String> = rows
        .into_iter()
        .filter_map(|row| row[0].clone())
        .filter(|name| !listed.contains(name.as_str()) && !STAYS.contains(&name.as_str()))
        .collect();
    assert!(left.is_empty(), "neither CockroachDB's nor in foreign.txt: {left:?}");
}

/// The prelude is put in without a look at the bodies, for that takes time.
#[test]
fn every_body_is_understood() {
    let Some(server) = Server::start() else { return };
    let mut ours = server.postgres("defaultdb");
    run(&mut ours, "SET search_path = pg_catalog, pg_temp");
    run(
        &mut ours,
        "CREATE FUNCTION pg_temp.fault(language text, subject oid) RETURNS text \
         LANGUAGE plpgsql AS $$ \
         BEGIN \
           EXECUTE format('SELECT %s(%s)', CASE language WHEN 'sql' THEN 'fmgr_sql_validator' \
             ELSE 'plpgsql_validator' END, subject); \
           RETURN NULL; \
         EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; \
         END $$",
    );
    let checked = run(
        &mut ours,
        "SELECT p.oid::regprocedure, pg_temp.fault(l.lanname, p.oid) \
         FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang \
         WHERE p.pronamespace IN ('pg_catalog'::regnamespace, 'crdb_internal'::regnamespace) \
           AND (p.oid BETWEEN 8000 AND 9999 OR p.oid >= 16384) AND p.prokind = 'f' \
           AND l.lanname IN ('sql', 'plpgsql')",
    );
    assert!(checked.len() > 400, "{}", checked.len());
    let wrong: Vec<_> = checked.into_iter().filter(|row| row[1].is_some()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// While an earlier version's objects get their owner, the launcher turns triggers of events off.
#[test]
fn views_stay_read_only_when_a_database_is_prepared_again() {
    let Some(server) = Server::start() else { return };
    let mut ours = server.postgres("defaultdb");
    run(&mut ours, "ALTER EVENT TRIGGER crdb_internal_close_views DISABLE");
    run(&mut ours, BOOTSTRAP_SQL);
    let mut client = server.client("defaultdb");
    assert_eq!(client.simple("CREATE VIEW closed AS SELECT 1 AS a").error, None);
    let replies = client.simple("INSERT INTO closed VALUES (2)");
    assert_eq!(replies.error.map(|(code, ..)| code).as_deref(), Some("42809"));
}
