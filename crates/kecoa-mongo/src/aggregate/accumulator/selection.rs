//! `$firstN`, `$lastN`, `$minN`, `$maxN`, `$topN`, `$bottomN`: some of the values.

use std::collections::VecDeque;

use ::bson::raw::RawArrayBuf;
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::definition::{Count, Order, Select};
use super::parse::check_count;
use super::size::size_of;
use crate::collation::Collator;
use crate::error::Error;
use crate::expression::Variables;
use crate::query::SortKey;
use crate::value::Value;

/// The values that are kept.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Selection {
    count: usize,
    values: VecDeque<(Option<SortKey>, RawBson)>,
    bytes: usize,
}

impl Selection {
    /// Nothing yet, of a group with this `_id`.
    pub(super) fn new(
        many: &Select,
        id: RawBsonRef<'_>,
        variables: &Variables,
    ) -> Result<Self, Error> {
        let count = match &many.count {
            Count::Known(count) => *count,
            Count::Computed(expression) => {
                let mut group = RawDocumentBuf::new();
                group.append(::bson::raw::cstr!("_id"), id);
                let value = expression.evaluate(&group, variables)?;
                check_count(value.as_ref().map(Value::as_ref))?
            }
        };
        Ok(Self { count, values: VecDeque::new(), bytes: 0 })
    }

    /// Take a value; the bytes by which memory grew.
    pub(super) fn add(
        &mut self,
        many: &Select,
        value: Option<RawBsonRef<'_>>,
        document: &RawDocument,
        collator: &Collator,
    ) -> Result<isize, Error> {
        let before = self.bytes;
        let present = value.unwrap_or(RawBsonRef::Null);
        match &many.order {
            Order::First => {
                if self.values.len() < self.count {
                    self.keep(None, present);
                }
            }
            Order::Last => {
                self.keep(None, present);
                if self.values.len() > self.count
                    && let Some((_, dropped)) = self.values.pop_front()
                {
                    self.bytes = self.bytes.saturating_sub(size_of(dropped.as_raw_bson_ref()));
                }
            }
            Order::Least | Order::Greatest => {
                if !matches!(present, RawBsonRef::Null | RawBsonRef::Undefined) {
                    self.keep(None, present);
                    self.cut(many, collator);
                }
            }
            Order::Top(sort) | Order::Bottom(sort) => {
                self.keep(Some(sort.key(document)?), present);
                self.cut(many, collator);
            }
        }
        let signed = |bytes: usize| isize::try_from(bytes).unwrap_or(isize::MAX);
        Ok(signed(self.bytes) - signed(before))
    }

    /// The result.
    pub(super) fn finish(mut self, many: &Select, collator: &Collator) -> RawBson {
        self.sort(many, collator);
        if many.is_array {
            let values: RawArrayBuf = self.values.into_iter().map(|(_, value)| value).collect();
            return RawBson::Array(values);
        }
        self.values.pop_front().map_or(RawBson::Null, |(_, value)| value)
    }

    fn keep(&mut self, key: Option<SortKey>, value: RawBsonRef<'_>) {
        self.bytes += size_of(value);
        self.values.push_back((key, value.into()));
    }

    /// Drop what cannot be among the result, once that is worth a sort.
    fn cut(&mut self, many: &Select, collator: &Collator) {
        const SLACK: usize = 64;
        if self.values.len() >= self.count.saturating_mul(2).saturating_add(SLACK) {
            self.sort(many, collator);
        }
    }

    fn sort(&mut self, many: &Select, collator: &Collator) {
        let compare = |left: &RawBson, right: &RawBson| {
            collator.compare(left.as_raw_bson_ref(), right.as_raw_bson_ref())
        };
        let values = self.values.make_contiguous();
        match &many.order {
            Order::First | Order::Last => {}
            Order::Least => values.sort_by(|(_, left), (_, right)| compare(left, right)),
            Order::Greatest => values.sort_by(|(_, left), (_, right)| compare(right, left)),
            Order::Top(_) | Order::Bottom(_) => {
                values.sort_by(|(left, _), (right, _)| left.cmp(right));
            }
        }
        let beyond = self.values.len().saturating_sub(self.count);
        if matches!(many.order, Order::Bottom(_)) {
            self.values.drain(..beyond);
        } else {
            self.values.truncate(self.count);
        }
        self.bytes = self.values.iter().map(|(_, value)| size_of(value.as_raw_bson_ref())).sum();
    }
}
