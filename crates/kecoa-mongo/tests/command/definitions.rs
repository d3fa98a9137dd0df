//! What each command may be, by lists of names.

use kecoa_mongo::command::Definition;
use kecoa_mongo::command::api::Api;
use kecoa_mongo::command::context::ReadConcerns;
use kecoa_mongo::command::table::COMMANDS;

const VERSION_1: &[&str] = &[
    "abortTransaction",
    "aggregate",
    "authenticate",
    "bulkWrite",
    "collMod",
    "commitTransaction",
    "connectionStatus",
    "count",
    "create",
    "createIndexes",
    "delete",
    "drop",
    "dropDatabase",
    "dropIndexes",
    "endSessions",
    "explain",
    "find",
    "findAndModify",
    "getMore",
    "hello",
    "insert",
    "killCursors",
    "listCollections",
    "listDatabases",
    "listIndexes",
    "ping",
    "refreshSessions",
    "saslContinue",
    "saslStart",
    "update",
];

const IN_TRANSACTIONS: &[&str] = &[
    "abortTransaction",
    "aggregate",
    "bulkWrite",
    "commitTransaction",
    "create",
    "createIndexes",
    "delete",
    "distinct",
    "find",
    "findAndModify",
    "getMore",
    "hello",
    "insert",
    "isMaster",
    "killCursors",
    "update",
];

const RETRYABLE: &[&str] = &["bulkWrite", "delete", "findAndModify", "insert", "update"];
/// A driver sends the concern of a snapshot's session along with what goes on with its cursors.
const OF_SNAPSHOTS: &[&str] = &["aggregate", "distinct", "find", "getMore", "killCursors"];
const ANONYMOUS: &[&str] = &[
    "authenticate",
    "buildInfo",
    "configureFailPoint",
    "connectionStatus",
    "endSessions",
    "hello",
    "isMaster",
    "logout",
    "ping",
    "saslContinue",
    "saslStart",
    "whatsmyuri",
];

/// The commands of a kind are those of the list, as far as they are there.
fn are(list: &[&str], is_one: impl Fn(&Definition) -> bool) {
    for command in COMMANDS.iter().filter(|command| !command.test) {
        assert_eq!(is_one(command), list.contains(&command.name), "{}", command.name);
    }
}

#[test]
fn the_stable_api_has_these() {
    are(VERSION_1, |command| command.api == Api::Version1);
}

#[test]
fn a_transaction_has_these() {
    are(IN_TRANSACTIONS, |command| command.transaction);
}

#[test]
fn these_may_be_sent_twice() {
    are(RETRYABLE, |command| command.retryable);
}

#[test]
fn these_read_snapshots() {
    are(OF_SNAPSHOTS, |command| command.read_concern == ReadConcerns::Snapshot);
}

#[test]
fn these_need_no_login() {
    are(ANONYMOUS, |command| command.anonymous);
}
