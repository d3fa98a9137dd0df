//! Arguments by name.

use ::bson::{RawBsonRef, RawDocument};

use super::parser::malformed;
use crate::error::Error;

/// The fields of a document, whose bytes were validated.
pub(super) fn fields(
    document: &RawDocument,
) -> impl Iterator<Item = Result<(&str, RawBsonRef<'_>), Error>> {
    document.iter().map(|field| {
        let (name, value) = field.map_err(malformed)?;
        Ok((name.as_str(), value))
    })
}
