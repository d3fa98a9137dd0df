//! What a group has accumulated so far.

use std::collections::{HashMap, HashSet};

use ::bson::raw::{CString, RawArrayBuf};
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::definition::{Accumulator, Operation};
use super::percentile::percentiles;
use super::selection::Selection;
use super::size::size_of;
use crate::aggregate::number::{Deviation, Sum, to_double};
use crate::aggregate::specification::{describe, type_name, unreadable};
use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::expression::Variables;
use crate::value::Value;

/// The bytes that one accumulator of one group may hold.
const MAX_BYTES: usize = 100 * 1024 * 1024;

/// What a group has accumulated for one field.
#[derive(Clone, Debug)]
pub(in crate::aggregate) enum State {
    Sum(Sum),
    Average(Sum, u64),
    Count(u64),
    One(Option<RawBson>),
    Array(RawArrayBuf),
    Set(HashSet<Vec<u8>>, RawArrayBuf),
    Object(Fields),
    Deviation(Deviation),
    Selection(Selection),
    Values(Vec<f64>),
}

/// The fields of `$mergeObjects`, in the order in which they first came.
#[derive(Clone, Debug, Default)]
pub(in crate::aggregate) struct Fields {
    places: HashMap<CString, usize>,
    values: Vec<(CString, RawBson)>,
}

/// The bytes of an array that one accumulator gathers.
const MOST_BYTES: usize = 100 * 1024 * 1024;

fn check_array(array: &RawArrayBuf, operator: &str) -> Result<(), Error> {
    let bytes = array.as_bytes().len();
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    Err(Error::new(
        Code::EXCEEDED_MEMORY_LIMIT,
        format!(
            "{operator} used too much memory and cannot spill to disk: expected at most {MOST_BYTES} bytes, found {bytes}"
        ),
    ))
}

impl State {
    /// Nothing yet, of a group with this `_id`.
    pub(in crate::aggregate) fn new(
        accumulator: &Accumulator,
        id: RawBsonRef<'_>,
        variables: &Variables,
    ) -> Result<Self, Error> {
        Ok(match &accumulator.operation {
            Operation::Sum => Self::Sum(Sum::default()),
            Operation::Average => Self::Average(Sum::default(), 0),
            Operation::Count => Self::Count(0),
            Operation::Extreme { .. } | Operation::First | Operation::Last => Self::One(None),
            Operation::Push => Self::Array(RawArrayBuf::new()),
            Operation::AddToSet => Self::Set(HashSet::new(), RawArrayBuf::new()),
            Operation::MergeObjects => Self::Object(Fields::default()),
            Operation::Deviation { .. } => Self::Deviation(Deviation::default()),
            Operation::Select(many) => Self::Selection(Selection::new(many, id, variables)?),
            Operation::Percentile { .. } => Self::Values(Vec::new()),
        })
    }

