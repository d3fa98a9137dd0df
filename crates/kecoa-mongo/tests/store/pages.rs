//! How much a page holds, and what a statement asks for.

use bson::rawdoc;
use kecoa_mongo::store::{Lock, PageLimit};

use crate::support::*;
use crate::wire::Wire;

#[test]
fn pages_stay_small_where_large_documents_lie_behind_small_ones() {
    const LARGE: usize = 8 * 1024 * 1024;
    with_database(async |database| {
        let wire = Wire::new(&database.config(), false);
        let store = wire.store().await;
        create(&mut store.alone()).await;
        let small: Vec<_> = (0..300).map(|id| new(rawdoc! {"_id": id})).collect();
        insert(&mut store.alone(), &small, true).await.unwrap();
        for id in 300..306 {
            let large = new(rawdoc! {"_id": id, "text": "x".repeat(LARGE)});
            insert(&mut store.alone(), &[large], true).await.unwrap();
        }
        let collection = store.alone().collection(&namespace()).await.unwrap().unwrap();
        wire.sent();
        let (mut found, mut after, mut largest) = (Vec::new(), None, 0);
        loop {
            let limit = PageLimit::default();
            let page =
                store.alone().page(&collection, &all(), after.as_ref(), limit, Lock::None).await;
            let page = current(page.unwrap());
            let documents = page.stored().unwrap();
            let bytes: usize = documents.iter().map(|one| one.document.as_bytes().len()).sum();
            largest = largest.max(bytes);
            found.extend(ids(&documents));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, (0..306).collect::<Vec<_>>());
        // A page of about 1 MB, and one document beyond.
        assert!(largest < LARGE + 2 * 1024 * 1024, "{largest}");
        let sent = wire.sent();
        // While the cancel request is under way, the next page may need a connection of its own, which is set up.
        let pages = sent.iter().filter(|trip| trip[0].contains("LIMIT $2"));
        let counts: Vec<bool> = pages.map(|trip| trip[0].contains("octet_length")).collect();
        assert_eq!(counts[..3], [false, false, true], "{sent:?}");
        // What was cancelled leaves a connection that works.
        assert_eq!(find(&mut store.alone(), &by_id(300)).await.len(), 1);
    });
}
