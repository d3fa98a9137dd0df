//! Updates by a pipeline.

use bson::{DateTime, Timestamp};
use kecoa_mongo::expression::{Scope, Variables};
use kecoa_mongo::query::Filter;
use kecoa_mongo::update::{Options, Update};

use crate::json;
use crate::support::{apply, check, difference, show, value, variables};

#[test]
fn stages_make_a_new_document() {
    check(&[
        ("{_id: 1, a: 1}", "[{$set: {b: \"$a\"}}]", "{_id: 1, a: 1, b: 1}"),
        ("{_id: 1, a: 1}", "[{$addFields: {b: {$add: [\"$a\", 1]}}}]", "{_id: 1, a: 1, b: 2}"),
        ("{_id: 1, a: 1, b: 2}", "[{$set: {a: \"$b\", b: \"$a\"}}]", "{_id: 1, a: 2, b: 1}"),
        ("{_id: 1, a: 1, b: 2}", "[{$unset: \"a\"}]", "{_id: 1, b: 2}"),
        ("{_id: 1, a: 1, b: 2}", "[{$unset: [\"a\", \"b\"]}]", "{_id: 1}"),
        ("{_id: 1, a: 1, b: 2}", "[{$project: {a: 1}}]", "{_id: 1, a: 1}"),
        ("{_id: 1, a: 1, b: 2}", "[{$project: {a: 0}}]", "{_id: 1, b: 2}"),
        ("{_id: 1, a: {x: 1}}", "[{$replaceRoot: {newRoot: \"$a\"}}]", "{_id: 1, x: 1}"),
        ("{_id: 1, a: {x: 1}}", "[{$replaceWith: \"$a\"}]", "{_id: 1, x: 1}"),
        ("{_id: 1, a: {_id: 2}}", "[{$replaceWith: \"$a\"}]", "!66"),
        ("{_id: 1, a: 1}", "[{$set: {a: 1}}]", "="),
        ("{_id: 1, a: 1}", "[{$set: {_id: 1}}]", "="),
        ("{_id: 1, a: 1}", "[{$set: {_id: 2}}]", "!66"),
        ("{_id: 1, a: 1}", "[{$set: {_id: [1]}}]", "!53"),
        ("{_id: 1, a: 1}", "[{$unset: \"_id\"}]", "{_id: 1, a: 1}"),
        (
            "{_id: 1, a: 1}",
            "[{$set: {b: 1}}, {$set: {c: {$add: [\"$b\", 1]}}}]",
            "{_id: 1, a: 1, b: 1, c: 2}",
        ),
        ("{_id: 1, a: 1}", "[]", "="),
        ("{_id: 1, a: 1}", "[{$set: {b: \"$$NOW\"}}]", "{_id: 1, a: 1, b: date(777)}"),
        ("{_id: 1, a: 1}", "[{$set: {\"b.c\": 1}}]", "{_id: 1, a: 1, b: {c: 1}}"),
        (
            "{_id: 1, a: [1, 2]}",
            "[{$set: {a: {$concatArrays: [\"$a\", [3]]}}}]",
            "{_id: 1, a: [1, 2, 3]}",
        ),
        ("{_id: 1, a: 1}", "[{$set: {a: \"$$REMOVE\"}}]", "{_id: 1}"),
        ("{_id: 1, a: 1}", "[{$replaceWith: \"$a\"}]", "!40228"),
        ("{_id: 1}", "[{$match: {a: 1}}]", "!72"),
        ("{_id: 1}", "[{$sort: {a: 1}}]", "!72"),
        ("{_id: 1}", "[{$group: {_id: 1}}]", "!72"),
        ("{_id: 1}", "[{$limit: 1}]", "!72"),
        ("{_id: 1}", "[{$foo: 1}]", "!40324"),
        ("{_id: 1}", "[{$set: {a: 1}, $unset: \"b\"}]", "!40323"),
        ("{_id: 1}", "[{}]", "!40323"),
        ("{_id: 1}", "[1]", "!14"),
        ("{_id: 1}", "[{$set: {a: \"$$x\"}}]", "!17276"),
        ("{_id: 1}", "[{$set: {a: {$divide: [1, 0]}}}]", "!2"),
    ]);
}

#[test]
fn array_filters_are_not_for_pipelines() {
    let found = apply("{_id: 1}", "[{$set: {a: 1}}]", Some("[{x: 1}]"), None);
    assert_eq!(difference(found, "!9"), None);
    let found = apply("{_id: 1}", "[{$set: {a: 1}}]", Some("[]"), None);
    assert_eq!(difference(found, "{_id: 1, a: 1}"), None);
}

#[test]
fn constants_and_variables_have_values() {
    let update = json::value("[{$set: {a: \"$$x\", b: \"$$y\"}}]");
    let constants = json::document("{x: {$add: [1, 2]}}");
    let mut scope = Scope::new();
    let variables = Variables::new(DateTime::from_millis(0), Timestamp { time: 1, increment: 1 })
        .with_let(&json::document("{y: {$add: [1, 2]}}"), &mut scope)
        .unwrap();
    let options = Options { constants: Some(&constants), ..Options::default() };
    let update = Update::parse(value(&update), None, options, &scope).unwrap();
    let found = update.apply(&json::document("{_id: 1}"), None, &variables);
    assert_eq!(difference(found, "{_id: 1, a: {$add: [1, 2]}, b: 3}"), None);
}

#[test]
fn an_upsert_begins_with_the_filter() {
    for (filter, update, expected) in [
        ("{_id: 1, a: 2}", "[{$set: {b: {$add: [\"$a\", 1]}}}]", "{_id: 1, a: 2, b: 3}"),
        ("{_id: 1}", "[{$replaceWith: {c: 1}}]", "{_id: 1, c: 1}"),
        ("{a: 1}", "[{$set: {_id: 7}}]", "{_id: 7, a: 1}"),
        ("{_id: 1}", "[{$set: {_id: 7}}]", "!66"),
        ("{a: 1}", "[{$set: {_id: [7]}}]", "!53"),
        ("{a: {$gt: 1}}", "[{$set: {_id: 7}}]", "{_id: 7}"),
    ] {
        let update = json::value(update);
        let scope = Scope::new();
        let update = Update::parse(value(&update), None, Options::default(), &scope).unwrap();
        let filter_document = json::document(filter);
        let made = update.upsert(&Filter::parse(&filter_document, &scope).unwrap(), &variables());
        match made {
            Ok(document) => {
                assert_eq!(
                    document.as_bytes(),
                    json::document(expected).as_bytes(),
                    "{}",
                    show(&document)
                );
            }
            Err(error) => assert_eq!(format!("!{}", error.code().number()), expected, "{filter}"),
        }
    }
}
