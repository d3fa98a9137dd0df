//! Read and write concerns: what is one, what is none.

use bson::{RawDocumentBuf, Timestamp, rawdoc};
use kecoa_mongo::session::{ReadConcern, WriteConcern};

const TIME: Timestamp = Timestamp { time: 1, increment: 1 };
const NULL: Timestamp = Timestamp { time: 0, increment: 0 };

#[test]
fn read_concerns() {
    let good = [
        rawdoc! {},
        rawdoc! { "level": "local" },
        rawdoc! { "level": "available" },
        rawdoc! { "level": "majority" },
        rawdoc! { "level": "linearizable" },
        rawdoc! { "level": "snapshot" },
        rawdoc! { "level": null },
        rawdoc! { "afterClusterTime": TIME },
        rawdoc! { "level": "local", "afterClusterTime": TIME },
        rawdoc! { "level": "snapshot", "atClusterTime": TIME },
        rawdoc! { "level": "local", "provenance": "clientSupplied" },
    ];
    for document in good {
        assert!(ReadConcern::parse(&document).is_ok(), "{document:?}");
    }
    let bad: &[(RawDocumentBuf, i32)] = &[
        (rawdoc! { "level": "none" }, 2),
        (rawdoc! { "level": "" }, 2),
        (rawdoc! { "level": "Local" }, 2),
        (rawdoc! { "level": 1 }, 14),
        (rawdoc! { "level": true }, 14),
        (rawdoc! { "level": {} }, 14),
        (rawdoc! { "x": 1 }, 40415),
        (rawdoc! { "afterClusterTime": 1 }, 14),
        (rawdoc! { "afterClusterTime": "x" }, 14),
        (rawdoc! { "atClusterTime": 1 }, 14),
        (rawdoc! { "atClusterTime": TIME }, 72),
        (rawdoc! { "level": "majority", "atClusterTime": TIME }, 72),
        (rawdoc! { "level": "snapshot", "atClusterTime": TIME, "afterClusterTime": TIME }, 72),
        (rawdoc! { "level": "linearizable", "afterClusterTime": TIME }, 72),
        (rawdoc! { "level": "available", "afterClusterTime": TIME }, 72),
        (rawdoc! { "afterClusterTime": NULL }, 72),
        (rawdoc! { "level": "snapshot", "atClusterTime": NULL }, 72),
    ];
    for (document, code) in bad {
        assert_eq!(
            ReadConcern::parse(document).unwrap_err().code().number(),
            *code,
            "{document:?}"
        );
    }
}

#[test]
fn write_concerns() {
    // The code of the writeConcernError; 0 when there is none.
    let good: &[(RawDocumentBuf, i32)] = &[
        (rawdoc! {}, 0),
        (rawdoc! { "w": 0 }, 0),
        (rawdoc! { "w": 1 }, 0),
        (rawdoc! { "w": 1_i64 }, 0),
        (rawdoc! { "w": 1.0 }, 0),
        (rawdoc! { "w": 2 }, 100),
        (rawdoc! { "w": 50 }, 100),
        (rawdoc! { "w": "majority" }, 0),
        (rawdoc! { "w": "elsewhere" }, 79),
        (rawdoc! { "w": { "dc": 1 } }, 100),
        (rawdoc! { "w": null }, 0),
        (rawdoc! { "j": true }, 0),
        (rawdoc! { "j": 1 }, 0),
        (rawdoc! { "fsync": true }, 0),
        (rawdoc! { "wtimeout": 100 }, 0),
        (rawdoc! { "wtimeout": "x" }, 0),
    ];
    for (document, code) in good {
        let concern =
            WriteConcern::parse(document).unwrap_or_else(|error| panic!("{document:?}: {error}"));
        assert_eq!(
            concern.failure().map_or(0, |error| error.code().number()),
            *code,
            "{document:?}"
        );
    }
    let bad: &[(RawDocumentBuf, i32)] = &[
        (rawdoc! { "w": -1 }, 9),
        (rawdoc! { "w": 51 }, 9),
        (rawdoc! { "w": true }, 9),
        (rawdoc! { "w": [] }, 9),
        (rawdoc! { "w": {} }, 9),
        (rawdoc! { "w": { "dc": "x" } }, 9),
        (rawdoc! { "j": "x" }, 14),
        (rawdoc! { "fsync": "x" }, 14),
        (rawdoc! { "j": true, "fsync": true }, 9),
        (rawdoc! { "wtimeout": 2_147_483_648_i64 }, 9),
        (rawdoc! { "x": 1 }, 40415),
    ];
    for (document, code) in bad {
        assert_eq!(
            WriteConcern::parse(document).unwrap_err().code().number(),
            *code,
            "{document:?}"
        );
    }
    assert!(WriteConcern::parse(&rawdoc! { "w": 0 }).unwrap().is_unacknowledged());
}
