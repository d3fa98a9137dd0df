//! Change streams: the log of the store, through the stages of a stream.

use std::collections::VecDeque;
use std::fmt;

use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use tokio::time::Instant;

use super::context::Context;
use crate::aggregate::{Execution, Options as StageOptions, Pipeline, Step};
use crate::bson::key::Key;
use crate::change::{
    Change, Ends, Options, Place, Position, ResumeToken, Scope, Shown, Start, TokenKind, split,
};
use crate::error::{Code, Error, Label};
use crate::plan::access::{Access, Order};
use crate::store::{Checked, Lock, Namespace, PageLimit};

/// How often a document is looked up while the catalogue changes.
const LOOKUPS: usize = 10;
/// In how many parts of the log's life a stream says that it is still read.
const KEPT_PARTS: u32 = 24;

/// What a stream is opened on.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    /// The database.
    pub database: &'a str,
    /// The collection; none for the whole database, or for the cluster.
    pub collection: Option<&'a Namespace>,
    /// The options of `$changeStream`.
    pub options: &'a RawDocument,
    /// Whether large events are split.
    pub splits: bool,
}

/// A stream: the events behind a place in the log.
pub struct ChangeStream {
    scope: Scope,
    options: Options,
    splits: bool,
    execution: Execution,
    /// What was read, and not yet shown.
    pending: VecDeque<(Place, Change)>,
    /// Events to be given.
    ready: VecDeque<RawDocumentBuf>,
    /// Behind all that was read.
    position: Position,
    /// The event that it goes on behind, as long as it was not met.
    expected: Option<ResumeToken>,
    /// Where nothing was read yet: the token that it was opened with.
    given: Option<ResumeToken>,
    is_read_to_end: bool,
    has_ended: bool,
    /// When the store was told last that the stream is read.
    kept: Instant,
}

impl ChangeStream {
    /// Begin.
    ///
    /// # Errors
    ///
    /// Those of the options; 72 and 73 where it may not be opened; 263 in a transaction; 286 where the log does not
    /// reach back.
    pub async fn open(
        context: &mut Context<'_>,
        watched: &Watched<'_>,
        pipeline: &Pipeline,
        stage_options: &StageOptions,
    ) -> Result<Self, Error> {
        if context.is_in_transaction() {
            return Err(Error::new(
                Code::OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
                "Operation not permitted in transaction :: caused by :: Stage not supported in a multi-document \
                 transaction: $changeStream",
            ));
        }
        let options = Options::parse(watched.options)?;
        let scope = scope(watched, &options)?;
        let deadline = context.deadline;
        let place = context.handle().store().watch(&scope, &options.start, deadline).await?;
        let given = match options.start {
            Start::Behind(token) => Some(token),
            _ => None,
        };
        // An event is read once more: it must be there, and may be the one that ends the stream.
        let expected = given.filter(|token| token.kind == TokenKind::Event);
        let position = match expected {
            Some(token) => Position {
                time: token.position.time,
                event: token.position.event.saturating_sub(1),
            },
            None => place,
        };
        Ok(Self {
            scope,
            options,
            splits: watched.splits,
            execution: Execution::new(pipeline, &context.variables, stage_options),
            pending: VecDeque::new(),
            ready: VecDeque::new(),
            position,
            expected,
            given,
            is_read_to_end: false,
            has_ended: false,
            kept: Instant::now(),
        })
    }

