//! A value that is either part of a document or made on the way.

use ::bson::{RawBson, RawBsonRef};

/// A value: borrowed from a document, or made by an expression. A missing one is `Option::None`.
#[derive(Clone, Debug)]
pub enum Value<'doc> {
    /// Part of a document.
    Borrowed(RawBsonRef<'doc>),
    /// Made on the way.
    Owned(RawBson),
}

impl<'doc> Value<'doc> {
    /// The value to look at.
    #[must_use]
    pub fn as_ref(&self) -> RawBsonRef<'_> {
        match self {
            Self::Borrowed(value) => *value,
            Self::Owned(value) => value.as_raw_bson_ref(),
        }
    }

    /// The value to keep; copies what is borrowed.
    #[must_use]
    pub fn into_owned(self) -> RawBson {
        match self {
            Self::Borrowed(value) => value.into(),
            Self::Owned(value) => value,
        }
    }

    /// Whether it is `null` or the deprecated `undefined`.
    #[must_use]
    pub fn is_nullish(&self) -> bool {
        matches!(self.as_ref(), RawBsonRef::Null | RawBsonRef::Undefined)
    }
}

impl<'doc> From<RawBsonRef<'doc>> for Value<'doc> {
    fn from(value: RawBsonRef<'doc>) -> Self {
        Self::Borrowed(value)
    }
}

impl From<RawBson> for Value<'_> {
    fn from(value: RawBson) -> Self {
        Self::Owned(value)
    }
}
