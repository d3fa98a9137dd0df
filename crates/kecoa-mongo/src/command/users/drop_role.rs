//! `dropRole` and `dropAllRolesFromDatabase`.

use ::bson::RawDocumentBuf;
use bson::raw::cstr;

use super::role_settings::changeable;
use super::settings::check_exist;
use crate::command::arguments::Kind;
use crate::command::context::{Context, Definition, Privilege, Running};

/// `dropRole`.
pub const DROP_ROLE: Definition = Definition::new("dropRole", run)
    .value(Kind::String)
    .needs(Privilege::Users)
    .write_concern()
    .help("removes a role");

/// `dropAllRolesFromDatabase`.
pub const DROP_ALL_ROLES_FROM_DATABASE: Definition =
    Definition::new("dropAllRolesFromDatabase", run_all)
        .needs(Privilege::Users)
        .write_concern()
        .help("removes the roles of a database");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let name = changeable(context)?;
        check_exist(context, std::slice::from_ref(&name)).await?;
        context.gateway.accounts.remove_roles(&[name]).await?;
        Ok(RawDocumentBuf::new())
    })
}

fn run_all<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let accounts = &context.gateway.accounts;
        let roles = accounts.roles(Some(context.database)).await?;
        let names: Vec<_> = roles.into_iter().map(|role| role.name).collect();
        let removed = accounts.remove_roles(&names).await?;
        let mut reply = RawDocumentBuf::new();
        reply.append(cstr!("n"), i32::try_from(removed).unwrap_or(i32::MAX));
        Ok(reply)
    })
}
