//! `updateUser`.

use ::bson::RawDocumentBuf;

use super::settings::{check_exist, check_restrictions, may_pass_on, mechanisms, roles};
use crate::auth::{Action, Mechanism, Target, UserName};
use crate::command::accounts::credentials;
use crate::command::arguments::{Argument, Kind};
use crate::command::authorization::demand;
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

/// `updateUser`.
pub const UPDATE_USER: Definition = Definition::new("updateUser", run)
    .value(Kind::String)
    .arguments(&[
        Argument::string("pwd"),
        Argument::array("roles"),
        Argument::document("customData"),
        Argument::boolean("digestPassword").or(true),
        Argument::array("authenticationRestrictions"),
        Argument::new("mechanisms", Kind::Strings),
    ])
    .needs(Privilege::Users)
    .write_concern()
    .help("changes a user");

const FIELDS: [&str; 5] =
    ["pwd", "roles", "customData", "authenticationRestrictions", "mechanisms"];

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(update(context))
}

async fn update(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = &context.arguments;
    let name = UserName::new(context.database, context.value.as_str().unwrap_or_default());
    if !FIELDS.iter().any(|field| arguments.has(field)) {
        return Err(bad("Must specify at least one field to update in updateUser"));
    }
    check(context, &name)?;
    check_restrictions(arguments)?;
    let chosen = mechanisms(arguments)?;
    let is_digested = !arguments.boolean("digestPassword");
    let roles = arguments.array("roles").map(|array| roles(array, context.database)).transpose()?;
    may_pass_on(context, Action::GrantRole, roles.as_deref().unwrap_or_default())?;
    check_exist(context, roles.as_deref().unwrap_or_default()).await?;
    let password = match arguments.string("pwd") {
        None => None,
        Some(password) => {
            let all = chosen.clone().unwrap_or_else(|| Mechanism::ALL.to_vec());
            Some(credentials(&name.name, password, &all, is_digested)?)
        }
    };
    let data = arguments.document("customData").map(ToOwned::to_owned);
    let restrictions = arguments.array("authenticationRestrictions").map(ToOwned::to_owned);
    let is_found = context
        .gateway
        .accounts
        .update(&name, |user| {
            if let Some(credentials) = &password {
                user.credentials.clone_from(credentials);
            } else if let Some(chosen) = &chosen {
                if !chosen.iter().all(|one| user.credentials_for(*one).is_some()) {
                    return Err(bad(
                        "mechanisms field must be a subset of previously set mechanisms",
                    ));
                }
                user.credentials.retain(|one| chosen.contains(&one.mechanism()));
            }
            if let Some(roles) = &roles {
                user.roles.clone_from(roles);
            }
            if data.is_some() {
                user.custom_data.clone_from(&data);
            }
            if restrictions.is_some() {
                user.restrictions.clone_from(&restrictions);
            }
            Ok(())
        })
        .await?;
    if is_found {
        return Ok(RawDocumentBuf::new());
    }
    Err(Error::new(Code::USER_NOT_FOUND, format!("User {name} not found")))
}

/// Users may change their own password and data, if their roles say so.
fn check(context: &Context<'_>, name: &UserName) -> Result<(), Error> {
    let is_self = context.connection.login.as_ref().is_some_and(|login| login.name() == *name);
    let target = Target::Database(&name.database);
    let may = |action| demand(context.gateway, context.connection, action, target);
    let may_own = |own, others| match may(own) {
        Ok(()) if is_self => Ok(()),
        _ => may(others),
    };
    let has = |field| context.arguments.has(field);
    if has("pwd") || has("mechanisms") {
        may_own(Action::ChangeOwnPassword, Action::ChangePassword)?;
    }
    if has("customData") {
        may_own(Action::ChangeOwnCustomData, Action::ChangeCustomData)?;
    }
    if has("roles") {
        may(Action::RevokeRole)?;
    }
    if has("authenticationRestrictions") {
        may(Action::SetAuthenticationRestriction)?;
    }
    Ok(())
}

fn bad(message: &str) -> Error {
    Error::new(Code::BAD_VALUE, message)
}
