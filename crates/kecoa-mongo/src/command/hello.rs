//! `hello`, and `isMaster` as it was called: who is there, and what it can.

use std::time::Duration;

use ::bson::{DateTime, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, Timestamp, rawdoc};
use bson::oid::ObjectId;
use bson::raw::cstr;

use crate::bson::limits::{MAX_DOCUMENT_BYTES, MAX_MESSAGE_BYTES};
use crate::error::{Code, Error};
use crate::wire::Compressor;

use super::arguments::{Argument, Kind};
use super::authentication::{mechanisms, speculate};
use super::connection::Connection;
use super::context::{Again, Context, Definition, Running};
use super::options::ReplicaSet;

const ARGUMENTS: &[Argument] = &[
    Argument::boolean("helloOk"),
    Argument::document("client"),
    Argument::array("compression"),
    Argument::string("saslSupportedMechs"),
    Argument::document("speculativeAuthenticate"),
    Argument::document("topologyVersion"),
    Argument::new(
        "maxAwaitTimeMS",
        Kind::Integer { least: 0, most: i64::MAX, code: Code::location(51024) },
    ),
    Argument::lenient_boolean("loadBalanced"),
    Argument::string("hostInfo"),
    Argument::any("internalClient"),
];
const MAX_WRITE_BATCH: i32 = 100_000;
const MAX_WIRE_VERSION: i32 = 25;
const MAX_METADATA_BYTES: usize = 512;
const MAX_AWAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// `hello`.
pub const HELLO: Definition = Definition::new("hello", run)
    .arguments(ARGUMENTS)
    .open()
    .anonymous()
    .stable()
    .in_transaction()
    .help("who is there, and what it can");

/// `isMaster`, `ismaster`.
pub const IS_MASTER: Definition = Definition::new("isMaster", run)
    .aliases(&["ismaster"])
    .arguments(ARGUMENTS)
    .open()
    .anonymous()
    .in_transaction()
    .help("who is there, and what it can, by its old name");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    introduce(context)?;
    let version = context.gateway.topology_version();
    if let Some(version) = &version {
        await_change(context, version).await?;
    }
    let mut reply = describe(context);
    if let Some(version) = version {
        reply.append(cstr!("topologyVersion"), version);
    }
    negotiate(context, &mut reply);
    if let Some(user) = context.arguments.string("saslSupportedMechs") {
        let mut names = RawArrayBuf::new();
        for name in mechanisms(context.gateway, user).await {
            names.push(name);
        }
        reply.append(cstr!("saslSupportedMechs"), names);
    }
    if let Some(start) = context.arguments.document("speculativeAuthenticate")
        && let Some(answer) = speculate(context.gateway, context.connection, start).await
    {
        reply.append(cstr!("speculativeAuthenticate"), answer);
    }
    context.connection.greeted = true;
    Ok(reply)
}

/// Takes what the client says of itself, which it may say once only.
fn introduce(context: &mut Context<'_>) -> Result<(), Error> {
    if let Some(client) = context.arguments.document("client") {
        if context.connection.metadata.is_some() {
            return Err(Error::new(
                Code::CLIENT_METADATA_CANNOT_BE_MUTATED,
                "The client metadata document may only be sent in the first hello",
            ));
        }
        check_metadata(client)?;
        context.connection.metadata = Some(client.to_owned());
    }
    if !context.connection.greeted {
        context.connection.load_balanced = context.arguments.boolean("loadBalanced");
    }
    Ok(())
}

fn check_metadata(client: &RawDocument) -> Result<(), Error> {
    if client.as_bytes().len() > MAX_METADATA_BYTES {
        return Err(Error::location(
            51_013,
            format!(
                "The client metadata document must be less then or equal to {MAX_METADATA_BYTES} bytes, found {}",
                client.as_bytes().len()
            ),
        ));
    }
    let missing = |name: &str| {
        Error::new(
            Code::location(183),
            format!("Missing required sub-document '{name}' in the client metadata document"),
        )
    };
    let part = |name: &'static str| client.get_document(name).map_err(|_| missing(name));
    let driver = part("driver")?;
    let os = part("os")?;
    for (name, part, field) in
        [("driver", driver, "name"), ("driver", driver, "version"), ("os", os, "type")]
    {
        if part.get_str(field).is_err() {
            return Err(missing(&format!("{name}.{field}")));
        }
    }
    match client.get("application") {
        Ok(None) => Ok(()),
        Ok(Some(RawBsonRef::Document(application))) => match application.get("name") {
            Ok(Some(RawBsonRef::String(name))) if name.len() > 128 => Err(Error::new(
                Code::location(184),
                format!(
                    "The 'client.application.name' field cannot exceed 128 bytes, found {}",
                    name.len()
                ),
            )),
            Ok(Some(RawBsonRef::String(_)) | None) => Ok(()),
            _ => Err(Error::new(
                Code::TYPE_MISMATCH,
                "The 'client.application.name' field must be a string",
            )),
        },
        _ => {
            Err(Error::new(Code::TYPE_MISMATCH, "The 'client.application' field must be an object"))
        }
    }
}

