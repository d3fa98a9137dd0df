//! Views that read each other: none leads back to itself, nor too deep, by `create` nor by `collMod`.

use bson::{RawArrayBuf, RawDocument, RawDocumentBuf, rawdoc};

use kecoa_mongo::store::{CollectionKind, Namespace, NewCollection};

use crate::gateways::{Client, code, with_two};
use crate::support::with_database;

fn lookup(from: &str) -> RawDocumentBuf {
    rawdoc! { "$lookup": { "from": from, "localField": "a", "foreignField": "a", "as": "x" } }
}

/// The stages that read another collection.
fn stages(from: &str) -> Vec<RawDocumentBuf> {
    vec![
        lookup(from),
        rawdoc! { "$lookup": { "from": "c", "pipeline": [lookup(from)], "as": "x" } },
        rawdoc! { "$graphLookup": {
            "from": from, "startWith": "$a", "connectFromField": "a", "connectToField": "b", "as": "x",
        } },
        rawdoc! { "$unionWith": from },
        rawdoc! { "$unionWith": { "coll": from, "pipeline": [] } },
        rawdoc! { "$unionWith": { "coll": "c", "pipeline": [{ "$unionWith": from }] } },
        rawdoc! { "$facet": { "f": [lookup(from)] } },
    ]
}

fn view(command: &str, name: &str, on: &str, stages: &[RawDocumentBuf]) -> RawDocumentBuf {
    let mut pipeline = RawArrayBuf::new();
    for stage in stages {
        pipeline.push(stage.clone());
    }
    let mut body = RawDocumentBuf::new();
    body.append(bson::raw::CString::try_from(command).unwrap(), name);
    body.append(bson::raw::cstr!("viewOn"), on);
    body.append(bson::raw::cstr!("pipeline"), pipeline);
    body
}

fn create(name: &str, on: &str, stages: &[RawDocumentBuf]) -> RawDocumentBuf {
    view("create", name, on, stages)
}

fn change(name: &str, on: &str, stages: &[RawDocumentBuf]) -> RawDocumentBuf {
    view("collMod", name, on, stages)
}

/// What a view is on, and its pipeline.
async fn definition(client: &mut Client, name: &str) -> RawDocumentBuf {
    let reply = client.run(rawdoc! { "listCollections": 1, "filter": { "name": name } }).await;
    let found = reply.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
    let found = found.into_iter().next().unwrap().unwrap();
    found.as_document().unwrap().get_document("options").unwrap().to_owned()
}

async fn refuse(client: &mut Client, number: i32, body: &RawDocument) {
    let reply = client.ask(body.to_owned()).await;
    assert_eq!(code(&reply), number, "{body:?}: {reply:?}");
}

#[test]
fn no_view_leads_back_to_itself() {
    with_two(async |first, second| {
        refuse(first, 5, &create("v1", "v1", &[])).await;
        first.run(create("v1", "c", &[])).await;
        first.run(create("v2", "v1", &[])).await;
        first.run(create("v3", "v2", &[])).await;
        let before = definition(first, "v1").await;
        for client in [first, second] {
            refuse(client, 5, &change("v1", "v3", &[])).await;
            refuse(client, 5, &change("v1", "v1", &[])).await;
            for stage in stages("v3").into_iter().chain(stages("v1")) {
                refuse(client, 5, &change("v1", "c", std::slice::from_ref(&stage))).await;
            }
            for stage in stages("v9") {
                refuse(client, 5, &create("v9", "c", std::slice::from_ref(&stage))).await;
            }
            assert_eq!(definition(client, "v1").await, before);
        }
    });
}

