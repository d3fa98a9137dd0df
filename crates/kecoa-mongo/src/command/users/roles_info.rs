//! `rolesInfo`.

use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::raw::cstr;

use crate::auth::{Access, Action, BUILTIN_ROLES, RoleName, Target, builtin};
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

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let names = asked(context)?;
        for name in &names {
            let target = Target::Database(&name.database);
            let has_it = context.connection.login.as_ref();
            if has_it.is_some_and(|login| login.roles.contains(name)) {
                continue;
            }
            demand(context.gateway, context.connection, Action::ViewRole, target)?;
        }
        let shows_privileges =
            matches!(context.arguments.value("showPrivileges"), Some(RawBsonRef::Boolean(true)));
        let mut roles = RawArrayBuf::new();
        for name in names.iter().filter(|name| builtin(name).is_some()) {
            roles.push(shown(name, shows_privileges));
        }
        let mut reply = RawDocumentBuf::new();
        reply.append(cstr!("roles"), roles);
        Ok(reply)
    })
}

/// The roles that are asked for. Those of a database are built-in ones only: there are no others.
fn asked(context: &Context<'_>) -> Result<Vec<RoleName>, Error> {
    let database = context.database;
    let one = |value: RawBsonRef<'_>| match value {
        RawBsonRef::String(name) => Ok(RoleName::new(database, name)),
        RawBsonRef::Document(role) => name_of(role),
        _ => Err(Error::new(Code::BAD_VALUE, "Role must be either a string or an object")),
    };
    match context.value {
        RawBsonRef::Array(array) => array.into_iter().flatten().map(one).collect(),
        value if is_one(value) => {
            let shows = context.arguments.boolean("showBuiltinRoles");
            let of_here = BUILTIN_ROLES.iter().filter(|role| shows && is_of(database, role.name));
            Ok(of_here.map(|role| RoleName::new(database, role.name)).collect())
        }
        value => Ok(vec![one(value)?]),
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

fn is_of(database: &str, role: &str) -> bool {
    builtin(&RoleName::new(database, role)).is_some()
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

fn shown(name: &RoleName, shows_privileges: bool) -> RawDocumentBuf {
    let mut document = name.to_document();
    document.append(cstr!("isBuiltin"), true);
    document.append(cstr!("roles"), RawArrayBuf::new());
    document.append(cstr!("inheritedRoles"), RawArrayBuf::new());
    if shows_privileges {
        let mut privileges = RawArrayBuf::new();
        for privilege in Access::of(std::slice::from_ref(name)).privileges() {
            privileges.push(privilege.to_document());
        }
        document.append(cstr!("privileges"), privileges.clone());
        document.append(cstr!("inheritedPrivileges"), privileges);
    }
    document
}
