//! Read preferences: what is one, what is none.

use bson::{RawDocumentBuf, rawdoc};
use kecoa_mongo::session::read_preference::check;

#[test]
fn read_preferences() {
    let table: &[(RawDocumentBuf, i32)] = &[
        (rawdoc! { "mode": "primary" }, 0),
        (rawdoc! { "mode": "primaryPreferred" }, 0),
        (rawdoc! { "mode": "secondary" }, 0),
        (rawdoc! { "mode": "secondaryPreferred" }, 0),
        (rawdoc! { "mode": "nearest" }, 0),
        (rawdoc! { "mode": "nearest", "tags": [{ "dc": "east" }, {}] }, 0),
        (rawdoc! { "mode": "nearest", "maxStalenessSeconds": 90 }, 0),
        (rawdoc! { "mode": "nearest", "maxStalenessSeconds": 120.5 }, 0),
        (rawdoc! { "mode": "nearest", "hedge": { "enabled": true } }, 0),
        (rawdoc! { "mode": "primary", "tags": [{}] }, 0),
        (rawdoc! { "mode": "primary", "tags": null }, 0),
        (rawdoc! { "mode": "primary", "maxStalenessSeconds": 0 }, 0),
        (rawdoc! { "mode": "primary", "maxStalenessSeconds": -1 }, 0),
        (rawdoc! {}, 40414),
        (rawdoc! { "tags": [] }, 40414),
        (rawdoc! { "mode": "Primary" }, 2),
        (rawdoc! { "mode": "" }, 2),
        (rawdoc! { "mode": 1 }, 14),
        (rawdoc! { "mode": "nearest", "tags": 1 }, 14),
        (rawdoc! { "mode": "nearest", "tags": [1] }, 14),
        (rawdoc! { "mode": "nearest", "maxStalenessSeconds": "x" }, 14),
        (rawdoc! { "mode": "nearest", "maxStalenessSeconds": 89 }, 160),
        (rawdoc! { "mode": "nearest", "hedge": 1 }, 14),
        (rawdoc! { "mode": "nearest", "x": 1 }, 40415),
        (rawdoc! { "mode": "primary", "tags": [{ "dc": "east" }] }, 2),
        (rawdoc! { "mode": "primary", "maxStalenessSeconds": 90 }, 72),
        (rawdoc! { "mode": "primary", "hedge": {} }, 72),
    ];
    for (document, code) in table {
        let found = check(document).map_or_else(|error| error.code().number(), |()| 0);
        assert_eq!(found, *code, "{document:?}");
    }
}
