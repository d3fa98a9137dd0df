//! Who may run what: asked by the frame of all commands and by hello.

use ::bson::{RawDocument, RawDocumentBuf};

use crate::error::{Code, Error};

use super::connection::Connection;
use super::context::Definition;
use super::gateway::Gateway;

/// Whether the client may run a command on a database.
///
/// # Errors
/// 13.
pub fn authorize(
    gateway: &Gateway,
    connection: &Connection,
    definition: &Definition,
    _database: &str,
    _body: &RawDocument,
) -> Result<(), Error> {
    if !gateway.options.authentication || definition.anonymous || connection.login.is_some() {
        return Ok(());
    }
    Err(Error::new(
        Code::UNAUTHORIZED,
        format!("Command {} requires authentication", definition.name),
    ))
}

/// The mechanisms by which a user, `database.name`, can log in; the same for one that there is not.
pub async fn mechanisms(_gateway: &Gateway, _user: &str) -> Vec<&'static str> {
    vec!["SCRAM-SHA-1", "SCRAM-SHA-256"]
}

/// Begins a login that came with hello. `None`: the client tries again with saslStart.
pub async fn speculate(
    _gateway: &Gateway,
    _connection: &mut Connection,
    _start: &RawDocument,
) -> Option<RawDocumentBuf> {
    None
}
