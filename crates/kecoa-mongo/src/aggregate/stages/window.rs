//! `$setWindowFields`.

mod bounds;
mod function;

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
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Expression, Variables};
use crate::query::{Sort, SortKey, SortMode};
use crate::value::Value;
use function::Function;

/// `$setWindowFields`.
#[derive(Clone, Debug)]
struct Windows {
    partition: Option<Arc<Expression>>,
    sort: Option<Arc<Sort>>,
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
            ("partitionBy", value) => {
                partition = Some(Arc::new(Expression::parse(value, context.scope)?));
            }
            ("sortBy", RawBsonRef::Document(value)) => {
                sort = Some(Arc::new(Sort::parse(value, SortMode::Aggregate, context.scope)?));
            }
            ("sortBy", value) => return Err(wrong_type(name, "sortBy", value, "object")),
            ("output", RawBsonRef::Document(value)) => output = Some(value),
            ("output", value) => return Err(wrong_type(name, "output", value, "object")),
            (other, _) => return Err(unknown_field(name, other)),
        }
    }
    let output = output.ok_or_else(|| missing_field(name, "output"))?;
    let mut functions = Vec::new();
    for field in fields(output) {
        let (path, value) = field?;
        let RawBsonRef::Document(value) = value else {
            return Err(Error::new(
                Code::FAILED_TO_PARSE,
                format!("The field '{path}' must be an object"),
            ));
        };
        let function = Function::parse(value, sort.is_some(), context.scope)?;
        functions.push((FieldPath::parse(path)?, function));
    }
    Ok(vec![Arc::new(Windows {
        partition,
        sort,
        output: functions.into(),
        collator: context.scope.collator().clone(),
    })])
}

/// A document with what it is ordered by.
struct Row {
    partition: Vec<u8>,
    key: Option<SortKey>,
    document: RawDocumentBuf,
}

struct Windowing {
    stage: Windows,
    variables: Variables,
    documents: Vec<Row>,
    memory: Memory,
}

impl Operator for Windowing {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        self.memory.add(document.as_bytes().len())?;
        let partition = match &self.stage.partition {
            Some(expression) => {
                let value = expression.evaluate(&document, &self.variables)?;
                let value = value.as_ref().map_or(RawBsonRef::Null, Value::as_ref);
                if matches!(value, RawBsonRef::Array(_)) {
                    return Err(Error::new(
                        Code::TYPE_MISMATCH,
                        "An expression used to partition cannot evaluate to value of type array",
                    ));
                }
                self.stage.collator.hash_key(value).into_bytes()
            }
            None => Vec::new(),
        };
        let key = self.stage.sort.as_ref().map(|sort| sort.key(&document)).transpose()?;
        self.documents.push(Row { partition, key, document });
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        let mut rows = std::mem::take(&mut self.documents);
        rows.sort_by(|left, right| {
            left.partition.cmp(&right.partition).then_with(|| left.key.cmp(&right.key))
        });
        for partition in rows.chunk_by(|left, right| left.partition == right.partition) {
            let documents: Vec<&RawDocumentBuf> =
                partition.iter().map(|row| &row.document).collect();
            let keys: Vec<Option<&SortKey>> =
                partition.iter().map(|row| row.key.as_ref()).collect();
            let mut columns = Vec::with_capacity(self.stage.output.len());
            for (path, function) in &*self.stage.output {
                columns.push((path, function.values(&documents, &keys, &self.variables)?));
            }
            for (place, row) in partition.iter().enumerate() {
                let mut document = row.document.clone();
                for (path, values) in &columns {
                    let value = values.get(place).map(RawBson::as_raw_bson_ref);
                    document = path.set(&document, value)?;
                }
                out.push_back(document);
            }
        }
        Ok(())
    }
}
