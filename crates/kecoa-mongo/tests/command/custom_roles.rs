//! Roles that users make: the commands by a table, and what they allow.

use std::sync::Arc;
use std::time::Instant;

use bson::{RawDocument, RawDocumentBuf, rawdoc};
use kecoa_mongo::auth::{RoleName, User, UserName};
use kecoa_mongo::command::authorization::authorize;
use kecoa_mongo::command::{Connection, Gateway, Login, Options, table};
use kecoa_mongo::wire::Request;
use uuid::Uuid;

use crate::support::{ask, client, code, gateway};

/// An action on the collection `c` of a database.
fn privilege(database: &str, action: &str) -> RawDocumentBuf {
    rawdoc! { "resource": { "db": database, "collection": "c" }, "actions": [action] }
}

fn create(name: &str, privileges: &[RawDocumentBuf], roles: &[&str]) -> RawDocumentBuf {
    let (mut given, mut names) = (bson::RawArrayBuf::new(), bson::RawArrayBuf::new());
    privileges.iter().for_each(|one| given.push(one.clone()));
    roles.iter().for_each(|one| names.push(*one));
    rawdoc! { "createRole": name, "privileges": given, "roles": names, "$db": "db" }
}

/// A gateway that has the roles `reader` (with `find`), `writer` (with `insert`, and `reader`) in `db`, and the user
/// `ann` who is a writer.
async fn with_roles() -> (Gateway, Connection) {
    let (gateway, mut client) = (gateway(), client());
    for command in [
        create("reader", &[privilege("db", "find")], &[]),
        create("writer", &[privilege("db", "insert")], &["reader"]),
    ] {
        let reply = ask(&gateway, &mut client, command).await;
        assert_eq!(code(&reply), 0, "{reply:?}");
    }
    // Not by createUser: a password takes its time.
    let roles = ["read", "writer"].map(|name| RoleName::new("db", name));
    assert!(gateway.accounts.insert(user("ann".to_owned(), &roles)).await.unwrap());
    (gateway, client)
}

fn names(list: &RawDocument, field: &str) -> Vec<String> {
    let roles = list.get_array(field).unwrap().into_iter();
    roles
        .map(|role| {
            let role = role.unwrap().as_document().unwrap();
            format!("{}.{}", role.get_str("db").unwrap(), role.get_str("role").unwrap())
        })
        .collect()
}

fn actions(list: &RawDocument, field: &str) -> Vec<String> {
    let mut all = Vec::new();
    for one in list.get_array(field).unwrap() {
        for action in one.unwrap().as_document().unwrap().get_array("actions").unwrap() {
            all.push(action.unwrap().as_str().unwrap().to_owned());
        }
    }
    all.sort();
    all
}

