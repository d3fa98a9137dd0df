//! The options of `$changeStream`, and the stages behind it.

use bson::RawBsonRef;
use kecoa_mongo::change::{AfterImage, BeforeImage, Options, Start, prepare};

use crate::document;

#[test]
fn what_is_wrong_with_options_has_its_number() {
    let token = "{_data: '826A000001000000054B00000002010000'}";
    let invalidate = "{_data: '826A000001000000054B00000002020000'}";
    for (text, code) in [
        ("{x: 1}".to_owned(), 40415),
        ("{fullDocument: 'x'}".to_owned(), 2),
        ("{fullDocument: 1}".to_owned(), 14),
        ("{fullDocument: null}".to_owned(), 14),
        ("{fullDocumentBeforeChange: 'updateLookup'}".to_owned(), 2),
        ("{fullDocumentBeforeChange: true}".to_owned(), 14),
        ("{allChangesForCluster: 1}".to_owned(), 14),
        ("{showExpandedEvents: 'yes'}".to_owned(), 14),
        ("{showRawUpdateDescription: true}".to_owned(), 238),
        ("{resumeAfter: 1}".to_owned(), 14),
        ("{startAfter: 'x'}".to_owned(), 14),
        ("{startAtOperationTime: 1}".to_owned(), 14),
        ("{resumeAfter: {}}".to_owned(), 40647),
        (format!("{{resumeAfter: {token}, startAfter: {token}}}"), 50865),
        (format!("{{resumeAfter: {token}, startAtOperationTime: ts(1, 1)}}"), 40674),
        (format!("{{resumeAfter: {invalidate}}}"), 260),
    ] {
        match Options::parse(&document(&text)) {
            Ok(options) => panic!("{text}: {options:?}"),
            Err(error) => assert_eq!(error.code().number(), code, "{text}: {error:?}"),
        }
    }
}

#[test]
fn options_are_read() {
    let options = Options::parse(&document("{}")).unwrap();
    assert_eq!(options, Options::default());
    let text = "{fullDocument: 'required', fullDocumentBeforeChange: 'whenAvailable', showExpandedEvents: true, \
                allChangesForCluster: true, startAtOperationTime: ts(7, 3), resumeAfter: null}";
    let options = Options::parse(&document(text)).unwrap();
    assert_eq!(options.after, AfterImage::Required);
    assert_eq!(options.before, BeforeImage::WhenAvailable);
    assert!(options.expanded && options.whole_cluster);
    assert!(matches!(options.start, Start::At(_)));
}

#[test]
fn only_some_stages_may_follow() {
    for (text, code) in [
        ("[{$changeStream: {}}]", None),
        ("[{$changeStream: {}}, {$match: {}}, {$project: {a: 1}}, {$addFields: {a: 1}}]", None),
        (
            "[{$changeStream: {}}, {$set: {a: 1}}, {$unset: 'a'}, {$replaceRoot: {newRoot: '$a'}}]",
            None,
        ),
        ("[{$changeStream: {}}, {$replaceWith: '$a'}, {$redact: '$$KEEP'}]", None),
        ("[{$changeStream: {}}, {$changeStreamSplitLargeEvent: {}}]", None),
        ("[{$changeStream: {}}, {$group: {_id: 1}}]", Some(20)),
        ("[{$changeStream: {}}, {$sort: {_id: 1}}]", Some(20)),
        ("[{$changeStream: {}}, {$limit: 1}]", Some(20)),
        ("[{$changeStream: {}}, {$lookup: {}}]", Some(20)),
        ("[{$changeStream: {}}, {$out: 'x'}]", Some(20)),
        ("[{$changeStream: {}}, {$changeStreamSplitLargeEvent: 1}]", Some(7_182_800)),
        (
            "[{$changeStream: {}}, {$changeStreamSplitLargeEvent: {}}, {$match: {}}]",
            Some(7_182_802),
        ),
    ] {
        let list = document(&format!("{{list: {text}}}"));
        let stages = list.get_array("list").unwrap();
        match (prepare(stages), code) {
            (Ok(Some(_)), None) => {}
            (Err(error), Some(code)) => assert_eq!(error.code().number(), code, "{text}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
    let list = document("{list: [{$match: {}}, {$group: {_id: 1}}]}");
    let Ok(Some(RawBsonRef::Array(stages))) = list.get("list") else { panic!("no list") };
    assert!(prepare(stages).unwrap().is_none());
}
