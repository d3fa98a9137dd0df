//! `$bucketAuto`.

mod series;

use std::sync::Arc;

use ::bson::raw::cstr;
use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::bucket::{group_by, outputs};
use super::group::{count_accumulator, document_of};
use crate::aggregate::accumulator::{Accumulator, State};
use crate::aggregate::context::Context;
use crate::aggregate::memory::Memory;
use crate::aggregate::number::to_double;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{describe, fields, integer, is_number, type_name};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::bson::number::Number;
use crate::collation::Collator;
use crate::error::Error;
use crate::expression::{Expression, Variables};
use crate::value::Value;
use series::Series;

/// `$bucketAuto`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct BucketAuto {
    group_by: Arc<Expression>,
    buckets: usize,
    accumulators: Arc<[Accumulator]>,
    granularity: Option<Series>,
    collator: Collator,
}

impl Stage for BucketAuto {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(Bucketing {
            stage: self.clone(),
            variables: variables.clone(),
            documents: Vec::new(),
            memory: Memory::new("$bucketAuto", options),
        })
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(
            40240,
            format!(
                "The argument to $bucketAuto must be an object, but found type: {}.",
                type_name(argument)
            ),
        ));
    };
    let (mut id, mut buckets, mut output, mut granularity) = (None, None, Vec::new(), None);
    for field in fields(document) {
        match field? {
            ("groupBy", value) => id = Some(group_by(value, "$bucketAuto", 40239, context)?),
            ("buckets", value) => buckets = Some(bucket_count(value)?),
            ("output", value) => {
                output = outputs(value, "$bucketAuto", 40244, context)?;
                if !output.iter().all(Accumulator::has_constant_start) {
                    return Err(Error::location(
                        4_544_714,
                        "Can't refer to the group key in $bucketAuto",
                    ));
                }
            }
            ("granularity", RawBsonRef::String(name)) => granularity = Some(Series::parse(name)?),
            ("granularity", other) => {
                return Err(Error::location(
                    40261,
                    format!(
                        "The $bucketAuto 'granularity' field must be a string, but found type: {}.",
                        type_name(other)
                    ),
                ));
            }
            (name, _) => {
                return Err(Error::location(
                    40245,
                    format!("Unrecognized option to $bucketAuto: {name}."),
                ));
            }
        }
    }
    let (Some(id), Some(buckets)) = (id, buckets) else {
        return Err(Error::location(
            40246,
            "$bucketAuto requires 'groupBy' and 'buckets' to be specified.",
        ));
    };
    let buckets = match usize::try_from(buckets) {
        Ok(count) if count > 0 => count,
        _ => {
            return Err(Error::location(
                40243,
                format!(
                    "The $bucketAuto 'buckets' field must be greater than 0, but found: {buckets}."
                ),
            ));
        }
    };
    let accumulators = if output.is_empty() { vec![count_accumulator(context)?] } else { output };
    Ok(vec![Arc::new(BucketAuto {
        group_by: Arc::new(id),
        buckets,
        accumulators: accumulators.into(),
        granularity,
        collator: context.scope.collator().clone(),
    })])
}

fn bucket_count(value: RawBsonRef<'_>) -> Result<i32, Error> {
    if !is_number(value) {
        return Err(Error::location(
            40241,
            format!(
                "The $bucketAuto 'buckets' field must be a numeric value, but found type: {}.",
                type_name(value)
            ),
        ));
    }
    integer(value).and_then(|count| i32::try_from(count).ok()).ok_or_else(|| {
        Error::location(
            40242,
            format!(
                "The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found {}.",
                describe(value)
            ),
        )
    })
}

struct Bucketing {
    stage: BucketAuto,
    variables: Variables,
    documents: Vec<(RawBson, RawDocumentBuf)>,
    memory: Memory,
}

