//! What users and roles are made and changed of.

use ::bson::{RawArray, RawBsonRef, RawDocument};

use crate::auth::{Action, Mechanism, Privilege, Resource, RoleName, Target, builtin, merged};
use crate::command::arguments::{Argument, Kind, Values, read_nested};
use crate::command::authorization::demand;
use crate::command::context::Context;
use crate::error::{Code, Error};

/// Reads an array of roles: names of roles of `database`, or `{role, db}`. In order, none twice; whether they exist
/// is [`check_exist`]'s to say.
///
/// # Errors
/// 2 for anything else, 40414 for a missing field.
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
        names.push(name);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Whether these roles exist.
///
/// # Errors
/// 31, and those of the database.
pub async fn check_exist(context: &Context<'_>, roles: &[RoleName]) -> Result<(), Error> {
    let (builtin, made): (Vec<_>, Vec<_>) =
        roles.iter().cloned().partition(|name| builtin(name).is_some());
    let mut missing: Vec<_> = builtin.into_iter().filter(|name| name.name == "__system").collect();
    if !made.is_empty() {
        let found = context.gateway.accounts.roles_named(&made).await?;
        missing
            .extend(made.into_iter().filter(|name| !found.iter().any(|role| role.name == *name)));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let plural = if missing.len() > 1 { "s" } else { "" };
    let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
    let message = format!("Could not find role{plural}: {}", names.join(", "));
    Err(Error::new(Code::ROLE_NOT_FOUND, message))
}

/// Reads an array of privileges of `{resource, actions}`.
///
/// # Errors
/// 40415, 40414 and 14 as every table of arguments; 2 for a resource or an action that there is not.
pub fn privileges(place: &str, array: &RawArray) -> Result<Vec<Privilege>, Error> {
    let place = format!("{place}.privileges");
    let mut all = Vec::new();
    for one in array.into_iter().flatten().filter_map(RawBsonRef::as_document) {
        let values = read_nested(&place, one, PRIVILEGE)?;
        let resource = match values.document("resource") {
            Some(document) => resource(&format!("{place}.resource"), document)?,
            None => continue,
        };
        let mut actions = Vec::new();
        for name in values.array("actions").into_iter().flatten().flatten() {
            let name = name.as_str().unwrap_or_default();
            let Some(action) = Action::named(name) else {
                return Err(bad(format!("Unknown action type in privilege set: '{name}'")));
            };
            actions.push(action);
        }
        all.push(Privilege { resource, actions });
    }
    Ok(merged(all))
}

const PRIVILEGE: &[Argument] = &[
    Argument::document("resource").required(),
    Argument::new("actions", Kind::Strings).required(),
];

const RESOURCE: &[Argument] = &[
    Argument::boolean("anyResource"),
    Argument::boolean("cluster"),
    Argument::string("db"),
    Argument::string("collection"),
    Argument::string("system_buckets"),
];

fn resource(place: &str, document: &RawDocument) -> Result<Resource, Error> {
    let values = read_nested(place, document, RESOURCE)?;
    let (database, collection) = (values.string("db"), values.string("collection"));
    let buckets = values.string("system_buckets");
    let is_place = database.is_some() || collection.is_some() || buckets.is_some();
    let (any, cluster) = (values.has("anyResource"), values.has("cluster"));
    match (any, cluster, is_place) {
        (true, false, false) if values.boolean("anyResource") => Ok(Resource::Anything),
        (false, true, false) if values.boolean("cluster") => Ok(Resource::Cluster),
        (false, false, true) => match (database, collection, buckets) {
            (Some(database), Some(collection), None) => {
                Ok(Resource::collection(database, collection))
            }
            (database, None, Some(buckets)) => {
                let name = format!("system.buckets.{buckets}");
                Ok(Resource::collection(database.unwrap_or_default(), &name))
            }
            _ => Err(bad("a resource needs both db and collection; they may be empty".to_owned())),
        },
        (true, false, false) | (false, true, false) => {
            Err(bad("anyResource and cluster of a resource must be true".to_owned()))
        }
        _ => Err(bad(
            "a resource must have db and collection, or cluster, or anyResource, and nothing else"
                .to_owned(),
        )),
    }
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

/// Whether who is logged in may give these privileges to a role, or take them away.
///
/// # Errors
/// 13.
pub fn may_pass_on_privileges(
    context: &Context<'_>,
    action: Action,
    privileges: &[Privilege],
) -> Result<(), Error> {
    for privilege in privileges {
        let target = Target::Database(privilege.resource.within().unwrap_or("admin"));
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
