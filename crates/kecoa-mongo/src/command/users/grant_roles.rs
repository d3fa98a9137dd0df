//! `grantRolesToUser` and `revokeRolesFromUser`.

use ::bson::RawDocumentBuf;

use super::settings::{check_exist, may_pass_on, roles};
use crate::auth::{Action, User, UserName};
use crate::command::arguments::{Argument, Kind};
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

const ARGUMENTS: &[Argument] = &[Argument::array("roles").required()];

/// `grantRolesToUser`.
pub const GRANT_ROLES_TO_USER: Definition = Definition::new("grantRolesToUser", run)
    .value(Kind::String)
    .arguments(ARGUMENTS)
    .needs(Privilege::Users)
    .write_concern()
    .help("gives roles to a user");

/// `revokeRolesFromUser`.
pub const REVOKE_ROLES_FROM_USER: Definition = Definition::new("revokeRolesFromUser", run)
    .value(Kind::String)
    .arguments(ARGUMENTS)
    .needs(Privilege::Users)
    .write_concern()
    .help("takes roles from a user");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(change(context))
}

async fn change(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let grants = context.definition.name == GRANT_ROLES_TO_USER.name;
    let name = UserName::new(context.database, context.value.as_str().unwrap_or_default());
    let roles = match context.arguments.array("roles") {
        Some(array) => roles(array, context.database)?,
        None => Vec::new(),
    };
    let action = if grants { Action::GrantRole } else { Action::RevokeRole };
    may_pass_on(context, action, &roles)?;
    if roles.is_empty() {
        let message =
            format!("{} requires a \"roles\" array that is not empty", context.definition.name);
        return Err(Error::new(Code::BAD_VALUE, message));
    }
    check_exist(context, &roles).await?;
    let change = |user: &mut User| {
        if grants {
            user.roles.extend(roles.iter().cloned());
            user.roles.sort();
            user.roles.dedup();
        } else {
            user.roles.retain(|role| !roles.contains(role));
        }
        Ok(())
    };
    if context.gateway.accounts.update(&name, change).await? {
        return Ok(RawDocumentBuf::new());
    }
    let message = format!("Could not find user \"{}\" for db \"{}\"", name.name, name.database);
    Err(Error::new(Code::USER_NOT_FOUND, message))
}
