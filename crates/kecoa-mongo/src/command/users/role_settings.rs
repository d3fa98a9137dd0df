//! What roles are made and changed of, and what a role may be given.

use ::bson::RawArrayBuf;

use super::settings::{
    check_exist, check_restrictions, may_pass_on, may_pass_on_privileges, privileges, roles,
};
use crate::auth::{Action, Privilege, RoleName, builtin};
use crate::command::context::Context;
use crate::error::{Code, Error};

/// What a role is to have; `None` where it is not said.
pub(super) struct Wanted {
    /// What it allows by itself.
    pub privileges: Option<Vec<Privilege>>,
    /// The roles that it inherits.
    pub roles: Option<Vec<RoleName>>,
    /// From where its users may log in.
    pub restrictions: Option<RawArrayBuf>,
}

/// What createRole and updateRole say of a role, if who is logged in may give it.
///
/// # Errors
/// Those of the arguments, and 13.
pub(super) fn wanted(context: &Context<'_>) -> Result<Wanted, Error> {
    let (arguments, name) = (&context.arguments, context.definition.name);
    let privileges = arguments.array("privileges").map(|array| privileges(name, array));
    let roles = arguments.array("roles").map(|array| roles(array, context.database));
    let (privileges, roles) = (privileges.transpose()?, roles.transpose()?);
    check_restrictions(arguments)?;
    may_pass_on(context, Action::GrantRole, roles.as_deref().unwrap_or_default())?;
    let given = privileges.as_deref().unwrap_or_default();
    may_pass_on_privileges(context, Action::GrantRole, given)?;
    let restrictions = arguments.array("authenticationRestrictions");
    let restrictions = restrictions.filter(|list| !list.is_empty()).map(ToOwned::to_owned);
    Ok(Wanted { privileges, roles, restrictions })
}

/// Whether a role may have these privileges and roles.
///
/// # Errors
/// 31 for a role that there is not, 49 for what is of another database, and where a role would inherit itself.
pub(super) async fn check_can_have(
    context: &Context<'_>,
    name: &RoleName,
    privileges: &[Privilege],
    roles: &[RoleName],
) -> Result<(), Error> {
    let refused = |message: String| Err(Error::new(Code::INVALID_ROLE_MODIFICATION, message));
    for role in roles {
        if role == name {
            return refused(format!("Cannot grant role {name} to itself"));
        }
        if name.database != "admin" && role.database != name.database {
            return refused(format!(
                "Roles on the '{}' database cannot be granted roles from other databases",
                name.database
            ));
        }
    }
    check_exist(context, roles).await?;
    if context.gateway.accounts.granted(roles).await?.roles.contains(name) {
        return refused(format!("Granting roles to {name} would introduce a cycle of roles"));
    }
    for privilege in privileges {
        let is_own = privilege.resource.within() == Some(name.database.as_str());
        if name.database != "admin" && !is_own {
            return refused(format!(
                "Roles on the '{}' database cannot be granted privileges that target other databases or the cluster",
                name.database
            ));
        }
    }
    Ok(())
}

/// The role that a command names, if it is one that can be changed.
///
/// # Errors
/// 2 for one that is always there.
pub(super) fn changeable(context: &Context<'_>) -> Result<RoleName, Error> {
    let name = RoleName::new(context.database, context.value.as_str().unwrap_or_default());
    if builtin(&name).is_none() {
        return Ok(name);
    }
    let message = format!("{name} is a built-in role and cannot be modified");
    Err(Error::new(Code::BAD_VALUE, message))
}

/// That there is no such role.
pub(super) fn not_found(name: &RoleName) -> Error {
    Error::new(Code::ROLE_NOT_FOUND, format!("Role {name} not found"))
}
