//! `createRole`.

use ::bson::RawDocumentBuf;

use super::role_settings::{Wanted, check_can_have, wanted};
use crate::auth::{Role, RoleName, builtin};
use crate::command::arguments::{Argument, Kind};
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

/// `createRole`.
pub const CREATE_ROLE: Definition = Definition::new("createRole", run)
    .value(Kind::String)
    .arguments(&[
        Argument::documents("privileges").required(),
        Argument::array("roles").required(),
        Argument::array("authenticationRestrictions"),
    ])
    .needs(Privilege::Users)
    .write_concern()
    .help("makes a role");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(create(context))
}

async fn create(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let name = RoleName::new(context.database, context.value.as_str().unwrap_or_default());
    let bad = |message: &str| Err(Error::new(Code::BAD_VALUE, message));
    if name.name.is_empty() {
        return bad("Role name must be non-empty");
    }
    if name.name.contains('\0') {
        return bad("Role name cannot contain NULL characters");
    }
    if name.database == "local" || name.database == "$external" {
        return bad("Cannot create roles in the databases local and $external");
    }
    if builtin(&name).is_some() {
        return bad("Cannot create roles with the same name as a built-in role");
    }
    let Wanted { privileges, roles, restrictions } = wanted(context)?;
    let role = Role {
        name,
        privileges: privileges.unwrap_or_default(),
        roles: roles.unwrap_or_default(),
        restrictions,
    };
    check_can_have(context, &role.name, &role.privileges, &role.roles).await?;
    let message = format!("Role \"{}\" already exists", role.name);
    if context.gateway.accounts.insert_role(role).await? {
        return Ok(RawDocumentBuf::new());
    }
    Err(Error::new(Code::ROLE_ALREADY_EXISTS, message))
}
