//! Search indexes: there are none, which the error says as drivers' tests expect it.

use super::arguments::Argument;
use super::context::{Context, Definition, Running};
use crate::error::{Code, Error};

/// `createSearchIndexes`.
pub const CREATE_SEARCH_INDEXES: Definition = Definition::new("createSearchIndexes", refuse)
    .collection()
    .arguments(&[Argument::array("indexes").required()])
    .open()
    .help("there are no search indexes");

/// `updateSearchIndex`.
pub const UPDATE_SEARCH_INDEX: Definition = Definition::new("updateSearchIndex", refuse)
    .collection()
    .open()
    .help("there are no search indexes");

/// `dropSearchIndex`.
pub const DROP_SEARCH_INDEX: Definition = Definition::new("dropSearchIndex", refuse)
    .collection()
    .open()
    .help("there are no search indexes");

/// `listSearchIndexes`.
pub const LIST_SEARCH_INDEXES: Definition = Definition::new("listSearchIndexes", refuse)
    .collection()
    .open()
    .help("there are no search indexes");

fn refuse<'a>(_context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async {
        Err(Error::new(
            Code::location(31_082),
            "Search indexes are not there: Atlas Search is a service of MongoDB Atlas",
        ))
    })
}
