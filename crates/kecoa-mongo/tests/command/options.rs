//! Options of commands against every type, by a table that says what MongoDB answers.

use bson::raw::CString;
use bson::{RawBson, RawDocumentBuf, rawdoc};
use kecoa_mongo::command::arguments::generic::GENERIC;
use kecoa_mongo::command::arguments::read::Rules;
use kecoa_mongo::command::arguments::{Argument, Kind, read};
use kecoa_mongo::command::table::find;

use crate::support::{ask, client, code, gateway, samples};

const TABLE: &str = include_str!("options.txt");
const RULES: Rules = Rules { open: false, strict: false };

/// The types of a word of the table.
fn types(word: &str) -> &'static [&'static str] {
    match word {
        "bool" => &["bool"],
        "flag" => &["bool", "int", "long", "double", "decimal"],
        "number" => &["int", "long", "double", "decimal"],
        "int" => &["int"],
        "long" => &["long"],
        "string" => &["string"],
        "object" => &["object"],
        "array" => &["array"],
        "either" => &["string", "object"],
        "change" => &["object", "array"],
        "uuid" => &["binData"],
        // The sample is an array of a number, and a string that is no such word.
        "documents" | "word" => &[],
        other => panic!("{other}"),
    }
}

/// Values of the other arguments that must be there.
fn others(table: &[Argument], without: &str) -> RawDocumentBuf {
    let mut body = rawdoc! { "command": 1 };
    for row in table.iter().filter(|row| row.required && row.name != without) {
        let value: RawBson = match row.kind {
            Kind::String => RawBson::String("x".to_owned()),
            Kind::Document => RawBson::Document(rawdoc! {}),
            Kind::OneOf(_) => RawBson::String("x".to_owned()),
            _ => RawBson::Array(bson::RawArrayBuf::new()),
        };
        body.append(CString::try_from(row.name).unwrap(), value);
    }
    body
}

#[test]
fn options_take_the_types_that_they_take_in_mongodb() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let [command, option, word, other, null] =
            line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let definition = find(command).unwrap();
        for (name, value) in samples() {
            let expected: i32 = match name {
                "null" | "undefined" => null.parse().unwrap(),
                "string" if word == "word" => 2,
                _ if types(word).contains(&name) => 0,
                _ => other.parse().unwrap(),
            };
            let mut body = others(definition.arguments, option);
            body.append(CString::try_from(option).unwrap(), value);
            let result = read(command, &body, &[], definition.arguments, GENERIC, RULES);
            let found = result.map_or_else(|error| error.code().number(), |_| 0);
            if found != expected {
                wrong.push(format!("{command}.{option} {name}: {found}, not {expected}"));
            }
            cases += 1;
        }
    }
    assert!(cases > 2500, "{cases} cases");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn names_of_collections_have_their_types() {
    // What another type answers; a UUID is named as one.
    let table = [
        ("insert", 2),
        ("update", 2),
        ("delete", 2),
        ("findAndModify", 2),
        ("create", 2),
        ("drop", 2),
        ("collMod", 2),
        ("createIndexes", 2),
        ("dropIndexes", 2),
        ("find", 73),
        ("count", 73),
        ("distinct", 73),
        ("killCursors", 73),
        ("aggregate", 14),
        ("explain", 14),
        ("renameCollection", 14),
    ];
    let gateway = gateway();
    let mut cases = 0;
    for (command, expected) in table {
        let definition = find(command).unwrap();
        for (name, value) in samples() {
            let is_fine = match command {
                "aggregate" => ["string", "int", "long", "double", "decimal"].contains(&name),
                "explain" => name == "object",
                _ => name == "string",
            };
            if is_fine {
                continue;
            }
            let mut body = RawDocumentBuf::new();
            body.append(CString::try_from(command).unwrap(), value);
            let rest = others(definition.arguments, "");
            for (name, value) in rest.iter().skip(1).map(Result::unwrap) {
                body.append(name, value);
            }
            body.append(bson::raw::cstr!("$db"), "admin");
            let is_missing = matches!(name, "null" | "undefined");
            let expected = match name {
                "binData" if !matches!(command, "explain" | "renameCollection") => 2,
                _ if is_missing && matches!(command, "explain" | "renameCollection") => 40414,
                _ => expected,
            };
            let found = code(&ask(&gateway, &mut client(), body).await);
            assert_eq!(found, expected, "{command}: {name}");
            cases += 1;
        }
    }
    assert!(cases > 250, "{cases} cases");
}

