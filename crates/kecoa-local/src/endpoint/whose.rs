//! Errors in which CockroachDB says whose a thing is, and PostgreSQL does not: the database and schema of
//! what exists already, the user who may not do something.

use kecoa_sql::Statement;

use super::origin::Origin;
use super::replies::Fields;
use super::session::Session;
use crate::dialect::quote::quote;

/// What the client's statement says of a thing that an error names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// The schema in front of the name.
    schema: Option<String>,
    /// The privileges that the statement wants on the relation, in CockroachDB's order.
    wanted: Vec<&'static str>,
}

impl Session {
    /// Takes note of what may make another role of the client than the one that it came as.
    pub(super) fn note_role(&mut self, statement: &Statement<'_>) {
        self.acts_as_another |= may_change_role(statement);
    }

    /// Puts the errors of this file into CockroachDB's words. The session's own transaction has failed
    /// and answers nothing, so another one is asked. What that one does not see stays as it is.
    pub(super) async fn reword_whose(&self, error: &mut Fields, origin: Option<&Origin<'_>>) {
        let field =
            |name| String::from_utf8_lossy(error.get(name).unwrap_or_default()).into_owned();
        let (message, routine) = (field(b'M'), field(b'R'));
        // What a function does is not what the client wrote.
        if routine == "exec_stmt_raise" || error.get(b'W').is_some() {
            return;
        }
        let said = match error.code() {
            "42P07" if routine != "index_create" => match within(&message, "relation \"", EXISTS) {
                Some(name) => self.existing(&name, origin, ("relation", "pg_class", "rel")).await,
                None => None,
            },
            "42710" => match within(&message, "type \"", EXISTS) {
                Some(name) => self.existing(&name, origin, ("type", "pg_type", "typ")).await,
                None => None,
            },
            "42501" if !self.acts_as_another => self.denied(&message, origin).await,
            _ => None,
        };
        if let Some(said) = said {
            error.set(b'M', &said);
        }
    }

    /// `relation "t" already exists` with the names in front.
    async fn existing(
        &self,
        name: &str,
        origin: Option<&Origin<'_>>,
        (what, table, prefix): (&str, &str, &str),
    ) -> Option<String> {
        let said = origin.and_then(|o| o.written(|s| about(s, name))).unwrap_or_default();
        let schema = match said.schema {
            Some(schema) if schema != self.database => schema,
            Some(_) => "public".to_owned(),
            // Where it is, if there is only one.
            None => {
                let sql = format!(
                    "SELECT pg_catalog.min(n.nspname::text) FROM pg_catalog.{table} c \
                     JOIN pg_catalog.pg_namespace n ON n.oid = c.{prefix}namespace \
                     WHERE c.{prefix}name = {} AND crdb_internal.is_users(n.nspname) \
                     HAVING pg_catalog.count(*) = 1",
                    quote(name)
                );
                self.asked_aside(&sql).await?
            }
        };
        Some(format!("{what} \"{}.{schema}.{name}\" already exists", self.database))
    }

    /// `permission denied for table t` with the user and the privilege.
    async fn denied(&self, message: &str, origin: Option<&Origin<'_>>) -> Option<String> {
        let user = &self.user;
        let lacks = |privilege: &str, what: &str, name: &str| {
            format!("user {user} does not have {privilege} privilege on {what} {name}")
        };
        let origin = origin?;
        if let Some(rest) = message.strip_prefix("must be owner of ") {
            let name = relation(rest)?;
            let drops = origin.written(|s| s.is_any(0, &["DROP", "TRUNCATE"]))?;
            return Some(lacks(if drops { "DROP" } else { "CREATE" }, "relation", name));
        }
        let rest = message.strip_prefix("permission denied for ")?;
        if let Some(name) = rest.strip_prefix("schema ") {
            let creates = origin.written(|s| s.is_any(0, &["CREATE", "ALTER"]))?;
            return Some(lacks(if creates { "CREATE" } else { "USAGE" }, "schema", name));
        }
        if let Some(name) = rest.strip_prefix("database ") {
            return Some(lacks("CREATE", "database", name));
        }
        if let Some(name) = rest.strip_prefix("function ") {
            return Some(lacks("EXECUTE", "function", name));
        }
        let name = relation(rest)?;
        let said = origin.written(|s| about(s, name))?;
        let first = *said.wanted.first()?;
        if first == "DROP" {
            return Some(lacks(first, "relation", name));
        }
        let wanted: Vec<String> = said.wanted.iter().map(|privilege| quote(privilege)).collect();
        let schema = said.schema.map_or_else(
            || "crdb_internal.is_users(n.nspname)".to_owned(),
            |schema| format!("n.nspname = {}", quote(&schema)),
        );
        let sql = format!(
            "SELECT u.p FROM pg_catalog.unnest(ARRAY[{}]::text[]) WITH ORDINALITY AS u(p, place) \
             JOIN pg_catalog.pg_class c ON c.relname = {} \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE {schema} AND NOT pg_catalog.has_table_privilege({}, c.oid, u.p) ORDER BY u.place LIMIT 1",
            wanted.join(", "),
            quote(name),
            quote(user),
        );
        let missing = self.asked_aside(&sql).await;
        Some(lacks(missing.as_deref().unwrap_or(first), "relation", name))
    }
}

