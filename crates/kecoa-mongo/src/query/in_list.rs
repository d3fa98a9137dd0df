//! `$in`: one of many values, or a regular expression.

use ::bson::{RawBson, RawBsonRef};

use super::context::Context;
use super::pattern::Pattern;
use crate::collation::Collator;
use crate::error::Error;

/// The values of `$in`, in order, so that a long list is searched by halves.
#[derive(Clone, Debug)]
pub struct InList {
    values: Vec<RawBson>,
    patterns: Vec<Pattern>,
    has_null: bool,
}

impl InList {
    /// From values in any order.
    pub(super) fn new(
        mut values: Vec<RawBson>,
        patterns: Vec<Pattern>,
        collator: &Collator,
    ) -> Self {
        values.sort_by(|left, right| {
            collator.compare(left.as_raw_bson_ref(), right.as_raw_bson_ref())
        });
        values.dedup_by(|left, right| {
            collator.equal(left.as_raw_bson_ref(), right.as_raw_bson_ref())
        });
        let has_null = values.iter().any(|value| matches!(value, RawBson::Null));
        Self { values, patterns, has_null }
    }

    /// The values, in the order of the filter's collation, each once. Regular expressions are not among them.
    #[must_use]
    pub fn values(&self) -> &[RawBson] {
        &self.values
    }

    /// The regular expressions.
    #[must_use]
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether a value is in it; none is a missing one.
    pub(super) fn accepts(
        &self,
        value: Option<RawBsonRef<'_>>,
        context: Context<'_>,
    ) -> Result<bool, Error> {
        let Some(present) = value else { return Ok(self.has_null) };
        let found = self.values.binary_search_by(|element| {
            context.collator.compare(element.as_raw_bson_ref(), present)
        });
        if found.is_ok() {
            return Ok(true);
        }
        for pattern in &self.patterns {
            let interrupt = context.variables.interrupt();
            interrupt.check()?;
            if pattern.accepts(value, interrupt)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
