//! `updateRole`.

use ::bson::RawDocumentBuf;

use super::role_settings::{Wanted, check_can_have, not_found, wanted};
use super::settings::check_exist;
use crate::auth::{Action, Role, RoleName, Target};
use crate::command::arguments::{Argument, Kind};
use crate::command::authorization::demand;
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

/// `updateRole`.
pub const UPDATE_ROLE: Definition = Definition::new("updateRole", run)
    .value(Kind::String)
    .arguments(&[
        Argument::documents("privileges"),
        Argument::array("roles"),
        Argument::array("authenticationRestrictions"),
    ])
    .needs(Privilege::Users)
    .write_concern()
    .help("changes a role");

const FIELDS: [&str; 3] = ["privileges", "roles", "authenticationRestrictions"];

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(update(context))
}

async fn update(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let name = RoleName::new(context.database, context.value.as_str().unwrap_or_default());
    // Nobody knows here what will be taken away: it may be anything.
    let anywhere = Target::Database("");
    demand(context.gateway, context.connection, Action::RevokeRole, anywhere)?;
    let has_restrictions = context.arguments.has("authenticationRestrictions");
    if !FIELDS.iter().any(|field| context.arguments.has(field)) {
        let message = "Must specify at least one field to update in updateRole";
        return Err(Error::new(Code::BAD_VALUE, message));
    }
    let Wanted { privileges, roles, restrictions } = wanted(context)?;
    check_exist(context, std::slice::from_ref(&name)).await?;
    let given = (privileges.as_deref().unwrap_or_default(), roles.as_deref().unwrap_or_default());
    check_can_have(context, &name, given.0, given.1).await?;
    let change = |role: &mut Role| {
        if let Some(privileges) = &privileges {
            role.privileges.clone_from(privileges);
        }
        if let Some(roles) = &roles {
            role.roles.clone_from(roles);
        }
        if has_restrictions {
            role.restrictions.clone_from(&restrictions);
        }
    };
    let is_found = context.gateway.accounts.update_role(&name, change).await?;
    if is_found { Ok(RawDocumentBuf::new()) } else { Err(not_found(&name)) }
}