#[test]
fn a_name_that_a_pipeline_reads_becomes_no_view_of_it() {
    with_two(async |first, second| {
        for (number, stage) in stages("later").into_iter().enumerate() {
            let name = format!("v{number}");
            first.run(create(&name, "c", &[stage])).await;
            refuse(second, 5, &create("later", &name, &[])).await;
            refuse(second, 5, &create("later", "c", &stages(&name)[..1])).await;
            second.run(rawdoc! { "drop": name }).await;
        }
        // Nothing is left of it: what reads others side by side is no circle.
        first.run(create("later", "c", &stages("c"))).await;
        second.run(create("last", "later", &stages("later"))).await;
        second.run(change("later", "c", &stages("d"))).await;
    });
}

#[test]
fn a_change_of_a_view_is_checked_as_its_making() {
    with_two(async |first, _| {
        first.run(create("v", "c", &[])).await;
        let mut other = create("other", "c", &[]);
        other.append(bson::raw::cstr!("collation"), rawdoc! { "locale": "de" });
        first.run(other).await;
        let before = definition(first, "v").await;
        for stage in
            [rawdoc! { "$out": "x" }, rawdoc! { "$merge": "x" }, rawdoc! { "$changeStream": {} }]
        {
            refuse(first, 167, &create("new", "c", std::slice::from_ref(&stage))).await;
            refuse(first, 167, &change("v", "c", std::slice::from_ref(&stage))).await;
        }
        refuse(first, 167, &create("new", "other", &[])).await;
        refuse(first, 167, &change("v", "other", &[])).await;
        refuse(first, 167, &create("new", "c", &[lookup("other")])).await;
        refuse(first, 167, &change("v", "c", &[lookup("other")])).await;
        refuse(first, 73, &change("v", "$x", &[])).await;
        refuse(first, 40324, &change("v", "c", &[rawdoc! { "$none": 1 }])).await;
        assert_eq!(definition(first, "v").await, before);
        // Names that a view reads become no view of another collation.
        first.run(change("v", "later", &[])).await;
        let mut later = create("later", "c", &[]);
        later.append(bson::raw::cstr!("collation"), rawdoc! { "locale": "de" });
        refuse(first, 167, &later).await;
    });
}

#[test]
fn at_most_twenty_views_lie_one_on_the_other() {
    with_two(async |first, second| {
        // Each reads the next one several times: the ways are many, the views are few.
        for number in (1..=20).rev() {
            let next = format!("v{}", number + 1);
            first.run(create(&format!("v{number}"), &next, &stages(&next))).await;
        }
        refuse(second, 165, &create("v21", "v22", &[])).await;
        refuse(second, 165, &create("v0", "v1", &[])).await;
        for stage in stages("v1") {
            refuse(second, 165, &create("v0", "c", std::slice::from_ref(&stage))).await;
        }
        second.run(create("middle", "v10", &[])).await;
        second.run(create("v0", "c", &[])).await;
        refuse(second, 165, &change("v0", "v1", &[])).await;
        refuse(second, 165, &change("v20", "v0", &[])).await;
        second.run(change("v0", "v2", &[])).await;
    });
}

#[test]
fn a_circle_that_was_made_behind_the_checks_is_refused_when_it_is_read() {
    // The gateway's threads have as much, and a test's are smaller.
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(read_a_circle).unwrap();
    thread.join().unwrap();
}

fn read_a_circle() {
    with_database(async |database| {
        let store = database.store().await;
        for (name, other) in [("v1", "v2"), ("v2", "v1")] {
            let mut pipeline = RawArrayBuf::new();
            pipeline.push(lookup(other));
            let new = NewCollection {
                kind: CollectionKind::View,
                options: rawdoc! { "viewOn": "c", "pipeline": pipeline },
            };
            store.alone().create(&Namespace::new("db", name).unwrap(), &new).await.unwrap();
        }
        let mut client = Client::new(1, database).await;
        client.run(rawdoc! { "insert": "c", "documents": [{ "a": 1 }] }).await;
        refuse(&mut client, 165, &rawdoc! { "find": "v1" }).await;
        refuse(&mut client, 165, &rawdoc! { "count": "v2" }).await;
        // And it can be mended.
        client.run(change("v1", "c", &[])).await;
        client.run(rawdoc! { "find": "v1" }).await;
    });
}
