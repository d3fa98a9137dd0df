//! The queries behind `\d` and its like: SQL that CockroachDB, PostgreSQL and the local endpoint all take.

use crate::variables::literal;

/// What a `\d` command lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Relations of these kinds (`pg_class.relkind`).
    Relations(&'static str),
    Functions,
    Schemas,
    Types,
    Roles,
    Databases,
}

/// A name with wildcards, as it is typed behind `\d`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl Pattern {
    /// `public.acc*`, `"My Table"`: what is not in quotes is folded to lower case, `*` is any text, `?`
    /// any character. A database in front of the schema is passed over.
    pub(crate) fn parse(text: &str) -> Pattern {
        let mut parts = vec![String::new()];
        let mut quoted = false;
        for character in text.chars() {
            let Some(part) = parts.last_mut() else { break };
            match character {
                '"' => quoted = !quoted,
                '.' if !quoted => parts.push(String::new()),
                '*' if !quoted => part.push('%'),
                '?' if !quoted => part.push('_'),
                '%' | '_' | '\\' => {
                    part.push('\\');
                    part.push(character);
                }
                other if quoted => part.push(other),
                other => part.extend(other.to_lowercase()),
            }
        }
        let name = parts.pop().unwrap_or_default();
        let filled = |part: &String| !part.is_empty();
        Pattern {
            schema: parts.pop().filter(filled),
            name: if name.is_empty() { "%".to_owned() } else { name },
        }
    }

    /// The name of a database, as it is typed behind `\c`: it keeps its case, and quotes around it are taken off.
    pub(crate) fn database(text: &str) -> String {
        match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\""),
            None => text.to_owned(),
        }
    }

    /// Whether it has a wildcard.
    pub(crate) fn is_wild(&self) -> bool {
        let wild = |text: &str| {
            let mut escaped = false;
            text.chars().any(|character| {
                let is_wild = !escaped && matches!(character, '%' | '_');
                escaped = !escaped && character == '\\';
                is_wild
            })
        };
        wild(&self.name) || self.schema.as_deref().is_some_and(wild)
    }

    fn condition(&self, schema: &str, name: &str) -> String {
        let mut condition = format!(" AND {name} LIKE {}", literal(&self.name).trim_start());
        if let Some(wanted) = &self.schema {
            condition.push_str(&format!(" AND {schema} LIKE {}", literal(wanted).trim_start()));
        }
        condition
    }
}

/// Schemas of the system, which are not listed unless they are asked for.
const NO_SYSTEM: &str = " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_extension', 'pg_toast')";

/// How `pg_class.relkind` is called.
const KIND: &str = "CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' \
    WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' \
    WHEN 'I' THEN 'partitioned index' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' \
    WHEN 'c' THEN 'type' ELSE CAST(c.relkind AS TEXT) END";

