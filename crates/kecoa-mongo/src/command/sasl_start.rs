//! `saslStart`: begins a login.

use ::bson::RawBsonRef;
use ::bson::spec::ElementType;

use super::arguments::{Argument, Kind};
use super::authentication::begin;
use super::context::{Context, Definition, Running};

/// `saslStart`.
pub const SASL_START: Definition = Definition::new("saslStart", run)
    .arguments(&[
        Argument::string("mechanism").required(),
        Argument::new("payload", Kind::OneOf(&[ElementType::Binary, ElementType::String]))
            .required(),
        Argument::document("options"),
        Argument::any("autoAuthorize"),
    ])
    .anonymous()
    .stable()
    .help("begins a login");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let mechanism = context.arguments.string("mechanism").unwrap_or_default();
        let payload = context.arguments.value("payload").unwrap_or(RawBsonRef::Null);
        let options = context.arguments.document("options");
        let (gateway, database) = (context.gateway, context.database);
        begin(gateway, context.connection, database, mechanism, payload, options).await
    })
}
