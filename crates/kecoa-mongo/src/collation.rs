//! How strings compare: byte by byte, or by the rules of a language.
//!
//! A [`Collator`] compares whole values: strings within arrays and documents go by its rules, names of fields and
//! all other types by MongoDB's order.

mod compare;
mod locale;
mod options;
mod parse;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};
use icu_collator::CollatorBorrowed;

use crate::bson::compare as binary;
use crate::bson::key::{Direction, Key, KeyBuilder};
use crate::error::Error;
use options::Options;

/// How strings compare. The default compares their bytes. Cheap to clone.
#[derive(Clone, Default)]
pub struct Collator(Option<Arc<Content>>);

struct Content {
    options: Options,
    rules: CollatorBorrowed<'static>,
}

impl Collator {
    /// From the document that a command brings as `collation`. `{locale: "simple"}` compares bytes.
    ///
    /// An empty document is refused, as one without a locale; commands take it for an absent one before.
    ///
    /// # Errors
    ///
    /// 40414 without a locale, 40413 for a field that stands there twice, 40415 for an unknown one, 14 for a wrong
    /// type, 2 for a value out of range or an unknown locale, 9 for options beside `simple`.
    pub fn parse(specification: &RawDocument) -> Result<Self, Error> {
        let Some((options, rules)) = parse::parse(specification)? else { return Ok(Self(None)) };
        Ok(Self(Some(Arc::new(Content { options, rules }))))
    }

    /// Whether strings are compared by their bytes.
    #[must_use]
    pub fn is_simple(&self) -> bool {
        self.0.is_none()
    }

    /// Compare two values of any types.
    #[must_use]
    pub fn compare(&self, left: RawBsonRef<'_>, right: RawBsonRef<'_>) -> Ordering {
        match &self.0 {
            None => binary::compare(left, right),
            Some(content) => compare::values(&content.rules, left, right, 0),
        }
    }

    /// Compare two values, either of which may be missing. A missing one is what `undefined` is.
    #[must_use]
    pub fn compare_optional(
        &self,
        left: Option<RawBsonRef<'_>>,
        right: Option<RawBsonRef<'_>>,
    ) -> Ordering {
        let present = |value: Option<_>| value.unwrap_or(RawBsonRef::Undefined);
        self.compare(present(left), present(right))
    }

    /// Whether two values are equal.
    #[must_use]
    pub fn equal(&self, left: RawBsonRef<'_>, right: RawBsonRef<'_>) -> bool {
        self.compare(left, right).is_eq()
    }

    /// Compare two strings.
    #[must_use]
    pub fn compare_strings(&self, left: &str, right: &str) -> Ordering {
        match &self.0 {
            None => left.as_bytes().cmp(right.as_bytes()),
            Some(content) => content.rules.compare(left, right),
        }
    }

    /// Append a value to a key, so that keys are in the order of [`compare`](Self::compare). A missing value counts
    /// as `null`.
    pub fn push_key(
        &self,
        builder: &mut KeyBuilder,
        value: Option<RawBsonRef<'_>>,
        direction: Direction,
    ) {
        match (value, self.comparable(value)) {
            (_, Some(comparable)) => {
                builder.push(Some(comparable.as_raw_bson_ref()), direction);
            }
            (value, None) => builder.push(value, direction),
        }
    }

    /// Bytes that are equal for equal values and different for others, for sets and groups.
    #[must_use]
    pub fn hash_key(&self, value: RawBsonRef<'_>) -> Key {
        let mut builder = KeyBuilder::default();
        self.push_key(&mut builder, Some(value), Direction::Ascending);
        builder.finish()
    }

    /// All options spelled out, as listCollections shows them; `{locale: "simple"}` where bytes are compared.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        self.0.as_ref().map_or_else(options::simple, |content| content.options.to_document())
    }

    /// The value with sort keys instead of strings; `None` where it has no strings, or bytes are compared.
    fn comparable(&self, value: Option<RawBsonRef<'_>>) -> Option<RawBson> {
        compare::with_sort_keys(&self.0.as_ref()?.rules, value?, 0)
    }
}

impl PartialEq for Collator {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(left), Some(right)) => left.options == right.options,
            _ => false,
        }
    }
}

impl Eq for Collator {}

impl fmt::Debug for Collator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Collator(simple)"),
            Some(content) => f.debug_tuple("Collator").field(&content.options).finish(),
        }
    }
}
