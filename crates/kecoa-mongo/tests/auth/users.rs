//! Users as they are kept.

use bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use kecoa_mongo::auth::{Credentials, Mechanism, RoleName, User, UserName};
use uuid::Uuid;

fn user(mechanisms: &[Mechanism]) -> User {
    let credentials =
        mechanisms.iter().map(|mechanism| Credentials::derive(*mechanism, b"p", b"salt", 2));
    User {
        name: UserName::new("db", "a.b"),
        id: Uuid::from_u128(3),
        credentials: credentials.collect(),
        roles: vec![RoleName::new("admin", "root"), RoleName::new("db", "read")],
        custom_data: None,
        restrictions: None,
    }
}

#[test]
fn a_user_is_read_as_it_was_kept() {
    for mechanisms in [&[][..], &[Mechanism::ScramSha256], &Mechanism::ALL] {
        for data in [None, Some(rawdoc! { "x": [1], "x": {} })] {
            let user = User { custom_data: data, ..user(mechanisms) };
            assert_eq!(User::from_document(&user.to_document()), Some(user.clone()));
            assert_eq!(user.mechanisms().collect::<Vec<_>>(), mechanisms);
            for mechanism in Mechanism::ALL {
                let has = user.credentials_for(mechanism).is_some();
                assert_eq!(has, mechanisms.contains(&mechanism));
            }
        }
    }
    let user = User { restrictions: Some(RawArrayBuf::new()), ..user(&[]) };
    assert_eq!(User::from_document(&user.to_document()), Some(user));
}

#[test]
fn a_user_has_the_form_that_usersinfo_shows() {
    let document = user(&Mechanism::ALL).to_document();
    let names: Vec<_> = document.iter().map(|field| field.unwrap().0.as_str().to_owned()).collect();
    assert_eq!(names, ["_id", "userId", "user", "db", "credentials", "roles", "mechanisms"]);
    assert_eq!(document.get_str("_id").unwrap(), "db.a.b");
    assert_eq!(document.get_str("user").unwrap(), "a.b");
}

#[test]
fn what_is_no_user_is_not_read() {
    let whole = user(&Mechanism::ALL).to_document();
    assert!(User::from_document(&rawdoc! {}).is_none());
    for missing in ["userId", "user", "db", "credentials", "roles"] {
        let mut document = RawDocumentBuf::new();
        for (name, value) in whole.iter().flatten().filter(|(name, _)| name.as_str() != missing) {
            document.append(name, value);
        }
        assert!(User::from_document(&document).is_none(), "{missing}");
    }
}
