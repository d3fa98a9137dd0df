//! `ping`: is anybody there?

use ::bson::RawDocumentBuf;

use super::context::{Context, Definition, Running};

/// `ping`.
pub const PING: Definition =
    Definition::new("ping", run).open().anonymous().stable().help("is anybody there?");

fn run<'a>(_context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async { Ok(RawDocumentBuf::new()) })
}
