//! `$replaceRoot` and `$replaceWith`.

use std::sync::Arc;

use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{describe, fields, missing_field, type_name, unknown_field};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::error::Error;
use crate::expression::{Expression, Variables};
use crate::value::Value;

/// `$replaceRoot` and `$replaceWith`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct ReplaceRoot {
    expression: Arc<Expression>,
    /// What messages call it.
    called: &'static str,
}

impl ReplaceRoot {
    fn apply(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<RawDocumentBuf, Error> {
        let value = self.expression.evaluate(document, variables)?;
        match value {
            Some(Value::Owned(RawBson::Document(document))) => return Ok(document),
            Some(Value::Borrowed(RawBsonRef::Document(document))) => {
                return Ok(document.to_owned());
            }
            _ => {}
        }
        let found = value.as_ref().map(Value::as_ref);
        Err(Error::location(
            40228,
            format!(
                "{} must evaluate to an object, but resulting value was: {}. Type of resulting value: '{}'. Input \
                 document: {}",
                self.called,
                found.map_or_else(|| "MISSING".to_owned(), describe),
                found.map_or("missing", type_name),
                describe(RawBsonRef::Document(document))
            ),
        ))
    }
}

impl Stage for ReplaceRoot {
    fn operator(&self, variables: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Replacing { stage: self.clone(), variables: variables.clone() })
    }

    fn change(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        self.apply(document, variables).map(Some)
    }
}

pub(in crate::aggregate) fn parse(
    name: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(
            40229,
            format!(
                "expected an object as specification for $replaceRoot stage, got {}",
                type_name(argument)
            ),
        ));
    };
    let mut root = None;
    for field in fields(document) {
        match field? {
            ("newRoot", value) => root = Some(value),
            (other, _) => return Err(unknown_field(name, other)),
        }
    }
    let root = root.ok_or_else(|| missing_field(name, "newRoot"))?;
    stage(root, "'newRoot' expression ", context)
}

pub(in crate::aggregate) fn parse_with(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    stage(argument, "'replacement document'", context)
}

fn stage(
    value: RawBsonRef<'_>,
    called: &'static str,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let expression = Arc::new(Expression::parse(value, context.scope)?);
    Ok(vec![Arc::new(ReplaceRoot { expression, called })])
}

struct Replacing {
    stage: ReplaceRoot,
    variables: Variables,
}

impl Operator for Replacing {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        out.push_back(self.stage.apply(&document, &self.variables)?);
        Ok(Flow::More)
    }
}
