//! Regions, localities and zones: there is one node, so that nothing is where it should not be.
//! What only says where data shall lie is accepted with a notice.

use kecoa_sql::Statement;

use super::catalog::Context;
use super::edit::Edits;
use super::plan::{Analysis, Class, Piece, Refusal, Stop};
use super::quote::quote;

fn ignored(what: &str) -> String {
    format!("the local endpoint has one node and no regions; ignored: {what}")
}

/// A cluster's own database. What sets up a cluster for tests gives it zones, too.
const SYSTEM: &str = "system";

/// The words that begin what `CREATE DATABASE` says of regions.
const REGIONAL: [&str; 6] = ["PRIMARY", "REGIONS", "SECONDARY", "SUPER", "SURVIVE", "PLACEMENT"];

/// Drops what a `CREATE DATABASE` says of regions behind the name at `at`; returns the end of what
/// stays, as an index, and the notice for the client.
pub(super) fn create_database(statement: &Statement<'_>, at: usize) -> (usize, Option<String>) {
    let to = statement.len();
    match statement.find(at + 1, to, |i| statement.is_any(i, &REGIONAL)) {
        Some(first) => (first, Some(ignored(&statement.slice(first, to)))),
        None => (to, None),
    }
}

/// `ALTER DATABASE … ADD REGION`, `ALTER TABLE … SET LOCALITY`, `ALTER … CONFIGURE ZONE`; `None`
/// for other statements.
pub(super) fn alter(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Stop> {
    if !statement.is(0, "ALTER") {
        return Ok(None);
    }
    let to = statement.len();
    let at = |words: &[&str]| statement.find(1, to, |i| statement.are(i, words));
    let done = |what: usize, sql: Option<String>, tag: &str| {
        let mut piece = sql.map_or_else(|| Piece::nothing(tag), |sql| Piece::tagged(sql, tag));
        piece.notice = Some(ignored(&statement.slice(what, to)));
        Ok(Some(Analysis::piece(Class::Definition, piece)))
    };
    let zone = at(&["CONFIGURE", "ZONE"]);
    if statement.is(1, "DATABASE") {
        const COMMANDS: [(&[&str], &str); 10] = [
            (&["ADD", "SUPER", "REGION"], "ALTER DATABASE ADD SUPER REGION"),
            (&["ALTER", "SUPER", "REGION"], "ALTER DATABASE ALTER SUPER REGION"),
            (&["DROP", "SUPER", "REGION"], "ALTER DATABASE DROP SUPER REGION"),
            (&["DROP", "SECONDARY", "REGION"], "ALTER DATABASE DROP SECONDARY REGION"),
            (&["ADD", "REGION"], "ALTER DATABASE ADD REGION"),
            (&["DROP", "REGION"], "ALTER DATABASE DROP REGION"),
            (&["PRIMARY", "REGION"], "ALTER DATABASE PRIMARY REGION"),
            (&["SECONDARY", "REGION"], "ALTER DATABASE SECONDARY REGION"),
            (&["SURVIVE"], "ALTER DATABASE SURVIVE"),
            (&["PLACEMENT"], "ALTER DATABASE PLACEMENT"),
        ];
        let found = COMMANDS
            .iter()
            .find_map(|(words, tag)| {
                statement.find(3, to, |i| statement.are(i, words)).zip(Some(tag))
            })
            .or_else(|| zone.zip(Some(&"CONFIGURE ZONE 1")));
        let Some((what, tag)) = found else { return Ok(None) };
        let Some(name) = statement.name(2) else { return Ok(None) };
        let of_cluster = zone.is_some() && name == SYSTEM;
        if !of_cluster && !context.catalog.database(&name)? {
            let message = format!("database \"{name}\" does not exist");
            return Err(Refusal::new("3D000", message).into());
        }
        return done(what, None, tag);
    }
    let locality = at(&["SET", "LOCALITY"]).filter(|_| statement.is(1, "TABLE"));
    let (what, tag) = match (locality, zone) {
        (Some(what), _) => (what, "ALTER TABLE SET LOCALITY"),
        (None, Some(what)) => (what, "CONFIGURE ZONE 1"),
        (None, None) => return Ok(None),
    };
    // The table must exist; an index is found by its table.
    let lenient = statement.are(2, &["IF", "EXISTS"]);
    let name = if lenient { 4 } else { 2 };
    let table = statement.is(1, "TABLE") || statement.is(1, "INDEX") && statement.is_mark(3, "@");
    let of_cluster =
        statement.name(name).as_deref() == Some(SYSTEM) && statement.is_mark(name + 1, ".");
    let wanted = table && !lenient && !of_cluster;
    let check = statement.qualified_name(name).filter(|_| wanted).map(|end| {
        let name = quote(&statement.slice(name, end));
        format!("DO {}", quote(&format!("BEGIN PERFORM {name}::pg_catalog.regclass; END")))
    });
    done(what, check, tag)
}

/// Drops the `LOCALITY …` at `at` behind a table's columns; returns the index of what follows it.
pub(super) fn locality(statement: &Statement<'_>, at: usize, edits: &mut Edits) -> usize {
    let mut end = at + 1;
    if statement.is(end, "GLOBAL") {
        end += 1;
    } else if statement.is(end, "REGIONAL") {
        end += 1;
        if statement.is(end, "BY") && statement.is_any(end + 1, &["TABLE", "ROW"]) {
            end += 2;
        }
        if statement.are(end, &["IN", "PRIMARY", "REGION"]) {
            end += 3;
        } else if statement.is_any(end, &["IN", "AS"]) {
            end += 2;
        }
    }
    edits.replace(statement.start(at), statement.end(end - 1), "");
    edits.add_notice(ignored(&statement.slice(at, end)));
    end
}
