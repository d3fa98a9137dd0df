//! What `createIndexes` takes, and with which error it refuses the rest.

use bson::{Bson, RawDocumentBuf, doc, rawdoc};
use kecoa_mongo::collation::Collator;
use kecoa_mongo::index::Index;

fn parse(specification: bson::Document) -> Result<Index, i32> {
    let specification = RawDocumentBuf::try_from(&specification).unwrap();
    Index::parse(&specification, &Collator::default()).map_err(|error| error.code().number())
}

#[test]
fn wrong_specifications_are_refused_by_their_codes() {
    let key = || doc! {"a": 1};
    let many: bson::Document = (0..33).map(|n| (format!("f{n}"), Bson::Int32(1))).collect();
    let cases = [
        (doc! {"name": "i"}, 9),
        (doc! {"key": key()}, 9),
        (doc! {"key": 1, "name": "i"}, 14),
        (doc! {"key": [1], "name": "i"}, 14),
        (doc! {"key": key(), "name": 1}, 14),
        (doc! {"key": key(), "name": ""}, 67),
        (doc! {"key": key(), "name": "*"}, 2),
        (doc! {"key": key(), "name": "_id_"}, 2),
        (doc! {"key": {}, "name": "i"}, 67),
        (doc! {"key": {"a": 0}, "name": "i"}, 67),
        (doc! {"key": {"a": f64::NAN}, "name": "i"}, 67),
        (doc! {"key": {"a": true}, "name": "i"}, 67),
        (doc! {"key": {"a": Bson::Null}, "name": "i"}, 67),
        (doc! {"key": {"a": {}}, "name": "i"}, 67),
        (doc! {"key": {"a": ""}, "name": "i"}, 67),
        (doc! {"key": {"a": "x"}, "name": "i"}, 67),
        (doc! {"key": {"": 1}, "name": "i"}, 67),
        (doc! {"key": {"a..b": 1}, "name": "i"}, 67),
        (doc! {"key": {"a.": 1}, "name": "i"}, 67),
        (doc! {"key": {"$a": 1}, "name": "i"}, 67),
        (doc! {"key": {"a.$b": 1}, "name": "i"}, 67),
        (doc! {"key": many, "name": "i"}, 13103),
        (doc! {"key": {"x".repeat(2050): 1}, "name": "i"}, 67),
        (doc! {"key": {"$id": 1}, "name": "i"}, 67),
        (doc! {"key": {"_fts": 1}, "name": "i"}, 67),
        (doc! {"key": {"a": "hashed", "b": "2d"}, "name": "i"}, 67),
        (doc! {"key": {"a": Bson::Decimal128("NaN".parse().unwrap())}, "name": "i"}, 67),
        (doc! {"key": {"a": Bson::Decimal128("0".parse().unwrap())}, "name": "i"}, 67),
        (doc! {"key": {"_id": -1}, "name": "i"}, 2),
        (doc! {"key": {"_id": 1.5}, "name": "i"}, 2),
        (doc! {"key": 1, "name": 1, "x": 1}, 197),
        (doc! {"key": key(), "name": "i", "hidden": 1}, 14),
        (doc! {"key": key(), "name": "i", "hidden": Bson::Null}, 14),
        (doc! {"key": key(), "name": "i", "unique": Bson::Null}, 14),
        (doc! {"key": key(), "name": "i", "background": "x"}, 14),
        (doc! {"key": key(), "name": "i", "prepareUnique": "x"}, 14),
        (doc! {"key": key(), "name": "i", "prepareUnique": true, "unique": true}, 67),
        (doc! {"key": key(), "name": "i", "v": 1.5}, 2),
        (doc! {"key": key(), "name": "i", "v": 1_i64 << 40}, 2),
        (doc! {"key": key(), "name": "i", "v": 0}, 67),
        (doc! {"key": key(), "name": "i", "weights": {"a": 1}}, 67),
        (doc! {"key": key(), "name": "i", "weights": 1}, 14),
        (doc! {"key": key(), "name": "i", "default_language": 1}, 14),
        (doc! {"key": key(), "name": "i", "language_override": 1}, 14),
        (doc! {"key": key(), "name": "i", "textIndexVersion": "x"}, 14),
        (doc! {"key": key(), "name": "i", "2dsphereIndexVersion": "x"}, 14),
        (doc! {"key": key(), "name": "i", "bits": "x"}, 14),
        (doc! {"key": key(), "name": "i", "min": "x"}, 14),
        (doc! {"key": key(), "name": "i", "max": {}}, 14),
        (doc! {"key": key(), "name": "i", "storageEngine": 1}, 67),
        (doc! {"key": key(), "name": "i", "storageEngine": {}}, 67),
        (doc! {"key": key(), "name": "i", "originalSpec": 1}, 14),
        (doc! {"key": key(), "name": "i", "originalSpec": {}}, 2),
        (doc! {"key": key(), "name": "i", "expireAfterSeconds": f64::NAN}, 67),
        (doc! {"key": key(), "name": "i", "expireAfterSeconds": Bson::Null}, 67),
        (doc! {"key": key(), "name": "i", "partialFilterExpression": {"$expr": true}}, 224),
        (doc! {"key": key(), "name": "i", "partialFilterExpression": {"$jsonSchema": {}}}, 224),
        (
            doc! {"key": key(), "name": "i", "partialFilterExpression": {"$or": [{"$expr": true}]}},
            224,
        ),
        (doc! {"key": key(), "name": "i", "partialFilterExpression": {"$where": "x"}}, 2),
        (doc! {"key": {"_id": 1}, "name": "_id_", "hidden": false}, 2),
        (doc! {"key": {"a": "text"}, "name": "i"}, 238),
        (doc! {"key": {"a": "2d"}, "name": "i"}, 238),
        (doc! {"key": {"a": "2dsphere"}, "name": "i"}, 238),
        (doc! {"key": {"$**": 1}, "name": "i"}, 238),
        (doc! {"key": key(), "name": "i", "x": 1}, 197),
        (doc! {"key": key(), "name": "i", "unique": "x"}, 14),
        (doc! {"key": key(), "name": "i", "sparse": {}}, 14),
        (doc! {"key": key(), "name": "i", "hidden": "x"}, 14),
        (doc! {"key": key(), "name": "i", "v": "x"}, 14),
        (doc! {"key": key(), "name": "i", "v": 3}, 67),
        (doc! {"key": key(), "name": "i", "expireAfterSeconds": "x"}, 67),
        (doc! {"key": key(), "name": "i", "expireAfterSeconds": -1}, 67),
        (doc! {"key": key(), "name": "i", "expireAfterSeconds": 1_i64 << 31}, 67),
        (doc! {"key": {"a": 1, "b": 1}, "name": "i", "expireAfterSeconds": 1}, 67),
        (doc! {"key": key(), "name": "i", "partialFilterExpression": 1}, 14),
        (doc! {"key": key(), "name": "i", "partialFilterExpression": {"a": {"$ne": 1}}}, 67),
        (
            doc! {"key": key(), "name": "i", "partialFilterExpression": {"a": {"$exists": false}}},
            67,
        ),
        (doc! {"key": key(), "name": "i", "partialFilterExpression": {"$nor": [{"a": 1}]}}, 67),
        (doc! {"key": key(), "name": "i", "sparse": true, "partialFilterExpression": {"a": 1}}, 67),
        (doc! {"key": key(), "name": "i", "collation": 1}, 14),
        (doc! {"key": key(), "name": "i", "collation": {}}, 2),
        (doc! {"key": {"a": "hashed"}, "name": "i", "unique": true}, 16764),
        (doc! {"key": {"a": "hashed", "b": "hashed"}, "name": "i"}, 31303),
        (doc! {"key": {"_id": 1}, "name": "_id_", "unique": true}, 197),
        (doc! {"key": {"_id": 1}, "name": "_id_", "sparse": true}, 197),
        (doc! {"key": {"_id": 1}, "name": "_id_", "expireAfterSeconds": 1}, 197),
        (doc! {"key": {"_id": 1}, "name": "_id_", "hidden": true}, 2),
        (doc! {"key": {"_id": 1}, "name": "_id_", "collation": {"locale": "fr"}}, 2),
        (doc! {"key": key(), "name": "i", "wildcardProjection": {"a": 1}}, 2),
    ];
    for (specification, expected) in cases {
        let found = parse(specification.clone()).map(|index| index.to_document());
        assert_eq!(found.unwrap_err(), expected, "{specification}");
    }
}

