//! `$densify`.

mod point;
mod range;
mod steps;

use std::collections::HashMap;
use std::sync::Arc;

use ::bson::raw::CString;
use ::bson::{RawBsonRef, RawDocumentBuf};

use super::nested_field::FieldPath;
use super::sort::SortStage;
use super::window::conflict;
use crate::aggregate::context::Context;
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{
    check_field_path, fields, items, missing_field, type_name, unknown_field, wrong_type,
};
use crate::aggregate::stage::{Documents, Flow, Operator, Stage, Stages};
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Expression, Variables};
use crate::value::Value;
use point::Point;
use range::Bounds;
use steps::Steps;

/// How many documents one stage may make.
const MAX_DOCUMENTS: usize = 500_000;

/// What `$densify` does with documents that are sorted by the field, and by the partitions where they have bounds of
/// their own.
#[derive(Clone, Debug)]
struct Densify {
    field: FieldPath,
    partitions: Arc<[(FieldPath, Expression)]>,
    bounds: Bounds,
    steps: Steps,
}

impl Stage for Densify {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(Densifying {
            stage: self.clone(),
            variables: variables.clone(),
            partitions: Vec::new(),
            places: HashMap::new(),
            ends: None,
            made: 0,
            memory: Memory::new("$densify", options),
        })
    }
}

