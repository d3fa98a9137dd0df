//! What roles allow.

use bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use kecoa_mongo::auth::{
    Access, Action, BUILTIN_ROLES, Privilege, Resource, Role, RoleName, Target, builtin, merged,
};

use Action::{
    CollMod, CreateCollection, CreateUser, DropDatabase, Find, Inprog, Insert, KillAnySession,
    ListDatabases, Remove, ServerStatus, Shutdown, Update, Validate,
};

const DB: Target<'static> = Target::Database("db");
const COLL: Target<'static> = Target::Collection("db", "c");
const OTHER: Target<'static> = Target::Collection("other", "c");
const SYSTEM: Target<'static> = Target::Collection("db", "system.views");
const SCRIPTS: Target<'static> = Target::Collection("db", "system.js");
const LOCAL: Target<'static> = Target::Collection("local", "c");
const CLUSTER: Target<'static> = Target::Cluster;

#[test]
fn roles_allow_what_the_manual_says() {
    for (database, role, action, target, expected) in [
        ("db", "read", Find, COLL, true),
        ("db", "read", Find, DB, true),
        ("db", "read", Find, SCRIPTS, true),
        ("db", "read", Find, SYSTEM, false),
        ("db", "read", Find, OTHER, false),
        ("db", "read", Insert, COLL, false),
        ("db", "read", ListDatabases, CLUSTER, false),
        ("db", "readWrite", Find, COLL, true),
        ("db", "readWrite", Insert, COLL, true),
        ("db", "readWrite", Update, COLL, true),
        ("db", "readWrite", Remove, COLL, true),
        ("db", "readWrite", CreateCollection, COLL, true),
        ("db", "readWrite", CollMod, COLL, false),
        ("db", "readWrite", DropDatabase, DB, false),
        ("db", "readWrite", Insert, OTHER, false),
        ("db", "readWrite", Insert, SYSTEM, false),
        ("db", "dbAdmin", CollMod, COLL, true),
        ("db", "dbAdmin", DropDatabase, DB, true),
        ("db", "dbAdmin", Find, COLL, false),
        ("db", "dbAdmin", Insert, COLL, false),
        ("db", "dbAdmin", Find, Target::Collection("db", "system.profile"), true),
        ("db", "userAdmin", CreateUser, DB, true),
        ("db", "userAdmin", CreateUser, Target::Database("other"), false),
        ("db", "userAdmin", Find, COLL, false),
        ("db", "dbOwner", Find, COLL, true),
        ("db", "dbOwner", Insert, COLL, true),
        ("db", "dbOwner", CollMod, COLL, true),
        ("db", "dbOwner", CreateUser, DB, true),
        ("db", "dbOwner", Find, OTHER, false),
        ("admin", "dbOwner", Find, COLL, false),
        ("admin", "read", Find, COLL, false),
        ("admin", "readAnyDatabase", Find, COLL, true),
        ("admin", "readAnyDatabase", Find, OTHER, true),
        ("admin", "readAnyDatabase", Find, LOCAL, false),
        ("admin", "readAnyDatabase", Insert, COLL, false),
        ("admin", "readAnyDatabase", ListDatabases, CLUSTER, true),
        ("admin", "readWriteAnyDatabase", Insert, OTHER, true),
        ("admin", "readWriteAnyDatabase", CollMod, OTHER, false),
        ("admin", "dbAdminAnyDatabase", CollMod, OTHER, true),
        ("admin", "userAdminAnyDatabase", CreateUser, DB, true),
        ("admin", "userAdminAnyDatabase", Find, COLL, false),
        ("admin", "clusterMonitor", ServerStatus, CLUSTER, true),
        ("admin", "clusterMonitor", Inprog, CLUSTER, true),
        ("admin", "clusterMonitor", Shutdown, CLUSTER, false),
        ("admin", "hostManager", Shutdown, CLUSTER, true),
        ("admin", "hostManager", KillAnySession, CLUSTER, true),
        ("admin", "clusterAdmin", ServerStatus, CLUSTER, true),
        ("admin", "clusterAdmin", DropDatabase, DB, true),
        ("admin", "clusterAdmin", Find, COLL, false),
        ("admin", "backup", Find, COLL, true),
        ("admin", "backup", Insert, COLL, false),
        ("admin", "restore", Insert, COLL, true),
        ("admin", "restore", Find, COLL, false),
        ("admin", "root", Find, COLL, true),
        ("admin", "root", Insert, OTHER, true),
        ("admin", "root", CreateUser, DB, true),
        ("admin", "root", ServerStatus, CLUSTER, true),
        ("admin", "root", Shutdown, CLUSTER, true),
        ("admin", "root", Validate, SYSTEM, true),
        ("admin", "root", Find, SYSTEM, true),
        // Roles of all databases are there in one only.
        ("db", "root", Find, COLL, false),
        ("db", "readAnyDatabase", Find, COLL, false),
        ("db", "clusterAdmin", ServerStatus, CLUSTER, false),
        ("db", "nope", Find, COLL, false),
        ("db", "Read", Find, COLL, false),
        ("admin", "__system", Insert, SYSTEM, true),
        ("admin", "__system", Shutdown, CLUSTER, true),
    ] {
        let access = Access::of(&[RoleName::new(database, role)]);
        let found = access.allows(action, target);
        assert_eq!(found, expected, "{role}@{database}: {} on {target:?}", action.name());
    }
}

