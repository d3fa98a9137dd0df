//! `distinct`: the values of a path, each once.

use std::collections::HashSet;
use std::ops::ControlFlow;

use ::bson::{RawArrayBuf, RawBsonRef, RawDocument};

use crate::bson::limits::MAX_DOCUMENT_BYTES;
use crate::bson::path::{Path, is_number};
use crate::collation::Collator;
use crate::error::{Code, Error};

/// Gathers the values of a path.
#[derive(Debug)]
pub struct DistinctValues {
    path: Path,
    ends_with_position: bool,
    collator: Collator,
    seen: HashSet<Vec<u8>>,
    values: RawArrayBuf,
    bytes: usize,
}

impl DistinctValues {
    /// None yet.
    ///
    /// # Errors
    ///
    /// 2 for a path that is too long.
    pub fn new(path: &str, collator: Collator) -> Result<Self, Error> {
        let last = path.rsplit('.').next().unwrap_or_default();
        let ends_with_position = is_number(last);
        let path =
            Path::parse(path).map_err(|error| Error::new(Code::BAD_VALUE, error.to_string()))?;
        Ok(Self {
            path,
            ends_with_position,
            collator,
            seen: HashSet::new(),
            values: RawArrayBuf::new(),
            bytes: 0,
        })
    }

    /// Add the values of a document. Arrays count as their elements.
    ///
    /// # Errors
    ///
    /// 17217 when the values no longer fit into one reply.
    pub fn add(&mut self, document: &RawDocument) -> Result<(), Error> {
        let path = self.path.clone();
        let result = path.visit(document, &mut |found| {
            let added = match found.value {
                Some(RawBsonRef::Array(_)) if found.whole_array => Ok(()),
                Some(RawBsonRef::Array(array)) if self.ends_with_position => array
                    .into_iter()
                    .map_while(Result::ok)
                    .try_for_each(|value| self.add_value(value)),
                Some(value) => self.add_value(value),
                None => Ok(()),
            };
            match added {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            }
        });
        match result {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// The values, in the order in which they were met.
    #[must_use]
    pub fn into_values(self) -> RawArrayBuf {
        self.values
    }

    fn add_value(&mut self, value: RawBsonRef<'_>) -> Result<(), Error> {
        if !self.seen.insert(self.collator.hash_key(value).into_bytes()) {
            return Ok(());
        }
        self.values.push(value);
        self.bytes = self.values.as_bytes().len();
        if self.bytes > MAX_DOCUMENT_BYTES {
            return Err(Error::location(17217, "distinct too big, 16mb cap"));
        }
        Ok(())
    }
}