/// The query of a listing. `system`: the system's own are shown, too; `more`: so are sizes and comments.
pub(crate) fn list(
    listing: Listing,
    pattern: Option<&Pattern>,
    system: bool,
    more: bool,
) -> String {
    // As in psql, who names something means the system's own, too.
    let hides = !system && pattern.is_none();
    let visible = |schema: &str| match hides {
        true => NO_SYSTEM.replace("n.nspname", schema),
        false => String::new(),
    };
    let matching =
        |schema: &str, name: &str| pattern.map(|p| p.condition(schema, name)).unwrap_or_default();
    match listing {
        Listing::Relations(kinds) => {
            let kinds: Vec<String> = kinds.chars().map(|kind| format!("'{kind}'")).collect();
            let comment =
                if more { ", obj_description(c.oid, 'pg_class') AS \"Comment\"" } else { "" };
            let indexes = kinds.iter().all(|kind| matches!(kind.as_str(), "'i'" | "'I'"));
            let (table, join) = if indexes {
                (
                    ", t.relname AS \"Table\"",
                    " LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
                     LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid",
                )
            } else {
                ("", "")
            };
            format!(
                "SELECT n.nspname AS \"Schema\", c.relname AS \"Name\", {KIND} AS \"Type\"{table}, \
                 pg_get_userbyid(c.relowner) AS \"Owner\"{comment} \
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace{join} \
                 WHERE c.relkind IN ({}){}{} ORDER BY 1, 2",
                kinds.join(", "),
                visible("n.nspname"),
                matching("n.nspname", "c.relname"),
            )
        }
        Listing::Functions => format!(
            "SELECT n.nspname AS \"Schema\", p.proname AS \"Name\", \
             pg_get_function_result(p.oid) AS \"Result\", \
             pg_get_function_identity_arguments(p.oid) AS \"Arguments\", \
             CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' WHEN 'p' THEN 'procedure' \
             ELSE 'function' END AS \"Type\" \
             FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
             WHERE true{}{} ORDER BY 1, 2, 4",
            visible("n.nspname"),
            matching("n.nspname", "p.proname"),
        ),
        Listing::Schemas => format!(
            "SELECT n.nspname AS \"Name\", pg_get_userbyid(n.nspowner) AS \"Owner\" \
             FROM pg_catalog.pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_toast%' \
             AND n.nspname NOT LIKE 'pg\\_temp%'{}{} ORDER BY 1",
            visible("n.nspname"),
            matching("n.nspname", "n.nspname"),
        ),
        Listing::Types => format!(
            "SELECT n.nspname AS \"Schema\", format_type(t.oid, NULL) AS \"Name\", \
             CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'c' THEN 'composite' WHEN 'd' THEN 'domain' \
             WHEN 'r' THEN 'range' WHEN 'm' THEN 'multirange' ELSE 'base' END AS \"Type\", \
             (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) \
             FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) AS \"Labels\" \
             FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
             LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid \
             WHERE (t.typrelid = 0 OR c.relkind = 'c') AND t.typelem = 0{}{} ORDER BY 1, 2",
            visible("n.nspname"),
            matching("n.nspname", "t.typname"),
        ),
        Listing::Roles => format!(
            "SELECT r.rolname AS \"Role\", concat_ws(', ', CASE WHEN r.rolsuper THEN 'superuser' END, \
             CASE WHEN r.rolcreaterole THEN 'create role' END, \
             CASE WHEN r.rolcreatedb THEN 'create db' END, \
             CASE WHEN NOT r.rolcanlogin THEN 'no login' END) AS \"Attributes\", \
             (SELECT string_agg(b.rolname, ', ' ORDER BY b.rolname) FROM pg_catalog.pg_auth_members m \
             JOIN pg_catalog.pg_roles b ON m.roleid = b.oid WHERE m.member = r.oid) AS \"Member of\" \
             FROM pg_catalog.pg_roles r WHERE true{}{} ORDER BY 1",
            if system || pattern.is_some() { "" } else { " AND r.rolname NOT LIKE 'pg\\_%'" },
            matching("r.rolname", "r.rolname"),
        ),
        Listing::Databases => format!(
            "SELECT d.datname AS \"Name\", pg_get_userbyid(d.datdba) AS \"Owner\", \
             pg_encoding_to_char(d.encoding) AS \"Encoding\", d.datcollate AS \"Collation\" \
             FROM pg_catalog.pg_database d WHERE true{} ORDER BY 1",
            matching("d.datname", "d.datname"),
        ),
    }
}

/// The relations that a pattern means: oid, schema, name, kind, word for the kind. Without a schema, those
/// on the search path come before the others.
pub(crate) fn relations(pattern: &Pattern) -> String {
    let hidden = if pattern.schema.is_some() || !pattern.is_wild() { "" } else { NO_SYSTEM };
    format!(
        "SELECT c.oid, n.nspname, c.relname, c.relkind, {KIND}, pg_table_is_visible(c.oid) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'i', 'I', 'S', 'f', 'c'){hidden}{} ORDER BY 2, 3",
        pattern.condition("n.nspname", "c.relname"),
    )
}

