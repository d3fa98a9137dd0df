//! Who a client is: asked by the frame of all commands, by hello and by the commands of a login.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::bson::spec::BinarySubtype;
use ::bson::{Binary, RawBsonRef, RawDocument, RawDocumentBuf};
use bson::raw::cstr;

use crate::auth::{Mechanism, Start, StepResult, User, UserName};
use crate::error::{Code, Error};
use crate::wire::Request;

use super::connection::{Connection, Login};
use super::gateway::Gateway;

/// How long the roles of who is logged in are taken for granted: another gateway may change them.
const FRESH: Duration = Duration::from_secs(10);

/// How long hello waits for what the database knows of a user.
const HELLO_WAIT: Duration = Duration::from_secs(3);

/// The number of every login's conversation: a connection has one at a time.
const CONVERSATION: i32 = 1;

/// Finds out what must be known before a command is let through: the roles of who is logged in, and whether the
/// first user may be made.
///
/// # Errors
/// Those of the database.
pub async fn prepare(
    gateway: &Gateway,
    connection: &mut Connection,
    request: &Request,
) -> Result<(), Error> {
    if !gateway.options.authentication {
        return Ok(());
    }
    let Some(login) = &connection.login else {
        let is_first = connection.is_local()
            && request.command_name() == "createUser"
            && gateway.accounts.is_empty().await?;
        connection.may_create_first_user = is_first;
        return Ok(());
    };
    let changes = gateway.accounts.changes();
    if login.changes == changes && login.since.elapsed() < FRESH {
        return Ok(());
    }
    let name = UserName::new(login.database.as_str(), login.user.as_str());
    // A user that was dropped meanwhile, or made anew, is logged in no more.
    let user = gateway.accounts.find(&name).await?.filter(|user| user.id == login.id);
    connection.login = match user {
        Some(user) => Some(login_of(gateway, &user, changes).await?),
        None => None,
    };
    Ok(())
}

/// The mechanisms by which a user, `database.name`, can log in; the same for one that there is not as for most that
/// there are.
pub async fn mechanisms(gateway: &Gateway, user: &str) -> Vec<&'static str> {
    let name = user.split_once('.').map(|(database, name)| UserName::new(database, name));
    let found = match name {
        Some(name) => {
            // hello is answered whatever state the database is in.
            let found = tokio::time::timeout(HELLO_WAIT, gateway.accounts.find(&name)).await;
            found.ok().and_then(Result::ok).flatten()
        }
        None => None,
    };
    match found {
        Some(user) => user.mechanisms().map(Mechanism::name).collect(),
        None => Mechanism::ALL.map(Mechanism::name).to_vec(),
    }
}

/// Begins a login that came with hello. `None`: the client tries again with saslStart.
pub async fn speculate(
    gateway: &Gateway,
    connection: &mut Connection,
    start: &RawDocument,
) -> Option<RawDocumentBuf> {
    let database = start.get_str("db").ok()?;
    let (name, _) = start.iter().next()?.ok()?;
    if name.as_str() != "saslStart" {
        return None;
    }
    let mechanism = start.get_str("mechanism").ok()?;
    let payload = start.get("payload").ok()??;
    let options = start.get_document("options").ok();
    let begun = begin(gateway, connection, database, mechanism, payload, options);
    tokio::time::timeout(HELLO_WAIT, begun).await.ok()?.ok()
}