    /// Whether what it watches is gone, and all was given.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended && self.ready.is_empty()
    }

    /// The token to go on with, where all events were given that were read.
    #[must_use]
    pub fn token(&self) -> RawDocumentBuf {
        self.given.unwrap_or_else(|| ResumeToken::between(self.position)).to_document()
    }

    /// The next event; none where there is none yet.
    ///
    /// # Errors
    ///
    /// Those of the store and of the stages; 280 where the event to go on behind is not there, or a stage changed a
    /// token; 286 where the log was cut off.
    pub async fn next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if self.has_ended {
                return Ok(None);
            }
            if let Some((place, change)) = self.pending.pop_front() {
                self.take(context, &place, &change).await?;
                continue;
            }
            if std::mem::take(&mut self.is_read_to_end) {
                if self.expected.is_some() {
                    return Err(not_found());
                }
                return Ok(None);
            }
            self.read(context).await?;
            tokio::task::yield_now().await;
        }
    }

    async fn read(&mut self, context: &mut Context<'_>) -> Result<(), Error> {
        context.check_time()?;
        let handle = context.handle();
        let store = handle.store();
        if self.kept.elapsed() > store.options().change_life / KEPT_PARTS {
            store.keep_watching(&self.scope, self.position).await?;
            self.kept = Instant::now();
        }
        let page = store.changes(&self.scope, self.position).await?;
        self.position = page.position;
        self.pending = page.changes.into();
        self.is_read_to_end = page.is_last;
        self.given = None;
        Ok(())
    }

    async fn take(
        &mut self,
        context: &mut Context<'_>,
        place: &Place,
        change: &Change,
    ) -> Result<(), Error> {
        let options = self.options;
        let shown = Shown { place, change, options: &options };
        let expected = self.expected.take();
        if expected.is_some_and(|token| token.position != place.position) {
            return Err(not_found());
        }
        let given_parts = expected.map(|token| usize::from(token.fragment));
        // Of an event that was given in parts, those behind the last one are owed.
        if given_parts != Some(0) && (options.expanded || change.is_classic()) {
            let found = match shown.needs_lookup() {
                true => look_up(context, place, change).await?,
                false => None,
            };
            let event = shown.event(found)?;
            let token = ResumeToken::event(place.position);
            for event in self.through_stages(event)? {
                let parts = split(event, token, self.splits)?;
                self.ready.extend(parts.into_iter().skip(given_parts.unwrap_or(0)));
            }
        }
        if self.scope.ends(change) == Ends::Here {
            let event = shown.invalidate();
            let events = self.through_stages(event)?;
            self.ready.extend(events);
            self.pending.clear();
            self.has_ended = true;
        }
        Ok(())
    }

    /// What the stages make of an event.
    fn through_stages(&mut self, event: RawDocumentBuf) -> Result<Vec<RawDocumentBuf>, Error> {
        let token: Option<RawDocumentBuf> = event.get_document("_id").ok().map(ToOwned::to_owned);
        self.execution.push(event);
        let mut events = Vec::new();
        loop {
            match self.execution.step()? {
                Step::Document(event) => {
                    let kept = event.get_document("_id").ok();
                    if kept.map(RawDocument::as_bytes)
                        != token.as_ref().map(|token| token.as_bytes())
                    {
                        return Err(fatal(
                            "a stage of the change stream removed or changed _id, which is the resume token: only \
                             stages that leave _id as it is are allowed",
                        ));
                    }
                    events.push(event);
                }
                Step::NeedInput | Step::Done => return Ok(events),
                Step::Read(_) | Step::Write(_) => {
                    return Err(Error::new(
                        Code::ILLEGAL_OPERATION,
                        "a stage of a change stream cannot read or write other collections",
                    ));
                }
            }
        }
    }
}

/// The document as it is now.
async fn look_up(
    context: &mut Context<'_>,
    place: &Place,
    change: &Change,
) -> Result<Option<RawDocumentBuf>, Error> {
    let id = change.key().and_then(|key| key.get("_id").ok().flatten());
    let Some(id) = id.map(|id: RawBsonRef<'_>| Key::of(id)) else { return Ok(None) };
    let namespace = Namespace::new(&place.database, &place.collection)?;
    let access = Access::Ids { keys: vec![id], order: Order::Forward };
    for _ in 0..LOOKUPS {
        let collection = context.collection(&namespace).await?;
        let same = collection.filter(|found| change.is_of(found.uuid()));
        let Some(collection) = same else { return Ok(None) };
        let limit = PageLimit::default();
        let page = context.handle().page(&collection, &access, None, limit, Lock::None).await?;
        if let Checked::Current(page) = page {
            let found = page.documents.first().map(|found| found.document()).transpose()?;
            return Ok(found.map(ToOwned::to_owned));
        }
    }
    Err(super::attempts::write_conflict())
}

fn scope(watched: &Watched<'_>, options: &Options) -> Result<Scope, Error> {
    let database = watched.database;
    let is_cluster = database == "admin" && watched.collection.is_none();
    if options.whole_cluster && !is_cluster {
        return Err(Error::new(
            Code::INVALID_OPTIONS,
            format!(
                "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with \
                 no collection name; found {database}.{}",
                watched.collection.map_or("$cmd.aggregate", Namespace::collection)
            ),
        ));
    }
    if options.whole_cluster {
        return Ok(Scope::Cluster);
    }
    if matches!(database, "admin" | "config" | "local") {
        return Err(Error::new(
            Code::INVALID_NAMESPACE,
            format!("$changeStream may not be opened on the internal {database} database"),
        ));
    }
    let Some(namespace) = watched.collection else { return Ok(Scope::Database(database.into())) };
    if namespace.collection().starts_with("system.") {
        return Err(Error::new(
            Code::INVALID_NAMESPACE,
            format!("$changeStream may not be opened on the internal {namespace} collection"),
        ));
    }
    Ok(Scope::Collection(database.into(), namespace.collection().into()))
}

fn not_found() -> Error {
    fatal("cannot resume stream; the resume token was not found: it is of another change stream")
}

fn fatal(message: &str) -> Error {
    Error::new(Code::CHANGE_STREAM_FATAL_ERROR, message)
        .with_label(Label::NonResumableChangeStreamError)
}

impl fmt::Debug for ChangeStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeStream").field("scope", &self.scope).finish_non_exhaustive()
    }
}