async fn role(gateway: &Gateway, client: &mut Connection, name: &str) -> RawDocumentBuf {
    let command = rawdoc! { "rolesInfo": name, "showPrivileges": true, "$db": "db" };
    let reply = ask(gateway, client, command).await;
    let roles = reply.get_array("roles").unwrap();
    roles.get_document(0).unwrap().to_owned()
}

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "it is a table")]
async fn each_command_answers_as_the_table_says() {
    let of = |resource: RawDocumentBuf| rawdoc! { "resource": resource, "actions": ["find"] };
    let one = |resource: RawDocumentBuf| create("x", &[of(resource)], &[]);
    let on = |database: &str, mut command: RawDocumentBuf| {
        command.append(bson::raw::cstr!("$db"), database);
        command
    };
    let here = |command| on("db", command);
    let some = || privilege("db", "remove");
    for (command, expected) in [
        // What a role may be called, and where it may be.
        (create("", &[], &[]), 2),
        (create("read", &[], &[]), 2),
        (create("reader", &[], &[]), 51002),
        (create("root", &[], &[]), 0),
        (on("local", rawdoc! { "createRole": "x", "privileges": [], "roles": [] }), 2),
        (on("$external", rawdoc! { "createRole": "x", "privileges": [], "roles": [] }), 2),
        (here(rawdoc! { "createRole": 1, "privileges": [], "roles": [] }), 14),
        // What must be said of it.
        (here(rawdoc! { "createRole": "x", "roles": [] }), 40414),
        (here(rawdoc! { "createRole": "x", "privileges": [] }), 40414),
        (here(rawdoc! { "createRole": "x", "privileges": [], "roles": [], "other": 1 }), 40415),
        (here(rawdoc! { "createRole": "x", "privileges": {}, "roles": [] }), 14),
        (here(rawdoc! { "createRole": "x", "privileges": [1], "roles": [] }), 14),
        (here(rawdoc! { "createRole": "x", "privileges": [], "roles": "read" }), 14),
        (here(rawdoc! { "createRole": "x", "privileges": [], "roles": [1] }), 2),
        // Privileges.
        (create("x", &[rawdoc! { "actions": ["find"] }], &[]), 40414),
        (create("x", &[rawdoc! { "resource": { "cluster": true } }], &[]), 40414),
        (create("x", &[rawdoc! { "resource": 1, "actions": [] }], &[]), 14),
        (create("x", &[rawdoc! { "resource": { "x": 1 }, "actions": [] }], &[]), 40415),
        (create("x", &[privilege("db", "fly")], &[]), 2),
        (create("x", &[privilege("db", "Find")], &[]), 2),
        (one(rawdoc! {}), 2),
        (one(rawdoc! { "db": "db" }), 2),
        (one(rawdoc! { "collection": "c" }), 2),
        (one(rawdoc! { "db": "db", "collection": 1 }), 14),
        (one(rawdoc! { "cluster": false }), 2),
        (one(rawdoc! { "cluster": true, "db": "db", "collection": "c" }), 2),
        (one(rawdoc! { "anyResource": true, "cluster": true }), 2),
        (create("any collection", &[of(rawdoc! { "db": "db", "collection": "" })], &[]), 0),
        // A role of a database is about that database; those of admin are about all.
        (one(rawdoc! { "db": "other", "collection": "c" }), 49),
        (one(rawdoc! { "db": "", "collection": "c" }), 49),
        (one(rawdoc! { "cluster": true }), 49),
        (one(rawdoc! { "anyResource": true }), 49),
        (
            on(
                "admin",
                rawdoc! {
                    "createRole": "all",
                    "privileges": [
                        of(rawdoc! { "cluster": true }), of(rawdoc! { "anyResource": true }),
                        of(rawdoc! { "db": "", "collection": "c" }), of(rawdoc! { "db": "db", "collection": "" })
                    ],
                    "roles": [{ "role": "reader", "db": "db" }, "readAnyDatabase"],
                },
            ),
            0,
        ),
        (
            here(rawdoc! {
                "createRole": "x", "privileges": [], "roles": [{ "role": "read", "db": "other" }],
            }),
            49,
        ),
        // Roles of roles.
        (create("x", &[], &["nope"]), 31),
        (create("x", &[], &["__system"]), 31),
        (create("x", &[], &["x"]), 49),
        (here(rawdoc! { "grantRolesToRole": "reader", "roles": ["writer"] }), 49),
        (here(rawdoc! { "updateRole": "reader", "roles": ["writer"] }), 49),
        (here(rawdoc! { "grantRolesToRole": "reader", "roles": [] }), 2),
        (here(rawdoc! { "grantRolesToRole": "reader", "roles": ["nope"] }), 31),
        (here(rawdoc! { "grantRolesToRole": "nope", "roles": ["read"] }), 31),
        (here(rawdoc! { "grantRolesToRole": "read", "roles": ["reader"] }), 2),
        (here(rawdoc! { "revokeRolesFromRole": "read", "roles": ["reader"] }), 2),
        (here(rawdoc! { "revokeRolesFromRole": "nope", "roles": ["reader"] }), 31),
        // Changes.
        (here(rawdoc! { "updateRole": "reader" }), 2),
        (here(rawdoc! { "updateRole": "nope", "roles": [] }), 31),
        (here(rawdoc! { "updateRole": "read", "roles": [] }), 31),
        (here(rawdoc! { "updateRole": "reader", "privileges": [privilege("other", "find")] }), 49),
        (here(rawdoc! { "grantPrivilegesToRole": "reader", "privileges": [] }), 2),
        (here(rawdoc! { "grantPrivilegesToRole": "read", "privileges": [some()] }), 2),
        (here(rawdoc! { "grantPrivilegesToRole": "nope", "privileges": [some()] }), 31),
        (here(rawdoc! { "revokePrivilegesFromRole": "nope", "privileges": [some()] }), 31),
        (here(rawdoc! { "revokePrivilegesFromRole": "read", "privileges": [some()] }), 2),
        (here(rawdoc! { "dropRole": "nope" }), 31),
        (here(rawdoc! { "dropRole": "read" }), 2),
        (here(rawdoc! { "rolesInfo": { "role": "reader" } }), 40414),
        (here(rawdoc! { "rolesInfo": 2 }), 2),
        // Users.
        (
            here(
                rawdoc! { "createUser": "bob", "pwd": "p", "roles": ["nope"], "mechanisms": ["SCRAM-SHA-1"] },
            ),
            31,
        ),
        (here(rawdoc! { "grantRolesToUser": "ann", "roles": ["reader", "nope"] }), 31),
        (here(rawdoc! { "grantRolesToUser": "ann", "roles": [] }), 2),
    ] {
        let (gateway, mut client) = with_roles().await;
        let reply = ask(&gateway, &mut client, command.clone()).await;
        assert_eq!(code(&reply), expected, "{command:?}: {reply:?}");
    }
}

