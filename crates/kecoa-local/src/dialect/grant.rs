//! `GRANT` and `REVOKE` in CockroachDB's forms, and the options of roles.

use kecoa_sql::{Statement, TokenKind};

use super::catalog::Context;
use super::edit::Edits;
use super::password;
use super::plan::{Analysis, Class, Piece, Refusal, Stop};
use super::quote::quote_name;
use super::signature;

/// What only CockroachDB has on tables, databases, schemas and the like.
const PRIVILEGES: [&str; 10] = [
    "BACKUP",
    "CHANGEFEED",
    "CREATE",
    "DROP",
    "RESTORE",
    "ZONECONFIG",
    "REPLICATIONSOURCE",
    "REPLICATIONDEST",
    "RULE",
    "NOTHING",
];

/// Options of roles that have no meaning here; each may have a NO in front.
const OPTIONS: [&str; 11] = [
    "CONTROLJOB",
    "CANCELQUERY",
    "CONTROLCHANGEFEED",
    "CREATELOGIN",
    "MODIFYCLUSTERSETTING",
    "VIEWACTIVITY",
    "VIEWACTIVITYREDACTED",
    "VIEWCLUSTERSETTING",
    "VIEWCLUSTERMETADATA",
    "VIEWDEBUG",
    "REPLICATION",
];

/// Collects the edits for a `GRANT`, a `REVOKE` or `ALTER DEFAULT PRIVILEGES`; what is left with nothing to
/// grant is answered here.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<Option<Analysis>, Stop> {
    let length = statement.len();
    let default = statement.are(0, &["ALTER", "DEFAULT", "PRIVILEGES"]);
    let verb = if default {
        if statement.are(3, &["FOR", "ALL", "ROLES"]) {
            edits.replace(statement.start(3), statement.end(5), "");
            edits.add_notice(
                "ALTER DEFAULT PRIVILEGES holds for what this role makes, not for all roles'",
            );
        }
        statement.find(3, length, |at| statement.is_any(at, &["GRANT", "REVOKE"]))
    } else {
        statement.is_any(0, &["GRANT", "REVOKE"]).then_some(0)
    };
    let Some(verb) = verb else { return Ok(None) };
    let tag = if default {
        "ALTER DEFAULT PRIVILEGES"
    } else if statement.is(verb, "GRANT") {
        "GRANT"
    } else {
        "REVOKE"
    };
    let answered =
        |message: &str| Ok(Some(Analysis::piece(Class::Definition, Piece::notice(message, tag))));
    let mut first = verb + 1;
    if statement.are(first + 1, &["OPTION", "FOR"]) {
        first += 3;
    }
    if statement.is(first, "SYSTEM") {
        return answered("the local endpoint has no system privileges; ignored");
    }
    let Some(on) = statement.find(first, length, |at| statement.is(at, "ON")) else {
        return Ok(None); // a role
    };
    if statement.are(on + 1, &["EXTERNAL", "CONNECTION"]) || statement.are(on + 1, &["VIRTUAL"]) {
        return answered("the local endpoint has no privileges on this; ignored");
    }
    let creates = statement.is_any(on + 1, &["DATABASE", "SCHEMA", "SCHEMAS"]);
    let lacks =
        |at: usize| statement.is_any(at, &PRIVILEGES) && !(creates && statement.is(at, "CREATE"));
    let elements = statement.elements(first, on);
    let kept: Vec<String> = elements
        .iter()
        .filter(|(start, _)| !lacks(*start))
        .map(|(start, end)| statement.slice(*start, *end).into_owned())
        .collect();
    if kept.len() < elements.len() {
        let notice = "privileges that only CockroachDB has are ignored: the owner of a table may change \
                      and drop it";
        if kept.is_empty() {
            return answered(notice);
        }
        edits.add_notice(notice);
        edits.replace(statement.start(first), statement.end(on - 1), kept.join(", "));
    }
    if statement.is_any(on + 1, &["FUNCTION", "PROCEDURE", "ROUTINE"]) {
        signature::routines(statement, on + 2, edits)?;
    }
    if !default {
        patterns(statement, on + 1, context, edits)?;
    }
    Ok(None)
}

