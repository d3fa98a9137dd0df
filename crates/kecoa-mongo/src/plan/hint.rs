//! Which index a hint means.

use std::sync::Arc;

use ::bson::RawBsonRef;

use crate::bson::compare::{compare, compare_documents};
use crate::error::{Code, Error};
use crate::index::Index;
use crate::plan::access::Order;

/// What a hint asks for.
pub(super) enum Hint {
    /// Nothing.
    None,
    /// The order in which documents are stored.
    Natural(Order),
    /// An index.
    Index(Arc<Index>),
}

impl Hint {
    /// # Errors
    ///
    /// 2 if there is no such index, 9 for a value that is neither a name nor a key pattern.
    pub(super) fn resolve(
        hint: Option<RawBsonRef<'_>>,
        indexes: &[Arc<Index>],
    ) -> Result<Self, Error> {
        let found = match hint {
            None => return Ok(Self::None),
            Some(RawBsonRef::String(name)) => indexes.iter().find(|index| index.name() == name),
            Some(RawBsonRef::Document(pattern)) => {
                if pattern.is_empty() {
                    return Ok(Self::None);
                }
                if let Ok(Some(direction)) = pattern.get("$natural") {
                    let backward = compare(direction, RawBsonRef::Int32(0)).is_lt();
                    return Ok(Self::Natural(if backward {
                        Order::Backward
                    } else {
                        Order::Forward
                    }));
                }
                indexes.iter().find(|index| compare_documents(index.key_pattern(), pattern).is_eq())
            }
            Some(_) => {
                return Err(Error::new(
                    Code::FAILED_TO_PARSE,
                    "Hint must be a string or an object",
                ));
            }
        };
        match found {
            Some(index) if !index.is_hidden() && !index.is_building() => {
                Ok(Self::Index(Arc::clone(index)))
            }
            _ => Err(Error::new(
                Code::BAD_VALUE,
                "error processing query: planner returned error :: caused by :: hint provided does \
                 not correspond to an existing index",
            )),
        }
    }
}