#[test]
fn several_roles_add_up() {
    let access = Access::of(&[RoleName::new("db", "read"), RoleName::new("other", "readWrite")]);
    assert!(access.allows(Find, COLL) && access.allows(Insert, OTHER));
    assert!(!access.allows(Insert, COLL));
    assert!(access.allows_anything_in("db") && access.allows_anything_in("other"));
    assert!(!access.allows_anything_in("third"));
    let privileges = access.privileges();
    assert_eq!(privileges.len(), 2);
    for privilege in privileges {
        let mut sorted = privilege.actions.clone();
        sorted.sort_by_key(|action| action.name());
        sorted.dedup();
        assert_eq!(privilege.actions, sorted);
    }
    assert_eq!(Access::of(&[]).privileges(), []);
}

#[test]
fn names_are_sorted_and_none_is_there_twice() {
    let names: Vec<_> = Action::ALL.iter().map(|action| action.name()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for role in BUILTIN_ROLES {
        let database = if role.is_admin_only { "admin" } else { "x" };
        assert_eq!(builtin(&RoleName::new(database, role.name)), Some(role));
        assert!(!role.privileges(database).is_empty());
    }
}

fn role(privileges: Vec<Privilege>) -> Role {
    Role {
        name: RoleName::new("db", "r.1"),
        privileges,
        roles: vec![RoleName::new("db", "read")],
        restrictions: None,
    }
}

fn may(resource: Resource, actions: &[Action]) -> Privilege {
    Privilege { resource, actions: actions.to_vec() }
}

#[test]
fn a_role_is_read_as_it_was_kept() {
    for privileges in [
        vec![],
        vec![may(Resource::Cluster, &[Shutdown]), may(Resource::Anything, &[Action::AnyAction])],
        vec![
            may(Resource::collection("", "c"), &[Find, Insert]),
            may(Resource::database("db"), &[]),
        ],
    ] {
        for restrictions in [None, Some(RawArrayBuf::new())] {
            let role = Role { restrictions, ..role(privileges.clone()) };
            assert_eq!(Role::from_document(&role.to_document()), Some(role));
        }
    }
    assert_eq!(role(vec![]).to_document().get_str("_id").unwrap(), "db.r.1");
    let whole = role(vec![may(Resource::Cluster, &[Shutdown])]).to_document();
    for missing in ["role", "db", "privileges", "roles"] {
        let mut document = RawDocumentBuf::new();
        for (name, value) in whole.iter().flatten().filter(|(name, _)| name.as_str() != missing) {
            document.append(name, value);
        }
        assert!(Role::from_document(&document).is_none(), "{missing}");
    }
    // An action of a later version allows nothing.
    let known = rawdoc! { "resource": { "db": "a", "collection": "" }, "actions": ["fly", "find"] };
    assert_eq!(Privilege::from_document(&known), Some(may(Resource::database("a"), &[Find])));
}

#[test]
fn privileges_are_given_and_taken_by_resource() {
    let (own, other) = (Resource::database("db"), Resource::collection("db", "c"));
    let mut role = role(vec![may(own.clone(), &[Find])]);
    role.grant(vec![may(own.clone(), &[Insert, Find]), may(other.clone(), &[Update])]);
    assert_eq!(role.privileges, [may(own.clone(), &[Find, Insert]), may(other.clone(), &[Update])]);
    // A wider resource is another one.
    role.revoke(&[may(own.clone(), &[Update, Find])]);
    assert_eq!(role.privileges, [may(own.clone(), &[Insert]), may(other.clone(), &[Update])]);
    role.revoke(&[may(own.clone(), &[Insert])]);
    assert_eq!(role.privileges, [may(other.clone(), &[Update])]);
    let twice = [may(own.clone(), &[Insert]), may(own.clone(), &[Insert, Find])];
    assert_eq!(merged(twice), [may(own, &[Find, Insert])]);
    let mut access = Access::of(&role.roles);
    access.add(&role);
    assert!(access.allows(Update, COLL) && access.allows(Find, COLL));
    assert!(!access.allows(Update, Target::Collection("db", "d")));
}