pub(in crate::aggregate) fn parse(
    name: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            format!(
                "The $densify stage specification must be an object, found {}",
                type_name(argument)
            ),
        ));
    };
    let (mut field, mut partitions, mut range) = (None, Vec::new(), None);
    for found in fields(document) {
        match found? {
            ("field", RawBsonRef::String(path)) => field = Some(path),
            ("field", value) => return Err(wrong_type(name, "field", value, "string")),
            ("partitionByFields", RawBsonRef::Array(paths)) => {
                for item in items(paths) {
                    let RawBsonRef::String(path) = item? else {
                        return Err(Error::new(
                            Code::TYPE_MISMATCH,
                            "BSON field '$densify.partitionByFields' must be an array of strings",
                        ));
                    };
                    partitions.push(path);
                }
            }
            ("partitionByFields", value) => {
                return Err(wrong_type(name, "partitionByFields", value, "array"));
            }
            ("range", RawBsonRef::Document(value)) => range = Some(range::read(value)?),
            ("range", value) => return Err(wrong_type(name, "range", value, "object")),
            (other, _) => return Err(unknown_field(name, other)),
        }
    }
    let field = field.ok_or_else(|| missing_field(name, "field"))?;
    let range = range.ok_or_else(|| missing_field(name, "range"))?;
    let (bounds, steps) = range.check()?;
    for path in &partitions {
        check_field_path(path)?;
    }
    let path = FieldPath::parse(field)?;
    check_partitions(field, &partitions, &bounds)?;
    let mut sort = RawDocumentBuf::new();
    let sorted = if matches!(bounds, Bounds::Full) { &[][..] } else { &partitions };
    for path in sorted.iter().chain([&field]) {
        let path = CString::try_from(*path)
            .map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))?;
        sort.append(path, 1);
    }
    let partitions = partitions
        .into_iter()
        .map(|path| {
            let expression = format!("${path}");
            let expression = Expression::parse(RawBsonRef::String(&expression), context.scope)?;
            Ok((FieldPath::parse(path)?, expression))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(vec![
        Arc::new(SortStage::new(&sort, context)?),
        Arc::new(Densify { field: path, partitions: partitions.into(), bounds, steps }),
    ])
}

fn check_partitions(field: &str, partitions: &[&str], bounds: &Bounds) -> Result<(), Error> {
    for path in partitions {
        if conflict(field, path) {
            let number = if path.len() < field.len() { 9_554_500 } else { 8_993_000 };
            return Err(Error::location(
                number,
                "$densify cannot partition by the field that it densifies, nor by one around or within it",
            ));
        }
    }
    if matches!(bounds, Bounds::Partition) && partitions.is_empty() {
        return Err(Error::location(
            5_733_408,
            "One cannot specify the bounds as 'partition' without specifying a non-empty array of \
             partitionByFields. You may have meant to specify 'full' bounds.",
        ));
    }
    Ok(())
}

/// The documents that have the same values in the fields of partitions.
struct Partition {
    /// These fields alone.
    fields: RawDocumentBuf,
    /// The last value on the steps from the first; none before the first one within bounds.
    current: Option<Point>,
}

struct Densifying {
    stage: Densify,
    variables: Variables,
    partitions: Vec<Partition>,
    places: HashMap<Vec<u8>, usize>,
    /// The first value, the last one, and whether the last one is on the steps.
    ends: Option<(Point, Point, bool)>,
    made: usize,
    memory: Memory,
}

impl Densifying {
    /// The place of a document's partition; it may be new.
    fn partition(&mut self, document: &RawDocumentBuf) -> Result<usize, Error> {
        let mut found = RawDocumentBuf::new();
        for (path, expression) in &*self.stage.partitions {
            let value = expression.evaluate(document, &self.variables)?;
            if let Some(value) = &value {
                found = path.set(&found, Some(Value::as_ref(value)))?;
            }
        }
        let key = Collator::default().hash_key(RawBsonRef::Document(&found)).into_bytes();
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        self.memory.add(found.as_bytes().len() + key.len())?;
        let place = self.partitions.len();
        self.places.insert(key, place);
        self.partitions.push(Partition { fields: found, current: None });
        Ok(place)
    }

    /// Make the documents behind the last one of a partition, below a limit; the value behind them.
    fn fill(
        &mut self,
        place: usize,
        limit: Limit,
        out: &mut Documents,
    ) -> Result<Option<Point>, Error> {
        let Some(partition) = self.partitions.get_mut(place) else { return Ok(None) };
        let Some(mut current) = partition.current else { return Ok(None) };
        let mut bytes = 0_usize;
        let next = loop {
            let next = current.plus(&self.stage.steps)?;
            if !limit.takes(next) {
                break next;
            }
            self.made += 1;
            if self.made > MAX_DOCUMENTS {
                return Err(Error::location(
                    5_897_900,
                    format!(
                        "Generated {} documents in $densify, which is over the limit of {MAX_DOCUMENTS}.",
                        self.made
                    ),
                ));
            }
            let made =
                self.stage.field.make(&partition.fields, next.to_bson().as_raw_bson_ref())?;
            bytes = bytes.saturating_add(made.as_bytes().len());
            if bytes > Options::DEFAULT_MEMORY_LIMIT {
                self.memory.add(std::mem::take(&mut bytes))?;
            }
            out.push_back(made);
            current = next;
        };
        partition.current = Some(current);
        Ok(Some(next))
    }

    /// Make what is missing before a value, which then is the last one if it is on the steps.
    fn fill_before(
        &mut self,
        place: usize,
        value: Point,
        limit: Limit,
        out: &mut Documents,
    ) -> Result<(), Error> {
        let next = self.fill(place, limit, out)?;
        if next.is_some_and(|next| next.compare(value).is_eq()) {
            self.set_current(place, value);
        }
        Ok(())
    }

    fn set_current(&mut self, place: usize, value: Point) {
        if let Some(partition) = self.partitions.get_mut(place) {
            partition.current = Some(value);
        }
    }

    fn current(&self, place: usize) -> Option<Point> {
        self.partitions.get(place)?.current
    }

    /// Make what is missing before a document.
    fn before(&mut self, place: usize, value: Point, out: &mut Documents) -> Result<(), Error> {
        match (self.stage.bounds.clone(), self.current(place)) {
            (Bounds::Full, None) => {
                let Some((first, ..)) = self.ends else {
                    self.set_current(place, value);
                    return Ok(());
                };
                // As if the value before the first had been there.
                self.set_current(place, first.minus(&self.stage.steps)?);
                self.fill_before(place, value, Limit::Below(value), out)
            }
            (Bounds::Partition, None) => {
                self.set_current(place, value);
                Ok(())
            }
            (Bounds::Full | Bounds::Partition, Some(_)) => {
                self.fill_before(place, value, Limit::Below(value), out)
            }
            (Bounds::Explicit(low, high), current) => {
                if value.compare(low).is_lt() {
                    return Ok(());
                }
                if value.compare(low).is_eq() {
                    self.set_current(place, value);
                    return Ok(());
                }
                if current.is_none() {
                    self.set_current(place, low.minus(&self.stage.steps)?);
                }
                let limit = if value.compare(high).is_lt() { value } else { high };
                self.fill_before(place, value, Limit::Below(limit), out)
            }
        }
    }
}

/// Up to where documents are made.
#[derive(Clone, Copy)]
enum Limit {
    Below(Point),
    UpTo(Point),
}

impl Limit {
    fn takes(self, value: Point) -> bool {
        match self {
            Self::Below(limit) => value.compare(limit).is_lt(),
            Self::UpTo(limit) => value.compare(limit).is_le(),
        }
    }
}

impl Operator for Densifying {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        let value = self.stage.field.get(&document)?;
        if let Some(value) = value
            && !matches!(value, RawBsonRef::Null | RawBsonRef::Undefined)
        {
            let value = Point::of(value, &self.stage.steps)?;
            let place = self.partition(&document)?;
            self.before(place, value, out)?;
            let on_steps =
                self.current(place).is_some_and(|current| current.compare(value).is_eq());
            let first = self.ends.map_or(value, |(first, ..)| first);
            self.ends = Some((first, value, on_steps));
        }
        out.push_back(document);
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        match self.stage.bounds.clone() {
            Bounds::Partition => {}
            Bounds::Full if self.stage.partitions.is_empty() => {}
            Bounds::Full => {
                let Some((_, last, on_steps)) = self.ends else { return Ok(()) };
                let limit = if on_steps { Limit::UpTo(last) } else { Limit::Below(last) };
                for place in 0..self.partitions.len() {
                    self.fill(place, limit, out)?;
                }
            }
            Bounds::Explicit(low, high) => {
                if self.partitions.is_empty() {
                    // Without a document, the lower bound is there at least.
                    self.partitions
                        .push(Partition { fields: RawDocumentBuf::new(), current: None });
                    self.set_current(0, low.minus(&self.stage.steps)?);
                    if low.compare(high).is_eq() {
                        self.fill(0, Limit::UpTo(low), out)?;
                    }
                }
                for place in 0..self.partitions.len() {
                    if self.current(place).is_none() {
                        self.set_current(place, low.minus(&self.stage.steps)?);
                    }
                    self.fill(place, Limit::Below(high), out)?;
                }
            }
        }
        Ok(())
    }
}
