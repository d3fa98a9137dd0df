//! What drivers, shells and test tools ask at connect.

use bson::{RawDocumentBuf, rawdoc};
use kecoa_mongo::command::{Gateway, Options};

use crate::support::{ask, client, code, gateway, replica_set};

#[tokio::test]
async fn they_answer() {
    // As a mongos, as a replica set.
    let table: &[(RawDocumentBuf, i32, i32)] = &[
        (rawdoc! { "buildInfo": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "buildinfo": 1, "$db": "test" }, 0, 0),
        (rawdoc! { "connPoolStats": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "currentOp": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "currentOp": 1, "$all": true, "$db": "admin" }, 0, 0),
        (rawdoc! { "currentOp": 1, "$ownOps": true, "op": "command", "$db": "admin" }, 0, 0),
        (rawdoc! { "currentOp": 1, "op": { "$unknown": 1 }, "$db": "admin" }, 2, 2),
        (rawdoc! { "features": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "getCmdLineOpts": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "getDefaultRWConcern": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "getFreeMonitoringStatus": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "getLog": "startupWarnings", "$db": "admin" }, 0, 0),
        (rawdoc! { "getLog": "*", "$db": "admin" }, 0, 0),
        (rawdoc! { "getLog": "nobody", "$db": "admin" }, 96, 96),
        (rawdoc! { "getLog": 1, "$db": "admin" }, 14, 14),
        (rawdoc! { "hostInfo": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "convertToCapped": "c", "size": 9, "$db": "test" }, 238, 238),
        (
            rawdoc! { "cloneCollectionAsCapped": "c", "toCollection": "d", "size": 9, "$db": "test" },
            238,
            238,
        ),
        (rawdoc! { "isdbgrid": 1, "$db": "admin" }, 0, 59),
        (rawdoc! { "killOp": 1, "op": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "killOp": 1, "$db": "admin" }, 40414, 40414),
        (rawdoc! { "listCommands": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "listShards": 1, "$db": "admin" }, 0, 59),
        (rawdoc! { "profile": 0, "$db": "admin" }, 0, 0),
        (rawdoc! { "profile": -1, "$db": "admin" }, 0, 0),
        (rawdoc! { "profile": 1, "$db": "admin" }, 115, 115),
        (rawdoc! { "profile": "x", "$db": "admin" }, 14, 14),
        (rawdoc! { "replSetGetStatus": 1, "$db": "admin" }, 76, 0),
        (rawdoc! { "replSetGetConfig": 1, "$db": "admin" }, 76, 0),
        (rawdoc! { "replSetStepDown": 1, "$db": "admin" }, 76, 262),
        (rawdoc! { "replSetFreeze": 1, "$db": "admin" }, 76, 95),
        (rawdoc! { "replSetFreeze": 0, "$db": "admin" }, 76, 0),
        (rawdoc! { "serverStatus": 1, "$db": "test" }, 0, 0),
        (rawdoc! { "top": 1, "$db": "admin" }, 0, 0),
        (rawdoc! { "whatsmyuri": 1, "$db": "admin" }, 0, 0),
    ];
    for (body, mongos, set) in table {
        assert_eq!(code(&ask(&gateway(), &mut client(), body.clone()).await), *mongos, "{body:?}");
        assert_eq!(code(&ask(&replica_set(), &mut client(), body.clone()).await), *set, "{body:?}");
    }
}

#[tokio::test]
async fn parameters_are_shown_and_changed() {
    let gateway = gateway();
    let reply = ask(&gateway, &mut client(), rawdoc! { "getParameter": "*", "$db": "admin" }).await;
    assert!(reply.get_bool("enableTestCommands").unwrap());
    assert_eq!(
        reply.get_document("featureCompatibilityVersion").unwrap().get_str("version").unwrap(),
        "8.0"
    );
    let body = rawdoc! { "getParameter": 1, "featureCompatibilityVersion": 1, "$db": "admin" };
    let reply = ask(&gateway, &mut client(), body).await;
    assert_eq!(reply.iter().count(), 4, "it, ok and the times");
    let body = rawdoc! { "getParameter": { "showDetails": true }, "quiet": 1, "$db": "admin" };
    let reply = ask(&gateway, &mut client(), body).await;
    assert!(reply.get_document("quiet").unwrap().get_bool("settableAtRuntime").unwrap());
    let table = [
        (rawdoc! { "getParameter": 1, "$db": "admin" }, 72),
        (rawdoc! { "getParameter": 1, "nobody": 1, "$db": "admin" }, 72),
        (rawdoc! { "setParameter": 1, "$db": "admin" }, 72),
        (rawdoc! { "setParameter": 1, "nobody": 1, "$db": "admin" }, 72),
        (rawdoc! { "setParameter": 1, "enableTestCommands": false, "$db": "admin" }, 20),
        (rawdoc! { "setParameter": 1, "quiet": "x", "$db": "admin" }, 2),
        (rawdoc! { "setParameter": 1, "quiet": true, "$db": "admin" }, 0),
        (rawdoc! { "setParameter": 1, "transactionLifetimeLimitSeconds": -1, "$db": "admin" }, 2),
        (rawdoc! { "setParameter": 1, "transactionLifetimeLimitSeconds": 3.0, "$db": "admin" }, 0),
    ];
    for (body, expected) in table {
        assert_eq!(code(&ask(&gateway, &mut client(), body.clone()).await), expected, "{body:?}");
    }
    assert_eq!(gateway.parameters.integer("transactionLifetimeLimitSeconds"), Some(3));
    assert!(gateway.parameters.is_on("quiet"));
}

#[tokio::test]
async fn the_command_line_says_whether_users_log_in() {
    let argv = vec!["kecoa".to_owned(), "mongo".to_owned()];
    let gateway = Gateway::new(Options { argv, ..Options::default() });
    let reply = ask(&gateway, &mut client(), rawdoc! { "getCmdLineOpts": 1, "$db": "admin" }).await;
    assert_eq!(reply.get_array("argv").unwrap().get_str(1).unwrap(), "mongo");
    assert!(reply.get_document("parsed").unwrap().get("security").unwrap().is_none());
}

#[tokio::test]
async fn test_commands_are_hidden_without_the_option() {
    let gateway = Gateway::new(Options::default());
    let reply = ask(&gateway, &mut client(), rawdoc! { "listCommands": 1, "$db": "admin" }).await;
    let commands = reply.get_document("commands").unwrap();
    assert!(commands.get("ping").unwrap().is_some());
    assert!(commands.get("testVersion2").unwrap().is_none());
    let body = rawdoc! { "testVersion2": 1, "$db": "admin" };
    assert_eq!(code(&ask(&gateway, &mut client(), body).await), 59);
}

#[tokio::test]
async fn sections_of_the_status_can_be_left_out() {
    let body = rawdoc! { "serverStatus": 1, "opcounters": 0, "network": false, "$db": "admin" };
    let reply = ask(&gateway(), &mut client(), body).await;
    assert_eq!(reply.get_document("storageEngine").unwrap().get_str("name").unwrap(), "wiredTiger");
    assert!(reply.get("opcounters").unwrap().is_none());
    assert!(reply.get("network").unwrap().is_none());
    assert!(reply.get_document("connections").is_ok());
}
