//! The versioned API: what a client may say, what is refused.

use bson::{RawDocumentBuf, rawdoc};

use crate::support::{ask, client, code, gateway};

#[tokio::test]
async fn versions_strictness_deprecation() {
    let errors = "apiDeprecationErrors";
    let with = |name: &str, version: &str, option: &str| {
        let mut body = RawDocumentBuf::new();
        body.append(bson::raw::CString::try_from(name).unwrap(), 1);
        body.append(bson::raw::cstr!("$db"), "admin");
        body.append(bson::raw::cstr!("apiVersion"), version);
        if !option.is_empty() {
            body.append(bson::raw::CString::try_from(option).unwrap(), true);
        }
        body
    };
    let table: &[(RawDocumentBuf, i32)] = &[
        (with("ping", "1", ""), 0),
        (with("ping", "1", "apiStrict"), 0),
        (with("ping", "1", errors), 0),
        (with("ping", "0", ""), 322),
        (with("ping", "3", ""), 322),
        (with("ping", "", ""), 322),
        (rawdoc! { "ping": 1, "$db": "admin", "apiVersion": 1 }, 14),
        (rawdoc! { "ping": 1, "$db": "admin", "apiVersion": "1", "apiStrict": 1 }, 14),
        (rawdoc! { "ping": 1, "$db": "admin", "apiStrict": true }, 4_886_600),
        (rawdoc! { "ping": 1, "$db": "admin", "apiDeprecationErrors": false }, 4_886_600),
        (with("serverStatus", "1", "apiStrict"), 323),
        (with("serverStatus", "1", ""), 0),
        (with("isMaster", "1", "apiStrict"), 323),
        (with("hello", "1", "apiStrict"), 0),
        (with("testVersion2", "1", "apiStrict"), 323),
        (with("testVersion2", "1", ""), 0),
        (with("testVersion2", "2", "apiStrict"), 0),
        (with("testDeprecation", "1", ""), 0),
        (with("testDeprecation", "1", errors), 324),
        (with("testDeprecationInVersion2", "1", errors), 0),
        (with("testDeprecationInVersion2", "2", errors), 324),
    ];
    let gateway = gateway();
    for (body, expected) in table {
        let reply = ask(&gateway, &mut client(), body.clone()).await;
        assert_eq!(code(&reply), *expected, "{body:?}");
    }
    let reply = ask(&gateway, &mut client(), with("testVersion2", "1", "apiStrict")).await;
    let message = reply.get_str("errmsg").unwrap();
    assert!(
        message.contains("testVersion2") && message.contains("is not in API Version 1"),
        "{message}"
    );
}

#[tokio::test]
async fn stages_outside_of_the_version_are_refused_when_strict() {
    let gateway = gateway();
    let deep = rawdoc! { "$unionWith": { "coll": "c", "pipeline": [{ "$indexStats": {} }] } };
    for (stage, expected) in [
        (rawdoc! { "$listLocalSessions": {} }, 323),
        (rawdoc! { "$currentOp": {} }, 323),
        (rawdoc! { "$collStats": { "count": {}, "storageStats": {} } }, 323),
        (rawdoc! { "$facet": { "f": [{ "$match": {} }, { "$indexStats": {} }] } }, 323),
        (rawdoc! { "$lookup": { "from": "c", "as": "a", "pipeline": [deep.clone()] } }, 323),
        (deep, 323),
        // Whatever else is wrong with these, the version has them.
        (rawdoc! { "$collStats": { "count": {} } }, 0),
        (rawdoc! { "$match": { "$listSessions": 1 } }, 0),
        (rawdoc! { "$facet": { "f": [{ "$match": {} }] } }, 0),
    ] {
        for strict in [true, false] {
            let body = rawdoc! {
                "aggregate": 1, "pipeline": [stage.clone()], "cursor": {}, "$db": "admin",
                "apiVersion": "1", "apiStrict": strict,
            };
            let reply = ask(&gateway, &mut client(), body).await;
            let is_refused = code(&reply) == 323;
            assert_eq!(is_refused, strict && expected == 323, "{stage:?}, {strict}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_version_can_be_required() {
    let gateway = gateway();
    let set = |on: bool| rawdoc! { "setParameter": 1, "requireApiVersion": on, "$db": "admin", "apiVersion": "1" };
    let ping = rawdoc! { "ping": 1, "$db": "admin" };
    assert_eq!(code(&ask(&gateway, &mut client(), set(true)).await), 0);
    assert_eq!(code(&ask(&gateway, &mut client(), ping.clone()).await), 498_870);
    assert_eq!(
        code(&ask(&gateway, &mut client(), rawdoc! { "isMaster": 1, "$db": "admin" }).await),
        0
    );
    assert_eq!(code(&ask(&gateway, &mut client(), set(false)).await), 0);
    assert_eq!(code(&ask(&gateway, &mut client(), ping).await), 0);
}
