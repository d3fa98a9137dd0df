//! `explain`: how a command would be run.

use std::time::Instant;

use ::bson::raw::cstr;
use ::bson::{RawDocumentBuf, rawdoc};

use crate::error::{Code, Error};
use crate::operation::attempts::write_conflict;
use crate::operation::explain::{Numbers, find_plan, nothing, within};
use crate::operation::find::{Find, empty_document};
use crate::operation::views;

use super::arguments::generic::GENERIC;
use super::arguments::read::{Rules, read};
use super::arguments::{Argument, Kind, Values, read_nested};
use super::context::{Context, Definition, Privilege, Running};
use super::explained::{describe, explain_aggregate};
use super::{aggregate, count, delete, distinct, find, find_and_modify, update, work};

const ARGUMENTS: &[Argument] = &[Argument::new(
    "verbosity",
    Kind::Enumeration(&["queryPlanner", "executionStats", "allPlansExecution"]),
)];

/// `explain`.
pub const EXPLAIN: Definition = Definition::new("explain", run)
    .value(Kind::Document)
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Read)
    .help("how a command would be run");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let verbosity = context.arguments.string("verbosity").unwrap_or("allPlansExecution").to_owned();
    let Some(command) = context.value.as_document() else {
        return Err(Error::new(Code::TYPE_MISMATCH, "explain expected an object"));
    };
    let (name, value) = match command.iter().next() {
        Some(Ok((name, value))) => (name.as_str(), value),
        _ => return Err(unexplained(context.commands, "")),
    };
    let definition = match name {
        "find" => &find::FIND,
        "aggregate" => &aggregate::AGGREGATE,
        "count" => &count::COUNT,
        "distinct" => &distinct::DISTINCT,
        "update" => &update::UPDATE,
        "delete" => &delete::DELETE,
        "findAndModify" | "findandmodify" => &find_and_modify::FIND_AND_MODIFY,
        _ => return Err(unexplained(context.commands, name)),
    };
    let rules = Rules { open: definition.open, strict: false };
    let (arguments, _) = read(definition.name, command, &[], definition.arguments, GENERIC, rules)?;
    let outer = context.value;
    context.value = value;
    let explained = match definition.name {
        "aggregate" => explain_aggregate(context, &arguments, &verbosity).await,
        name => explain_query(context, name, &arguments, &verbosity).await,
    };
    context.value = outer;
    let mut reply = explained?;
    reply.append(cstr!("command"), command);
    reply.append(cstr!("serverInfo"), server_info());
    Ok(reply)
}

fn unexplained(commands: &[&Definition], name: &str) -> Error {
    let is_known =
        commands.iter().any(|command| command.name == name || command.aliases.contains(&name));
    if is_known {
        return Error::new(Code::ILLEGAL_OPERATION, format!("Cannot explain cmd: {name}"));
    }
    Error::new(Code::COMMAND_NOT_FOUND, format!("Explain failed due to unknown command: {name}"))
}

fn server_info() -> RawDocumentBuf {
    rawdoc! { "host": "kecoa", "port": 27017, "version": "8.0.0", "gitVersion": "kecoa" }
}

/// Fields of a first statement that say which documents it is about.
const TOLERANT: &[Argument] = &[
    Argument::document("q"),
    Argument::any("u"),
    Argument::any("c"),
    Argument::any("multi"),
    Argument::any("upsert"),
    Argument::any("arrayFilters"),
    Argument::any("limit"),
    Argument::hint("hint"),
    Argument::document("collation"),
    Argument::document("sort"),
];

async fn explain_query(
    context: &mut Context<'_>,
    name: &str,
    arguments: &Values<'_>,
    verbosity: &str,
) -> Result<RawDocumentBuf, Error> {
    let namespace = work::namespace(context)?;
    let (find, around) = match name {
        "find" => (find::find_of(arguments)?, None),
        "count" => {
            let find = Find {
                filter: arguments.document("query"),
                skip: arguments.integer("skip").unwrap_or(0).unsigned_abs(),
                limit: arguments.integer("limit").unwrap_or(0).unsigned_abs(),
                hint: arguments.value("hint"),
                collation: arguments.document("collation"),
                ..Find::default()
            };
            (find, Some("COUNT"))
        }
        "distinct" => {
            let find = Find {
                filter: arguments.document("query"),
                hint: arguments.value("hint"),
                collation: arguments.document("collation"),
                ..Find::default()
            };
            (find, None)
        }
        "findAndModify" => {
            let find = Find {
                filter: arguments.document("query"),
                sort: arguments.document("sort"),
                hint: arguments.value("hint"),
                collation: arguments.document("collation"),
                ..Find::default()
            };
            let stage = if arguments.boolean("remove") { "DELETE" } else { "UPDATE" };
            (find, Some(stage))
        }
        name => {
            let (list, stage, place) = match name {
                "update" => ("updates", "UPDATE", "update.updates"),
                _ => ("deletes", "DELETE", "delete.deletes"),
            };
            let Some(statement) =
                arguments.documents(list).and_then(|statements| statements.iter().next())
            else {
                return Err(Error::new(
                    Code::INVALID_LENGTH,
                    "explained write batches must be of size 1",
                ));
            };
            let values = read_nested(place, statement?, TOLERANT)?;
            let find = Find {
                filter: values.document("q"),
                sort: values.document("sort"),
                hint: values.value("hint"),
                collation: values.document("collation"),
                ..Find::default()
            };
            (find, Some(stage))
        }
    };
    let started = Instant::now();
    let runs = verbosity != "queryPlanner";
    let mut work = work::work(context).await?;
    let mut numbers = Numbers::default();
    let mut tries = work.tries();
    let query = loop {
        let resolved = views::resolve(&mut work, &namespace).await?;
        let Some(collection) = &resolved.collection else { break None };
        let mut query = find.open(&work, collection)?;
        if query.begin(&mut work).await? {
            break Some(query);
        }
        tries.next(write_conflict()).await?;
    };
    let plan = match query {
        None => {
            find.check(&work)?;
            nothing()
        }
        Some(mut query) => {
            if runs {
                while query.skip_one(&mut work).await? {}
            }
            numbers.returned = query.returned();
            numbers.documents = query.examined().documents;
            numbers.keys = query.keys_examined();
            find_plan(&find, &query)
        }
    };
    numbers.time = started.elapsed();
    let plan = match around {
        Some(stage) => within(stage, plan),
        None => plan,
    };
    let filter = find.filter.unwrap_or(empty_document());
    Ok(describe(&namespace, filter, plan, &numbers, verbosity))
}