#[tokio::test]
async fn a_role_shows_what_it_has_and_inherits() {
    let (gateway, mut client) = with_roles().await;
    let writer = role(&gateway, &mut client, "writer").await;
    assert_eq!(writer.get_str("_id").unwrap(), "db.writer");
    assert!(!writer.get_bool("isBuiltin").unwrap());
    assert_eq!(names(&writer, "roles"), ["db.reader"]);
    assert_eq!(actions(&writer, "privileges"), ["insert"]);
    assert_eq!(actions(&writer, "inheritedPrivileges"), ["find", "insert"]);
    let hidden = rawdoc! { "rolesInfo": "writer", "$db": "db" };
    let hidden = ask(&gateway, &mut client, hidden).await;
    let hidden = hidden.get_array("roles").unwrap().get_document(0).unwrap();
    assert!(hidden.get("privileges").unwrap().is_none());
    let all = ask(&gateway, &mut client, rawdoc! { "rolesInfo": 1, "$db": "db" }).await;
    assert_eq!(names(&all, "roles"), ["db.reader", "db.writer"]);
    let all = rawdoc! { "rolesInfo": 1, "showBuiltinRoles": true, "$db": "db" };
    assert!(names(&ask(&gateway, &mut client, all).await, "roles").len() > 6);
    let user = rawdoc! { "usersInfo": "ann", "showPrivileges": true, "$db": "db" };
    let user = ask(&gateway, &mut client, user).await;
    let user = user.get_array("users").unwrap().get_document(0).unwrap();
    assert_eq!(names(user, "inheritedRoles"), ["db.read", "db.reader", "db.writer"]);
}

#[tokio::test]
async fn privileges_and_roles_are_given_and_taken() {
    let (gateway, mut client) = with_roles().await;
    let given = |action: &str| rawdoc! { "grantPrivilegesToRole": "reader", "privileges": [privilege("db", action)], "$db": "db" };
    for (command, expected) in [
        (given("remove"), &["find", "remove"][..]),
        (given("remove"), &["find", "remove"]),
        (
            rawdoc! { "revokePrivilegesFromRole": "reader", "privileges": [privilege("db", "find")], "$db": "db" },
            &["remove"],
        ),
        (
            rawdoc! { "updateRole": "reader", "privileges": [privilege("db", "update")], "$db": "db" },
            &["update"],
        ),
        (rawdoc! { "updateRole": "reader", "roles": [], "$db": "db" }, &["update"]),
        (
            rawdoc! { "revokePrivilegesFromRole": "reader", "privileges": [privilege("db", "update")], "$db": "db" },
            &[],
        ),
    ] {
        assert_eq!(code(&ask(&gateway, &mut client, command.clone()).await), 0, "{command:?}");
        let reader = role(&gateway, &mut client, "reader").await;
        assert_eq!(actions(&reader, "privileges"), expected, "{command:?}");
    }
    let revoked = rawdoc! { "revokeRolesFromRole": "writer", "roles": ["reader"], "$db": "db" };
    assert_eq!(code(&ask(&gateway, &mut client, revoked).await), 0);
    assert_eq!(names(&role(&gateway, &mut client, "writer").await, "roles"), [""; 0]);
}

