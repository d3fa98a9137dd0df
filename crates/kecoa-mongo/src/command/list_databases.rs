//! `listDatabases`.

use std::collections::BTreeSet;

use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawDocumentBuf};

use crate::auth::{Access, Action, Target};
use crate::error::Error;
use crate::operation::write_result::number;
use crate::query::Filter;
use crate::store::CollectionKind;

use super::arguments::Argument;
use super::authorization::{demand, is_visible};
use super::context::{Context, Definition, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::document("filter"),
    Argument::lenient_boolean("nameOnly"),
    Argument::boolean("authorizedDatabases"),
];

/// The databases that are there from the beginning: those of a replica set, and those that a mongos shows.
const OF_REPLICA_SETS: &[&str] = &["admin", "config", "local"];
const OF_ROUTERS: &[&str] = &["admin", "config"];

/// `listDatabases`.
pub const LIST_DATABASES: Definition = Definition::new("listDatabases", run)
    .arguments(ARGUMENTS)
    .stable()
    .admin()
    .help("all databases");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let name_only = arguments.boolean("nameOnly");
    let own = match context.gateway.options.replica_set {
        Some(_) => OF_REPLICA_SETS,
        None => OF_ROUTERS,
    };
    let (gateway, connection) = (context.gateway, &*context.connection);
    let may_see_all = |access: &Access| access.allows(Action::ListDatabases, Target::Cluster);
    let shows_all = match arguments.optional_boolean("authorizedDatabases") {
        Some(false) => {
            demand(gateway, connection, Action::ListDatabases, Target::Cluster)?;
            true
        }
        _ => is_visible(gateway, connection, may_see_all),
    };
    let access = connection.login.as_ref().map(|login| login.access.clone());
    let is_shown = |database: &str| {
        shows_all || access.as_ref().is_some_and(|access| access.allows_anything_in(database))
    };
    let mut work = work::work(context).await?;
    let filter = match arguments.document("filter") {
        Some(filter) => Some(Filter::parse(filter, &work.scope)?),
        None => None,
    };
    let mut databases = RawArrayBuf::new();
    let mut total = 0_i64;
    let mut names: BTreeSet<String> = work.handle().databases().await?.into_iter().collect();
    names.extend(own.iter().map(|name| (*name).to_owned()));
    for name in names {
        if !is_shown(&name) {
            continue;
        }
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("name"), name.as_str());
        let mut size = 0_i64;
        if !name_only {
            let mut empty = true;
            for collection in work.handle().collections(&name).await? {
                if collection.kind() == CollectionKind::Collection {
                    let statistics = work.handle().statistics(&collection).await?;
                    size = size
                        .saturating_add(i64::try_from(statistics.bytes).unwrap_or(i64::MAX))
                        .saturating_add(4096);
                    empty &= statistics.documents == 0;
                }
            }
            document.append(cstr!("sizeOnDisk"), number(size));
            document.append(cstr!("empty"), empty);
        }
        let wanted = match &filter {
            Some(filter) => filter.matches(&document, &work.variables)?,
            None => true,
        };
        if wanted {
            total = total.saturating_add(size);
            databases.push(document);
        }
    }
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("databases"), databases);
    if !name_only {
        reply.append(cstr!("totalSize"), number(total));
        reply.append(cstr!("totalSizeMb"), number(total / (1024 * 1024)));
    }
    Ok(reply)
}
