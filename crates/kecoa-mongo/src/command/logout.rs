//! `logout`: ends a login.

use ::bson::RawDocumentBuf;

use super::context::{Context, Definition, Running};

/// `logout`.
pub const LOGOUT: Definition = Definition::new("logout", run).anonymous().help("ends a login");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let database = context.database;
        context.connection.conversation = None;
        context.connection.login.take_if(|login| login.database == database);
        Ok(RawDocumentBuf::new())
    })
}
