//! `$setWindowFields`.

mod bounds;
mod covariance;
mod derivative;
mod evaluate;
mod filled;
mod function;
mod integral;
mod partition;
mod sort_by;

use std::sync::Arc;

use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::nested_field::FieldPath;
use crate::aggregate::context::Context;
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{
    fields, missing_field, type_name, unknown_field, wrong_type,
};
use crate::aggregate::stage::{Documents, Flow, Operator, Stage, Stages};
use crate::bson::key::{Direction, KeyBuilder};
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Expression, Variables};
use crate::query::SortKey;
use crate::value::Value;
use function::Function;
use partition::Partition;
use sort_by::SortBy;

/// `$setWindowFields`.
#[derive(Clone, Debug)]
struct Windows {
    partition: Option<Arc<Expression>>,
    sort: Option<SortBy>,
    output: Arc<[(FieldPath, Function)]>,
    collator: Collator,
}

impl Stage for Windows {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(Windowing {
            stage: self.clone(),
            variables: variables.clone(),
            documents: Vec::new(),
            memory: Memory::new("$setWindowFields", options),
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
                "the $setWindowFields stage specification must be an object, found {}",
                type_name(argument)
            ),
        ));
    };
    let (mut partition, mut sort, mut output) = (None, None, None);
    for field in fields(document) {
        match field? {
            ("partitionBy", value) => partition = Some(value),
            ("sortBy", RawBsonRef::Document(value)) => sort = Some(value),
            ("sortBy", value) => return Err(wrong_type(name, "sortBy", value, "object")),
            ("output", RawBsonRef::Document(value)) => output = Some(value),
            ("output", value) => return Err(wrong_type(name, "output", value, "object")),
            (other, _) => return Err(unknown_field(name, other)),
        }
    }
    let output = output.ok_or_else(|| missing_field(name, "output"))?;
    let partition = partition.map(|value| Expression::parse(value, context.scope)).transpose()?;
    if let Some(Some(Some(RawBsonRef::Array(_)))) = partition.as_ref().map(Expression::as_constant)
    {
        return Err(partition_by_array());
    }
    let sort = sort.map(|sort| SortBy::parse(sort, context.scope)).transpose()?;
    let mut functions = Vec::new();
    let mut paths: Vec<&str> = Vec::new();
    for field in fields(output) {
        let (path, value) = field?;
        if paths.iter().any(|other| conflict(path, other)) {
            return Err(Error::location(
                6_307_900,
                "$setWindowFields 'output' specification contains two conflicting paths",
            ));
        }
        paths.push(path);
        let RawBsonRef::Document(value) = value else {
            return Err(Error::new(
                Code::FAILED_TO_PARSE,
                format!("The field '{path}' must be an object"),
            ));
        };
        let function = Function::parse(value, sort.as_ref(), context.scope)?;
        functions.push((FieldPath::parse(path)?, function));
    }
    Ok(vec![Arc::new(Windows {
        partition: partition.map(Arc::new),
        sort,
        output: functions.into(),
        collator: context.scope.collator().clone(),
    })])
}

/// Whether one path leads to, or through, what the other leads to.
pub(super) fn conflict(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn partition_by_array() -> Error {
    Error::new(
        Code::TYPE_MISMATCH,
        "An expression used to partition cannot evaluate to value of type array",
    )
}

/// A document with what it is ordered by.
struct Row {
    partition: SortKey,
    key: Option<SortKey>,
    document: RawDocumentBuf,
}

struct Windowing {
    stage: Windows,
    variables: Variables,
    documents: Vec<Row>,
    memory: Memory,
}

impl Windowing {
    fn partition_of(&self, document: &RawDocumentBuf) -> Result<SortKey, Error> {
        let Some(expression) = &self.stage.partition else { return Ok(SortKey::default()) };
        let value = expression.evaluate(document, &self.variables)?;
        let value = value.as_ref().map_or(RawBsonRef::Null, Value::as_ref);
        if matches!(value, RawBsonRef::Array(_)) {
            return Err(partition_by_array());
        }
        let mut builder = KeyBuilder::default();
        self.stage.collator.push_key(&mut builder, Some(value), Direction::Ascending);
        Ok(SortKey::from(builder))
    }
}

impl Operator for Windowing {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        self.memory.add(document.as_bytes().len())?;
        let partition = self.partition_of(&document)?;
        let key = self.stage.sort.as_ref().map(|by| by.sort.key(&document)).transpose()?;
        self.documents.push(Row { partition, key, document });
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        for (_, function) in &*self.stage.output {
            function.check_start(&self.variables)?;
        }
        let mut rows = std::mem::take(&mut self.documents);
        rows.sort_by(|left, right| {
            left.partition.cmp(&right.partition).then_with(|| left.key.cmp(&right.key))
        });
        for rows in rows.chunk_by(|left, right| left.partition == right.partition) {
            let partition = Partition {
                documents: rows.iter().map(|row| &row.document).collect(),
                keys: rows.iter().map(|row| row.key.as_ref()).collect(),
                sort: self.stage.sort.as_ref(),
                variables: &self.variables,
            };
            let mut columns = Vec::with_capacity(self.stage.output.len());
            for (path, function) in &*self.stage.output {
                columns.push((path, function.values(&partition)?));
            }
            for (place, row) in rows.iter().enumerate() {
                let mut document = row.document.clone();
                for (path, values) in &columns {
                    if let Some(value) = values.get(place).map(RawBson::as_raw_bson_ref) {
                        document = path.add(&document, value)?;
                    }
                }
                out.push_back(document);
            }
        }
        Ok(())
    }
}
