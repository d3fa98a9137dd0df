//! `SHOW GRANTS`, `SHOW DEFAULT PRIVILEGES`, `SHOW USERS`: who may do what.

use kecoa_sql::Statement;

use super::shown::{Found, elsewhere, missing, none, relation, rows};
use crate::dialect::catalog::Context;
use crate::dialect::plan::{Refusal, Stop};
use crate::dialect::quote::quote;

/// The query for a `SHOW` about roles and privileges.
pub(super) fn query(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
) -> Found {
    let is = |words: &[&str]| statement.are(at + 1, words);
    if is(&["GRANTS"]) {
        return grants(statement, at + 2, end, context);
    }
    if is(&["SYSTEM", "GRANTS"]) {
        // There are no privileges on the whole of a cluster.
        return none("grantee text, privilege_type text, is_grantable bool", "SHOW GRANTS");
    }
    if is(&["DEFAULT", "PRIVILEGES"]) {
        return default_privileges(statement, at + 3, end);
    }
    if is(&["DEFAULT", "SESSION", "VARIABLES", "FOR"]) {
        return role_variables(statement, at + 5, end);
    }
    if statement.is_any(at + 1, &["USERS", "ROLES"]) && at + 2 == end {
        return rows(USERS, if is(&["USERS"]) { "SHOW USERS" } else { "SHOW ROLES" });
    }
    Ok(None)
}

/// What `SHOW GRANTS ON …` lists.
struct Target {
    /// The columns in front of the grantee's, with their names.
    columns: &'static str,
    /// The same columns by what they are called.
    order: &'static str,
    /// Which rows of the view.
    condition: String,
}

const ALL: Target = Target {
    columns: "database_name, schema_name, object_name, object_type",
    order: "database_name, schema_name, object_name, object_type",
    condition: String::new(),
};

/// What follows `SHOW GRANTS`: `[ON target] [FOR roles]`.
fn grants(statement: &Statement<'_>, from: usize, end: usize, context: &Context<'_>) -> Found {
    let named = statement.find(from, end, |i| statement.is(i, "FOR")).filter(|i| *i + 1 < end);
    let to = named.unwrap_or(end);
    let Some(roles) = named.map_or(Some(Vec::new()), |at| names(statement, at + 1, end)) else {
        return Ok(None);
    };
    if statement.is(from, "ON") && statement.is(from + 1, "ROLE") {
        return role_grants(statement, from + 2, to, &roles);
    }
    let found = if statement.is(from, "ON") {
        target(statement, from + 1, to, context)?
    } else {
        let own = "(object_type <> 'database' OR database_name = pg_catalog.current_database())";
        (from == to).then(|| Target { condition: own.to_owned(), ..ALL })
    };
    let Some(Target { columns, order, condition }) = found else { return Ok(None) };
    let grantees = if roles.is_empty() {
        String::new()
    } else {
        let roles = roles.join(", ");
        format!(" AND grantee = ANY (crdb_internal.shown_grantees(ARRAY[{roles}]::text[]))")
    };
    rows(
        format!(
            "SELECT {columns}, grantee, privilege_type, is_grantable FROM \
             (SELECT DISTINCT * FROM crdb_internal.shown_grants) AS g \
             WHERE {condition}{grantees} ORDER BY {order}, grantee, privilege_type, is_grantable"
        ),
        "SHOW GRANTS",
    )
}

/// What is named behind `ON`.
fn target(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    context: &Context<'_>,
) -> Result<Option<Target>, Stop> {
    let named = |columns, order, condition: &str| {
        names(statement, from + 1, to).map(|names| Target {
            columns,
            order,
            condition: condition.replace("{}", &names.join(", ")),
        })
    };
    Ok(if statement.is(from, "DATABASE") {
        for name in named_things(statement, from + 1, to) {
            if !context.catalog.database(&name)? {
                let message = format!("database \"{name}\" does not exist");
                return Err(Refusal::new("3D000", message).into());
            }
        }
        let condition = "object_type = 'database' AND database_name IN ({})";
        named("database_name", "database_name", condition)
    } else if statement.is(from, "SCHEMA") {
        for name in named_things(statement, from + 1, to) {
            if !context.catalog.schema(&name)? {
                let message = format!("unknown schema \"{name}\"");
                return Err(Refusal::new("3F000", message).into());
            }
        }
        let columns = "database_name, schema_name";
        named(columns, columns, "object_type = 'schema' AND schema_name IN ({})")
    } else if statement.is(from, "TYPE") {
        let types: Vec<String> = statement
            .elements(from + 1, to)
            .into_iter()
            .map(|(start, end)| quote(&statement.slice(start, end)))
            .map(|name| format!("crdb_internal.shown_type_named({name})"))
            .collect();
        Some(Target {
            columns: "database_name, schema_name, object_name AS type_name",
            order: "database_name, schema_name, type_name",
            condition: format!("object_type = 'type' AND object_id IN ({})", types.join(", ")),
        })
        .filter(|_| !types.is_empty())
    } else if statement.is_any(from, &["FUNCTION", "PROCEDURE"]) {
        named(
            "database_name, schema_name, object_id AS routine_id, object_name AS routine_signature",
            "database_name, schema_name, routine_id, routine_signature",
            "object_type = 'routine' AND object_id IN \
             (SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.proname IN ({}))",
        )
    } else {
        tables(statement, from, to, context)?.map(|condition| Target {
            columns: "database_name, schema_name, object_name AS table_name",
            order: "database_name, schema_name, table_name",
            condition,
        })
    })
}