#[tokio::test]
async fn values_of_options_are_checked_before_anything_is_read() {
    let long = "x".repeat(300);
    let table = [
        (rawdoc! { "find": "" }, 73),
        (rawdoc! { "find": ".a" }, 73),
        (rawdoc! { "find": "$a" }, 73),
        (rawdoc! { "find": "a\0b" }, 73),
        (rawdoc! { "find": long.as_str() }, 73),
        (rawdoc! { "insert": "", "documents": [{}] }, 73),
        (rawdoc! { "drop": "" }, 73),
        (rawdoc! { "create": "" }, 73),
        (rawdoc! { "aggregate": "", "pipeline": [], "cursor": {} }, 73),
        (rawdoc! { "aggregate": 2, "pipeline": [], "cursor": {} }, 9),
        (rawdoc! { "aggregate": 1.5, "pipeline": [], "cursor": {} }, 9),
        (rawdoc! { "aggregate": "c", "pipeline": [] }, 9),
        (rawdoc! { "aggregate": "c", "pipeline": [], "cursor": { "batchSize": -1 } }, 51024),
        (rawdoc! { "aggregate": "c", "pipeline": [], "cursor": { "batchSize": "x" } }, 14),
        (rawdoc! { "aggregate": "c", "pipeline": [], "cursor": { "x": 1 } }, 40415),
        (
            rawdoc! { "aggregate": "c", "pipeline": [], "explain": true, "writeConcern": { "w": 1 } },
            9,
        ),
        (rawdoc! { "find": "c", "skip": -1 }, 51024),
        (rawdoc! { "find": "c", "limit": -1 }, 51024),
        (rawdoc! { "find": "c", "batchSize": -1 }, 51024),
        (rawdoc! { "find": "c", "maxTimeMS": -1 }, 2),
        (rawdoc! { "find": "c", "maxTimeMS": 2_147_483_648_i64 }, 2),
        (rawdoc! { "find": "c", "maxTimeMS": 1.5 }, 2),
        (rawdoc! { "aggregate": "c", "pipeline": [], "cursor": {}, "maxTimeMS": -1 }, 51024),
        (rawdoc! { "find": "c", "awaitData": true }, 9),
        (rawdoc! { "find": "c", "tailable": true, "singleBatch": true }, 2),
        (rawdoc! { "find": "c", "tailable": true, "sort": { "a": 1 } }, 2),
        (rawdoc! { "find": "c", "sort": { "$natural": 2 } }, 2),
        (rawdoc! { "find": "c", "hint": { "$natural": "x" } }, 2),
        (rawdoc! { "find": "c", "ntoreturn": 1, "batchSize": 1 }, 2),
        (rawdoc! { "count": "c", "limit": 1.5 }, 9),
        (rawdoc! { "count": "c", "limit": i64::MIN }, 2),
        (rawdoc! { "count": "c", "skip": -1 }, 51024),
        (rawdoc! { "insert": "c", "documents": [] }, 16),
        (rawdoc! { "update": "c", "updates": [] }, 16),
        (rawdoc! { "update": "c", "updates": [{ "q": {} }] }, 40414),
        (rawdoc! { "update": "c", "updates": [{ "q": {}, "u": 1 }] }, 9),
        (rawdoc! { "update": "c", "updates": [{ "q": {}, "u": null }] }, 9),
        (rawdoc! { "update": "c", "updates": [{ "q": {}, "u": {}, "hint": 1 }] }, 9),
        (rawdoc! { "update": "c", "updates": [{ "q": {}, "u": {}, "multi": 1 }] }, 14),
        (rawdoc! { "delete": "c", "deletes": [{ "q": {} }] }, 40414),
        (rawdoc! { "delete": "c", "deletes": [{ "q": {}, "limit": 2 }] }, 9),
        (rawdoc! { "delete": "c", "deletes": [{ "q": {}, "limit": 0.5 }] }, 9),
        // Taken; there is no database behind.
        (rawdoc! { "delete": "c", "deletes": [{ "q": {}, "limit": 1.0 }] }, 1),
        (rawdoc! { "delete": "c", "deletes": [{ "q": {}, "limit": 0_i64 }] }, 1),
        (rawdoc! { "delete": "c", "deletes": [{ "q": {}, "limit": 1, "x": 1 }] }, 40415),
        (rawdoc! { "findAndModify": "c" }, 9),
        (rawdoc! { "findAndModify": "c", "remove": true, "new": true }, 9),
        (rawdoc! { "findAndModify": "c", "remove": true, "update": {} }, 9),
        (rawdoc! { "findAndModify": "c", "remove": true, "upsert": true }, 9),
        (rawdoc! { "findAndModify": "c", "update": [], "arrayFilters": [{}] }, 9),
        (rawdoc! { "explain": { "insert": "c", "documents": [{}] } }, 20),
        (rawdoc! { "explain": { "nobody": "c" } }, 59),
        (rawdoc! { "explain": { "find": "c" }, "verbosity": "x" }, 2),
        (rawdoc! { "create": "c", "capped": true }, 72),
        (rawdoc! { "create": "c", "size": 5 }, 72),
        (rawdoc! { "create": "c", "capped": true, "size": 0 }, 51024),
        (rawdoc! { "create": "c", "capped": true, "size": 5, "max": 2_147_483_648_i64 }, 51024),
        (rawdoc! { "create": "c", "viewOn": "" }, 2),
        (rawdoc! { "create": "c", "pipeline": [] }, 72),
        (rawdoc! { "create": "c", "viewOn": "d", "validator": {} }, 72),
        (rawdoc! { "create": "c", "expireAfterSeconds": 5 }, 72),
        (rawdoc! { "create": "c", "temp": true }, 72),
        (rawdoc! { "create": "c", "timeseries": {} }, 40414),
        (rawdoc! { "create": "c", "timeseries": { "timeField": 1 } }, 14),
        (rawdoc! { "create": "c", "timeseries": { "timeField": "t", "x": 1 } }, 40415),
        (rawdoc! { "create": "c", "timeseries": { "timeField": "a.b" } }, 72),
        (rawdoc! { "create": "c", "timeseries": { "timeField": "t", "metaField": "_id" } }, 72),
        (rawdoc! { "create": "c", "timeseries": { "timeField": "t", "metaField": "t" } }, 72),
        (rawdoc! { "create": "c", "timeseries": { "timeField": "t" }, "validator": {} }, 72),
        (rawdoc! { "create": "c", "clusteredIndex": { "key": { "_id": 1 } } }, 40414),
        (rawdoc! { "create": "c", "clusteredIndex": { "unique": true } }, 40414),
        (
            rawdoc! { "create": "c", "clusteredIndex": { "key": { "_id": 1 }, "unique": false } },
            5979700,
        ),
        (
            rawdoc! { "create": "c", "clusteredIndex": { "key": { "_id": 1 }, "unique": true }, "size": 1 },
            6049200,
        ),
        (
            rawdoc! { "create": "c", "clusteredIndex": { "key": { "_id": 1 }, "unique": true }, "max": 1 },
            6049204,
        ),
        (rawdoc! { "create": "c", "changeStreamPreAndPostImages": {} }, 40414),
        (rawdoc! { "create": "c", "storageEngine": { "wiredTiger": 1 } }, 2),
        (rawdoc! { "create": "c", "storageEngine": { "nobody": {} } }, 72),
        (rawdoc! { "create": "c", "idIndex": {} }, 9),
        (rawdoc! { "create": "c", "idIndex": { "key": { "a": 1 }, "name": "x" } }, 2),
        (
            rawdoc! { "create": "c", "idIndex": { "key": { "_id": 1 }, "name": "x", "unique": true } },
            197,
        ),
        (rawdoc! { "create": "c", "validationAction": "errorAndLog" }, 2),
        (rawdoc! { "dropDatabase": 2 }, 5_255_100),
        (rawdoc! { "dropDatabase": "x" }, 14),
        (rawdoc! { "collStats": "c", "scale": 0 }, 51024),
        (rawdoc! { "dbStats": 1, "scale": 0 }, 51024),
        (rawdoc! { "collMod": "c", "cappedSize": 0 }, 51024),
        (rawdoc! { "killCursors": "c", "cursors": [1] }, 14),
        (rawdoc! { "getMore": 5, "collection": "c" }, 14),
        (rawdoc! { "getMore": 5_i64, "collection": "" }, 73),
        (rawdoc! { "bulkWrite": 1, "ops": [], "nsInfo": [] }, 16),
        (rawdoc! { "bulkWrite": 1, "ops": [{ "x": 1 }], "nsInfo": [{ "ns": "a.b" }] }, 40415),
        (
            rawdoc! { "bulkWrite": 1, "ops": [{ "insert": 1, "document": {} }], "nsInfo": [{ "ns": "a.b" }] },
            2,
        ),
        (
            rawdoc! { "bulkWrite": 1, "ops": [{ "insert": -1, "document": {} }], "nsInfo": [{ "ns": "a.b" }] },
            51024,
        ),
        (rawdoc! { "bulkWrite": 1, "ops": [{ "insert": 0 }], "nsInfo": [{ "ns": "a.b" }] }, 40414),
        (
            rawdoc! { "bulkWrite": 1, "ops": [{ "insert": 0, "document": {} }], "nsInfo": [{ "ns": "ab" }] },
            73,
        ),
    ];
    let gateway = gateway();
    let mut wrong = Vec::new();
    for (body, expected) in table {
        let mut body = body;
        let admin = body.get("bulkWrite").unwrap().is_some();
        body.append(bson::raw::cstr!("$db"), if admin { "admin" } else { "test" });
        let reply = ask(&gateway, &mut client(), body.clone()).await;
        if code(&reply) != expected {
            let body: bson::Document = body.try_into().unwrap();
            wrong.push(format!("{body}: {}, not {expected}", code(&reply)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
