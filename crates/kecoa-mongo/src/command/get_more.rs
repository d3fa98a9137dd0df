//! `getMore`: the next batch of a cursor.

use std::time::{Duration, Instant};

use ::bson::RawDocumentBuf;

use crate::error::{Code, Error};
use crate::operation::Cursor;
use crate::operation::batch::Batch;
use crate::session::cursors::CursorUser;

use super::arguments::{Argument, Kind};
use super::context::{Again, Context, Definition, ReadConcerns, Running};
use super::gateway::Gateway;
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::string("collection").required(),
    Argument::count("batchSize"),
    Argument::new("term", Kind::Long).unstable(),
    Argument::document("lastKnownCommittedOpTime").unstable(),
    Argument::plain_boolean("includeQueryStatsMetrics").unstable(),
];

/// How long it waits for documents where the client does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);
/// How often it looks for documents.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// `getMore`.
pub const GET_MORE: Definition = Definition::new("getMore", run)
    .value(Kind::Long)
    .arguments(ARGUMENTS)
    .stable()
    .in_transaction()
    .read_concern(ReadConcerns::Snapshot)
    .waits()
    .help("the next batch of a cursor");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

/// A cursor that is taken out; it is closed unless it is given back.
struct CheckedOut<'g> {
    gateway: &'g Gateway,
    id: i64,
    cursor: Option<Cursor>,
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let id = context.value.as_i64().unwrap_or_default();
    let collection = arguments.string("collection").unwrap_or_default();
    super::namespace::check_collection(context.database, collection)?;
    let namespace = format!("{}.{collection}", context.database);
    let user = context.connection.user();
    let by = CursorUser {
        namespace: &namespace,
        user: user.as_deref(),
        session: context.session,
        transaction: context.transaction(),
    };
    let gateway = context.gateway;
    let (cursor, _) = gateway.cursors.check_out(id, by)?;
    gateway.cursors.is_read_by(id, &context.interrupt);
    let mut taken = CheckedOut { gateway, id, cursor: Some(cursor) };
    let size = arguments
        .integer("batchSize")
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| *size > 0);
    let limit = context.generic.integer("maxTimeMS").filter(|limit| *limit > 0);
    let awaits =
        taken.cursor.as_ref().and_then(|cursor| cursor.tail).is_some_and(|tail| tail.awaits);
    if limit.is_some() && !awaits {
        // The cursor stays.
        taken.give_back();
        let message = "cannot set maxTimeMS on getMore command for a non-awaitData cursor";
        return Err(Error::new(Code::BAD_VALUE, message));
    }
    let is_timed = taken.cursor.as_ref().is_some_and(|cursor| cursor.is_timed);
    if is_timed && gateway.fail_points.times_out() {
        return Err(crate::operation::attempts::time_is_up());
    }
    let wait = limit.map_or(DEFAULT_WAIT, |limit| Duration::from_millis(limit.unsigned_abs()));
    let batch = match &mut taken.cursor {
        Some(cursor) => fill(context, cursor, id, size, awaits.then_some(wait)).await?,
        None => Batch::new(None),
    };
    let ended = taken.cursor.as_ref().is_none_or(Cursor::has_ended);
    let token = taken.cursor.as_ref().and_then(Cursor::resume_token).map(ToOwned::to_owned);
    if !ended && gateway.cursors.is_killed(id) {
        taken.give_back();
        return Err(Error::new(Code::CURSOR_KILLED, format!("cursor {id} was killed")));
    }
    let id = if ended { 0 } else { id };
    if !ended {
        taken.give_back();
        if context.request.is_exhaust_allowed() {
            context.again = Some(Again::Same);
        }
    }
    Ok(work::next_batch(batch.into_documents(), id, &namespace, token.as_deref()))
}

async fn fill(
    context: &mut Context<'_>,
    cursor: &mut Cursor,
    id: i64,
    size: Option<usize>,
    wait: Option<Duration>,
) -> Result<Batch, Error> {
    let until = wait.and_then(|wait| Instant::now().checked_add(wait));
    let mut waiting = match cursor.is_change_stream() {
        true => Some(context.gateway.store()?.waiting()),
        false => None,
    };
    loop {
        let mut work = work::work(context).await?;
        let batch = cursor.next_batch(&mut work, size).await?;
        drop(work);
        let Some(left) = until.and_then(|until| until.checked_duration_since(Instant::now()))
        else {
            return Ok(batch);
        };
        if !batch.is_empty() || cursor.has_ended() || context.gateway.cursors.is_killed(id) {
            return Ok(batch);
        }
        match &mut waiting {
            Some(waiting) => waiting.wait(left).await,
            None => tokio::time::sleep(LOOK_EVERY.min(left)).await,
        }
    }
}

impl CheckedOut<'_> {
    fn give_back(&mut self) {
        if let Some(cursor) = self.cursor.take() {
            drop(self.gateway.cursors.check_in(self.id, cursor, Instant::now()));
        }
    }
}

impl Drop for CheckedOut<'_> {
    fn drop(&mut self) {
        if self.cursor.is_some() {
            self.gateway.cursors.close(self.id);
        }
    }
}