/// Begins a login: what saslStart answers.
///
/// # Errors
/// 334 for a mechanism that there is not, 17 on a connection where somebody else is logged in, 18 for anything else.
pub async fn begin(
    gateway: &Gateway,
    connection: &mut Connection,
    database: &str,
    mechanism: &str,
    payload: RawBsonRef<'_>,
    options: Option<&RawDocument>,
) -> Result<RawDocumentBuf, Error> {
    connection.conversation = None;
    let Some(mechanism) = Mechanism::named(mechanism) else {
        let message = format!(
            "Received authentication for mechanism {mechanism} which is unknown or not enabled"
        );
        return Err(Error::new(Code::MECHANISM_UNAVAILABLE, message));
    };
    let skips = options.and_then(|options| options.get_bool("skipEmptyExchange").ok());
    let payload = bytes(payload).ok_or_else(failed)?;
    let start = Start::parse(mechanism, database, payload, skips.unwrap_or(false));
    let start = start.map_err(|_| failed())?;
    refuse_another(connection, start.user())?;
    let user = gateway.accounts.find(start.user()).await?;
    let credentials = match user {
        // hello says which mechanisms the user has, so a client that asks for another one learns nothing here. To go on
        // would mislead one that has guessed: it would take the answer for that of the mechanism it chooses next.
        Some(user) => Some(user.credentials_for(mechanism).cloned().ok_or_else(failed)?),
        None => None,
    };
    let begun = start.begin(CONVERSATION, credentials, gateway.accounts.decoy().await?);
    let (conversation, step) = begun.map_err(|_| failed())?;
    connection.conversation = Some(conversation);
    Ok(answer(&step))
}

/// Goes on with a login: what saslContinue answers.
///
/// # Errors
/// 17 when none is under way, 18 when the client is not who it says it is.
pub async fn proceed(
    gateway: &Gateway,
    connection: &mut Connection,
    database: &str,
    id: i64,
    payload: RawBsonRef<'_>,
) -> Result<RawDocumentBuf, Error> {
    let refused = |message: &str| Err(Error::new(Code::PROTOCOL_ERROR, message));
    let Some(mut conversation) = connection.conversation.take() else {
        return refused("No SASL session state found");
    };
    if i64::from(conversation.id()) != id {
        return refused("sasl: Mismatched conversation id");
    }
    if conversation.user().database != database {
        return refused("Attempt to switch database target during SASL authentication.");
    }
    let step = bytes(payload).ok_or_else(failed)?;
    let step = conversation.step(step).map_err(|_| failed())?;
    if !step.is_done {
        connection.conversation = Some(conversation);
        return Ok(answer(&step));
    }
    let changes = gateway.accounts.changes();
    let user = gateway.accounts.find(conversation.user()).await?.ok_or_else(failed)?;
    connection.login = Some(login_of(gateway, &user, changes).await?);
    Ok(answer(&step))
}

/// What every login that fails is told, whatever the reason.
#[must_use]
pub fn failed() -> Error {
    Error::new(Code::AUTHENTICATION_FAILED, "Authentication failed.")
}

fn refuse_another(connection: &Connection, user: &UserName) -> Result<(), Error> {
    let other = connection.login.as_ref();
    let other = other.filter(|login| login.user != user.name || login.database != user.database);
    match other {
        None => Ok(()),
        Some(login) => Err(Error::new(
            Code::PROTOCOL_ERROR,
            format!(
                "Each client connection may only be authenticated once. Previously authenticated as: {}@{}",
                login.user, login.database
            ),
        )),
    }
}

async fn login_of(gateway: &Gateway, user: &User, changes: u64) -> Result<Login, Error> {
    let granted = gateway.accounts.granted(&user.roles).await?;
    Ok(Login {
        user: user.name.name.clone(),
        database: user.name.database.clone(),
        id: user.id,
        roles: granted.roles,
        access: Arc::new(granted.access),
        changes,
        since: Instant::now(),
    })
}

fn bytes(payload: RawBsonRef<'_>) -> Option<&[u8]> {
    match payload {
        RawBsonRef::Binary(binary) => Some(binary.bytes),
        _ => None,
    }
}

fn answer(step: &StepResult) -> RawDocumentBuf {
    let payload = Binary { subtype: BinarySubtype::Generic, bytes: step.payload.clone() };
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("conversationId"), CONVERSATION);
    reply.append(cstr!("done"), step.is_done);
    reply.append(cstr!("payload"), payload);
    reply
}
