//! `createUser`.

use ::bson::RawDocumentBuf;
use uuid::Uuid;

use super::settings::{check_exist, check_restrictions, may_pass_on, mechanisms, roles};
use crate::auth::{Action, Mechanism, User, UserName};
use crate::command::accounts::credentials;
use crate::command::arguments::{Argument, Kind};
use crate::command::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

/// The database of users that other servers know.
const EXTERNAL: &str = "$external";

/// `createUser`.
pub const CREATE_USER: Definition = Definition::new("createUser", run)
    .value(Kind::String)
    .arguments(&[
        Argument::string("pwd"),
        Argument::array("roles").required(),
        Argument::document("customData"),
        Argument::boolean("digestPassword").or(true),
        Argument::array("authenticationRestrictions"),
        Argument::new("mechanisms", Kind::Strings),
    ])
    .needs(Privilege::Users)
    .write_concern()
    .help("makes a user");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let user = new_user(context)?;
        may_pass_on(context, Action::GrantRole, &user.roles)?;
        check_exist(context, &user.roles).await?;
        let name = user.name.clone();
        if context.gateway.accounts.insert(user).await? {
            return Ok(RawDocumentBuf::new());
        }
        let message = format!("User \"{name}\" already exists");
        Err(Error::new(Code::USER_ALREADY_EXISTS, message))
    })
}

fn new_user(context: &Context<'_>) -> Result<User, Error> {
    let bad = |message: &str| Err(Error::new(Code::BAD_VALUE, message));
    let (arguments, database) = (&context.arguments, context.database);
    let name = context.value.as_str().unwrap_or_default();
    if database == "local" {
        return bad("Cannot create users in the local database");
    }
    if name.is_empty() {
        return bad("Username cannot be empty");
    }
    if name.contains('\0') {
        return bad("Username cannot contain NULL characters");
    }
    check_restrictions(arguments)?;
    let chosen = mechanisms(arguments)?;
    let is_digested = !arguments.boolean("digestPassword");
    let credentials = match (arguments.string("pwd"), database) {
        (None, EXTERNAL) => Vec::new(),
        (Some(_), EXTERNAL) => {
            return bad("Cannot set the password for users defined on the '$external' database");
        }
        (None, _) => {
            return bad(
                "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db",
            );
        }
        (Some(password), _) => {
            let chosen = chosen.unwrap_or_else(|| Mechanism::ALL.to_vec());
            credentials(name, password, &chosen, is_digested)?
        }
    };
    let roles = match arguments.array("roles") {
        Some(array) => roles(array, database)?,
        None => Vec::new(),
    };
    Ok(User {
        name: UserName::new(database, name),
        id: Uuid::from_u128(fastrand::u128(..)),
        credentials,
        roles,
        custom_data: arguments.document("customData").map(ToOwned::to_owned),
        restrictions: arguments.array("authenticationRestrictions").map(ToOwned::to_owned),
    })
}
