//! `SHOW`, with CockroachDB's columns, from PostgreSQL's catalog.

use super::plan::{Context, Refusal, Stop, quote};
use super::statement::Statement;
use super::{show_more, variables};

/// The query a `SHOW` becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// A `SELECT`.
    pub(super) sql: String,
    /// The command tag.
    pub(super) tag: &'static str,
    /// Whether the row count stands behind the tag.
    pub(super) counted: bool,
}

pub(super) fn rows(sql: impl Into<String>, tag: &'static str) -> Option<Shown> {
    Some(Shown { sql: sql.into(), tag, counted: true })
}

/// The query for the `SHOW` at `at..end`; `None` when PostgreSQL shall have it as it is.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Result<Option<Shown>, Stop> {
    let from = statement.find(at, end, |i| statement.is(i, "FROM")).map(|i| i + 1);
    let is = |words: &[&str]| statement.are(at + 1, words);
    let table = |from: Option<usize>| from.and_then(|from| table(statement, from, end, context));
    if let Some(shown) = show_more::query(statement, at, end, context) {
        return Ok(Some(shown));
    }
    let comment = end >= 2 && statement.are(end - 2, &["WITH", "COMMENT"]);
    let end = if comment { end - 2 } else { end };
    Ok(if is(&["TABLES"]) {
        rows(tables(&schema(statement, from, context)?, comment), "SHOW TABLES")
    } else if is(&["DATABASES"]) && at + 2 == end {
        rows(databases(comment), "SHOW DATABASES")
    } else if is(&["SCHEMAS"]) {
        rows(SCHEMAS, "SHOW SCHEMAS")
    } else if is(&["COLUMNS"]) {
        table(from).and_then(|table| rows(columns(&table, comment), "SHOW COLUMNS"))
    } else if statement.is_any(at + 1, &["INDEX", "INDEXES", "KEYS"])
        && from.is_some_and(|from| statement.is(from, "DATABASE"))
    {
        let all = "ANY (SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace NOT IN \
                   (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN \
                   ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_toast')))";
        rows(indexes(all), "SHOW INDEXES")
    } else if statement.is_any(at + 1, &["INDEX", "INDEXES", "KEYS"]) {
        table(from).and_then(|table| rows(indexes(&table), "SHOW INDEXES"))
    } else if statement.is_any(at + 1, &["CONSTRAINT", "CONSTRAINTS"]) {
        table(from).and_then(|table| rows(constraints(&table), "SHOW CONSTRAINTS"))
    } else if is(&["CREATE", "ALL", "TABLES"]) {
        let all = "ANY (SELECT k.oid FROM pg_catalog.pg_class k WHERE k.relkind IN \
                   ('r', 'p', 'v', 'm', 'S') AND k.relnamespace NOT IN (SELECT s.oid \
                   FROM pg_catalog.pg_namespace s WHERE s.nspname IN \
                   ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_toast')))";
        let each = create_table(all);
        rows(format!("SELECT create_statement FROM ({each}) AS t ORDER BY 1"), "SHOW CREATE")
    } else if is(&["CREATE"]) {
        let name = at + 2 + usize::from(statement.is_any(at + 2, &["TABLE", "VIEW", "SEQUENCE"]));
        table(Some(name)).and_then(|table| rows(create_table(&table), "SHOW CREATE"))
    } else if statement.is_any(at + 1, &["USERS", "ROLES"]) && at + 2 == end {
        rows(USERS, if is(&["USERS"]) { "SHOW USERS" } else { "SHOW ROLES" })
    } else if is(&["SEQUENCES"]) {
        rows(SEQUENCES, "SHOW SEQUENCES")
    } else if is(&["TYPES"]) || is(&["ENUMS"]) {
        rows(ENUMS, "SHOW ENUMS")
    } else if is(&["DATABASE"]) && at + 2 == end {
        rows("SELECT pg_catalog.current_database()::text AS database", "SHOW").map(uncounted)
    } else if is(&["CLUSTER", "SETTING"]) {
        let name = statement.slice(at + 3, end).to_ascii_lowercase();
        if name != "version" {
            return Err(Refusal::cluster_only("show cluster settings").into());
        }
        rows("SELECT '25.2'::text AS version", "SHOW CLUSTER SETTING").map(uncounted)
    } else {
        let name = at + 1 + usize::from(statement.is_any(at + 1, &["SESSION", "LOCAL"]));
        let name = match statement.qualified_name(name) {
            Some(last) if last == end => statement.slice(name, last).to_ascii_lowercase(),
            _ => return Ok(None),
        };
        variables::shown(&name).and_then(|sql| rows(sql, "SHOW")).map(uncounted)
    })
}