#[test]
fn a_definition_is_shown_as_it_counts() {
    let shown = |specification| parse(specification).unwrap().to_document();
    assert_eq!(
        shown(doc! {"name": "i", "key": {"a": 1.0, "b": -1}, "background": true, "unique": false}),
        rawdoc! {"v": 2, "key": {"a": 1.0, "b": -1}, "name": "i", "background": true}
    );
    assert_eq!(
        shown(
            doc! {"key": {"a": 1}, "name": "i", "unique": 1, "expireAfterSeconds": 5.5, "hidden": true}
        ),
        rawdoc! {"v": 2, "key": {"a": 1}, "name": "i", "unique": true, "hidden": true, "expireAfterSeconds": 5}
    );
    let partial =
        doc! {"a": {"$gt": 5}, "$or": [{"b": {"$exists": true}}, {"c": {"$type": "int"}}]};
    let index = parse(doc! {"key": {"a": 1}, "name": "i", "partialFilterExpression": partial});
    assert!(index.unwrap().partial_filter().is_some());
    let index = parse(doc! {"key": {"a": 1}, "name": "i", "collation": {"locale": "fr"}}).unwrap();
    assert!(!index.collator().is_simple());
    let shown_collation = index.to_document();
    let collation = shown_collation.get_document("collation").unwrap();
    assert_eq!(collation.get_str("locale").unwrap(), "fr");
    assert_eq!(
        shown(doc! {"key": {"_id": 1}, "name": "other"}),
        rawdoc! {"v": 2, "key": {"_id": 1}, "name": "_id_"}
    );
}
