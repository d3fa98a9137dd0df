//! Databases and their schemas.

use kecoa_sql::Statement;

use crate::dialect::catalog::Context;
use crate::dialect::plan::{Refusal, Stop};
use crate::dialect::quote::{quote, quote_name};

/// The schema a `SHOW TABLES FROM` means: a schema, or `public` of the session's database.
pub(super) fn schema(
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
        hint: format!("run USE {} first", quote_name(name)),
    }
}

pub(super) fn databases(comment: bool) -> String {
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

pub(super) const SCHEMAS: &str = "SELECT n.nspname::text AS schema_name, r.rolname::text AS owner \
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner \
    WHERE n.nspname !~ '^pg_(toast|temp)' ORDER BY 1";

pub(super) fn create_database(name: &str) -> String {
    format!(
        "SELECT name AS database_name, create_statement FROM crdb_internal.databases \
         WHERE name = {}",
        quote(name)
    )
}
