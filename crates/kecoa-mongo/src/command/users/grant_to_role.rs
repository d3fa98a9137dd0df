//! `grantPrivilegesToRole`, `revokePrivilegesFromRole`, `grantRolesToRole` and `revokeRolesFromRole`.

use ::bson::{RawArray, RawDocumentBuf};

use super::role_settings::{changeable, check_can_have, not_found};
use super::settings::{check_exist, may_pass_on, may_pass_on_privileges, privileges, roles};
use crate::auth::{Action, Role};
use crate::command::arguments::{Argument, Kind};
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

const PRIVILEGES: &[Argument] = &[Argument::documents("privileges").required()];
const ROLES: &[Argument] = &[Argument::array("roles").required()];

/// `grantPrivilegesToRole`.
pub const GRANT_PRIVILEGES_TO_ROLE: Definition =
    definition("grantPrivilegesToRole", change_privileges, PRIVILEGES)
        .help("gives privileges to a role");

/// `revokePrivilegesFromRole`.
pub const REVOKE_PRIVILEGES_FROM_ROLE: Definition =
    definition("revokePrivilegesFromRole", change_privileges, PRIVILEGES)
        .help("takes privileges from a role");

/// `grantRolesToRole`.
pub const GRANT_ROLES_TO_ROLE: Definition =
    definition("grantRolesToRole", change_roles, ROLES).help("gives roles to a role");

/// `revokeRolesFromRole`.
pub const REVOKE_ROLES_FROM_ROLE: Definition =
    definition("revokeRolesFromRole", change_roles, ROLES).help("takes roles from a role");

const fn definition(
    name: &'static str,
    run: crate::command::context::Run,
    arguments: &'static [Argument],
) -> Definition {
    Definition::new(name, run)
        .value(Kind::String)
        .arguments(arguments)
        .needs(Privilege::Users)
        .write_concern()
}

fn change_privileges<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let grants = context.definition.name == GRANT_PRIVILEGES_TO_ROLE.name;
        let given = privileges(context.definition.name, list(context, "privileges")?)?;
        let action = if grants { Action::GrantRole } else { Action::RevokeRole };
        may_pass_on_privileges(context, action, &given)?;
        let name = changeable(context)?;
        if grants {
            check_can_have(context, &name, &given, &[]).await?;
        }
        check_exist(context, std::slice::from_ref(&name)).await?;
        let change = |role: &mut Role| {
            if grants { role.grant(given.clone()) } else { role.revoke(&given) }
        };
        let is_found = context.gateway.accounts.update_role(&name, change).await?;
        if is_found { Ok(RawDocumentBuf::new()) } else { Err(not_found(&name)) }
    })
}

fn change_roles<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let grants = context.definition.name == GRANT_ROLES_TO_ROLE.name;
        let given = roles(list(context, "roles")?, context.database)?;
        let action = if grants { Action::GrantRole } else { Action::RevokeRole };
        may_pass_on(context, action, &given)?;
        let name = changeable(context)?;
        if grants {
            check_can_have(context, &name, &[], &given).await?;
        }
        check_exist(context, std::slice::from_ref(&name)).await?;
        let change = |role: &mut Role| {
            if grants {
                role.roles.extend(given.iter().cloned());
                role.roles.sort();
                role.roles.dedup();
            } else {
                role.roles.retain(|role| !given.contains(role));
            }
        };
        let is_found = context.gateway.accounts.update_role(&name, change).await?;
        if is_found { Ok(RawDocumentBuf::new()) } else { Err(not_found(&name)) }
    })
}

/// An array that has something in it.
fn list<'a>(context: &Context<'a>, field: &str) -> Result<&'a RawArray, Error> {
    let array = context.arguments.array(field).filter(|array| !array.is_empty());
    array.ok_or_else(|| {
        let name = context.definition.name;
        Error::new(Code::BAD_VALUE, format!("{name} needs an array \"{field}\" that is not empty"))
    })
}
