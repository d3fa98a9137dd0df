//! `authenticate`: a login by a certificate, which there is not.

use super::arguments::Argument;
use super::context::{Context, Definition, Running};
use crate::error::{Code, Error};

/// `authenticate`.
pub const AUTHENTICATE: Definition = Definition::new("authenticate", run)
    .arguments(&[
        Argument::string("mechanism"),
        Argument::string("user"),
        Argument::any("nonce"),
        Argument::any("key"),
    ])
    .anonymous()
    .stable()
    .help("a login by a certificate; there is none");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let mechanism = context.arguments.string("mechanism").unwrap_or("MONGODB-CR");
        let message = format!(
            "Received authentication for mechanism {mechanism} which is unknown or not enabled"
        );
        Err(Error::new(Code::MECHANISM_UNAVAILABLE, message))
    })
}
