//! `connectionStatus`: who is logged in.

use ::bson::{RawArrayBuf, RawDocumentBuf};
use bson::raw::cstr;

use super::arguments::Argument;
use super::context::{Context, Definition, Running};

/// `connectionStatus`.
pub const CONNECTION_STATUS: Definition = Definition::new("connectionStatus", run)
    .arguments(&[Argument::boolean("showPrivileges")])
    .anonymous()
    .stable()
    .help("who is logged in");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let (mut users, mut roles) = (RawArrayBuf::new(), RawArrayBuf::new());
        let mut privileges = RawArrayBuf::new();
        if let Some(login) = &context.connection.login {
            users.push(login.name().to_document());
            for role in &login.roles {
                roles.push(role.to_document());
            }
            for privilege in login.access.privileges() {
                privileges.push(privilege.to_document());
            }
        }
        let mut info = RawDocumentBuf::new();
        info.append(cstr!("authenticatedUsers"), users);
        info.append(cstr!("authenticatedUserRoles"), roles);
        if context.arguments.boolean("showPrivileges") {
            info.append(cstr!("authenticatedUserPrivileges"), privileges);
        }
        let mut reply = RawDocumentBuf::new();
        reply.append(cstr!("authInfo"), info);
        Ok(reply)
    })
}
