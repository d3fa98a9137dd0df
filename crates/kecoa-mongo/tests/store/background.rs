//! What happens in the background.

use bson::{DateTime, RawArrayBuf, RawBson, rawdoc};
use kecoa_mongo::collation::Collator;
use kecoa_mongo::index::Index;

use crate::support::*;

#[test]
fn documents_past_their_time_are_removed_by_one_gateway() {
    for direction in [1, -1] {
        with_database(async |database| {
            let (first, second) = (database.store().await, database.store().await);
            create(&mut first.alone()).await;
            let specification =
                rawdoc! {"key": {"at": direction}, "name": "i", "expireAfterSeconds": 10};
            let index = Index::parse(&specification, &Collator::default()).unwrap();
            first.alone().create_indexes(&namespace(), vec![index]).await.unwrap();
            let date = |millis| RawBson::DateTime(DateTime::from_millis(millis));
            let mut dates = RawArrayBuf::new();
            dates.push(date(50_000));
            dates.push(date(1));
            let documents = [
                rawdoc! {"_id": 1, "at": date(0)},
                rawdoc! {"_id": 2, "at": date(-5)},
                rawdoc! {"_id": 3, "at": date(1001)},
                rawdoc! {"_id": 4, "at": date(1000)},
                rawdoc! {"_id": 5, "at": 0},
                rawdoc! {"_id": 6},
                rawdoc! {"_id": 7, "at": dates},
                rawdoc! {"_id": 8, "at": "x"},
            ]
            .map(new);
            insert(&mut first.alone(), &documents, true).await.unwrap();
            first.maintain(11_000).await.unwrap();
            assert_eq!(ids(&find(&mut first.alone(), &all()).await), [3, 5, 6, 8]);
            // The lease is the first one's.
            second.maintain(12_000).await.unwrap();
            assert_eq!(ids(&find(&mut first.alone(), &all()).await), [3, 5, 6, 8]);
            second.maintain(72_000).await.unwrap();
            assert_eq!(ids(&find(&mut first.alone(), &all()).await), [5, 6, 8]);
        });
    }
}

#[test]
fn what_is_dropped_is_removed_later() {
    with_database(async |database| {
        let store = database.store().await;
        let collection = create(&mut store.alone()).await;
        let documents: Vec<_> = (0..1500).map(|id| new(rawdoc! {"_id": id})).collect();
        insert(&mut store.alone(), &documents, true).await.unwrap();
        store.alone().drop_collection(&collection).await.unwrap();
        let mut client = kecoa::Client::connect(&database.config()).await.unwrap();
        let mut left = async |table: &str| {
            let sql = format!("SELECT count(*) FROM kecoa_mongo.{table}");
            client.query_one(&sql, &[]).await.unwrap().get::<i64>(0).unwrap()
        };
        assert_eq!(left("document").await, 1500);
        let now = DateTime::now().timestamp_millis();
        store.maintain(now).await.unwrap();
        assert_eq!(left("document").await, 1500);
        store.maintain(now + 300_000).await.unwrap();
        assert_eq!((left("document").await, left("collection").await), (0, 0));
    });
}
