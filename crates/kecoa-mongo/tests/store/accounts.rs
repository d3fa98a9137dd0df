//! Users and roles.

use bson::rawdoc;
use kecoa_mongo::auth::{
    Action, Credentials, Mechanism, Privilege, Resource, Role, RoleName, User, UserName,
};

use crate::support::with_store;

fn user(database: &str, name: &str) -> User {
    let mechanisms = [Mechanism::ScramSha1, Mechanism::ScramSha256];
    let credentials =
        mechanisms.map(|mechanism| Credentials::derive(mechanism, b"secret", b"salt", 2));
    User {
        name: UserName::new(database, name),
        id: uuid::Uuid::from_u128(7),
        credentials: credentials.to_vec(),
        roles: vec![RoleName::new("admin", "root"), RoleName::new(database, "read")],
        custom_data: Some(rawdoc! { "a": 1, "a": 2 }),
        restrictions: None,
    }
}

#[test]
fn users_are_kept_changed_and_removed() {
    with_store(async |store| {
        assert!(!store.has_accounts().await.unwrap());
        let ann = user("b", "ann");
        for (database, name) in [("b", "bob"), ("a", "Zoë"), ("b", "ann"), ("a", "a.b$c")] {
            assert!(store.add_account(&user(database, name)).await.unwrap());
        }
        assert!(!store.add_account(&ann).await.unwrap());
        assert!(store.has_accounts().await.unwrap());
        assert_eq!(store.account(&ann.name).await.unwrap(), Some(ann.clone()));
        for name in ["An", "ann\0", "", "ann'"] {
            assert_eq!(store.account(&UserName::new("b", name)).await.unwrap(), None);
        }
        let names = async |database: Option<&str>| {
            let users = store.accounts(database).await.unwrap();
            users.into_iter().map(|user| user.name.id()).collect::<Vec<_>>()
        };
        assert_eq!(names(None).await, ["a.Zoë", "a.a.b$c", "b.ann", "b.bob"]);
        assert_eq!(names(Some("b")).await, ["b.ann", "b.bob"]);
        // Whoever comes second with the same picture changes nothing.
        let changed = User { roles: Vec::new(), ..ann.clone() };
        assert!(store.change_account(&ann, &changed).await.unwrap());
        assert!(!store.change_account(&ann, &changed).await.unwrap());
        assert_eq!(store.account(&ann.name).await.unwrap(), Some(changed));
        assert!(store.remove_account(&ann.name).await.unwrap());
        assert!(!store.remove_account(&ann.name).await.unwrap());
        assert_eq!(store.remove_accounts("a").await.unwrap(), 2);
        assert_eq!(store.remove_accounts("a").await.unwrap(), 0);
        assert_eq!(names(None).await, ["b.bob"]);
    });
}

#[test]
fn gateways_share_the_first_ones_secret() {
    with_store(async |store| {
        assert_eq!(store.secret([1; 32]).await.unwrap(), [1; 32]);
        assert_eq!(store.secret([2; 32]).await.unwrap(), [1; 32]);
    });
}

fn role(database: &str, name: &str) -> Role {
    let privilege =
        Privilege { resource: Resource::database(database), actions: vec![Action::Find] };
    Role {
        name: RoleName::new(database, name),
        privileges: vec![privilege],
        roles: vec![RoleName::new(database, "read")],
        restrictions: None,
    }
}

#[test]
fn roles_are_kept_changed_and_removed() {
    with_store(async |store| {
        let all = [role("b", "x"), role("a", "y"), role("a", "x"), role("b", "ö$.")];
        for one in &all {
            assert!(store.add_role(one).await.unwrap());
        }
        assert!(!store.add_role(&all[0]).await.unwrap());
        let names = async |database: Option<&str>| {
            let roles = store.roles(database).await.unwrap();
            roles.into_iter().map(|role| role.name.id()).collect::<Vec<_>>()
        };
        assert_eq!(names(None).await, ["a.x", "a.y", "b.x", "b.ö$."]);
        assert_eq!(names(Some("b")).await, ["b.x", "b.ö$."]);
        for (asked, expected) in [
            (vec![], vec![]),
            (vec![("b", "x")], vec!["b.x"]),
            (vec![("b", "y")], vec![]),
            (vec![("b", "x"), ("a", "y"), ("a", "z"), ("a", "x\0")], vec!["a.y", "b.x"]),
            (vec![("b", "x\0")], vec![]),
        ] {
            let asked: Vec<_> = asked.iter().map(|(db, name)| RoleName::new(*db, *name)).collect();
            let found = store.roles_named(&asked).await.unwrap();
            let mut found: Vec<_> = found.into_iter().map(|role| role.name.id()).collect();
            found.sort();
            assert_eq!(found, expected);
        }
        let changed = Role { privileges: Vec::new(), ..all[0].clone() };
        assert!(store.change_role(&all[0], &changed).await.unwrap());
        assert!(!store.change_role(&all[0], &changed).await.unwrap());
        let found = store.roles_named(std::slice::from_ref(&changed.name)).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&changed));
        assert!(store.remove_role(&changed.name).await.unwrap());
        assert!(!store.remove_role(&changed.name).await.unwrap());
        assert_eq!(names(Some("b")).await, ["b.ö$."]);
    });
}
