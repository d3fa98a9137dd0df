//! `$group`, and what is made of it: `$sortByCount`, `$bucket`.

mod parts;

use std::collections::HashMap;
use std::sync::Arc;
use std::vec::IntoIter;

use ::bson::raw::cstr;
use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::boundaries::Boundaries;
use super::sort::SortStage;
use crate::aggregate::accumulator::{self, Accumulator, State};
use crate::aggregate::context::Context;
use crate::aggregate::external_sort::Record;
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{fields, is_number, operator_name, single};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::collation::Collator;
use crate::error::Error;
use crate::expression::{Expression, Variables};
use crate::value::Value;
use parts::Parts;

/// `$group`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Group {
    pub(super) id: Arc<Expression>,
    /// Which bucket the value falls into, of `$bucket`.
    pub(super) boundaries: Option<Arc<Boundaries>>,
    pub(super) accumulators: Arc<[Accumulator]>,
    pub(super) collator: Collator,
}

impl Stage for Group {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(Grouping {
            group: self.clone(),
            variables: variables.clone(),
            places: HashMap::new(),
            groups: Vec::new(),
            memory: Memory::new("$group", options),
            // The groups of buckets are few, and are given in order.
            parts: Parts::new(options.spill().filter(|_| self.boundaries.is_none())),
            options: options.clone(),
            finished: None,
        })
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(15947, "a group's fields must be specified in an object"));
    };
    let mut id = None;
    let mut accumulators = Vec::new();
    for field in fields(document) {
        match field? {
            ("_id", _) if id.is_some() => {
                return Err(Error::location(15948, "a group's _id may only be specified once"));
            }
            ("_id", value) => id = Some(parse_id(value, context)?),
            (name, value) => {
                accumulators.push(accumulator::parse(name, value, context.scope)?);
            }
        }
    }
    let id =
        id.ok_or_else(|| Error::location(15955, "a group specification must include an _id"))?;
    Ok(vec![Arc::new(Group {
        id: Arc::new(id),
        boundaries: None,
        accumulators: accumulators.into(),
        collator: context.scope.collator().clone(),
    })])
}

/// What documents are grouped by.
fn parse_id(value: RawBsonRef<'_>, context: &Context<'_>) -> Result<Expression, Error> {
    if let RawBsonRef::Document(document) = value
        && operator_name(document).is_none()
    {
        for field in fields(document) {
            let (_, value) = field?;
            if is_number(value) || matches!(value, RawBsonRef::Boolean(_)) {
                return Err(Error::location(
                    17390,
                    "$group does not support inclusion-style expressions",
                ));
            }
        }
    }
    Expression::parse(value, context.scope)
}

pub(in crate::aggregate) fn parse_sort_by_count(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    match argument {
        RawBsonRef::Document(document) if operator_name(document).is_none() => {
            return Err(Error::location(
                40147,
                "the sortByCount field must be defined as a $-prefixed path or an expression inside an object",
            ));
        }
        RawBsonRef::String(path) if !path.starts_with('$') => {
            return Err(Error::location(
                40148,
                "the sortByCount field must be defined as a $-prefixed path or an expression inside an object",
            ));
        }
        RawBsonRef::Document(_) | RawBsonRef::String(_) => {}
        _ => {
            return Err(Error::location(
                40149,
                "the sortByCount field must be specified as a string or as an object",
            ));
        }
    }
    let group = Group {
        id: Arc::new(Expression::parse(argument, context.scope)?),
        boundaries: None,
        accumulators: vec![count_accumulator(context)?].into(),
        collator: context.scope.collator().clone(),
    };
    let sort = SortStage::new(&single(cstr!("count"), -1), context)?;
    Ok(vec![Arc::new(group), Arc::new(sort)])
}

/// `count: {$sum: 1}`.
pub(super) fn count_accumulator(context: &Context<'_>) -> Result<Accumulator, Error> {
    let sum = single(cstr!("$sum"), 1);
    accumulator::parse("count", RawBsonRef::Document(&sum), context.scope)
}

