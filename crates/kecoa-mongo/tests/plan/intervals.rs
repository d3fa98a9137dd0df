//! Bounds as explain shows them.

use bson::{Document, RawDocumentBuf, doc};
use kecoa_mongo::collation::Collator;
use kecoa_mongo::expression::Scope;
use kecoa_mongo::index::Index;
use kecoa_mongo::plan::intervals::texts;
use kecoa_mongo::query::Filter;

fn shown(key: &Document, filter: Document, backward: bool) -> Vec<Vec<String>> {
    let specification = RawDocumentBuf::try_from(&doc! {"key": key.clone(), "name": "i"}).unwrap();
    let index = Index::parse(&specification, &Collator::default()).unwrap();
    let filter = RawDocumentBuf::try_from(&filter).unwrap();
    texts(&Filter::parse(&filter, &Scope::new()).unwrap(), &index, backward)
}

#[test]
fn intervals_are_written_as_mongodb_writes_them() {
    let id = bson::oid::ObjectId::from_bytes([1; 12]);
    let date = bson::DateTime::from_millis(5);
    let table: Vec<(Document, &[&str])> = vec![
        (doc! {"a": 5}, &["[5, 5]"]),
        (doc! {"a": 5.0}, &["[5.0, 5.0]"]),
        (doc! {"a": {"$gt": 5}}, &["(5, inf]"]),
        (doc! {"a": {"$gte": 5.0}}, &["[5.0, inf]"]),
        (doc! {"a": {"$lt": 5}}, &["[-inf, 5)"]),
        (doc! {"a": {"$lte": 5}}, &["[-inf, 5]"]),
        (doc! {"a": {"$gt": 1, "$lt": 5}}, &["(1, 5)"]),
        (doc! {"a": {"$gt": 5, "$lt": 1}}, &[]),
        (doc! {"a": "x"}, &["[\"x\", \"x\"]"]),
        (doc! {"a": {"$gt": "x"}}, &["(\"x\", {})"]),
        (doc! {"a": {"$lt": "x"}}, &["[\"\", \"x\")"]),
        (doc! {"a": {"$gte": {"b": 1}}}, &["[{ b: 1 }, [])"]),
        (doc! {"a": bson::Bson::Null}, &["[null, null]"]),
        (doc! {"a": {"$exists": false}}, &["[null, null]"]),
        (doc! {"a": {"$exists": true}}, &["[MinKey, MaxKey]"]),
        (doc! {"a": {"$in": [3, 1, 1]}}, &["[1, 1]", "[3, 3]"]),
        (doc! {"a": {"$gt": false}}, &["(false, true]"]),
        (doc! {"a": date}, &["[new Date(5), new Date(5)]"]),
        (doc! {"a": {"$gt": date}}, &["(new Date(5), new Date(9223372036854775807)]"]),
        (
            doc! {"a": {"$gte": id}},
            &["[ObjectId('010101010101010101010101'), ObjectId('ffffffffffffffffffffffff')]"],
        ),
        (
            doc! {"a": bson::Regex { pattern: "^ab".try_into().unwrap(), options: "".try_into().unwrap() }},
            &["[\"ab\", \"ac\")", "[/^ab/, /^ab/]"],
        ),
        (
            doc! {"a": bson::Regex { pattern: "b".try_into().unwrap(), options: "i".try_into().unwrap() }},
            &["[\"\", {})", "[/b/i, /b/i]"],
        ),
        (doc! {"b": 1}, &["[MinKey, MaxKey]"]),
        (doc! {"$and": [{"a": {"$gt": 1}}, {"a": {"$lte": 3}}]}, &["(1, 3]"]),
    ];
    for (filter, expected) in table {
        let found = shown(&doc! {"a": 1}, filter.clone(), false);
        assert_eq!(found, [expected.to_vec()], "{filter}");
    }
}

#[test]
fn they_go_the_way_that_the_index_is_read() {
    let filter = doc! {"a": 1, "b": {"$gt": 5}, "c": 2};
    let key = doc! {"a": 1, "b": 1, "c": 1};
    assert_eq!(shown(&key, filter.clone(), false), [["[1, 1]"], ["(5, inf]"], ["[2, 2]"]]);
    assert_eq!(shown(&key, filter.clone(), true), [["[1, 1]"], ["[inf, 5)"], ["[2, 2]"]]);
    let key = doc! {"a": 1, "b": -1};
    assert_eq!(shown(&key, filter.clone(), false), [["[1, 1]"], ["[inf, 5)"]]);
    assert_eq!(shown(&key, filter, true), [["[1, 1]"], ["(5, inf]"]]);
    let filter = doc! {"a": 1, "c": 2};
    let key = doc! {"a": 1, "b": 1, "c": 1};
    assert_eq!(shown(&key, filter, false), [["[1, 1]"], ["[MinKey, MaxKey]"], ["[2, 2]"]]);
    let all = [["[MinKey, MaxKey]"], ["[MinKey, MaxKey]"], ["[MinKey, MaxKey]"]];
    assert_eq!(shown(&key, doc! {"c": 2}, false), all);
    let lists = shown(&doc! {"a": -1}, doc! {"a": {"$in": [1, 2]}}, false);
    assert_eq!(lists, [["[2, 2]", "[1, 1]"]]);
}
