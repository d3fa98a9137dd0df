//! Documents that came as an array or as a document sequence.

use ::bson::{RawArray, RawBsonRef, RawDocument};

use crate::error::{Code, Error};
use crate::wire::Sequence;

/// Documents of one argument, not copied.
#[derive(Clone, Copy, Debug)]
pub enum Documents<'a> {
    /// They are an array of the body.
    Array(&'a RawArray),
    /// They are a section of the message.
    Sequence(&'a Sequence),
}

impl<'a> Documents<'a> {
    /// The documents in their order. An error: an element is no object, or the array is broken.
    pub fn iter(&self) -> impl Iterator<Item = Result<&'a RawDocument, Error>> + use<'a> {
        let (array, sequence) = match *self {
            Self::Array(array) => (Some(array), None),
            Self::Sequence(documents) => (None, Some(documents)),
        };
        let elements = array.into_iter().flatten().map(|element| match element {
            Ok(RawBsonRef::Document(document)) => Ok(document),
            Ok(_) => Err(Error::new(Code::TYPE_MISMATCH, "expected an array of objects")),
            Err(error) => Err(Error::new(Code::INVALID_BSON, error.to_string())),
        });
        elements.chain(sequence.into_iter().flat_map(Sequence::iter).map(Ok))
    }

    /// How many there are; counts an array by walking it.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Array(array) => array.iter_elements().count(),
            Self::Sequence(documents) => documents.len(),
        }
    }

    /// Whether every document is known to be within the limits of stored ones.
    #[must_use]
    pub fn is_storable(&self) -> bool {
        matches!(self, Self::Sequence(documents) if documents.is_storable())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Array(array) => array.is_empty(),
            Self::Sequence(documents) => documents.is_empty(),
        }
    }
}