/// Waits as long as the client says, if it knows the present version already.
async fn await_change(context: &mut Context<'_>, version: &RawDocumentBuf) -> Result<(), Error> {
    let known = context.arguments.document("topologyVersion");
    let wait = context.arguments.integer("maxAwaitTimeMS");
    let (Some(known), Some(wait)) = (known, wait) else {
        if known.is_some() || wait.is_some() {
            return Err(Error::location(
                51_764,
                "topologyVersion and maxAwaitTimeMS must be specified together or not at all",
            ));
        }
        return Ok(());
    };
    let process = known.get_object_id("processId");
    let counter = known.get_i64("counter");
    let (Ok(process), Ok(counter)) = (process, counter) else {
        return Err(Error::new(
            Code::TYPE_MISMATCH,
            "BSON field 'hello.topologyVersion' must have an ObjectId 'processId' and a long 'counter'",
        ));
    };
    if context.request.is_exhaust_allowed() {
        context.again = Some(Again::Body(following(context.request.body(), version)));
    }
    if process == context.gateway.process && counter == 1 {
        let wait = Duration::from_millis(wait.unsigned_abs()).min(MAX_AWAIT);
        tokio::time::sleep(wait).await;
    }
    Ok(())
}

/// The request of the next reply: the same, with the version of this one.
fn following(body: &RawDocument, version: &RawDocument) -> RawDocumentBuf {
    let mut next = RawDocumentBuf::new();
    for (name, value) in body.iter().flatten() {
        match name.as_str() {
            "topologyVersion" => next.append(name, version),
            // These belong to the first hello.
            "client" | "speculativeAuthenticate" | "saslSupportedMechs" => {}
            _ => next.append(name, value),
        }
    }
    next
}

fn describe(context: &Context<'_>) -> RawDocumentBuf {
    let mut reply = RawDocumentBuf::new();
    let is_old = context.definition.name != HELLO.name;
    if context.arguments.boolean("helloOk") {
        reply.append(cstr!("helloOk"), true);
    }
    reply.append(if is_old { cstr!("ismaster") } else { cstr!("isWritablePrimary") }, true);
    match &context.gateway.options.replica_set {
        None => reply.append(cstr!("msg"), "isdbgrid"),
        Some(set) => append_set(&mut reply, set, context.gateway.time(false)),
    }
    reply.append(cstr!("maxBsonObjectSize"), i32::try_from(MAX_DOCUMENT_BYTES).unwrap_or(i32::MAX));
    reply
        .append(cstr!("maxMessageSizeBytes"), i32::try_from(MAX_MESSAGE_BYTES).unwrap_or(i32::MAX));
    reply.append(cstr!("maxWriteBatchSize"), MAX_WRITE_BATCH);
    reply.append(cstr!("localTime"), DateTime::now());
    reply.append(cstr!("logicalSessionTimeoutMinutes"), 30);
    reply.append(cstr!("connectionId"), context.connection.id);
    reply.append(cstr!("minWireVersion"), 0);
    reply.append(cstr!("maxWireVersion"), MAX_WIRE_VERSION);
    reply.append(cstr!("readOnly"), false);
    if context.connection.load_balanced {
        reply.append(cstr!("serviceId"), context.gateway.process);
    }
    reply
}

/// What a replica set of one says. Every gateway of a database says the same, or clients would drop one of them.
fn append_set(reply: &mut RawDocumentBuf, set: &ReplicaSet, time: Timestamp) {
    let mut hosts = RawArrayBuf::new();
    hosts.push(set.host.as_str());
    reply.append(cstr!("secondary"), false);
    reply.append(cstr!("setName"), set.name.as_str());
    reply.append(cstr!("setVersion"), 1);
    reply.append(cstr!("hosts"), hosts);
    reply.append(cstr!("primary"), set.host.as_str());
    reply.append(cstr!("me"), set.host.as_str());
    reply.append(cstr!("electionId"), election());
    let stamp = rawdoc! { "ts": time, "t": 1_i64 };
    let written = DateTime::from_millis(i64::from(time.time) * 1000);
    reply.append(
        cstr!("lastWrite"),
        rawdoc! {
            "opTime": stamp.clone(),
            "lastWriteDate": written,
            "majorityOpTime": stamp,
            "majorityWriteDate": written,
        },
    );
}

fn election() -> ObjectId {
    ObjectId::from_bytes([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1])
}

/// Agrees on compressors: those that both sides know, in the client's order.
fn negotiate(context: &mut Context<'_>, reply: &mut RawDocumentBuf) {
    let Some(asked) = context.arguments.array("compression") else {
        return;
    };
    let mut names = RawArrayBuf::new();
    let mut common = Vec::new();
    for name in asked.into_iter().flatten().filter_map(RawBsonRef::as_str) {
        if let Some(compressor) = Compressor::named(name)
            && !common.contains(&compressor)
        {
            names.push(compressor.name());
            common.push(compressor);
        }
    }
    if !common.is_empty() {
        reply.append(cstr!("compression"), names);
    }
    remember(context.connection, common);
}

fn remember(connection: &mut Connection, compressors: Vec<Compressor>) {
    connection.compressors = compressors;
}
