//! `serverStatus`, `connPoolStats`, `top`: what the server counts.

use std::sync::atomic::Ordering;

use ::bson::spec::ElementType;
use ::bson::{DateTime, RawArrayBuf, RawBsonRef, RawDocumentBuf, rawdoc};
use bson::raw::cstr;

use crate::error::{Code, Error};

use super::arguments::{Argument, Kind};
use super::build_info::VERSION;
use super::context::{Context, Definition, Privilege, Running};

/// `serverStatus`.
pub const SERVER_STATUS: Definition = Definition::new("serverStatus", status)
    .open()
    .needs(Privilege::Monitor)
    .help("what the server counts");

/// `connPoolStats`.
pub const CONN_POOL_STATS: Definition = Definition::new("connPoolStats", pools)
    .open()
    .needs(Privilege::Monitor)
    .help("connections to other servers");

/// `top`.
pub const TOP: Definition = Definition::new("top", top)
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("time spent on each collection");

/// `profile`.
pub const PROFILE: Definition = Definition::new("profile", profile)
    .value(Kind::Integer { least: i64::MIN, most: i64::MAX, code: Code::BAD_VALUE })
    .arguments(&[
        Argument::integer("slowms"),
        Argument::number("sampleRate"),
        Argument::one_of("filter", &[ElementType::EmbeddedDocument, ElementType::String]),
    ])
    .needs(Privilege::Monitor)
    .help("there is no profiler");

fn status<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let gateway = context.gateway;
        let up = gateway.started.elapsed();
        let seconds = i64::try_from(up.as_secs()).unwrap_or(i64::MAX);
        let current = gateway.connections.load(Ordering::Relaxed);
        let created = gateway.connections_created.load(Ordering::Relaxed);
        let open = i64::try_from(gateway.cursors.count()).unwrap_or(i64::MAX);
        let sessions = i32::try_from(gateway.sessions.count()).unwrap_or(i32::MAX);
        let active = i32::try_from(gateway.operations.count()).unwrap_or(i32::MAX);
        let is_set = gateway.options.replica_set.is_some();
        let mut reply = rawdoc! {
            "host": context.connection.local.map_or_else(|| "localhost".to_owned(), |local| local.to_string()),
            "version": VERSION,
            "process": if is_set { "mongod" } else { "mongos" },
            "pid": i64::from(std::process::id()),
            "uptime": up.as_secs_f64().floor(),
            "uptimeMillis": i64::try_from(up.as_millis()).unwrap_or(i64::MAX),
            "uptimeEstimate": seconds,
            "localTime": DateTime::now(),
            "asserts": { "regular": 0, "warning": 0, "msg": 0, "user": 0, "tripwire": 0, "rollovers": 0 },
            "connections": {
                "current": i32::try_from(current).unwrap_or(i32::MAX),
                "available": 1_000_000,
                "totalCreated": i32::try_from(created).unwrap_or(i32::MAX),
                "active": active,
                "threaded": i32::try_from(current).unwrap_or(i32::MAX),
            },
            "globalLock": {
                "totalTime": 0_i64,
                "currentQueue": { "total": 0, "readers": 0, "writers": 0 },
                "activeClients": { "total": active, "readers": 0, "writers": 0 },
            },
            "logicalSessionRecordCache": { "activeSessionsCount": sessions },
            "metrics": {
                "cursor": { "timedOut": 0_i64, "open": { "noTimeout": 0_i64, "pinned": 0_i64, "total": open } },
                "commands": RawDocumentBuf::new(),
            },
            "network": { "bytesIn": 0_i64, "bytesOut": 0_i64, "numRequests": 0_i64 },
            "opcounters": { "insert": 0, "query": 0, "update": 0, "delete": 0, "getmore": 0, "command": 0 },
            "storageEngine": {
                "name": "wiredTiger",
                "supportsCommittedReads": true,
                "persistent": true,
                "readOnly": false,
            },
            "transactions": { "currentActive": 0_i64, "currentInactive": 0_i64, "currentOpen": 0_i64 },
            "mem": { "bits": 64, "resident": 0, "virtual": 0, "supported": false },
        };
        if let Some(set) = &gateway.options.replica_set {
            let mut hosts = RawArrayBuf::new();
            hosts.push(set.host.as_str());
            reply.append(
                cstr!("repl"),
                rawdoc! {
                    "setName": set.name.as_str(),
                    "setVersion": 1,
                    "isWritablePrimary": true,
                    "secondary": false,
                    "primary": set.host.as_str(),
                    "hosts": hosts,
                    "me": set.host.as_str(),
                },
            );
        }
        Ok(without(reply, context.request.body()))
    })
}

/// Sections that the client does not want are left out.
fn without(reply: RawDocumentBuf, body: &::bson::RawDocument) -> RawDocumentBuf {
    let is_off = |name: &str| match body.get(name) {
        Ok(Some(RawBsonRef::Boolean(on))) => !on,
        Ok(Some(RawBsonRef::Int32(on))) => on == 0,
        _ => false,
    };
    let mut kept = RawDocumentBuf::new();
    for (name, value) in reply.iter().flatten().filter(|(name, _)| !is_off(name.as_str())) {
        kept.append(name, value);
    }
    kept
}

fn pools<'a>(_context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async {
        Ok(rawdoc! {
            "numClientConnections": 0,
            "numAScopedConnections": 0,
            "totalInUse": 0,
            "totalAvailable": 0,
            "totalLeased": 0,
            "totalCreated": 0,
            "totalRefreshing": 0,
            "pools": RawDocumentBuf::new(),
            "hosts": RawDocumentBuf::new(),
            "replicaSets": RawDocumentBuf::new(),
        })
    })
}

fn top<'a>(_context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async { Ok(rawdoc! { "totals": { "note": "all times in microseconds" } }) })
}

fn profile<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let level = super::arguments::values::whole(context.value).unwrap_or(0);
        if level > 0 {
            return Err(Error::new(
                Code::COMMAND_NOT_SUPPORTED,
                "the profiler is not there: level must be 0",
            ));
        }
        Ok(rawdoc! { "was": 0, "slowms": 100, "sampleRate": 1.0 })
    })
}