impl Operator for Bucketing {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        self.memory.add(document.as_bytes().len())?;
        let value = self.stage.group_by.evaluate(&document, &self.variables)?;
        let value = value.map_or(RawBson::Null, Value::into_owned);
        if self.stage.granularity.is_some() {
            check_granular(value.as_raw_bson_ref())?;
        }
        self.documents.push((value, document));
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        let stage = self.stage.clone();
        let compare = |left: &RawBson, right: &RawBson| {
            stage.collator.compare(left.as_raw_bson_ref(), right.as_raw_bson_ref())
        };
        let mut documents = std::mem::take(&mut self.documents);
        documents.sort_by(|(left, _), (right, _)| compare(left, right));
        // Rounded half up, at least one.
        let size = ((2 * documents.len() + stage.buckets) / (2 * stage.buckets)).max(1);
        let mut rest = documents.into_iter().peekable();
        let mut lower: Option<RawBson> = None;
        for bucket in 1..=stage.buckets {
            let Some((first, document)) = rest.next() else { break };
            let mut minimum = lower.take().unwrap_or_else(|| first.clone());
            let mut states: Vec<State> = (stage.accumulators.iter())
                .map(|accumulator| State::new(accumulator, RawBsonRef::Null, &self.variables))
                .collect::<Result<_, Error>>()?;
            let mut last = first;
            add(&stage, &mut states, &document, &self.variables)?;
            let mut taken = 1;
            if let Some(series) = &stage.granularity
                && bucket == 1
            {
                minimum = series.below(&minimum);
            }
            let mut boundary = None;
            while let Some((next, _)) = rest.peek() {
                let belongs = bucket == stage.buckets
                    || match &boundary {
                        Some(boundary) => {
                            compare(next, boundary).is_lt() || compare(next, &last).is_eq()
                        }
                        None => taken < size || compare(next, &last).is_eq(),
                    };
                if !belongs {
                    // With a granularity, the boundary is the next number of the series.
                    if let (None, Some(series)) = (&boundary, &stage.granularity) {
                        boundary = Some(series.above(&last));
                        continue;
                    }
                    break;
                }
                let Some((value, document)) = rest.next() else { break };
                add(&stage, &mut states, &document, &self.variables)?;
                last = value;
                taken += 1;
            }
            let maximum = match (&stage.granularity, rest.peek()) {
                (Some(series), next) => {
                    let boundary = boundary.unwrap_or_else(|| series.above(&last));
                    match next {
                        // Nothing is above zero: the number below what follows is.
                        Some((next, _)) if is_zero(&boundary) => series.below(next),
                        _ => boundary,
                    }
                }
                (None, Some((next, _))) => next.clone(),
                (None, None) => last,
            };
            let mut id = RawDocumentBuf::new();
            id.append(cstr!("min"), minimum);
            id.append(cstr!("max"), &maximum);
            lower = Some(maximum);
            out.push_back(document_of(RawBson::Document(id), states, &stage.accumulators));
        }
        Ok(())
    }
}

fn add(
    stage: &BucketAuto,
    states: &mut [State],
    document: &RawDocumentBuf,
    variables: &Variables,
) -> Result<(), Error> {
    for (accumulator, state) in stage.accumulators.iter().zip(states) {
        state.add(accumulator, document, variables)?;
    }
    Ok(())
}

fn is_zero(value: &RawBson) -> bool {
    Number::from_bson(value.as_raw_bson_ref()).is_some_and(|number| to_double(number) == 0.0)
}

fn check_granular(value: RawBsonRef<'_>) -> Result<(), Error> {
    let Some(number) = Number::from_bson(value) else {
        return Err(Error::location(
            40258,
            format!(
                "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: {}",
                type_name(value)
            ),
        ));
    };
    let double = to_double(number);
    if double.is_nan() {
        return Err(Error::location(
            40259,
            "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a NaN",
        ));
    }
    if double < 0.0 {
        return Err(Error::location(
            40260,
            "$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number",
        ));
    }
    Ok(())
}