    /// Take a document; the bytes by which memory grew.
    pub(in crate::aggregate) fn add(
        &mut self,
        accumulator: &Accumulator,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<isize, Error> {
        let grown = self.take(accumulator, document, variables)?;
        if grown > 0 {
            self.check_size(accumulator)?;
        }
        Ok(grown)
    }

    fn take(
        &mut self,
        accumulator: &Accumulator,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<isize, Error> {
        if let Self::Count(count) = self {
            *count += 1;
            return Ok(0);
        }
        let evaluated = accumulator.argument.evaluate(document, variables)?;
        let value = evaluated.as_ref().map(Value::as_ref);
        if let (Self::Selection(kept), Operation::Select(many)) =
            (&mut *self, &accumulator.operation)
        {
            return kept.add(many, value, document, &accumulator.collator);
        }
        // Without a number, or without a value, most take nothing.
        match (self, value, value.and_then(Number::from_bson)) {
            (Self::Sum(sum), _, Some(number)) => sum.add(number),
            (Self::Average(sum, count), _, Some(number)) => {
                sum.add(number);
                *count += 1;
            }
            (Self::Deviation(deviation), _, Some(number)) => deviation.add(to_double(number)),
            (Self::Values(values), _, Some(number)) if !to_double(number).is_nan() => {
                values.push(to_double(number));
                return Ok(grown(8));
            }
            (Self::One(kept), value, _) => return Ok(keep_one(accumulator, kept, value)),
            (Self::Array(array), Some(value), _) => {
                array.push(value);
                check_array(array, "$push")?;
                return Ok(grown(size_of(value)));
            }
            (Self::Set(keys, array), Some(value), _) => {
                let is_new = keys.insert(accumulator.collator.hash_key(value).into_bytes());
                if is_new {
                    array.push(value);
                    check_array(array, "$addToSet")?;
                }
                return Ok(if is_new { grown(size_of(value).saturating_mul(2)) } else { 0 });
            }
            (Self::Object(fields), value, _) => return fields.merge(value).map(grown),
            _ => {}
        }
        Ok(0)
    }

    /// Refuse a result that grows beyond what an accumulator may hold.
    fn check_size(&self, accumulator: &Accumulator) -> Result<(), Error> {
        let bytes = match self {
            Self::Array(array) | Self::Set(_, array) => array.as_bytes().len(),
            Self::Selection(selection) => selection.bytes(),
            Self::Values(values) => values.len().saturating_mul(8),
            _ => 0,
        };
        if bytes <= MAX_BYTES {
            return Ok(());
        }
        Err(Error::new(
            Code::EXCEEDED_MEMORY_LIMIT,
            format!(
                "the accumulator of '{}' used too much memory and cannot spill to disk. Memory limit: {MAX_BYTES} bytes",
                accumulator.field.as_str()
            ),
        ))
    }

    /// The result.
    pub(in crate::aggregate) fn finish(self, accumulator: &Accumulator) -> RawBson {
        match (self, &accumulator.operation) {
            (Self::Sum(sum), _) => sum.total().to_bson(),
            (Self::Average(_, 0), _) => RawBson::Null,
            (Self::Average(sum, count), _) => sum.mean(count).to_bson(),
            (Self::Count(count), _) => match i32::try_from(count) {
                Ok(count) => RawBson::Int32(count),
                Err(_) => RawBson::Int64(i64::try_from(count).unwrap_or(i64::MAX)),
            },
            (Self::One(value), _) => value.unwrap_or(RawBson::Null),
            (Self::Array(array) | Self::Set(_, array), _) => RawBson::Array(array),
            (Self::Object(fields), _) => RawBson::Document(fields.finish()),
            (Self::Deviation(deviation), Operation::Deviation { sample }) => {
                deviation.result(*sample)
            }
            (Self::Selection(kept), Operation::Select(many)) => {
                kept.finish(many, &accumulator.collator)
            }
            (Self::Values(values), Operation::Percentile { points, single }) => {
                percentiles(values, points, *single)
            }
            _ => RawBson::Null,
        }
    }
}

/// `$first`, `$last`, `$min` and `$max`.
fn keep_one(
    accumulator: &Accumulator,
    kept: &mut Option<RawBson>,
    value: Option<RawBsonRef<'_>>,
) -> isize {
    let present = value.unwrap_or(RawBsonRef::Null);
    let takes = match &accumulator.operation {
        Operation::Last => true,
        Operation::First => kept.is_none(),
        Operation::Extreme { greatest } => {
            !matches!(present, RawBsonRef::Null | RawBsonRef::Undefined)
                && kept.as_ref().is_none_or(|kept| {
                    let order = accumulator.collator.compare(present, kept.as_raw_bson_ref());
                    if *greatest { order.is_gt() } else { order.is_lt() }
                })
        }
        _ => false,
    };
    if !takes {
        return 0;
    }
    let before = kept.as_ref().map_or(0, |kept| size_of(kept.as_raw_bson_ref()));
    *kept = Some(present.into());
    grown(size_of(present)) - grown(before)
}

impl Fields {
    fn merge(&mut self, value: Option<RawBsonRef<'_>>) -> Result<usize, Error> {
        let document = match value {
            None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => return Ok(0),
            Some(RawBsonRef::Document(document)) => document,
            Some(other) => {
                return Err(Error::location(
                    40400,
                    format!(
                        "$mergeObjects requires object inputs, but input {} is of type {}",
                        describe(other),
                        type_name(other)
                    ),
                ));
            }
        };
        for field in document {
            let (name, value) = field.map_err(unreadable)?;
            let name = CString::from(name);
            match self.places.get(&name).and_then(|place| self.values.get_mut(*place)) {
                Some((_, kept)) => *kept = value.into(),
                None => {
                    self.places.insert(name.clone(), self.values.len());
                    self.values.push((name, value.into()));
                }
            }
        }
        Ok(document.as_bytes().len())
    }

    fn finish(self) -> RawDocumentBuf {
        self.values.into_iter().collect()
    }
}

fn grown(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}