fn uncounted(shown: Shown) -> Shown {
    Shown { counted: false, ..shown }
}

/// The table named at `at`, as a `regclass` literal.
pub(super) fn table(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Option<String> {
    let last = statement.qualified_name(at)?.min(end);
    // PostgreSQL's regclass takes the current database in front, but no CockroachDB version of it.
    if last == at + 3 && statement.name(at).as_deref() == Some(context.database) {
        let name = statement.slice(at, last);
        let public = quote(&format!("public.{}", statement.slice(at + 2, last)));
        return Some(format!(
            "coalesce(pg_catalog.to_regclass({}), {public}::text::pg_catalog.regclass)",
            quote(&name)
        ));
    }
    let own = last == at + 5 && statement.name(at).as_deref() == Some(context.database);
    let name = statement.slice(if own { at + 2 } else { at }, last);
    Some(format!("{}::pg_catalog.regclass", quote(&name)))
}

/// The schema a `SHOW TABLES FROM` means: a schema, or `public` of the session's database.
fn schema(
    statement: &Statement<'_>,
    from: Option<usize>,
    context: &Context<'_>,
) -> Result<String, Stop> {
    let Some(from) = from else {
        return Ok("NOT IN ('pg_catalog', 'information_schema', 'crdb_internal') \
                   AND n.nspname !~ '^pg_(toast|temp)'"
            .to_owned());
    };
    let name = statement.name(from).unwrap_or_default();
    if statement.is_mark(from + 1, ".") {
        let schema = statement.name(from + 2).unwrap_or_default();
        if name != context.database {
            return Err(other_database(&name).into());
        }
        return Ok(format!("= {}", quote(&schema)));
    }
    if name == context.database {
        return Ok("= 'public'".to_owned());
    }
    if context.catalog.database(&name)? {
        return Err(other_database(&name).into());
    }
    Ok(format!("= {}", quote(&name)))
}

fn other_database(name: &str) -> Refusal {
    Refusal {
        code: "0A000",
        message: "the local endpoint sees one database at a time".to_owned(),
        hint: format!("run USE {} first", super::plan::quote_name(name)),
    }
}

fn databases(comment: bool) -> String {
    if !comment {
        return format!("{DATABASES} WHERE NOT d.datistemplate ORDER BY 1");
    }
    let described = DATABASES.replacen(
        " FROM ",
        ", pg_catalog.shobj_description(d.oid, 'pg_database') AS comment FROM ",
        1,
    );
    format!("{described} WHERE NOT d.datistemplate ORDER BY 1")
}

const DATABASES: &str = "SELECT d.datname::text AS database_name, r.rolname::text AS owner, \
    NULL::text AS primary_region, NULL::text AS secondary_region, '{}'::text[] AS regions, \
    NULL::text AS survival_goal FROM pg_catalog.pg_database d \
    JOIN pg_catalog.pg_roles r ON r.oid = d.datdba";

const SCHEMAS: &str = "SELECT n.nspname::text AS schema_name, r.rolname::text AS owner \
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner \
    WHERE n.nspname !~ '^pg_(toast|temp)' ORDER BY 1";

const USERS: &str = "SELECT r.rolname::text AS username, \
    pg_catalog.array_remove(ARRAY[CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, \
    CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, \
    CASE WHEN NOT r.rolcanlogin THEN 'NOLOGIN' END], NULL)::text[] AS options, \
    ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m \
    JOIN pg_catalog.pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1) \
    AS member_of FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' AND NOT r.rolsuper \
    ORDER BY 1";

const SEQUENCES: &str = "SELECT schemaname::text AS sequence_schema, \
    sequencename::text AS sequence_name FROM pg_catalog.pg_sequences ORDER BY 1, 2";

const ENUMS: &str = "SELECT n.nspname::text AS schema, t.typname::text AS name, \
    ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid \
    ORDER BY e.enumsortorder) AS values, r.rolname::text AS owner FROM pg_catalog.pg_type t \
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    JOIN pg_catalog.pg_roles r ON r.oid = t.typowner WHERE t.typtype = 'e' ORDER BY 1, 2";

fn tables(schema: &str, comment: bool) -> String {
    let comment =
        if comment { ", pg_catalog.obj_description(c.oid, 'pg_class') AS comment" } else { "" };
    format!(
        "SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, \
         CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
         WHEN 'S' THEN 'sequence' ELSE 'table' END AS type, r.rolname::text AS owner, \
         greatest(c.reltuples, 0)::int8 AS estimated_row_count, NULL::text AS locality{comment} \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_roles r ON r.oid = c.relowner \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname {schema} ORDER BY 1, 2"
    )
}

/// CockroachDB's name of a column's type.
const TYPE: &str = "crdb_internal.sql_type(a.atttypid, a.atttypmod)";

const DEFAULT: &str = "pg_catalog.pg_get_expr(d.adbin, d.adrelid)";

fn columns(table: &str, comment: bool) -> String {
    let comment =
        if comment { ", pg_catalog.col_description(a.attrelid, a.attnum) AS comment" } else { "" };
    format!(
        "SELECT a.attname::text AS column_name, {TYPE} AS data_type, \
         NOT a.attnotnull AS is_nullable, \
         CASE WHEN a.attgenerated = '' THEN {DEFAULT} END AS column_default, \
         CASE WHEN a.attgenerated <> '' THEN {DEFAULT} ELSE '' END AS generation_expression, \
         ARRAY(SELECT x.relname::text FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = a.attrelid \
         AND a.attnum = ANY (i.indkey) ORDER BY 1) AS indices, false AS is_hidden{comment} \
         FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d \
         ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attrelid = {table} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
}

fn indexes(table: &str) -> String {
    format!(
        "SELECT t.relname::text AS table_name, x.relname::text AS index_name, \
         NOT i.indisunique AS non_unique, s.n::int8 AS seq_in_index, \
         coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, s.n, true)) \
         AS column_name, \
         coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, s.n, true)) \
         AS definition, \
         CASE WHEN s.n > i.indnkeyatts THEN 'N/A' \
         WHEN pg_catalog.pg_index_column_has_property(i.indexrelid, s.n, 'desc') THEN 'DESC' \
         ELSE 'ASC' END AS direction, s.n > i.indnkeyatts AS storing, false AS implicit, \
         true AS visible, 1::float8 AS visibility \
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid \
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
         CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnatts) AS s(n) \
         LEFT JOIN pg_catalog.pg_attribute a \
         ON a.attrelid = i.indrelid AND a.attnum = i.indkey[s.n - 1] AND a.attnum > 0 \
         WHERE i.indrelid = {table} ORDER BY 2, 4"
    )
}

fn constraints(table: &str) -> String {
    format!(
        "SELECT t.relname::text AS table_name, k.conname::text AS constraint_name, \
         CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' \
         WHEN 'f' THEN 'FOREIGN KEY' WHEN 'c' THEN 'CHECK' ELSE 'OTHER' END AS constraint_type, \
         pg_catalog.pg_get_constraintdef(k.oid) AS details, k.convalidated AS validated \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class t ON t.oid = k.conrelid \
         WHERE k.conrelid = {table} AND k.contype <> 'n' ORDER BY 2"
    )
}

fn create_table(table: &str) -> String {
    format!(
        "SELECT c.relname::text AS table_name, CASE c.relkind \
         WHEN 'v' THEN 'CREATE VIEW ' || q.name || ' AS ' || pg_catalog.pg_get_viewdef(c.oid) \
         WHEN 'S' THEN 'CREATE SEQUENCE ' || q.name \
         ELSE 'CREATE TABLE ' || q.name || E' (\\n\\t' || pg_catalog.array_to_string(\
         ARRAY(SELECT pg_catalog.quote_ident(a.attname) || ' ' || {TYPE} \
         || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE ' NULL' END \
         || CASE a.attgenerated WHEN 's' THEN ' AS (' || {DEFAULT} || ') STORED' \
         WHEN 'v' THEN ' AS (' || {DEFAULT} || ') VIRTUAL' \
         ELSE coalesce(' DEFAULT ' || {DEFAULT}, '') END \
         FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d \
         ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) \
         || ARRAY(SELECT 'CONSTRAINT ' || pg_catalog.quote_ident(k.conname) || ' ' \
         || pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k \
         WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f', 'c', 'u') \
         ORDER BY pg_catalog.strpos('pfuc', k.contype::text), k.conname) \
         || ARRAY(SELECT pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), \
         '^CREATE (UNIQUE )?INDEX (.*) ON .* USING (btree )?(gin|hash)? ?\\(', \
         '\\1INDEX \\2 (') \
         FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT 1 \
         FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid \
         AND k.contype IN ('p', 'u', 'x')) ORDER BY 1), E',\\n\\t') || E'\\n)' END \
         AS create_statement FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         CROSS JOIN LATERAL (SELECT pg_catalog.quote_ident(n.nspname) || '.' \
         || pg_catalog.quote_ident(c.relname)) AS q(name) WHERE c.oid = {table}"
    )
}