/// The columns of a relation: name, type, nullable, default, and with `more` the comment.
pub(crate) fn columns(oid: &str, more: bool) -> String {
    let comment = if more {
        ", col_description(a.attrelid, CAST(a.attnum AS INT)) AS \"Comment\""
    } else {
        ""
    };
    format!(
        "SELECT a.attname AS \"Column\", format_type(a.atttypid, a.atttypmod) AS \"Type\", \
         CASE WHEN a.attnotnull THEN 'not null' ELSE '' END AS \"Nullable\", \
         CASE WHEN a.attidentity = 'a' THEN 'generated always as identity' \
         WHEN a.attidentity = 'd' THEN 'generated by default as identity' \
         WHEN a.attgenerated = 's' THEN concat('generated always as (', pg_get_expr(d.adbin, d.adrelid, true), ') stored') \
         WHEN a.attgenerated = 'v' THEN concat('generated always as (', pg_get_expr(d.adbin, d.adrelid, true), ') virtual') \
         ELSE pg_get_expr(d.adbin, d.adrelid) END AS \"Default\"{comment} \
         FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d \
         ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
}

/// The indexes of a table: name, primary, unique, definition.
pub(crate) fn indexes(oid: &str) -> String {
    format!(
        "SELECT c.relname, i.indisprimary, i.indisunique, pg_get_indexdef(i.indexrelid) \
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
         WHERE i.indrelid = {oid} ORDER BY i.indisprimary DESC, 1"
    )
}

/// The constraints of a table: name, kind, definition. Primary keys and unique constraints are indexes.
pub(crate) fn constraints(oid: &str) -> String {
    format!(
        "SELECT r.conname, r.contype, pg_get_constraintdef(r.oid) FROM pg_catalog.pg_constraint r \
         WHERE r.conrelid = {oid} AND r.contype IN ('c', 'f') ORDER BY 2, 1"
    )
}

/// The foreign keys of other tables that point at this one: table with its schema, name, definition.
pub(crate) fn references(oid: &str) -> String {
    format!(
        "SELECT concat(n.nspname, '.', c.relname), r.conname, pg_get_constraintdef(r.oid) FROM pg_catalog.pg_constraint r \
         JOIN pg_catalog.pg_class c ON c.oid = r.conrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE r.confrelid = {oid} AND r.contype = 'f' ORDER BY 1, 2"
    )
}

/// The triggers of a table: name, definition. Only PostgreSQL is asked.
pub(crate) fn triggers(oid: &str) -> String {
    format!(
        "SELECT t.tgname, pg_get_triggerdef(t.oid) FROM pg_catalog.pg_trigger t \
         WHERE t.tgrelid = {oid} AND NOT t.tgisinternal ORDER BY 1"
    )
}

/// The query of a view.
pub(crate) fn view(oid: &str) -> String {
    format!("SELECT pg_get_viewdef({oid})")
}

/// Everything that can be completed: what it is, schema, table or name, column.
pub(crate) const NAMES: &str = "SELECT 'column', n.nspname, c.relname, a.attname \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped \
    AND n.nspname NOT IN ('crdb_internal', 'information_schema', 'pg_extension', 'pg_toast') LIMIT 100000";

/// Names of relations, schemas, databases, roles, types and functions.
pub(crate) const OBJECTS: [&str; 6] = [
    "SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' \
     ELSE 'table' END, n.nspname, c.relname \
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND n.nspname <> 'pg_toast' LIMIT 20000",
    "SELECT 'schema', nspname, nspname FROM pg_catalog.pg_namespace \
     WHERE nspname NOT LIKE 'pg\\_toast%' AND nspname NOT LIKE 'pg\\_temp%' LIMIT 2000",
    "SELECT 'database', datname, datname FROM pg_catalog.pg_database LIMIT 2000",
    "SELECT 'role', rolname, rolname FROM pg_catalog.pg_roles LIMIT 2000",
    "SELECT 'type', n.nspname, t.typname FROM pg_catalog.pg_type t \
     JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
     WHERE t.typelem = 0 AND t.typrelid = 0 LIMIT 5000",
    "SELECT DISTINCT 'function', n.nspname, p.proname FROM pg_catalog.pg_proc p \
     JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace LIMIT 20000",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_they_are_typed() {
        for (text, schema, name, wild) in [
            ("accounts", None, "accounts", false),
            ("Accounts", None, "accounts", false),
            ("\"My Table\"", None, "My Table", false),
            ("public.acc*", Some("public"), "acc%", true),
            ("a?c", None, "a_c", true),
            ("a_b%", None, "a\\_b\\%", false),
            ("\"a.b\".\"c*\"", Some("a.b"), "c*", false),
            ("bank.public.t", Some("public"), "t", false),
            ("public.", Some("public"), "%", true),
        ] {
            let pattern = Pattern::parse(text);
            assert_eq!(pattern.schema.as_deref(), schema, "{text}");
            assert_eq!(pattern.name, name, "{text}");
            assert_eq!(pattern.is_wild(), wild, "{text}");
        }
    }

    #[test]
    fn a_pattern_cannot_leave_its_string() {
        let sql = list(
            Listing::Relations("r"),
            Some(&Pattern::parse("x'; DROP TABLE t; --")),
            false,
            false,
        );
        assert_eq!(kecoa_sql::split(sql.as_bytes(), false).len(), 1, "{sql}");
    }
}
