//! `usersInfo`.

use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::raw::cstr;

use crate::auth::{Action, Shown, Target, User, UserName};
use crate::command::arguments::Argument;
use crate::command::authorization::demand;
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::command::gateway::Gateway;
use crate::error::{Code, Error};

/// `usersInfo`.
pub const USERS_INFO: Definition = Definition::new("usersInfo", run)
    .arguments(&[
        Argument::boolean("showCredentials"),
        Argument::boolean("showCustomData").or(true),
        Argument::boolean("showPrivileges"),
        Argument::boolean("showAuthenticationRestrictions"),
        Argument::document("filter"),
    ])
    .needs(Privilege::Users)
    .help("shows users");

/// Which users are asked for.
enum Selection {
    Every,
    Of(String),
    Named(Vec<UserName>),
}

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(show(context))
}

async fn show(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let selection = selection(context.value, context.database)?;
    let arguments = &context.arguments;
    let shows_privileges = arguments.boolean("showPrivileges");
    let shown = Shown {
        credentials: arguments.boolean("showCredentials"),
        custom_data: arguments.boolean("showCustomData"),
        restrictions: arguments.boolean("showAuthenticationRestrictions") || shows_privileges,
    };
    if (shows_privileges || shown.restrictions) && !matches!(selection, Selection::Named(_)) {
        return Err(Error::new(
            Code::BAD_VALUE,
            "Privilege or restriction details require exact-match usersInfo queries",
        ));
    }
    if arguments.document("filter").is_some_and(|filter| !filter.is_empty()) {
        return Err(Error::new(
            Code::NOT_IMPLEMENTED,
            "usersInfo cannot filter; ask for users by name, or for those of a database",
        ));
    }
    check(context, &selection, shown)?;
    let mut users = RawArrayBuf::new();
    for user in find(context.gateway, &selection).await? {
        let mut document = user.shown(shown);
        if shows_privileges {
            append_privileges(context.gateway, &mut document, &user).await?;
        }
        users.push(document);
    }
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("users"), users);
    Ok(reply)
}

fn selection(value: RawBsonRef<'_>, database: &str) -> Result<Selection, Error> {
    match value {
        RawBsonRef::String(name) => Ok(Selection::Named(vec![UserName::new(database, name)])),
        RawBsonRef::Document(one) if matches!(one.get("forAllDBs"), Ok(Some(_))) => {
            Ok(Selection::Every)
        }
        RawBsonRef::Document(one) => Ok(Selection::Named(vec![name_of(one)?])),
        RawBsonRef::Array(array) => {
            let mut names = Vec::new();
            for one in array.into_iter().flatten() {
                names.push(match one {
                    RawBsonRef::String(name) => UserName::new(database, name),
                    RawBsonRef::Document(one) => name_of(one)?,
                    _ => return Err(unreadable()),
                });
            }
            names.sort();
            names.dedup();
            Ok(Selection::Named(names))
        }
        RawBsonRef::Int32(1) | RawBsonRef::Int64(1) => Ok(Selection::Of(database.to_owned())),
        RawBsonRef::Double(one) if one.to_bits() == 1_f64.to_bits() => {
            Ok(Selection::Of(database.to_owned()))
        }
        _ => Err(unreadable()),
    }
}

fn name_of(document: &RawDocument) -> Result<UserName, Error> {
    let field = |name: &str| {
        document.get_str(name).map_err(|_| {
            let message = format!("BSON field 'usersInfo.{name}' is missing but a required field");
            Error::location(40414, message)
        })
    };
    Ok(UserName::new(field("db")?, field("user")?))
}

fn unreadable() -> Error {
    Error::new(Code::BAD_VALUE, "User must be either a string or an object")
}

/// Everybody may see itself; the rest needs a role that sees users.
fn check(context: &Context<'_>, selection: &Selection, shown: Shown) -> Result<(), Error> {
    let may_see = |database: &str| {
        let target = Target::Database(database);
        demand(context.gateway, context.connection, Action::ViewUser, target)
    };
    match selection {
        Selection::Every => may_see("admin"),
        Selection::Of(database) => may_see(database),
        Selection::Named(names) => names.iter().try_for_each(|name| {
            let login = context.connection.login.as_ref();
            if login.is_some_and(|login| login.name() == *name) && !shown.credentials {
                return Ok(());
            }
            may_see(&name.database)
        }),
    }
}

async fn find(gateway: &Gateway, selection: &Selection) -> Result<Vec<User>, Error> {
    let accounts = &gateway.accounts;
    match selection {
        Selection::Every => accounts.list(None).await,
        Selection::Of(database) => accounts.list(Some(database)).await,
        Selection::Named(names) => {
            let mut users = Vec::new();
            for name in names {
                users.extend(accounts.find(name).await?);
            }
            Ok(users)
        }
    }
}

async fn append_privileges(
    gateway: &Gateway,
    document: &mut RawDocumentBuf,
    user: &User,
) -> Result<(), Error> {
    let granted = gateway.accounts.granted(&user.roles).await?;
    let (mut roles, mut privileges) = (RawArrayBuf::new(), RawArrayBuf::new());
    for role in &granted.roles {
        roles.push(role.to_document());
    }
    for privilege in granted.access.privileges() {
        privileges.push(privilege.to_document());
    }
    document.append(cstr!("inheritedRoles"), roles);
    document.append(cstr!("inheritedPrivileges"), privileges);
    document.append(cstr!("inheritedAuthenticationRestrictions"), RawArrayBuf::new());
    Ok(())
}
