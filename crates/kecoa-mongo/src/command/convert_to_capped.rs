//! `convertToCapped` and `cloneCollectionAsCapped`: refused, with what to do.

use super::context::{Context, Definition, Running};
use crate::error::{Code, Error};

/// `convertToCapped`.
pub const CONVERT_TO_CAPPED: Definition = Definition::new("convertToCapped", run)
    .open()
    .write_concern()
    .help("refused: a collection is capped from the beginning");

/// `cloneCollectionAsCapped`.
pub const CLONE_COLLECTION_AS_CAPPED: Definition = Definition::new("cloneCollectionAsCapped", run)
    .open()
    .write_concern()
    .help("refused: a collection is capped from the beginning");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    let name = context.definition.name;
    Box::pin(async move {
        Err(Error::new(
            Code::NOT_IMPLEMENTED,
            format!(
                "{name} is not supported: create a capped collection, and copy the documents by \
                 aggregate with $merge; nothing keeps others from writing meanwhile"
            ),
        ))
    })
}
