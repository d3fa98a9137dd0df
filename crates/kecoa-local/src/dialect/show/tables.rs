//! Tables, and what belongs to one: columns, indexes, constraints, statistics, triggers, policies.

use kecoa_sql::Statement;

use super::shown::{Found, none, relation, rows, scope, with_comment};
use crate::dialect::catalog::Context;

/// The query for a `SHOW` about tables.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Found {
    let is = |words: &[&str]| statement.are(at + 1, words);
    let (to, comment) = with_comment(statement, at, end);
    if is(&["TABLES"]) {
        let schema = scope(statement, at + 2, to, context)?.condition("n.nspname");
        return rows(tables(&schema, comment), "SHOW TABLES");
    }
    if statement.is_any(at + 1, &["INDEX", "INDEXES", "KEYS"]) {
        if statement.is_any(at + 2, &["FROM", "IN"]) && statement.is(at + 3, "DATABASE") {
            super::shown::own_database(statement, at + 4, to, context)?;
            return rows(database_indexes(comment), "SHOW INDEXES FROM DATABASE");
        }
        return of_table(statement, at + 2, to, context, |tab| {
            rows(indexes(tab, comment), "SHOW INDEXES FROM TABLE")
        });
    }
    if is(&["COLUMNS"]) {
        return of_table(statement, at + 2, to, context, |tab| {
            rows(columns(tab, comment), "SHOW COLUMNS")
        });
    }
    if statement.is_any(at + 1, &["CONSTRAINT", "CONSTRAINTS"]) {
        return of_table(statement, at + 2, to, context, |tab| {
            rows(constraints(tab, comment), "SHOW CONSTRAINTS")
        });
    }
    if is(&["TRIGGERS"]) {
        return of_table(statement, at + 2, to, context, |tab| {
            rows(triggers(tab), "SHOW TRIGGERS")
        });
    }
    if is(&["POLICIES", "FOR"]) {
        return of_table(statement, at + 2, to, context, |tab| {
            rows(policies(tab), "SHOW POLICIES")
        });
    }
    if is(&["PARTITIONS"]) {
        return partitions(statement, at + 2, end, context);
    }
    if is(&["STATISTICS"]) {
        if statement.is(at + 2, "USING") {
            return Ok(None);
        }
        return of_table(statement, at + 2, end, context, |tab| {
            rows(
                format!("SELECT s.* FROM crdb_internal.shown_statistics({tab}) AS s"),
                "SHOW STATISTICS FOR TABLE",
            )
        });
    }
    Ok(None)
}

/// `SHOW PARTITIONS FROM TABLE t`, `DATABASE d`, `INDEX t@i`: one node keeps none, of what is there.
fn partitions(statement: &Statement<'_>, at: usize, end: usize, context: &Context<'_>) -> Found {
    const COLUMNS: &str = "database_name text, table_name text, partition_name text, \
        parent_partition text, column_names text, index_name text, partition_value text, \
        zone_config text, full_zone_config text";
    if !statement.is_any(at, &["FROM", "IN"]) {
        return Ok(None);
    }
    if statement.is(at + 1, "DATABASE") {
        super::shown::own_database(statement, at + 2, end, context)?;
        return none(COLUMNS, "SHOW PARTITIONS");
    }
    let table = statement.is(at + 1, "TABLE")
        || statement.is(at + 1, "INDEX") && statement.is_mark(at + 3, "@");
    match relation(statement, at + 2, end, context)? {
        Some(found) if table => rows(partitions_of(COLUMNS, &found.oid), "SHOW PARTITIONS"),
        _ => none(COLUMNS, "SHOW PARTITIONS"),
    }
}

/// No rows, but an error when there is no such table.
fn partitions_of(columns: &str, tab: &str) -> String {
    let columns: Vec<String> = columns
        .split(", ")
        .filter_map(|column| column.trim().split_once(' '))
        .map(|(name, kind)| format!("NULL::{kind} AS {name}"))
        .collect();
    format!("SELECT {} FROM (SELECT {tab}) AS t(oid) WHERE t.oid IS NULL", columns.join(", "))
}

/// What stands for the table named behind `FROM`, `IN` or `FOR`, perhaps with `TABLE` in front.
fn of_table(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
    query: impl Fn(&str) -> Found,
) -> Found {
    if !statement.is_any(at, &["FROM", "IN", "FOR"]) {
        return Ok(None);
    }
    let table = statement.is(at + 1, "TABLE") && at + 2 < end;
    match relation(statement, at + 1 + usize::from(table), end, context)? {
        Some(found) => query(&found.oid),
        None => Ok(None),
    }
}

