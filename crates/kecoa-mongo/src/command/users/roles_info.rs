//! `rolesInfo`.

use std::collections::BTreeMap;

use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::raw::cstr;

use crate::auth::{Access, Action, BUILTIN_ROLES, Role, RoleName, Target, builtin};
use crate::command::arguments::Argument;
use crate::command::authorization::demand;
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

/// `rolesInfo`.
pub const ROLES_INFO: Definition = Definition::new("rolesInfo", run)
    .arguments(&[
        Argument::any("showPrivileges"),
        Argument::boolean("showBuiltinRoles"),
        Argument::boolean("showAuthenticationRestrictions"),
    ])
    .needs(Privilege::Users)
    .help("shows roles");

/// Which roles are asked for.
enum Selection {
    /// Those of the command's database.
    All,
    Named(Vec<RoleName>),
}

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(show(context))
}

async fn show(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let selection = selection(context.value, context.database)?;
    let shows_privileges = match context.arguments.value("showPrivileges") {
        Some(RawBsonRef::Boolean(shows)) => shows,
        Some(RawBsonRef::String(_)) => {
            return Err(Error::new(
                Code::NOT_IMPLEMENTED,
                "rolesInfo shows privileges role by role only: showPrivileges must be true or false",
            ));
        }
        _ => false,
    };
    check(context, &selection)?;
    let names = names(context, selection).await?;
    let made: Vec<_> = names.iter().filter(|name| builtin(name).is_none()).cloned().collect();
    let mut found: BTreeMap<RoleName, Role> = BTreeMap::new();
    if !made.is_empty() {
        let roles = context.gateway.accounts.roles_named(&made).await?;
        found.extend(roles.into_iter().map(|role| (role.name.clone(), role)));
    }
    let mut roles = RawArrayBuf::new();
    for name in &names {
        match found.get(name) {
            Some(role) => roles.push(of_users(context, role, shows_privileges).await?),
            None if builtin(name).is_some() => roles.push(always_there(name, shows_privileges)),
            None => {}
        }
    }
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("roles"), roles);
    Ok(reply)
}

fn selection(value: RawBsonRef<'_>, database: &str) -> Result<Selection, Error> {
    let one = |value: RawBsonRef<'_>| match value {
        RawBsonRef::String(name) => Ok(RoleName::new(database, name)),
        RawBsonRef::Document(role) => name_of(role),
        _ => Err(Error::new(Code::BAD_VALUE, "Role must be either a string or an object")),
    };
    match value {
        RawBsonRef::Array(array) => {
            let mut names = array.into_iter().flatten().map(one).collect::<Result<Vec<_>, _>>()?;
            names.sort();
            names.dedup();
            Ok(Selection::Named(names))
        }
        value if is_one(value) => Ok(Selection::All),
        value => Ok(Selection::Named(vec![one(value)?])),
    }
}

/// Everybody may see the roles it has; the rest needs a role that sees roles.
fn check(context: &Context<'_>, selection: &Selection) -> Result<(), Error> {
    let may_see = |database: &str| {
        let target = Target::Database(database);
        demand(context.gateway, context.connection, Action::ViewRole, target)
    };
    match selection {
        Selection::All => may_see(context.database),
        Selection::Named(names) => names.iter().try_for_each(|name| {
            let login = context.connection.login.as_ref();
            if login.is_some_and(|login| login.roles.contains(name)) {
                return Ok(());
            }
            may_see(&name.database)
        }),
    }
}

/// The names of the roles: those that users have made first, and those that are always there if they are wanted.
async fn names(context: &Context<'_>, selection: Selection) -> Result<Vec<RoleName>, Error> {
    let database = context.database;
    match selection {
        Selection::Named(names) => Ok(names),
        Selection::All => {
            let made = context.gateway.accounts.roles(Some(database)).await?;
            let mut names: Vec<_> = made.into_iter().map(|role| role.name).collect();
            if context.arguments.boolean("showBuiltinRoles") {
                let all = BUILTIN_ROLES.iter().map(|role| RoleName::new(database, role.name));
                names.extend(all.filter(|name| builtin(name).is_some()));
            }
            Ok(names)
        }
    }
}

fn is_one(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Int32(one) => one == 1,
        RawBsonRef::Int64(one) => one == 1,
        RawBsonRef::Double(one) => one.to_bits() == 1_f64.to_bits(),
        _ => false,
    }
}

fn name_of(document: &RawDocument) -> Result<RoleName, Error> {
    let field = |name: &str| {
        document.get_str(name).map_err(|_| {
            let message = format!("BSON field 'rolesInfo.{name}' is missing but a required field");
            Error::location(40414, message)
        })
    };
    Ok(RoleName::new(field("db")?, field("role")?))
}

fn always_there(name: &RoleName, shows_privileges: bool) -> RawDocumentBuf {
    let mut document = name.to_document();
    document.append(cstr!("isBuiltin"), true);
    document.append(cstr!("roles"), RawArrayBuf::new());
    document.append(cstr!("inheritedRoles"), RawArrayBuf::new());
    if shows_privileges {
        let privileges = array_of(&Access::of([name]));
        document.append(cstr!("privileges"), privileges.clone());
        document.append(cstr!("inheritedPrivileges"), privileges);
    }
    document
}

async fn of_users(
    context: &Context<'_>,
    role: &Role,
    shows_privileges: bool,
) -> Result<RawDocumentBuf, Error> {
    let granted = context.gateway.accounts.granted(&role.roles).await?;
    let shows_restrictions = context.arguments.boolean("showAuthenticationRestrictions");
    let mut document = RawDocumentBuf::new();
    for (name, value) in role.to_document().iter().flatten() {
        match name.as_str() {
            "privileges" if !shows_privileges => {}
            "authenticationRestrictions" if !shows_restrictions => {}
            _ => document.append(name, value),
        }
    }
    document.append(cstr!("isBuiltin"), false);
    let mut inherited = RawArrayBuf::new();
    for role in &granted.roles {
        inherited.push(role.to_document());
    }
    document.append(cstr!("inheritedRoles"), inherited);
    if shows_privileges {
        let mut access = granted.access;
        access.add(role);
        document.append(cstr!("inheritedPrivileges"), array_of(&access));
    }
    if shows_restrictions {
        document.append(cstr!("inheritedAuthenticationRestrictions"), RawArrayBuf::new());
    }
    Ok(document)
}

fn array_of(access: &Access) -> RawArrayBuf {
    let mut privileges = RawArrayBuf::new();
    for privilege in access.privileges() {
        privileges.push(privilege.to_document());
    }
    privileges
}