#[tokio::test]
async fn a_role_that_is_dropped_is_taken_from_all() {
    for (command, left) in [
        (rawdoc! { "dropRole": "reader", "$db": "db" }, vec!["db.read", "db.writer"]),
        (rawdoc! { "dropAllRolesFromDatabase": 1, "$db": "db" }, vec!["db.read"]),
    ] {
        let (gateway, mut client) = with_roles().await;
        let granted = rawdoc! { "grantRolesToUser": "ann", "roles": ["reader"], "$db": "db" };
        assert_eq!(code(&ask(&gateway, &mut client, granted).await), 0);
        let reply = ask(&gateway, &mut client, command.clone()).await;
        assert_eq!(code(&reply), 0, "{reply:?}");
        if command.get("dropRole").unwrap().is_none() {
            assert_eq!(reply.get_i32("n").unwrap(), 2);
        }
        let user = ask(&gateway, &mut client, rawdoc! { "usersInfo": "ann", "$db": "db" }).await;
        let user = user.get_array("users").unwrap().get_document(0).unwrap();
        assert_eq!(names(user, "roles"), left);
        if left.len() == 2 {
            assert_eq!(names(&role(&gateway, &mut client, "writer").await, "roles"), [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_role_allows_what_it_says_and_nothing_else() {
    let gateway = Gateway::new(Options { authentication: true, ..Options::default() });
    let mut admin = client();
    log_in(&gateway, &mut admin, &[RoleName::new("admin", "root")]).await;
    let on_any = rawdoc! {
        "createRole": "lister", "roles": [],
        "privileges": [{ "resource": { "db": "", "collection": "c" }, "actions": ["find"] }],
        "$db": "admin",
    };
    for command in [
        create("reader", &[privilege("db", "find")], &[]),
        create("writer", &[privilege("db", "insert")], &["reader"]),
        create("manager", &[], &["userAdmin"]),
        on_any,
    ] {
        let reply = ask(&gateway, &mut admin, command).await;
        assert_eq!(code(&reply), 0, "{reply:?}");
    }
    let find = |name: &str, database: &str| rawdoc! { "find": name, "$db": database };
    let insert = || rawdoc! { "insert": "c", "documents": [{}], "$db": "db" };
    let pass_on = |database: &str| rawdoc! { "grantRolesToUser": "ann", "roles": [{ "role": "read", "db": database }], "$db": "db" };
    let give = |database: &str| rawdoc! { "grantPrivilegesToRole": "reader", "privileges": [privilege(database, "find")], "$db": "db" };
    for (database, role, command, expected) in [
        ("db", "reader", find("c", "db"), true),
        ("db", "reader", find("d", "db"), false),
        ("db", "reader", find("c", "other"), false),
        ("db", "reader", insert(), false),
        ("db", "writer", insert(), true),
        ("db", "writer", find("c", "db"), true),
        ("db", "writer", rawdoc! { "delete": "c", "deletes": [], "$db": "db" }, false),
        ("admin", "lister", find("c", "db"), true),
        ("admin", "lister", find("c", "other"), true),
        ("admin", "lister", find("d", "db"), false),
        ("db", "lister", find("c", "db"), false),
        ("db", "manager", create("more", &[], &[]), true),
        ("db", "reader", create("more", &[], &[]), false),
        ("db", "manager", rawdoc! { "dropRole": "reader", "$db": "db" }, true),
        ("db", "reader", rawdoc! { "dropRole": "reader", "$db": "db" }, false),
        ("db", "reader", rawdoc! { "dropAllRolesFromDatabase": 1, "$db": "db" }, false),
    ] {
        let mut client = client();
        log_in(&gateway, &mut client, &[RoleName::new(database, role)]).await;
        let request = Request::new(command.clone());
        let definition = table::find(request.command_name()).unwrap();
        let database = command.get_str("$db").unwrap();
        let answer = authorize(&gateway, &client, definition, database, &request, table::find);
        assert_eq!(answer.is_ok(), expected, "{role}: {command:?}");
    }
    // These look at what is given, not only at the command.
    for (role, command, expected) in [
        ("manager", pass_on("db"), 11),
        ("manager", pass_on("other"), 13),
        ("reader", pass_on("db"), 13),
        ("manager", give("db"), 0),
        ("manager", give("other"), 13),
        ("reader", give("db"), 13),
        ("manager", rawdoc! { "updateRole": "reader", "roles": [], "$db": "db" }, 13),
        ("manager", rawdoc! { "rolesInfo": 1, "$db": "db" }, 0),
        ("reader", rawdoc! { "rolesInfo": "reader", "$db": "db" }, 0),
        ("writer", rawdoc! { "rolesInfo": "reader", "$db": "db" }, 0),
        ("reader", rawdoc! { "rolesInfo": "writer", "$db": "db" }, 13),
    ] {
        let mut client = client();
        log_in(&gateway, &mut client, &[RoleName::new("db", role)]).await;
        let reply = ask(&gateway, &mut client, command.clone()).await;
        assert_eq!(code(&reply), expected, "{role}: {command:?}: {reply:?}");
    }
}

/// A user of `db` who can't log in.
fn user(name: String, roles: &[RoleName]) -> User {
    User {
        name: UserName::new("db", name),
        id: Uuid::from_u128(1),
        credentials: Vec::new(),
        roles: roles.to_vec(),
        custom_data: None,
        restrictions: None,
    }
}

/// Makes a client a user who has these roles.
async fn log_in(gateway: &Gateway, client: &mut Connection, roles: &[RoleName]) {
    let user = user(format!("user {}", gateway.accounts.changes()), roles);
    let name = user.name.clone();
    assert!(gateway.accounts.insert(user).await.unwrap());
    let granted = gateway.accounts.granted(roles).await.unwrap();
    client.login = Some(Login {
        user: name.name,
        database: name.database,
        id: Uuid::from_u128(1),
        roles: granted.roles,
        access: Arc::new(granted.access),
        changes: gateway.accounts.changes(),
        since: Instant::now(),
    });
}
