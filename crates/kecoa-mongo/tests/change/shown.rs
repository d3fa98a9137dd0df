//! What streams show of changes, and which of them they see.

use bson::{RawDocumentBuf, rawdoc};
use kecoa_mongo::change::{
    AfterImage, BeforeImage, Change, Ends, Options, Origin, Place, Position, ResumeToken, Scope,
    Shown, split,
};
use uuid::Uuid;

use crate::document;

fn place() -> Place {
    Place {
        position: Position { time: 7 << 31 | 3, event: 1 },
        database: "d".to_owned(),
        collection: "c".to_owned(),
        transaction: Some((vec![1; 48], 5)),
    }
}

fn shown(change: &Change, options: &Options) -> Result<RawDocumentBuf, i32> {
    let place = place();
    let shown = Shown { place: &place, change, options };
    shown.event(None).map_err(|error| error.code().number())
}

fn names(event: &RawDocumentBuf) -> Vec<String> {
    event.iter().map(|field| field.unwrap().0.as_str().to_owned()).collect()
}

fn updated(images: bool) -> Change {
    let operators = rawdoc! {"$set": {"a": 2}};
    let (old, new) = (rawdoc! {"_id": 1, "a": 1}, rawdoc! {"_id": 1, "a": 2});
    Change::update(Uuid::nil(), 0, &old, &new, Origin::Operators(&operators), images)
}

#[test]
fn an_insert_has_its_document() {
    let change = Change::insert(Uuid::nil(), 9, &rawdoc! {"_id": 1, "a": 1});
    let event = shown(&change, &Options::default()).unwrap();
    assert_eq!(
        names(&event),
        [
            "_id",
            "operationType",
            "clusterTime",
            "lsid",
            "txnNumber",
            "wallTime",
            "fullDocument",
            "ns",
            "documentKey"
        ]
    );
    assert_eq!(event.get_str("operationType").unwrap(), "insert");
    assert_eq!(
        event.get_timestamp("clusterTime").unwrap(),
        bson::Timestamp { time: 7, increment: 3 }
    );
    assert_eq!(event.get_i64("txnNumber").unwrap(), 5);
    assert_eq!(event.get_document("ns").unwrap(), &*rawdoc! {"db": "d", "coll": "c"});
    assert_eq!(event.get_document("documentKey").unwrap(), &*rawdoc! {"_id": 1});
}

#[test]
fn images_are_shown_as_they_are_asked_for() {
    use AfterImage as After;
    use BeforeImage as Before;
    for (images, after, before, expected) in [
        (true, After::Default, Before::Off, Ok((None, None))),
        (true, After::WhenAvailable, Before::WhenAvailable, Ok((Some(true), Some(true)))),
        (true, After::Required, Before::Required, Ok((Some(true), Some(true)))),
        (false, After::WhenAvailable, Before::WhenAvailable, Ok((Some(false), Some(false)))),
        (false, After::Required, Before::Off, Err(47)),
        (false, After::Default, Before::Required, Err(47)),
    ] {
        let options = Options { after, before, ..Options::default() };
        let found = shown(&updated(images), &options).map(|event| {
            let is_there = |name| {
                event
                    .get(name)
                    .unwrap()
                    .map(|value: bson::RawBsonRef<'_>| value.as_document().is_some())
            };
            (is_there("fullDocument"), is_there("fullDocumentBeforeChange"))
        });
        assert_eq!(found, expected, "{images} {after:?} {before:?}");
    }
}

#[test]
fn the_fields_of_newer_events_are_shown_to_who_asks() {
    let expanded = Options { expanded: true, ..Options::default() };
    for (options, uuid, paths) in [(Options::default(), false, false), (expanded, true, true)] {
        let event = shown(&updated(false), &options).unwrap();
        assert_eq!(event.get("collectionUUID").unwrap().is_some(), uuid);
        let description = event.get_document("updateDescription").unwrap();
        assert_eq!(description.get("disambiguatedPaths").unwrap().is_some(), paths);
    }
    let create = Change::create(Uuid::nil(), 0, &rawdoc! {}, false);
    assert!(!create.is_classic());
    assert!(Change::drop(Uuid::nil(), 0, false).is_classic());
    assert!(!Change::drop(Uuid::nil(), 0, true).is_classic());
}

#[test]
fn scopes_see_what_is_theirs() {
    let insert = Change::insert(Uuid::nil(), 0, &rawdoc! {"_id": 1});
    let rename = Change::rename(Uuid::nil(), 0, ("d", "e"), None);
    let drop = Change::drop(Uuid::nil(), 0, false);
    let drop_database = Change::drop_database(0);
    let cluster = Scope::Cluster;
    let database = Scope::Database("d".into());
    let collection = Scope::Collection("d".into(), "c".into());
    let target = Scope::Collection("d".into(), "e".into());
    for (scope, change, name, sees, ends) in [
        (&cluster, &insert, ("d", "c"), true, false),
        (&cluster, &insert, ("admin", "c"), false, false),
        (&cluster, &insert, ("config", "c"), false, false),
        (&cluster, &insert, ("d", "system.js"), false, false),
        (&cluster, &drop_database, ("d", ""), true, false),
        (&database, &insert, ("d", "c"), true, false),
        (&database, &insert, ("e", "c"), false, false),
        (&database, &drop, ("d", "c"), true, false),
        (&database, &drop_database, ("d", ""), true, true),
        (&collection, &insert, ("d", "c"), true, false),
        (&collection, &insert, ("d", "e"), false, false),
        (&collection, &drop, ("d", "c"), true, true),
        (&collection, &drop, ("d", "e"), false, true),
        (&collection, &drop_database, ("d", ""), false, false),
        (&collection, &rename, ("d", "c"), true, true),
        (&target, &rename, ("d", "c"), true, true),
        (&target, &rename, ("d", "x"), true, true),
    ] {
        assert_eq!(scope.sees(name.0, name.1, change), sees, "{scope:?} {name:?} {change:?}");
        assert_eq!(scope.ends(change) == Ends::Here, ends, "{scope:?} {change:?}");
    }
}

#[test]
fn an_event_that_is_too_large_is_split() {
    let text = "x".repeat(10 * 1024 * 1024);
    let token = ResumeToken::event(place().position);
    let event = || {
        let mut event = rawdoc! {"_id": token.to_document(), "operationType": "update"};
        event.append(bson::raw::cstr!("a"), text.as_str());
        event.append(bson::raw::cstr!("b"), text.as_str());
        event
    };
    assert_eq!(split(event(), token, false).unwrap_err().code().number(), 10334);
    let parts = split(event(), token, true).unwrap();
    assert_eq!(parts.len(), 2);
    for (part, number) in parts.iter().zip(1..) {
        let expected = rawdoc! {"fragment": number, "of": 2};
        assert_eq!(part.get_document("splitEvent").unwrap(), &*expected);
        let token = ResumeToken::parse(part.get_document("_id").unwrap()).unwrap();
        assert_eq!(i32::from(token.fragment), number);
    }
    let small = document("{_id: 1, a: 1}");
    assert_eq!(split(small.clone(), token, true).unwrap(), [small]);
}