/// The last parts of the names between commas.
fn named_things(statement: &Statement<'_>, from: usize, to: usize) -> Vec<String> {
    let last = |(start, _)| statement.qualified_name(start).and_then(|end| statement.name(end - 1));
    statement.elements(from, to).into_iter().filter_map(last).collect()
}

/// The condition for `[TABLE] a, b, schema.*, *`.
fn tables(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    context: &Context<'_>,
) -> Result<Option<String>, Stop> {
    let word = statement.is_any(from, &["TABLE", "SEQUENCE"]) && from + 1 < to;
    let mut found = Vec::new();
    for (start, end) in statement.elements(from + usize::from(word), to) {
        if statement.is_mark(end - 1, "*") {
            found.push(if end - start == 1 {
                "schema_name = pg_catalog.current_schema()".to_owned()
            } else {
                let name = schema_of_pattern(statement, start, end, context)?;
                format!("schema_name = {}", quote(&name))
            });
        } else {
            match relation(statement, start, end, context)? {
                Some(relation) if relation.end == end => {
                    found.push(format!("object_id = {}", relation.oid));
                }
                _ => return Ok(None),
            }
        }
    }
    let any = found.join(" OR ");
    Ok((!found.is_empty()).then(|| format!("object_type IN ('table', 'sequence') AND ({any})")))
}

/// The schema of `schema.*`, `database.*` or `database.schema.*`.
fn schema_of_pattern(
    statement: &Statement<'_>,
    start: usize,
    end: usize,
    context: &Context<'_>,
) -> Result<String, Stop> {
    let name = statement.name(start).unwrap_or_default();
    if end - start == 3 {
        return if context.catalog.schema(&name)? {
            Ok(name)
        } else if name == context.database {
            Ok("public".to_owned())
        } else {
            Err(elsewhere(&name, context)?.into())
        };
    }
    if name != context.database {
        return Err(elsewhere(&name, context)?.into());
    }
    let schema = statement.name(start + 2).unwrap_or_default();
    if context.catalog.schema(&schema)? { Ok(schema) } else { Err(missing().into()) }
}

/// The last parts of the names between commas, as literals; `CURRENT_USER` stays what it is.
fn names(statement: &Statement<'_>, from: usize, to: usize) -> Option<Vec<String>> {
    let name = |(start, end): (usize, usize)| {
        let last = statement.qualified_name(start)?;
        let brackets = statement.partner(last).filter(|_| statement.is_mark(last, "("));
        if last != end && brackets.map(|closing| closing + 1) != Some(end) {
            return None;
        }
        if statement.is_any(last - 1, &["CURRENT_USER", "SESSION_USER"]) {
            return Some(format!("{}::text", statement.slice(last - 1, last)));
        }
        statement.name(last - 1).map(|name| quote(&name))
    };
    statement.elements(from, to).into_iter().map(name).collect()
}