fn tables(schema: &str, comment: bool) -> String {
    let comment = if comment {
        ", coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') AS comment"
    } else {
        ""
    };
    format!(
        "SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, \
         CASE WHEN s.is_own THEN 'table' ELSE CASE c.relkind WHEN 'v' THEN 'view' \
         WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END END AS type, \
         CASE WHEN NOT s.is_own THEN r.rolname::text END AS owner, \
         CASE WHEN NOT s.is_own THEN greatest(c.reltuples, 0)::int8 END AS estimated_row_count, \
         NULL::text AS locality{comment} \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_roles r ON r.oid = c.relowner \
         CROSS JOIN LATERAL (SELECT n.nspname IN ('pg_catalog', 'information_schema', 'crdb_internal')) \
         AS s(is_own) \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {schema} \
         AND NOT crdb_internal.is_own(n.nspname, c.relname) ORDER BY 1, 2"
    )
}

fn columns(tab: &str, comment: bool) -> String {
    let comment = if comment { ", c.comment" } else { "" };
    format!(
        "SELECT c.name AS column_name, c.type AS data_type, c.nullable AS is_nullable, \
         crdb_internal.shown_default(t.oid, c.name, c.type, c.expression, c.generated, c.identity) \
         AS column_default, \
         CASE WHEN c.generated <> '' THEN e.shown ELSE '' END AS generation_expression, \
         ARRAY(SELECT DISTINCT i.index_name COLLATE \"C\" FROM indexes AS i \
         WHERE i.column_name = c.name ORDER BY 1) AS indices, c.hidden AS is_hidden{comment} \
         FROM (SELECT {tab}) AS t(oid), LATERAL crdb_internal.shown_columns(t.oid) AS c, \
         LATERAL (SELECT crdb_internal.shown_expression(c.expression, t.oid, c.type, '')) \
         AS e(shown) ORDER BY c.place"
    )
    .replacen(
        "SELECT",
        &format!(
            "WITH indexes AS MATERIALIZED (SELECT * FROM crdb_internal.shown_indexes({tab})) SELECT"
        ),
        1,
    )
}

/// The columns of an index's rows, from what `shown_indexes` gives.
const INDEX: &str = "i.non_unique, i.seq_in_index, i.column_name, i.definition, i.direction, \
    i.storing, i.implicit, true AS visible, 1::float8 AS visibility";

fn index_comment(comment: bool) -> &'static str {
    if comment { ", pg_catalog.obj_description(i.index_id, 'pg_class') AS comment" } else { "" }
}

fn indexes(tab: &str, comment: bool) -> String {
    format!(
        "SELECT t.relname::text AS table_name, i.index_name, {INDEX}{} FROM pg_catalog.pg_class t, \
         LATERAL crdb_internal.shown_indexes(t.oid) AS i WHERE t.oid = {tab} \
         ORDER BY i.index_name COLLATE \"C\", i.seq_in_index",
        index_comment(comment)
    )
}

fn database_indexes(comment: bool) -> String {
    format!(
        "SELECT t.relname::text AS table_name, i.index_name, n.nspname::text AS index_schema, \
         {INDEX}{} FROM pg_catalog.pg_class t \
         JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace, \
         LATERAL crdb_internal.shown_indexes(t.oid) AS i \
         WHERE t.relkind IN ('r', 'p', 'm') AND crdb_internal.is_users(n.nspname) \
         ORDER BY t.relname, i.index_name COLLATE \"C\", i.seq_in_index",
        index_comment(comment)
    )
}

fn constraints(tab: &str, comment: bool) -> String {
    let comment = if comment { ", k.comment" } else { "" };
    format!(
        "SELECT t.relname::text AS table_name, k.constraint_name, k.constraint_type, k.details, \
         k.validated{comment} FROM pg_catalog.pg_class t, \
         LATERAL crdb_internal.shown_constraints(t.oid) AS k WHERE t.oid = {tab} \
         ORDER BY k.constraint_name COLLATE \"C\""
    )
}

fn triggers(tab: &str) -> String {
    format!(
        "SELECT g.tgname::text AS trigger_name, g.tgenabled <> 'D' AS enabled \
         FROM pg_catalog.pg_trigger g WHERE g.tgrelid = {tab} AND NOT g.tgisinternal \
         AND g.tgname !~ '^crdb_internal_(on_update_|read_only$)' ORDER BY 1"
    )
}

fn policies(tab: &str) -> String {
    let expression = |column: &str| {
        format!(
            "coalesce(crdb_internal.shown_expression(pg_catalog.pg_get_expr(p.{column}, \
             p.polrelid), p.polrelid, NULL, '::'), '')"
        )
    };
    format!(
        "SELECT p.polname::text AS name, CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN \
         'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS cmd, \
         CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END AS type, \
         ARRAY(SELECT coalesce(r.rolname::text, 'public') FROM pg_catalog.unnest(p.polroles) \
         AS u(role) LEFT JOIN pg_catalog.pg_roles r ON r.oid = u.role ORDER BY 1) AS roles, \
         {} AS using_expr, {} AS with_check_expr FROM pg_catalog.pg_policy p \
         WHERE p.polrelid = {tab} ORDER BY p.oid",
        expression("polqual"),
        expression("polwithcheck")
    )
}
