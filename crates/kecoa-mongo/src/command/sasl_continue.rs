//! `saslContinue`: goes on with a login.

use ::bson::RawBsonRef;
use ::bson::spec::ElementType;

use super::arguments::{Argument, Kind};
use super::authentication::proceed;
use super::context::{Context, Definition, Running};

/// `saslContinue`.
pub const SASL_CONTINUE: Definition = Definition::new("saslContinue", run)
    .arguments(&[
        Argument::integer("conversationId").required(),
        Argument::new("payload", Kind::OneOf(&[ElementType::Binary, ElementType::String]))
            .required(),
    ])
    .anonymous()
    .stable()
    .help("goes on with a login");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let id = context.arguments.integer("conversationId").unwrap_or_default();
        let payload = context.arguments.value("payload").unwrap_or(RawBsonRef::Null);
        proceed(context.gateway, context.connection, context.database, id, payload).await
    })
}
