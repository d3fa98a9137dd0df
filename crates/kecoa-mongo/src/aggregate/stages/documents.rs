//! `$documents`.

use std::sync::Arc;

use ::bson::{RawBson, RawBsonRef};

use super::sources::SourceStage;
use crate::aggregate::context::Context;
use crate::aggregate::source::{Source, documents_of};
use crate::aggregate::stage::Stages;
use crate::error::Error;
use crate::expression::Expression;

/// The expression reads no document, so that its value may be known now.
pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let expression = Expression::parse(argument, context.scope)?;
    let source = match expression.as_constant() {
        Some(found) => Source::Documents(documents_of(found.map(RawBson::from))?),
        None => Source::Computed(expression.into()),
    };
    Ok(vec![Arc::new(SourceStage(source))])
}
