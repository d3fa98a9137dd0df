//! What createUser and updateUser are told of a user.

use ::bson::{RawArray, RawBsonRef};

use crate::auth::{Action, Mechanism, RoleName, Target, builtin};
use crate::command::arguments::Values;
use crate::command::authorization::demand;
use crate::command::context::Context;
use crate::error::{Code, Error};

/// Reads an array of roles: names of roles of `database`, or `{role, db}`. In order, none twice.
///
/// # Errors
/// 2 for anything else, 40414 for a missing field, 31 for a role that there is not.
pub fn roles(array: &RawArray, database: &str) -> Result<Vec<RoleName>, Error> {
    let mut names = Vec::new();
    for role in array.into_iter().flatten() {
        let name = match role {
            RawBsonRef::String(name) => RoleName::new(database, name),
            RawBsonRef::Document(role) => {
                let field = |name: &str| match role.get(name) {
                    Ok(Some(RawBsonRef::String(value))) => Ok(value),
                    Ok(Some(_)) => Err(bad(format!("expected a string in 'roles.{name}'"))),
                    _ => Err(Error::location(
                        40414,
                        format!("BSON field 'roles.{name}' is missing but a required field"),
                    )),
                };
                RoleName::new(field("db")?, field("role")?)
            }
            _ => return Err(bad("Role names must be either strings or objects".to_owned())),
        };
        if builtin(&name).is_none() || name.name == "__system" {
            let message = format!("Could not find role: {name}");
            return Err(Error::new(Code::ROLE_NOT_FOUND, message));
        }
        names.push(name);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Whether who is logged in may give these roles to somebody, or take them away.
///
/// # Errors
/// 13.
pub fn may_pass_on(context: &Context<'_>, action: Action, roles: &[RoleName]) -> Result<(), Error> {
    for role in roles {
        let target = Target::Database(&role.database);
        demand(context.gateway, context.connection, action, target)?;
    }
    Ok(())
}

/// The mechanisms that `mechanisms` names; `None` when it is not there.
///
/// # Errors
/// 2 for an empty array, or a mechanism that there is not.
pub fn mechanisms(arguments: &Values<'_>) -> Result<Option<Vec<Mechanism>>, Error> {
    let Some(array) = arguments.array("mechanisms") else { return Ok(None) };
    let mut all = Vec::new();
    for name in array.into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        let Some(mechanism) = Mechanism::named(name) else {
            return Err(bad(format!("Unknown auth mechanism '{name}'")));
        };
        all.push(mechanism);
    }
    if all.is_empty() {
        return Err(bad("mechanisms field must not be empty".to_owned()));
    }
    all.sort();
    all.dedup();
    Ok(Some(all))
}

/// Where from a user may log in: anywhere. An empty list says that, too.
///
/// # Errors
/// 238 for a list that says something else.
pub fn check_restrictions(arguments: &Values<'_>) -> Result<(), Error> {
    match arguments.array("authenticationRestrictions") {
        Some(list) if !list.is_empty() => Err(Error::new(
            Code::NOT_IMPLEMENTED,
            "authenticationRestrictions must be empty: the gateway does not look where users come from",
        )),
        _ => Ok(()),
    }
}

fn bad(message: String) -> Error {
    Error::new(Code::BAD_VALUE, message)
}