const EXISTS: &str = "\" already exists";

/// What stands between two parts of a message.
fn within(message: &str, before: &str, behind: &str) -> Option<String> {
    message.strip_prefix(before)?.strip_suffix(behind).map(str::to_owned)
}

/// The name behind the kind of a relation that is read by SELECT.
fn relation(text: &str) -> Option<&str> {
    ["table ", "view ", "materialized view "].iter().find_map(|kind| text.strip_prefix(kind))
}

/// What a statement says of a relation or type of this name.
fn about(statement: &Statement<'_>, name: &str) -> Said {
    let is_it = |at: usize| statement.name(at).as_deref() == Some(name);
    let schema_at = |at: usize| {
        let before = at.checked_sub(2).filter(|_| statement.is_mark(at - 1, "."))?;
        statement.name(before)
    };
    let schema = (0..statement.len()).filter(|at| is_it(*at)).find_map(schema_at);
    let is_target = |at: usize| statement.qualified_name(at).is_some_and(|end| is_it(end - 1));
    let written = (0..statement.len()).find_map(|at| {
        let into = |word: &str| statement.are(at, &[word, "INTO"]) && is_target(at + 2);
        if into("INSERT") || into("UPSERT") {
            Some(vec!["INSERT", "SELECT", "UPDATE"])
        } else if statement.are(at, &["DELETE", "FROM"]) && is_target(at + 2) {
            Some(vec!["DELETE", "SELECT"])
        } else if statement.is(at, "UPDATE") && is_target(at + 1) {
            Some(vec!["UPDATE", "SELECT"])
        } else if at == 0 && statement.is(0, "TRUNCATE") {
            Some(vec!["DROP"])
        } else {
            None
        }
    });
    Said { schema, wanted: written.unwrap_or_else(|| vec!["SELECT"]) }
}

/// `SET ROLE`, `RESET ALL`, `set_config('role', …)`.
fn may_change_role(statement: &Statement<'_>) -> bool {
    let words = ["ROLE", "AUTHORIZATION", "ALL", "LOCAL"];
    statement.is_any(0, &["SET", "RESET", "DISCARD"])
        && (1..statement.len()).any(|at| statement.is_any(at, &words))
        || (0..statement.len()).any(|at| statement.is(at, "set_config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed<T>(sql: &str, look: impl FnOnce(&Statement<'_>) -> T) -> T {
        look(&Statement::whole(sql.as_bytes(), false).unwrap())
    }

    #[test]
    fn what_is_wanted_is_the_statements() {
        let wanted = |sql| parsed(sql, |s| about(s, "t")).wanted;
        assert_eq!(wanted("SELECT * FROM s.t"), ["SELECT"]);
        assert_eq!(wanted("INSERT INTO t SELECT * FROM u"), ["INSERT", "SELECT", "UPDATE"]);
        assert_eq!(wanted("INSERT INTO u SELECT * FROM t"), ["SELECT"]);
        assert_eq!(wanted("WITH x AS (DELETE FROM t) UPDATE u SET a = 1"), ["DELETE", "SELECT"]);
        assert_eq!(wanted("UPDATE t SET a = 1"), ["UPDATE", "SELECT"]);
        assert_eq!(wanted("TRUNCATE TABLE t"), ["DROP"]);
    }

    #[test]
    fn the_schema_is_the_one_in_front() {
        let schema = |sql| parsed(sql, |s| about(s, "t")).schema;
        assert_eq!(schema("CREATE TABLE s.t (t INT)").as_deref(), Some("s"));
        assert_eq!(schema("CREATE TABLE d.s.t (a INT)").as_deref(), Some("s"));
        assert_eq!(schema("CREATE TABLE t (a INT)"), None);
    }

    #[test]
    fn roles_change_by_set_alone() {
        assert!(parsed("SET ROLE a", may_change_role));
        assert!(parsed("RESET ALL", may_change_role));
        assert!(parsed("SELECT set_config('role', 'a', false)", may_change_role));
        assert!(!parsed("SET timezone = 'UTC'", may_change_role));
        assert!(!parsed("CREATE ROLE a", may_change_role));
    }
}
