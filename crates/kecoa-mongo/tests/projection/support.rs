//! Documents as the shell writes them, and what projections show of them.

use bson::{DateTime, Document, RawDocumentBuf, Timestamp};
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::{Scope, Variables};
use kecoa_mongo::projection::{Mode, Projection};
use kecoa_mongo::query::Filter;

/// A specification, a document, what is shown of it.
pub(crate) type Case = (&'static str, &'static str, &'static str);

pub(crate) fn document(text: &str) -> RawDocumentBuf {
    crate::shell::document(text)
}

pub(crate) fn variables() -> Variables {
    Variables::new(DateTime::from_millis(0), Timestamp { time: 1, increment: 1 })
}

pub(crate) fn parse(specification: &str, mode: Mode) -> Result<Projection, Error> {
    Projection::parse(&document(specification), mode, &Scope::new())
}

/// Whether all fields are the same, of the same types, in the same order.
pub(crate) fn assert_same(found: &RawDocumentBuf, expected: &str, what: &str) {
    let expected = document(expected);
    let readable = |document: &RawDocumentBuf| Document::try_from(document).unwrap();
    assert!(
        found.as_bytes() == expected.as_bytes(),
        "{what}\n   found {}\nexpected {}",
        readable(found),
        readable(&expected)
    );
}

pub(crate) fn check(cases: &[Case], modes: &[Mode]) {
    for (specification, text, expected) in cases {
        for mode in modes {
            let what = format!("{mode:?} {specification} of {text}");
            let projection =
                parse(specification, *mode).unwrap_or_else(|error| panic!("{what}: {error}"));
            let found = projection
                .apply(&document(text), None, &variables())
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_same(&found, expected, &what);
        }
    }
}

/// What `find` shows with a filter, whose position goes to the projection.
pub(crate) fn find(
    filter: &str,
    specification: &str,
    text: &str,
) -> Result<Option<RawDocumentBuf>, Error> {
    let filter = Filter::parse(&document(filter), &Scope::new())?;
    let projection = parse(specification, Mode::Find)?;
    let document = document(text);
    let Some(found) = filter.find_match(&document, &variables())? else { return Ok(None) };
    projection.apply(&document, found.position, &variables()).map(Some)
}
