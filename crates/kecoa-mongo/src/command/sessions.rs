//! `startSession`, `endSessions`, `refreshSessions`, `killSessions` and its like.

use std::time::Instant;

use ::bson::spec::BinarySubtype;
use ::bson::{Binary, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::error::{Code, Error};
use crate::session::SessionId;
use crate::session::id::hash_of_user;
use crate::session::options::session_uuid;

use super::arguments::Kind;
use super::context::{Context, Definition, Privilege, Running};
use super::gateway::Gateway;

/// `startSession`.
pub const START_SESSION: Definition =
    Definition::new("startSession", start).open().help("a new session");

/// `endSessions`.
pub const END_SESSIONS: Definition = Definition::new("endSessions", end)
    .value(Kind::Documents)
    .anonymous()
    .stable()
    .help("the client needs these sessions no more");

/// `refreshSessions`.
pub const REFRESH_SESSIONS: Definition = Definition::new("refreshSessions", refresh)
    .value(Kind::Documents)
    .stable()
    .help("the client still needs these sessions");

/// `killSessions`.
pub const KILL_SESSIONS: Definition = Definition::new("killSessions", kill)
    .value(Kind::Documents)
    .help("ends what these sessions do");

/// `killAllSessions`.
pub const KILL_ALL_SESSIONS: Definition = Definition::new("killAllSessions", kill_all)
    .value(Kind::Documents)
    .needs(Privilege::Operate)
    .help("ends what the sessions of these users do, or of all");

/// `killAllSessionsByPattern`.
pub const KILL_ALL_SESSIONS_BY_PATTERN: Definition =
    Definition::new("killAllSessionsByPattern", kill_by_pattern)
        .value(Kind::Documents)
        .needs(Privilege::Operate)
        .help("ends what sessions do that look like these");

const MOST_SESSIONS: usize = 10_000;

fn start<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let uuid = *uuid::Uuid::new_v4().as_bytes();
        let id = SessionId::new(uuid, context.connection.user().as_deref());
        context.gateway.sessions.touch(id, Instant::now())?;
        let uuid = Binary { subtype: BinarySubtype::Uuid, bytes: uuid.to_vec() };
        Ok(rawdoc! { "id": { "id": uuid }, "timeoutMinutes": 30 })
    })
}

fn end<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        for id in own(context)? {
            if let Some(session) = context.gateway.sessions.end(&id) {
                finish(context.gateway, session.id).await;
                let mut state = session.lock().await;
                let number = state.numbers.number();
                let open = state.abort();
                context.gateway.close_transaction(Some(id), number, open).await;
            }
        }
        Ok(RawDocumentBuf::new())
    })
}

fn refresh<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        for id in own(context)? {
            context.gateway.sessions.touch(id, Instant::now())?;
        }
        Ok(RawDocumentBuf::new())
    })
}

fn kill<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let ids = own(context)?;
        let is_meant = |id: &SessionId| ids.is_empty() || ids.contains(id);
        let user = hash_of_user(context.connection.user().as_deref());
        stop(context.gateway, |id| id.user == user && is_meant(id)).await;
        Ok(RawDocumentBuf::new())
    })
}

fn kill_all<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let mut users = Vec::new();
        for pattern in documents(context)? {
            let (user, database) = (pattern.get_str("user"), pattern.get_str("db"));
            let (Ok(user), Ok(database)) = (user, database) else {
                return Err(Error::location(
                    40_414,
                    "BSON field 'KillAllSessionsUser.user' is missing but a required field",
                ));
            };
            users.push(hash_of_user(Some(&format!("{user}@{database}"))));
        }
        stop(context.gateway, |id| users.is_empty() || users.contains(&id.user)).await;
        Ok(RawDocumentBuf::new())
    })
}

fn kill_by_pattern<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let mut patterns = Vec::new();
        for pattern in documents(context)? {
            let uuid = pattern.get_document("lsid").ok().map(session_uuid).transpose()?;
            let user = match pattern.get("uid") {
                Ok(Some(RawBsonRef::Binary(hash))) => Some(hash.bytes.to_vec()),
                _ => None,
            };
            patterns.push((uuid, user));
        }
        stop(context.gateway, |id| {
            patterns.is_empty()
                || patterns.iter().any(|(uuid, user)| {
                    uuid.is_none_or(|uuid| uuid == id.uuid)
                        && user.as_ref().is_none_or(|user| *user == id.user)
                })
        })
        .await;
        Ok(RawDocumentBuf::new())
    })
}

/// The sessions of the caller that the command names.
fn own(context: &Context<'_>) -> Result<Vec<SessionId>, Error> {
    let user = context.connection.user();
    let uuids: Result<Vec<_>, Error> = documents(context)?.into_iter().map(session_uuid).collect();
    Ok(uuids?.into_iter().map(|uuid| SessionId::new(uuid, user.as_deref())).collect())
}

fn documents<'a>(context: &Context<'a>) -> Result<Vec<&'a RawDocument>, Error> {
    let Some(array) = context.value.as_array() else {
        return Ok(Vec::new());
    };
    let documents: Vec<_> = array
        .into_iter()
        .flatten()
        .filter_map(RawBsonRef::as_document)
        .take(MOST_SESSIONS + 1)
        .collect();
    if documents.len() > MOST_SESSIONS {
        let message = format!("expected at most {MOST_SESSIONS} sessions");
        return Err(Error::new(Code::BAD_VALUE, message));
    }
    Ok(documents)
}

/// Ends what some sessions do: commands, cursors, transactions. The sessions stay.
async fn stop(gateway: &Gateway, which: impl Fn(&SessionId) -> bool) {
    for session in gateway.sessions.all() {
        if !which(&session.id) {
            continue;
        }
        finish(gateway, session.id).await;
        let (open, number) = {
            let mut state = session.lock().await;
            (state.abort(), state.numbers.number())
        };
        gateway.close_transaction(Some(session.id), number, open).await;
    }
}

/// Ends the commands and cursors of a session.
async fn finish(gateway: &Gateway, session: SessionId) {
    gateway.operations.kill(|operation| {
        operation.session == Some(session) && !operation.command.ends_with("Sessions")
    });
    drop(gateway.cursors.kill_where(|owner| owner.session == Some(session)));
    tokio::task::yield_now().await;
}
