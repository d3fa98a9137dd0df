//! `$firstN`, `$lastN`, `$minN`, `$maxN`, `$topN`, `$bottomN`: some of the values.

use std::cmp::Ordering;
use std::collections::VecDeque;

use ::bson::raw::RawArrayBuf;
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::definition::{Order, Select};
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
    values: VecDeque<Candidate>,
    /// How many came.
    seen: u64,
    bytes: usize,
}

/// A value with what it is sorted by, and when it came.
#[derive(Clone, Debug)]
struct Candidate {
    key: Option<SortKey>,
    value: RawBson,
    number: u64,
}

impl Selection {
    /// Nothing yet, of a group with this `_id`.
    pub(super) fn new(
        many: &Select,
        id: RawBsonRef<'_>,
        variables: &Variables,
    ) -> Result<Self, Error> {
        let count = match &many.count {
            None => 1,
            Some(expression) => {
                let empty = RawDocumentBuf::new();
                let fields = match id {
                    RawBsonRef::Document(fields) => fields,
                    _ => &empty,
                };
                let value = expression.evaluate(fields, variables)?;
                check_count(value.as_ref().map(Value::as_ref))?
            }
        };
        Ok(Self { count, values: VecDeque::new(), seen: 0, bytes: 0 })
    }

    /// The bytes of what is kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many are kept.
    pub(super) fn count(&self) -> usize {
        self.count
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
                    && let Some(dropped) = self.values.pop_front()
                {
                    let size = size_of(dropped.value.as_raw_bson_ref());
                    self.bytes = self.bytes.saturating_sub(size);
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
        self.shrink(many, collator);
        let compare = |left: &Candidate, right: &Candidate| in_order(many, collator, left, right);
        self.values.make_contiguous().sort_by(compare);
        if many.is_array {
            let values: RawArrayBuf = self.values.into_iter().map(|kept| kept.value).collect();
            return RawBson::Array(values);
        }
        self.values.pop_front().map_or(RawBson::Null, |kept| kept.value)
    }

    fn keep(&mut self, key: Option<SortKey>, value: RawBsonRef<'_>) {
        self.bytes += size_of(value);
        self.values.push_back(Candidate { key, value: value.into(), number: self.seen });
        self.seen += 1;
    }

    /// Drop what cannot be among the result, once that is worth a sort.
    fn cut(&mut self, many: &Select, collator: &Collator) {
        const SLACK: usize = 64;
        if self.values.len() >= self.count.saturating_mul(2).saturating_add(SLACK) {
            self.shrink(many, collator);
        }
    }

    /// Keep those that are wanted most; of equal ones, the first that came.
    fn shrink(&mut self, many: &Select, collator: &Collator) {
        if self.values.len() <= self.count {
            return;
        }
        let wanted = |left: &Candidate, right: &Candidate| {
            let order = match many.order {
                Order::Bottom(_) => right.key.cmp(&left.key),
                _ => in_order(many, collator, left, right),
            };
            let by_value = match many.order {
                Order::Greatest => compared(collator, right, left),
                _ => order,
            };
            by_value.then(left.number.cmp(&right.number))
        };
        self.values.make_contiguous().sort_by(wanted);
        self.values.truncate(self.count);
        self.bytes = self.values.iter().map(|kept| size_of(kept.value.as_raw_bson_ref())).sum();
    }
}

fn compared(collator: &Collator, left: &Candidate, right: &Candidate) -> Ordering {
    collator.compare(left.value.as_raw_bson_ref(), right.value.as_raw_bson_ref())
}

/// The order of the result.
fn in_order(many: &Select, collator: &Collator, left: &Candidate, right: &Candidate) -> Ordering {
    let by_number = left.number.cmp(&right.number);
    match &many.order {
        Order::First | Order::Last => by_number,
        Order::Least => compared(collator, left, right).then(by_number),
        Order::Greatest => compared(collator, right, left).then(by_number.reverse()),
        Order::Top(_) | Order::Bottom(_) => left.key.cmp(&right.key).then(by_number),
    }
}
