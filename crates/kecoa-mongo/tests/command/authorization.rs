//! Which role may run which command, by a table.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use bson::{RawDocumentBuf, rawdoc};
use kecoa_mongo::auth::{Access, BUILTIN_ROLES, RoleName};
use kecoa_mongo::command::authorization::authorize;
use kecoa_mongo::command::table::{self, COMMANDS};
use kecoa_mongo::command::{Connection, Gateway, Login, Options};
use kecoa_mongo::wire::Request;
use uuid::Uuid;

/// Roles that may do everything here.
const ALWAYS: &str = "root __system";

const FIND: &str = "read readWrite dbOwner readAnyDatabase readWriteAnyDatabase backup";
const CHANGE: &str = "readWrite dbOwner readWriteAnyDatabase";
const INSERT: &str = "readWrite dbOwner readWriteAnyDatabase restore";
const LIST_COLLECTIONS: &str = "read readWrite dbAdmin dbOwner readAnyDatabase readWriteAnyDatabase \
     dbAdminAnyDatabase clusterMonitor clusterAdmin backup restore";
const LIST_INDEXES: &str = "read readWrite dbAdmin dbOwner readAnyDatabase readWriteAnyDatabase \
     dbAdminAnyDatabase backup";
const DB_STATS: &str = "read readWrite dbAdmin dbOwner readAnyDatabase readWriteAnyDatabase \
     dbAdminAnyDatabase clusterMonitor clusterAdmin";
const COLL_STATS: &str = "read readWrite dbAdmin dbOwner readAnyDatabase readWriteAnyDatabase \
     dbAdminAnyDatabase clusterMonitor clusterAdmin backup";
const CREATE: &str = "readWrite dbAdmin dbOwner readWriteAnyDatabase dbAdminAnyDatabase restore";
const COLL_MOD: &str = "dbAdmin dbOwner dbAdminAnyDatabase restore";
const BYPASS: &str = "dbOwner restore";
const DROP_DATABASE: &str = "dbAdmin dbOwner dbAdminAnyDatabase clusterAdmin";
const INDEX_STATS: &str = "dbAdmin dbOwner dbAdminAnyDatabase clusterMonitor clusterAdmin";
const VALIDATE: &str = "dbAdmin dbOwner dbAdminAnyDatabase";
const USERS: &str = "userAdmin dbOwner userAdminAnyDatabase restore";
const MONITOR: &str = "clusterMonitor clusterAdmin";
const STATUS: &str = "clusterMonitor clusterAdmin backup";
const PARAMETERS: &str = "clusterMonitor clusterAdmin backup restore";
const MANAGED: &str = "clusterMonitor clusterAdmin clusterManager";
const CONFIGURATION: &str = "clusterMonitor clusterAdmin clusterManager hostManager";
const HOST: &str = "hostManager clusterAdmin";
const MANAGE: &str = "clusterManager clusterAdmin";
const SYSTEM: &str = "only __system";
/// Whoever is logged in.
const EVERYBODY: &str = "everybody";

