//! `$redact`.

use std::sync::Arc;

use ::bson::raw::RawArrayBuf;
use ::bson::{RawArray, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{describe, items, unreadable};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::error::Error;
use crate::expression::{Expression, Variables};
use crate::value::Value;

/// The variables that only this stage has.
const DECISIONS: [(&str, &str); 3] = [("DESCEND", "descend"), ("PRUNE", "prune"), ("KEEP", "keep")];

/// `$redact`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Redact {
    expression: Arc<Expression>,
}

impl Stage for Redact {
    fn operator(&self, variables: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Redacting {
            expression: Arc::clone(&self.expression),
            variables: DECISIONS.iter().fold(variables.clone(), |variables, (name, value)| {
                variables.bind(name, Some(RawBson::String((*value).to_owned())))
            }),
        })
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let scope = context.scope.clone();
    let scope = DECISIONS.iter().fold(scope, |scope, (name, _)| scope.with_variable(name));
    let expression = Arc::new(Expression::parse(argument, &scope)?);
    Ok(vec![Arc::new(Redact { expression })])
}

struct Redacting {
    expression: Arc<Expression>,
    variables: Variables,
}

impl Redacting {
    /// What is left of a document; none if nothing is.
    fn document(
        &self,
        root: &RawDocument,
        document: &RawDocument,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        let decision = self.expression.evaluate_within(root, document, &self.variables)?;
        match decision.as_ref().map(Value::as_ref) {
            Some(RawBsonRef::String("keep")) => Ok(Some(document.to_owned())),
            Some(RawBsonRef::String("prune")) => Ok(None),
            Some(RawBsonRef::String("descend")) => self.descend(root, document).map(Some),
            other => Err(Error::location(
                17053,
                format!(
                    "$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and \
                     $$PRUNE, but returned {}",
                    other.map_or_else(|| "MISSING".to_owned(), describe)
                ),
            )),
        }
    }

    fn descend(&self, root: &RawDocument, document: &RawDocument) -> Result<RawDocumentBuf, Error> {
        let mut left = RawDocumentBuf::new();
        for field in document {
            let (name, value) = field.map_err(unreadable)?;
            match value {
                RawBsonRef::Document(inner) => {
                    if let Some(inner) = self.document(root, inner)? {
                        left.append(name, inner);
                    }
                }
                RawBsonRef::Array(array) => left.append(name, self.array(root, array)?),
                _ => left.append(name, value),
            }
        }
        Ok(left)
    }

    fn array(&self, root: &RawDocument, array: &RawArray) -> Result<RawArrayBuf, Error> {
        let mut left = RawArrayBuf::new();
        for item in items(array) {
            match item? {
                RawBsonRef::Document(inner) => {
                    if let Some(inner) = self.document(root, inner)? {
                        left.push(inner);
                    }
                }
                RawBsonRef::Array(inner) => left.push(self.array(root, inner)?),
                item => left.push(item),
            }
        }
        Ok(left)
    }
}

impl Operator for Redacting {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        out.extend(self.document(&document, &document)?);
        Ok(Flow::More)
    }
}
