//! `dataSize`: the bytes of a collection's documents.

use std::time::Instant;

use ::bson::raw::cstr;
use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::auth::{Action, Target};
use crate::error::{Code, Error};
use crate::operation::write_result::number;
use crate::store::{CollectionKind, Namespace};

use super::arguments::{Argument, Kind};
use super::authorization::demand;
use super::context::{Context, Definition, Running};
use super::namespace::{check_collection, check_database};
use super::work;

/// `dataSize`.
pub const DATA_SIZE: Definition = Definition::new("dataSize", run)
    .aliases(&["datasize"])
    .value(Kind::String)
    .arguments(&[
        Argument::document("keyPattern"),
        Argument::document("min"),
        Argument::document("max"),
        Argument::lenient_boolean("estimate"),
    ])
    .help("the bytes of a collection's documents");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let started = Instant::now();
    let namespace = match context.value {
        RawBsonRef::String(name) => full_name(name)?,
        _ => return Err(invalid("")),
    };
    // The name has its own database, whatever the command runs on.
    let target = Target::Collection(namespace.database(), namespace.collection());
    demand(context.gateway, context.connection, Action::Find, target)?;
    if ["keyPattern", "min", "max"].iter().any(|name| context.arguments.has(name)) {
        return Err(Error::new(
            Code::NOT_IMPLEMENTED,
            "dataSize of a range is not supported: sum $bsonSize in a pipeline that begins with $match",
        ));
    }
    let mut work = work::work(context).await?;
    let statistics = match work.collection(&namespace).await? {
        Some(collection) if collection.kind() == CollectionKind::Collection => {
            work.handle().statistics(&collection).await?
        }
        _ => Default::default(),
    };
    let long = |value: u64| number(i64::try_from(value).unwrap_or(i64::MAX));
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("estimate"), context.arguments.boolean("estimate"));
    reply.append(cstr!("size"), long(statistics.bytes));
    reply.append(cstr!("numObjects"), long(statistics.documents));
    let millis = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    reply.append(cstr!("millis"), number(millis));
    Ok(reply)
}

/// `database.collection`.
fn full_name(name: &str) -> Result<Namespace, Error> {
    let (database, collection) = name.split_once('.').ok_or_else(|| invalid(name))?;
    check_database(database)?;
    check_collection(database, collection)?;
    Namespace::new(database, collection)
}

fn invalid(name: &str) -> Error {
    Error::new(Code::INVALID_NAMESPACE, format!("Invalid namespace specified '{name}'"))
}