/// `[TABLE] *`, `schema.*`, `database.*`, `database.schema.*` -> `ALL TABLES IN SCHEMA …`.
fn patterns(
    statement: &Statement<'_>,
    at: usize,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Stop> {
    let from = at + usize::from(statement.is(at, "TABLE"));
    let to = statement.find(from, statement.len(), |i| statement.is_any(i, &["TO", "FROM"]));
    let Some(to) = to else { return Ok(()) };
    let elements = statement.elements(from, to);
    let is_pattern = |(start, end): &(usize, usize)| end > start && statement.is_mark(end - 1, "*");
    if !elements.iter().any(is_pattern) {
        return Ok(());
    }
    if !elements.iter().all(is_pattern) {
        return Err(Refusal {
            detail: String::new(),
            hint: "name the tables in a statement of their own".to_owned(),
            ..Refusal::new(
                "0A000",
                "the local endpoint cannot mix tables and patterns in one GRANT",
            )
        }
        .into());
    }
    let mut schemas = Vec::new();
    for (start, end) in elements {
        let schema = match end - start {
            1 => "public".to_owned(),
            3 => {
                let name = statement.name(start).unwrap_or_default();
                if name == context.database && !context.catalog.schema(&name)? {
                    "public".to_owned()
                } else {
                    name
                }
            }
            _ => {
                let database = statement.name(start).unwrap_or_default();
                if database != context.database {
                    return Err(Refusal::other_database(&database).into());
                }
                statement.name(start + 2).unwrap_or_default()
            }
        };
        schemas.push(quote_name(&schema));
    }
    let text = format!("ALL TABLES IN SCHEMA {}", schemas.join(", "));
    edits.replace(statement.start(at), statement.end(to - 1), text);
    Ok(())
}

/// Drops the options of `CREATE ROLE` and `ALTER ROLE` that mean nothing here.
pub(super) fn role_options(statement: &Statement<'_>, edits: &mut Edits) {
    if !statement.is_any(0, &["CREATE", "ALTER"]) || !statement.is_any(1, &["ROLE", "USER"]) {
        return;
    }
    let mut at = 2;
    while statement.is_any(at, &["IF", "NOT", "EXISTS"]) {
        at += 1;
    }
    at += 1; // its name
    while at < statement.len() {
        if statement.is_any(at, &["SET", "RESET", "IN", "RENAME", "PASSWORD", "UNTIL"]) {
            if statement.is_any(at, &["PASSWORD", "UNTIL"]) {
                if statement.is(at, "PASSWORD") {
                    password::rewrite(statement, at, edits);
                }
                at += 2;
                continue;
            }
            return;
        }
        if statement.is(at, "SUBJECT") && statement.kind(at + 1) == Some(TokenKind::String) {
            edits.replace(statement.start(at), statement.end(at + 1), "");
            edits.add_notice("the local endpoint asks for no certificates; SUBJECT is ignored");
            at += 2;
            continue;
        }
        let word = String::from_utf8_lossy(statement.text(at)).to_ascii_uppercase();
        let bare = word.strip_prefix("NO").unwrap_or(&word);
        if bare == "SQLLOGIN" {
            let text = if word == bare { "LOGIN" } else { "NOLOGIN" };
            edits.replace(statement.start(at), statement.end(at), text);
        } else if bare == "BYPASSRLS" {
            // PostgreSQL lets only a superuser give it.
            edits.replace(statement.start(at), statement.end(at), "");
            if word == bare {
                edits.add_notice(
                    "the local endpoint has no BYPASSRLS: policies hold for this role, too",
                );
            }
        } else if OPTIONS.contains(&bare) {
            edits.replace(statement.start(at), statement.end(at), "");
            edits.add_notice(format!("the local endpoint has no {bare}; ignored"));
        }
        at += 1;
    }
}
