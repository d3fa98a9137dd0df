//! Documents as the shell writes them, and questions to filters.

use bson::{DateTime, RawDocumentBuf, Timestamp};
use kecoa_mongo::collation::Collator;
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::{Scope, Variables};
use kecoa_mongo::query::{ElementFilter, Filter};

use crate::shell;

pub(crate) fn document(text: &str) -> RawDocumentBuf {
    shell::document(text)
}

pub(crate) fn variables() -> Variables {
    Variables::new(DateTime::from_millis(0), Timestamp { time: 1, increment: 1 })
}

pub(crate) fn scope(collation: &str) -> Scope {
    if collation.is_empty() {
        return Scope::new();
    }
    Scope::new().with_collator(Collator::parse(&document(collation)).unwrap())
}

pub(crate) fn parse(filter: &str) -> Result<Filter, Error> {
    Filter::parse(&document(filter), &Scope::new())
}

pub(crate) fn matches(filter: &str, text: &str) -> bool {
    matches_collated(filter, text, "")
}

pub(crate) fn matches_collated(filter: &str, text: &str, collation: &str) -> bool {
    let filter = Filter::parse(&document(filter), &scope(collation))
        .unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.matches(&document(text), &variables()).unwrap()
}

/// What `$` stands for; none if the filter does not match.
pub(crate) fn position(filter: &str, text: &str) -> Option<Option<usize>> {
    let found = parse(filter).unwrap().find_match(&document(text), &variables()).unwrap();
    found.map(|found| found.position)
}

pub(crate) fn element_matches(filter: &str, element: &str) -> bool {
    let filter = ElementFilter::parse(&document(filter), &Scope::new()).unwrap();
    let element = document(&format!("{{e: {element}}}"));
    filter.matches(element.iter().next().unwrap().unwrap().1, &variables()).unwrap()
}

/// The code and the message with which a filter is refused.
pub(crate) fn refusal(filter: &str) -> (i32, String) {
    match parse(filter) {
        Ok(_) => panic!("{filter} was accepted"),
        Err(error) => (error.code().number(), error.message().to_owned()),
    }
}
