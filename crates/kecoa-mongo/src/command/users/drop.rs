//! `dropUser`.

use ::bson::RawDocumentBuf;

use crate::auth::UserName;
use crate::command::arguments::Kind;
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

/// `dropUser`.
pub const DROP_USER: Definition = Definition::new("dropUser", run)
    .value(Kind::String)
    .needs(Privilege::Users)
    .write_concern()
    .help("removes a user");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let name = UserName::new(context.database, context.value.as_str().unwrap_or_default());
        if context.gateway.accounts.remove(&name).await? {
            return Ok(RawDocumentBuf::new());
        }
        Err(Error::new(Code::USER_NOT_FOUND, format!("User '{name}' not found")))
    })
}
