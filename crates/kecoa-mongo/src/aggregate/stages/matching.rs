//! `$match`.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::options::Options;
use crate::aggregate::specification::type_name;
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Part, Stage, Stages};
use crate::error::Error;
use crate::expression::Variables;
use crate::query::Filter;

/// `$match`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Match {
    specification: RawDocumentBuf,
    filter: Arc<Filter>,
}

impl Stage for Match {
    fn operator(&self, variables: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Matching { filter: Arc::clone(&self.filter), variables: variables.clone() })
    }

    fn part(&self) -> Part<'_> {
        Part::Match(&self.specification)
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(
            15959,
            format!(
                "the match filter must be an expression in an object, but found {}",
                type_name(argument)
            ),
        ));
    };
    let filter = Arc::new(Filter::parse(document, context.scope)?);
    Ok(vec![Arc::new(Match { specification: document.to_owned(), filter })])
}

struct Matching {
    filter: Arc<Filter>,
    variables: Variables,
}

impl Operator for Matching {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        if self.filter.matches(&document, &self.variables)? {
            out.push_back(document);
        }
        Ok(Flow::More)
    }
}