/// Commands of the database `db`, and the roles that may run them beside [`ALWAYS`]: those of `db`, and those of
/// `admin` over all databases.
#[allow(clippy::too_many_lines, reason = "it is a table")]
fn cases() -> Vec<(RawDocumentBuf, &'static str)> {
    let lookup = |from: &str| {
        rawdoc! { "aggregate": "c", "pipeline": [{ "$lookup": { "from": from, "as": "o" } }] }
    };
    let stage = |stage: RawDocumentBuf| rawdoc! { "aggregate": "c", "pipeline": [stage] };
    let elsewhere = || rawdoc! { "db": "other", "coll": "c" };
    let explain = |command: RawDocumentBuf| rawdoc! { "explain": command };
    let bulk = |operation: RawDocumentBuf, namespace: &str| {
        rawdoc! { "bulkWrite": 1, "ops": [operation], "nsInfo": [{ "ns": namespace }] }
    };
    let bypassing = |mut command: RawDocumentBuf| {
        command.append(bson::raw::cstr!("bypassDocumentValidation"), true);
        command
    };
    let any = "readAnyDatabase readWriteAnyDatabase backup";
    vec![
        // Reading.
        (rawdoc! { "find": "c" }, FIND),
        (rawdoc! { "find": "system.views" }, "backup"),
        (rawdoc! { "find": "system.profile" }, "dbAdmin dbOwner dbAdminAnyDatabase clusterMonitor"),
        (rawdoc! { "count": "c" }, FIND),
        (rawdoc! { "distinct": "c", "key": "a" }, FIND),
        (rawdoc! { "getMore": 1_i64, "collection": "c" }, EVERYBODY),
        (rawdoc! { "killCursors": "c", "cursors": [1_i64] }, EVERYBODY),
        (rawdoc! { "listCollections": 1 }, LIST_COLLECTIONS),
        (rawdoc! { "listCollections": 1, "nameOnly": true }, LIST_COLLECTIONS),
        (rawdoc! { "listIndexes": "c" }, LIST_INDEXES),
        (rawdoc! { "collStats": "c" }, COLL_STATS),
        (rawdoc! { "dbStats": 1 }, DB_STATS),
        (rawdoc! { "listDatabases": 1 }, EVERYBODY),
        // Pipelines.
        (rawdoc! { "aggregate": "c", "pipeline": [] }, FIND),
        (lookup("d"), FIND),
        (lookup("system.views"), "backup"),
        (stage(rawdoc! { "$lookup": { "from": elsewhere(), "as": "o" } }), any),
        (stage(rawdoc! { "$graphLookup": { "from": elsewhere() } }), any),
        (stage(rawdoc! { "$unionWith": elsewhere() }), any),
        (stage(rawdoc! { "$unionWith": "d" }), FIND),
        (
            stage(
                rawdoc! { "$unionWith": { "coll": "d", "pipeline": [{ "$unionWith": elsewhere() }] } },
            ),
            any,
        ),
        (
            stage(
                rawdoc! { "$lookup": { "from": "d", "pipeline": [{ "$unionWith": elsewhere() }] } },
            ),
            any,
        ),
        (stage(rawdoc! { "$facet": { "f": [{ "$unionWith": elsewhere() }] } }), any),
        (stage(rawdoc! { "$out": "d" }), CHANGE),
        (stage(rawdoc! { "$out": elsewhere() }), "readWriteAnyDatabase"),
        (stage(rawdoc! { "$merge": "d" }), CHANGE),
        (stage(rawdoc! { "$merge": { "into": elsewhere() } }), "readWriteAnyDatabase"),
        (bypassing(stage(rawdoc! { "$out": "d" })), "dbOwner"),
        (stage(rawdoc! { "$collStats": {} }), COLL_STATS),
        (stage(rawdoc! { "$indexStats": {} }), INDEX_STATS),
        (stage(rawdoc! { "$currentOp": {} }), EVERYBODY),
        (stage(rawdoc! { "$currentOp": { "allUsers": true } }), MONITOR),
        (stage(rawdoc! { "$listSessions": {} }), EVERYBODY),
        (stage(rawdoc! { "$listSessions": { "allUsers": true } }), MANAGED),
        (stage(rawdoc! { "$listLocalSessions": { "allUsers": true } }), MANAGED),
        (stage(rawdoc! { "$listLocalSessions": { "users": [] } }), MANAGED),
        (
            stage(rawdoc! { "$changeStream": {} }),
            "read readWrite dbOwner readAnyDatabase readWriteAnyDatabase",
        ),
        (
            stage(rawdoc! { "$changeStream": { "allChangesForCluster": true } }),
            "readAnyDatabase readWriteAnyDatabase",
        ),
        // Explaining needs what the command needs.
        (explain(rawdoc! { "find": "c" }), FIND),
        (explain(rawdoc! { "find": "system.views" }), "backup"),
        (explain(stage(rawdoc! { "$unionWith": elsewhere() })), any),
        (explain(stage(rawdoc! { "$out": "d" })), CHANGE),
        (explain(rawdoc! { "update": "c", "updates": [{ "q": {}, "u": {} }] }), CHANGE),
        (explain(rawdoc! { "delete": "c", "deletes": [] }), CHANGE),
        (explain(rawdoc! { "findAndModify": "c", "remove": true }), CHANGE),
        // It is refused because it is none that can be explained.
        (explain(rawdoc! { "explain": { "find": "c" } }), EVERYBODY),
        // Writing.
        (rawdoc! { "insert": "c", "documents": [{}] }, INSERT),
        (bypassing(rawdoc! { "insert": "c", "documents": [{}] }), BYPASS),
        (rawdoc! { "insert": "system.views", "documents": [{}] }, SYSTEM),
        (rawdoc! { "insert": "system.js", "documents": [{}] }, INSERT),
        (rawdoc! { "update": "c", "updates": [{ "q": {}, "u": {} }] }, CHANGE),
        (rawdoc! { "update": "c", "updates": [{ "q": {}, "u": {}, "upsert": true }] }, CHANGE),
        (rawdoc! { "delete": "c", "deletes": [{ "q": {}, "limit": 1 }] }, CHANGE),
        (rawdoc! { "findAndModify": "c", "update": {} }, CHANGE),
        (rawdoc! { "findAndModify": "c", "remove": 1 }, CHANGE),
        (rawdoc! { "findandmodify": "c", "update": {}, "upsert": 1.0 }, CHANGE),
        (bulk(rawdoc! { "insert": 0, "document": {} }, "db.c"), INSERT),
        (bulk(rawdoc! { "insert": 0, "document": {} }, "other.c"), "readWriteAnyDatabase restore"),
        (
            bulk(rawdoc! { "insert": 0.0, "document": {} }, "other.c"),
            "readWriteAnyDatabase restore",
        ),
        (bulk(rawdoc! { "update": 0, "upsert": true }, "db.c"), CHANGE),
        (bulk(rawdoc! { "update": 0_i64 }, "other.c"), "readWriteAnyDatabase"),
        (bulk(rawdoc! { "delete": 0 }, "db.c"), CHANGE),
        (bulk(rawdoc! { "delete": 0 }, "admin.system.users"), "restore"),
        (bypassing(bulk(rawdoc! { "insert": 0, "document": {} }, "db.c")), BYPASS),
        // Collections and indexes.
        (rawdoc! { "create": "c" }, CREATE),
        // Who may read views needs to read what is behind them.
        (
            rawdoc! { "create": "v", "viewOn": "c", "pipeline": [{ "$unionWith": elsewhere() }] },
            "readWriteAnyDatabase dbAdmin dbAdminAnyDatabase restore",
        ),
        (rawdoc! { "create": "v", "viewOn": "c", "pipeline": [] }, CREATE),
        (rawdoc! { "createIndexes": "c", "indexes": [] }, CREATE),
        (
            rawdoc! { "dropIndexes": "c", "index": "*" },
            "readWrite dbAdmin dbOwner readWriteAnyDatabase dbAdminAnyDatabase restore",
        ),
        (rawdoc! { "drop": "c" }, CREATE),
        (rawdoc! { "dropDatabase": 1 }, DROP_DATABASE),
        (rawdoc! { "collMod": "c" }, COLL_MOD),
        (
            rawdoc! { "collMod": "v", "viewOn": "system.profile", "pipeline": [] },
            "dbAdmin dbAdminAnyDatabase restore dbOwner",
        ),
        (rawdoc! { "renameCollection": "db.c", "to": "db.d" }, CREATE),
        (rawdoc! { "renameCollection": "db.c", "to": "other.d" }, "readWriteAnyDatabase"),
        (rawdoc! { "validate": "c" }, VALIDATE),
        (rawdoc! { "compact": "c" }, VALIDATE),
        // Users.
        (rawdoc! { "createUser": "u", "pwd": "p", "roles": [] }, USERS),
        (rawdoc! { "dropUser": "u" }, USERS),
        (rawdoc! { "dropAllUsersFromDatabase": 1 }, USERS),
        (rawdoc! { "createRole": "r", "privileges": [], "roles": [] }, USERS),
        (rawdoc! { "dropRole": "r" }, USERS),
        (rawdoc! { "dropAllRolesFromDatabase": 1 }, USERS),
        // These ask by themselves for what they are about to show, to give or to take.
        (rawdoc! { "grantRolesToUser": "u", "roles": [] }, EVERYBODY),
        (rawdoc! { "revokeRolesFromUser": "u", "roles": [] }, EVERYBODY),
        (rawdoc! { "updateRole": "r" }, EVERYBODY),
        (rawdoc! { "grantPrivilegesToRole": "r", "privileges": [] }, EVERYBODY),
        (rawdoc! { "revokePrivilegesFromRole": "r", "privileges": [] }, EVERYBODY),
        (rawdoc! { "grantRolesToRole": "r", "roles": [] }, EVERYBODY),
        (rawdoc! { "revokeRolesFromRole": "r", "roles": [] }, EVERYBODY),
        (rawdoc! { "updateUser": "u" }, EVERYBODY),
        (rawdoc! { "usersInfo": "u" }, EVERYBODY),
        (rawdoc! { "rolesInfo": 1 }, EVERYBODY),
        // The server.
        (rawdoc! { "serverStatus": 1 }, STATUS),
        (rawdoc! { "connPoolStats": 1 }, MONITOR),
        (rawdoc! { "top": 1 }, MONITOR),
        (rawdoc! { "profile": 0 }, STATUS),
        (rawdoc! { "hostInfo": 1 }, MONITOR),
        (rawdoc! { "getCmdLineOpts": 1 }, MONITOR),
        (rawdoc! { "getLog": "global" }, MONITOR),
        (rawdoc! { "currentOp": 1 }, MONITOR),
        (rawdoc! { "currentOp": 1, "$ownOps": true }, EVERYBODY),
        (rawdoc! { "getParameter": "*" }, PARAMETERS),
        (rawdoc! { "getDefaultRWConcern": 1 }, MANAGED),
        (rawdoc! { "listShards": 1 }, MANAGED),
        (rawdoc! { "replSetGetStatus": 1 }, MANAGED),
        (rawdoc! { "replSetGetConfig": 1 }, CONFIGURATION),
        (rawdoc! { "replSetStepDown": 1 }, MANAGE),
        (rawdoc! { "replSetFreeze": 1 }, MANAGE),
        (rawdoc! { "setParameter": 1 }, HOST),
        (rawdoc! { "fsync": 1 }, HOST),
        (rawdoc! { "killOp": 1 }, HOST),
        (rawdoc! { "killAllSessions": [] }, HOST),
        (rawdoc! { "killAllSessionsByPattern": [] }, HOST),
        // About the client itself.
        (rawdoc! { "startSession": 1 }, EVERYBODY),
        (rawdoc! { "refreshSessions": [] }, EVERYBODY),
        (rawdoc! { "killSessions": [] }, EVERYBODY),
        (rawdoc! { "commitTransaction": 1 }, EVERYBODY),
        (rawdoc! { "abortTransaction": 1 }, EVERYBODY),
        (rawdoc! { "features": 1 }, EVERYBODY),
        (rawdoc! { "getFreeMonitoringStatus": 1 }, EVERYBODY),
        (rawdoc! { "isdbgrid": 1 }, EVERYBODY),
        (rawdoc! { "listCommands": 1 }, EVERYBODY),
        // Its name has a database of its own: it looks for itself who may read that.
        (rawdoc! { "dataSize": "db.c" }, EVERYBODY),
        // They only say that there is no such thing here.
        (rawdoc! { "convertToCapped": "c" }, EVERYBODY),
        (rawdoc! { "cloneCollectionAsCapped": "c" }, EVERYBODY),
        (rawdoc! { "createSearchIndexes": "c" }, EVERYBODY),
        (rawdoc! { "updateSearchIndex": "c" }, EVERYBODY),
        (rawdoc! { "dropSearchIndex": "c" }, EVERYBODY),
        (rawdoc! { "listSearchIndexes": "c" }, EVERYBODY),
        (rawdoc! { "testVersion2": 1 }, EVERYBODY),
        (rawdoc! { "testDeprecation": 1 }, EVERYBODY),
        (rawdoc! { "testDeprecationInVersion2": 1 }, EVERYBODY),
    ]
}