/// `SHOW GRANTS ON ROLE [roles] [FOR members]`.
fn role_grants(statement: &Statement<'_>, from: usize, to: usize, members: &[String]) -> Found {
    let roles = if from == to { Some(Vec::new()) } else { names(statement, from, to) };
    let Some(roles) = roles else { return Ok(None) };
    // Those who are not there make it fail.
    let among = |column: &str, names: &[String]| match names {
        [] => String::new(),
        names => {
            let names = names.join(", ");
            format!(
                " AND crdb_internal.shown_grantees(ARRAY[{names}]::text[]) IS NOT NULL \
                 AND {column} IN ({names})"
            )
        }
    };
    rows(
        format!(
            "SELECT g.rolname::text AS role_name, r.rolname::text AS member, \
             pg_catalog.bool_or(a.admin_option) AS is_admin FROM pg_catalog.pg_auth_members a \
             JOIN pg_catalog.pg_roles g ON g.oid = a.roleid \
             JOIN pg_catalog.pg_roles r ON r.oid = a.member \
             WHERE g.rolname !~ '^pg_' AND NOT r.rolsuper \
             AND (r.rolname <> 'root' OR g.rolname = 'admin'){}{} GROUP BY 1, 2 ORDER BY 1, 2",
            among("g.rolname", &roles),
            among("r.rolname", members)
        ),
        "SHOW GRANTS ON ROLE",
    )
}

/// What follows `SHOW DEFAULT PRIVILEGES`: `[FOR ROLE roles | ALL ROLES | GRANTEE r] [IN SCHEMA s]`.
fn default_privileges(statement: &Statement<'_>, from: usize, end: usize) -> Found {
    let schema = statement.find(from, end, |i| statement.are(i, &["IN", "SCHEMA"]));
    let to = schema.unwrap_or(end);
    let schema = match schema.map(|at| statement.name(at + 2)) {
        None => " AND schema_name IS NULL".to_owned(),
        Some(Some(name)) => format!(" AND schema_name = {}", quote(&name)),
        Some(None) => return Ok(None),
    };
    let who = if from == to {
        "role = current_user".to_owned()
    } else if statement.are(from, &["FOR", "ALL", "ROLES"]) {
        "for_all_roles".to_owned()
    } else if statement.is(from, "FOR") {
        let grantee = statement.is(from + 1, "GRANTEE");
        let word = usize::from(statement.is_any(from + 1, &["ROLE", "USER", "GRANTEE"]));
        let Some(roles) = names(statement, from + 1 + word, to) else { return Ok(None) };
        let column = if grantee { "grantee" } else { "role" };
        format!("{column} IN ({})", roles.join(", "))
    } else {
        return Ok(None);
    };
    rows(
        format!(
            "SELECT role, for_all_roles, object_type, grantee, privilege_type, is_grantable \
             FROM crdb_internal.shown_default_privileges WHERE {who}{schema} \
             ORDER BY 1, 2, 3, 4, 5, 6"
        ),
        "SHOW DEFAULT PRIVILEGES",
    )
}

/// `SHOW DEFAULT SESSION VARIABLES FOR ROLE name`: what `ALTER ROLE … SET` set.
fn role_variables(statement: &Statement<'_>, from: usize, end: usize) -> Found {
    let all = statement.is(from, "ALL");
    let at = from + usize::from(statement.is_any(from, &["ROLE", "USER"]));
    let role = if all || statement.is(at, "ALL") {
        "s.setrole = 0".to_owned()
    } else {
        match statement.name(at).filter(|_| at + 1 == end) {
            Some(name) => format!("s.setrole = {}::regrole::oid", quote(&format!("\"{name}\""))),
            None => return Ok(None),
        }
    };
    rows(
        format!(
            "SELECT pg_catalog.replace(pg_catalog.split_part(c.line, '=', 1), 'kecoa.', '') \
             AS session_variables, \
             pg_catalog.substr(c.line, pg_catalog.strpos(c.line, '=') + 1) AS default_values, \
             coalesce(d.datname::text, 'ALL') AS database, s.setrole = 0 AS inherited_globally \
             FROM pg_catalog.pg_db_role_setting s \
             LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase \
             CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c(line) WHERE {role} \
             AND c.line NOT LIKE 'createrole\\_self\\_grant=%' ORDER BY 1"
        ),
        "SHOW DEFAULT SESSION VARIABLES",
    )
}

const USERS: &str = "SELECT r.rolname::text AS username, \
    CASE WHEN r.rolname IN ('admin', 'root') THEN '{}' ELSE \
    pg_catalog.array_remove(ARRAY[CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, \
    CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, \
    CASE WHEN NOT r.rolcanlogin THEN 'NOLOGIN' END, \
    'VALID UNTIL=' || pg_catalog.to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS+00:00')], NULL) \
    END::text[] AS options, \
    ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m \
    JOIN pg_catalog.pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid \
    AND g.rolname !~ '^pg_' AND (r.rolname <> 'root' OR g.rolname = 'admin') ORDER BY 1) \
    AS member_of FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' AND NOT r.rolsuper \
    ORDER BY 1";
