//! `dropAllUsersFromDatabase`.

use ::bson::RawDocumentBuf;
use bson::raw::cstr;

use crate::command::context::{Context, Definition, Privilege, Running};

/// `dropAllUsersFromDatabase`.
pub const DROP_ALL_USERS_FROM_DATABASE: Definition =
    Definition::new("dropAllUsersFromDatabase", run)
        .needs(Privilege::Users)
        .write_concern()
        .help("removes the users of a database");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let removed = context.gateway.accounts.remove_all(context.database).await?;
        let mut reply = RawDocumentBuf::new();
        reply.append(cstr!("n"), i32::try_from(removed).unwrap_or(i32::MAX));
        Ok(reply)
    })
}