struct Grouping {
    group: Group,
    variables: Variables,
    places: HashMap<Vec<u8>, usize>,
    groups: Vec<(RawBson, Vec<State>)>,
    memory: Memory,
    parts: Parts,
    options: Options,
    /// The groups, when there are no further documents for them.
    finished: Option<IntoIter<(RawBson, Vec<State>)>>,
}

/// How many groups are given at once.
const BATCH: usize = 256;

impl Grouping {
    /// The place of a group; a new one is made. None where the document must wait for its group.
    fn place(
        &mut self,
        id: RawBsonRef<'_>,
        document: &RawDocumentBuf,
    ) -> Result<Option<usize>, Error> {
        let key = self.group.collator.hash_key(id).into_bytes();
        if let Some(place) = self.places.get(&key) {
            return Ok(Some(*place));
        }
        if self.memory.used() > self.options.memory_limit && self.parts.put(&key, document)? {
            return Ok(None);
        }
        let states = self.group.accumulators.len().saturating_mul(size_of::<State>());
        self.memory.add(key.len().saturating_mul(3).saturating_add(64).saturating_add(states))?;
        let states = (self.group.accumulators.iter())
            .map(|accumulator| State::new(accumulator, id, &self.variables))
            .collect::<Result<_, Error>>()?;
        let place = self.groups.len();
        self.groups.push((id.into(), states));
        self.places.insert(key, place);
        Ok(Some(place))
    }

    fn add(&mut self, document: &RawDocumentBuf) -> Result<(), Error> {
        // Cheap: a group's parts are counted pointers.
        let (group, variables) = (self.group.clone(), self.variables.clone());
        let id = group.id.evaluate(document, &variables)?;
        let id = id.as_ref().map(Value::as_ref);
        let id = match &group.boundaries {
            Some(boundaries) => boundaries.bucket_of(id, &group.collator)?,
            None => id.unwrap_or(RawBsonRef::Null),
        };
        let Some(place) = self.place(id, document)? else { return Ok(()) };
        let Some((_, states)) = self.groups.get_mut(place) else { return Ok(()) };
        let mut grown = 0_isize;
        for (accumulator, state) in group.accumulators.iter().zip(states) {
            grown = grown.saturating_add(state.add(accumulator, document, &variables)?);
        }
        if grown >= 0 {
            self.memory.add(grown.unsigned_abs())?;
        } else {
            self.memory.release(grown.unsigned_abs());
        }
        Ok(())
    }

    /// The groups whose documents have all been seen, to be given.
    fn take_groups(&mut self) -> IntoIter<(RawBson, Vec<State>)> {
        let mut groups = std::mem::take(&mut self.groups);
        self.places.clear();
        self.memory = Memory::new("$group", &self.options);
        if self.group.boundaries.is_some() {
            groups.sort_by(|(left, _), (right, _)| {
                self.group.collator.compare(left.as_raw_bson_ref(), right.as_raw_bson_ref())
            });
        }
        groups.into_iter()
    }
}

impl Operator for Grouping {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        self.add(&document)?;
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        if self.finished.as_ref().is_some_and(|left| left.len() == 0)
            && let Some(mut run) = self.parts.next_part()?
        {
            // What waited is grouped when those before are out of memory.
            self.finished = None;
            while let Some(bytes) = run.read()? {
                self.variables.interrupt().check()?;
                let document = <RawDocumentBuf as Record>::read(&bytes)?;
                self.add(&document)?;
            }
        }
        let mut finished = match self.finished.take() {
            Some(finished) => finished,
            None => self.take_groups(),
        };
        for (id, states) in finished.by_ref().take(BATCH) {
            out.push_back(document_of(id, states, &self.group.accumulators));
        }
        self.finished = Some(finished);
        Ok(())
    }

    fn has_more(&self) -> bool {
        self.finished.as_ref().is_some_and(|left| left.len() > 0) || self.parts.are_left()
    }
}

/// The document of a group.
pub(super) fn document_of(
    id: RawBson,
    states: Vec<State>,
    accumulators: &[Accumulator],
) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), id);
    for (accumulator, state) in accumulators.iter().zip(states) {
        document.append(&accumulator.field, state.finish(accumulator));
    }
    document
}