/// Commands that answer before anybody is logged in.
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

fn gateway() -> Gateway {
    Gateway::new(Options { authentication: true, ..Options::default() })
}

fn client(roles: Vec<RoleName>) -> Connection {
    let mut connection = Connection::new(1, None, None);
    connection.login = Some(Login {
        user: "someone".to_owned(),
        database: "db".to_owned(),
        id: Uuid::from_u128(1),
        access: Arc::new(Access::of(&roles)),
        roles,
        changes: 0,
        since: Instant::now(),
    });
    connection
}

fn may(gateway: &Gateway, connection: &Connection, body: &RawDocumentBuf) -> bool {
    let request = Request::new(body.clone());
    let definition = table::find(request.command_name()).unwrap();
    match authorize(gateway, connection, definition, "db", &request, table::find) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.code().number(), 13);
            false
        }
    }
}

#[test]
fn each_role_runs_its_commands_and_no_others() {
    let gateway = gateway();
    let everybody: Vec<_> = BUILTIN_ROLES.iter().map(|role| role.name).collect();
    let mut wrong = Vec::new();
    for (body, expected) in cases() {
        let expected: BTreeSet<_> = match expected {
            EVERYBODY => everybody.iter().copied().collect(),
            SYSTEM => BTreeSet::from(["__system"]),
            some => some.split_whitespace().chain(ALWAYS.split_whitespace()).collect(),
        };
        for name in &expected {
            assert!(everybody.contains(name), "{name}");
        }
        for role in BUILTIN_ROLES {
            let database = if role.is_admin_only { "admin" } else { "db" };
            let connection = client(vec![RoleName::new(database, role.name)]);
            if may(&gateway, &connection, &body) != expected.contains(role.name) {
                wrong.push(format!("{} {body:?}", role.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn roles_of_other_databases_and_none_run_what_everybody_may() {
    let gateway = gateway();
    let mut wrong = Vec::new();
    for (body, expected) in cases() {
        let others = BUILTIN_ROLES.iter().filter(|role| !role.is_admin_only);
        let others = others.map(|role| vec![RoleName::new("third", role.name)]);
        for roles in others.chain([vec![], vec![RoleName::new("db", "root")]]) {
            let connection = client(roles.clone());
            if may(&gateway, &connection, &body) != (expected == EVERYBODY) {
                wrong.push(format!("{roles:?} {body:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nobody_runs_them_without_logging_in() {
    let gateway = gateway();
    let open = Gateway::new(Options::default());
    let connection = Connection::new(1, None, None);
    for (body, _) in cases() {
        assert!(!may(&gateway, &connection, &body), "{body:?}");
        assert!(may(&open, &connection, &body), "{body:?}");
    }
    for name in ANONYMOUS {
        let definition = table::find(name).unwrap();
        let request = Request::new(rawdoc! { "ping": 1 });
        assert!(
            authorize(&gateway, &connection, definition, "db", &request, table::find).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn no_command_is_left_out() {
    let mut named: BTreeSet<String> = ANONYMOUS.iter().map(|name| (*name).to_owned()).collect();
    for (body, _) in cases() {
        let name = body.iter().next().unwrap().unwrap().0.as_str().to_owned();
        named.insert(table::find(&name).unwrap().name.to_owned());
    }
    let all: BTreeSet<String> = COMMANDS.iter().map(|command| command.name.to_owned()).collect();
    assert_eq!(all.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn lists_beside_the_command_are_looked_at() {
    let gateway = gateway();
    let bulk = Request::new(rawdoc! { "bulkWrite": 1 })
        .with_sequence("ops", &[rawdoc! { "insert": 1, "document": {} }])
        .with_sequence("nsInfo", &[rawdoc! { "ns": "db.c" }, rawdoc! { "ns": "other.c" }]);
    let definition = table::find("bulkWrite").unwrap();
    for (database, role, expected) in [
        ("db", "readWrite", false),
        ("other", "readWrite", true),
        ("other", "read", false),
        ("admin", "restore", true),
        ("admin", "readAnyDatabase", false),
    ] {
        let connection = client(vec![RoleName::new(database, role)]);
        let allowed =
            authorize(&gateway, &connection, definition, "admin", &bulk, table::find).is_ok();
        assert_eq!(allowed, expected, "{database} {role}");
    }
}

#[test]
fn lists_of_names_show_what_the_user_may_use() {
    let access = |database: &str, role: &str| Access::of(&[RoleName::new(database, role)]);
    for (access, database, expected) in [
        (access("db", "read"), "db", true),
        (access("db", "dbAdmin"), "db", true),
        (access("db", "userAdmin"), "db", true),
        (access("db", "read"), "other", false),
        (access("admin", "readAnyDatabase"), "other", true),
        (access("admin", "readAnyDatabase"), "local", false),
        (access("admin", "hostManager"), "config", false),
        (access("admin", "__system"), "config", true),
        (Access::default(), "db", false),
    ] {
        assert_eq!(access.allows_anything_in(database), expected, "{database} {access:?}");
        assert_eq!(access.allows_anything_on(database, "c"), expected, "{database} {access:?}");
    }
    assert!(!access("db", "read").allows_anything_on("db", "system.views"));
    assert!(access("db", "dbAdmin").allows_anything_on("db", "system.profile"));
}

#[test]
fn the_collections_of_a_database_are_listed_to_who_may_use_some() {
    let gateway = gateway();
    let body = rawdoc! { "listCollections": 1, "nameOnly": true, "authorizedCollections": true };
    for (database, role, expected) in
        [("db", "userAdmin", true), ("other", "readWrite", false), ("admin", "backup", true)]
    {
        let connection = client(vec![RoleName::new(database, role)]);
        assert_eq!(may(&gateway, &connection, &body), expected, "{database} {role}");
    }
}
