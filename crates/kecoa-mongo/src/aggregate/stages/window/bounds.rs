//! Which documents around one a window has.

use std::ops::Range;

use ::bson::{RawBsonRef, RawDocument};

use crate::aggregate::specification::{fields, integer, items};
use crate::error::{Code, Error};

/// The first and the last document of a window, beside the current one; none is without end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) lower: Option<i64>,
    pub(super) upper: Option<i64>,
}

impl Bounds {
    /// Read `{documents: [lower, upper]}`.
    pub(super) fn parse(window: &RawDocument, is_sorted: bool) -> Result<Self, Error> {
        let refused = |message: &str| Error::new(Code::FAILED_TO_PARSE, message);
        let mut bounds = Self::default();
        for field in fields(window) {
            let (name, value) = field?;
            match name {
                "documents" => {}
                "range" | "unit" => {
                    return Err(Error::new(
                        Code::NOT_IMPLEMENTED,
                        "windows by range are not supported; use documents",
                    ));
                }
                _ => {
                    return Err(refused(
                        "'window' field can only contain 'documents' as the only argument or 'range' with an \
                         optional 'unit' field",
                    ));
                }
            }
            let ends: Vec<RawBsonRef<'_>> = match value {
                RawBsonRef::Array(array) => items(array).collect::<Result<_, _>>()?,
                _ => return Err(refused("Window bounds must be a 2-element array")),
            };
            let [lower, upper] = ends.as_slice() else {
                return Err(refused("Window bounds must be a 2-element array"));
            };
            bounds = Self { lower: bound(*lower)?, upper: bound(*upper)? };
            if !is_sorted && bounds != Self::default() {
                return Err(Error::location(5_339_901, "Document-based bounds require a sortBy"));
            }
            if let (Some(lower), Some(upper)) = (bounds.lower, bounds.upper)
                && lower > upper
            {
                return Err(Error::location(5_339_900, "Lower bound must not exceed upper bound"));
            }
        }
        Ok(bounds)
    }

    /// The places of a window's documents, of `count`.
    pub(super) fn range(self, place: usize, count: usize) -> Range<usize> {
        let at = |offset: i64| {
            let distance = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            if offset < 0 {
                place.checked_sub(distance)
            } else {
                Some(place.saturating_add(distance))
            }
        };
        let start = self.lower.and_then(at).unwrap_or(0).min(count);
        let end = match self.upper {
            None => count,
            Some(upper) => at(upper).map_or(0, |last| last.saturating_add(1).min(count)),
        };
        start..end.max(start)
    }
}

fn bound(value: RawBsonRef<'_>) -> Result<Option<i64>, Error> {
    match value {
        RawBsonRef::String("unbounded") => Ok(None),
        RawBsonRef::String("current") => Ok(Some(0)),
        other => integer(other).map(Some).ok_or_else(|| {
            Error::new(Code::FAILED_TO_PARSE, "Numeric document-based bounds must be an integer")
        }),
    }
}
