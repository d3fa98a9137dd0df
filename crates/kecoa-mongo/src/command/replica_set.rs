//! What is asked of replica sets and of mongos: `replSetGetStatus` and its like, `isdbgrid`, `listShards`.

use ::bson::{DateTime, RawArrayBuf, rawdoc};

use crate::error::{Code, Error};

use super::context::{Context, Definition, Privilege, Running};
use super::options::ReplicaSet;

/// `replSetGetStatus`.
pub const REPL_SET_GET_STATUS: Definition = Definition::new("replSetGetStatus", status)
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("the members of the replica set");

/// `replSetGetConfig`.
pub const REPL_SET_GET_CONFIG: Definition = Definition::new("replSetGetConfig", config)
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("the configuration of the replica set");

/// `replSetStepDown`.
pub const REPL_SET_STEP_DOWN: Definition = Definition::new("replSetStepDown", step_down)
    .open()
    .admin()
    .needs(Privilege::Operate)
    .help("a set of one has nobody to step down for");

/// `replSetFreeze`.
pub const REPL_SET_FREEZE: Definition = Definition::new("replSetFreeze", freeze)
    .open()
    .admin()
    .needs(Privilege::Operate)
    .help("a primary cannot be frozen");

/// `isdbgrid`.
pub const IS_DB_GRID: Definition = Definition::new("isdbgrid", is_grid)
    .aliases(&["isdbGrid"])
    .open()
    .help("whether this is a mongos");

/// `listShards`.
pub const LIST_SHARDS: Definition = Definition::new("listShards", shards)
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("there are no shards");

/// `getDefaultRWConcern`.
pub const GET_DEFAULT_RW_CONCERN: Definition =
    Definition::new("getDefaultRWConcern", default_concerns)
        .open()
        .admin()
        .needs(Privilege::Monitor)
        .help("the read and write concern of commands that say none");

fn set<'a>(context: &Context<'a>) -> Result<&'a ReplicaSet, Error> {
    let options = &context.gateway.options;
    options
        .replica_set
        .as_ref()
        .ok_or_else(|| Error::new(Code::NO_REPLICATION_ENABLED, "not running with --replSet"))
}

fn status<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let set = set(context)?;
        let time = context.gateway.time(false);
        let date = DateTime::from_millis(i64::from(time.time) * 1000);
        let stamp = rawdoc! { "ts": time, "t": 1_i64 };
        let up = i32::try_from(context.gateway.started.elapsed().as_secs()).unwrap_or(i32::MAX);
        let mut members = RawArrayBuf::new();
        members.push(rawdoc! {
            "_id": 0,
            "name": set.host.as_str(),
            "health": 1.0,
            "state": 1,
            "stateStr": "PRIMARY",
            "uptime": up,
            "optime": stamp.clone(),
            "optimeDate": date,
            "electionTime": time,
            "electionDate": date,
            "configVersion": 1,
            "configTerm": 1,
            "self": true,
        });
        Ok(rawdoc! {
            "set": set.name.as_str(),
            "date": DateTime::now(),
            "myState": 1,
            "term": 1_i64,
            "heartbeatIntervalMillis": 2000_i64,
            "majorityVoteCount": 1,
            "writeMajorityCount": 1,
            "votingMembersCount": 1,
            "writableVotingMembersCount": 1,
            "optimes": {
                "lastCommittedOpTime": stamp.clone(),
                "lastCommittedWallTime": date,
                "readConcernMajorityOpTime": stamp.clone(),
                "appliedOpTime": stamp.clone(),
                "durableOpTime": stamp,
                "lastAppliedWallTime": date,
                "lastDurableWallTime": date,
            },
            "members": members,
        })
    })
}

fn config<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let set = set(context)?;
        let mut members = RawArrayBuf::new();
        members.push(rawdoc! {
            "_id": 0,
            "host": set.host.as_str(),
            "arbiterOnly": false,
            "buildIndexes": true,
            "hidden": false,
            "priority": 1.0,
            "tags": {},
            "secondaryDelaySecs": 0_i64,
            "votes": 1,
        });
        Ok(rawdoc! {
            "config": {
                "_id": set.name.as_str(),
                "version": 1,
                "term": 1,
                "members": members,
                "protocolVersion": 1_i64,
                "writeConcernMajorityJournalDefault": true,
                "settings": { "chainingAllowed": true, "heartbeatIntervalMillis": 2000, "heartbeatTimeoutSecs": 10 },
            },
        })
    })
}

fn step_down<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        set(context)?;
        Err(Error::new(
            Code::EXCEEDED_TIME_LIMIT,
            "No electable secondaries caught up: this replica set has one member",
        ))
    })
}

fn freeze<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        set(context)?;
        if context.value.as_i32() == Some(0) {
            return Ok(rawdoc! { "info": "unfreezing" });
        }
        Err(Error::new(
            Code::location(95),
            "cannot freeze node when primary or running for election. state: Primary",
        ))
    })
}

fn is_grid<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        if context.gateway.options.replica_set.is_some() {
            return Err(Error::new(Code::COMMAND_NOT_FOUND, "no such command: 'isdbgrid'"));
        }
        Ok(rawdoc! { "isdbgrid": 1, "hostname": "localhost" })
    })
}

fn shards<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        if context.gateway.options.replica_set.is_some() {
            return Err(Error::new(Code::COMMAND_NOT_FOUND, "no such command: 'listShards'"));
        }
        Ok(rawdoc! { "shards": RawArrayBuf::new() })
    })
}

fn default_concerns<'a>(_context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async {
        Ok(rawdoc! {
            "defaultReadConcern": { "level": "local" },
            "defaultWriteConcern": { "w": "majority", "wtimeout": 0 },
            "defaultWriteConcernSource": "implicit",
            "defaultReadConcernSource": "implicit",
            "localUpdateWallClockTime": DateTime::now(),
        })
    })
}
