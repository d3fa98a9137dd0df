//! `insert`.

use ::bson::RawDocument;

use crate::error::Error;
use crate::store::{Checked, Collection, Inserted, Namespace, NewDocument};

use super::attempts::write_conflict;
use super::capped;
use super::context::Context;
use super::document::{check_size, prepare};
use super::rules;
use super::statement_result::StatementResult;
use super::validator::Validator;
use super::write_result::{WriteError, WriteResult};

/// The documents that go into the store at once.
const MAX_AT_ONCE: usize = 1000;
/// Their bytes.
const MAX_BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// How documents are inserted.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether the first that fails is the last that is tried.
    pub ordered: bool,
    /// Whether the collection's rule is left aside.
    pub bypass_validation: bool,
    /// The number of the first document among the statements of the command.
    pub first_statement: usize,
    /// Whether the documents are known to be within the limits of stored ones.
    pub are_storable: bool,
}

/// Insert documents into a collection, which is made where there is none.
///
/// # Errors
///
/// What fails the command as a whole; what fails for a document is in the result.
pub async fn insert<'d>(
    context: &mut Context<'_>,
    namespace: &Namespace,
    documents: impl Iterator<Item = &'d RawDocument>,
    options: Options,
) -> Result<WriteResult, Error> {
    let collection = context.writable_or_new(namespace).await?;
    let mut run = Run {
        collection,
        options,
        validator: None,
        is_confirmed: false,
        held: None,
        result: WriteResult::default(),
    };
    run.load_rules(context).await?;
    let mut chunk = Chunk::default();
    for (index, document) in documents.enumerate() {
        if run.was_done_before(context, index) {
            continue;
        }
        let added = match run.prepare(context, document) {
            Ok(new) => run.add(context, &mut chunk, index, new).await?,
            Err(error) => Err(error),
        };
        if let Err(error) = added {
            run.flush(context, &mut chunk).await?;
            if run.is_over() {
                break;
            }
            run.result.errors.push(WriteError { index, error });
        }
        if chunk.is_full() || run.held.is_some() {
            run.flush(context, &mut chunk).await?;
        }
        if run.is_over() {
            break;
        }
    }
    if !run.is_over() {
        run.flush(context, &mut chunk).await?;
    }
    if run.result.n > 0 {
        capped::trim(context, &run.collection).await?;
    }
    run.result.errors.sort_by_key(|error| error.index);
    Ok(run.result)
}

struct Run {
    collection: Collection,
    options: Options,
    validator: Option<Validator>,
    /// Whether the catalogue was asked since the command began: what the rules refuse is refused then.
    is_confirmed: bool,
    /// The failure of a document, unless one before it fails.
    held: Option<WriteError>,
    result: WriteResult,
}

#[derive(Default)]
struct Chunk {
    indexes: Vec<usize>,
    documents: Vec<NewDocument>,
    bytes: usize,
}

impl Run {
    /// Read the rules of the collection as it is known.
    async fn load_rules(&mut self, context: &mut Context<'_>) -> Result<(), Error> {
        while let Err(error) = capped::check(context, &self.collection) {
            if self.is_confirmed(context).await? {
                return Err(error);
            }
            let namespace = self.collection.namespace().clone();
            self.collection = context.writable_or_new(&namespace).await?;
        }
        self.validator = if self.options.bypass_validation {
            None
        } else {
            Validator::of(&self.collection, context)?
        };
        Ok(())
    }

    /// Whether the rules are those that the catalogue has; it is asked once.
    async fn is_confirmed(&mut self, context: &mut Context<'_>) -> Result<bool, Error> {
        if !self.is_confirmed {
            self.is_confirmed = !rules::have_changed(context, &self.collection).await?;
        }
        Ok(self.is_confirmed)
    }

    fn is_over(&self) -> bool {
        self.options.ordered && !self.result.errors.is_empty()
    }

    fn was_done_before(&mut self, context: &Context<'_>, index: usize) -> bool {
        let Some(retry) = &context.retry else { return false };
        let statement = self.options.first_statement + index;
        let Some(known) = retry.known(statement) else { return false };
        self.result.n += known.n;
        self.result.retried.push(retry.number(statement));
        true
    }

    fn prepare(&self, context: &Context<'_>, document: &RawDocument) -> Result<NewDocument, Error> {
        if !self.options.are_storable {
            check_size(document)?;
        }
        let document = prepare(document, context.cluster_time)?;
        Ok(NewDocument { document, record: None })
    }

    /// Hold a document to the rules of the collection.
    fn check(&self, context: &Context<'_>, document: &RawDocument) -> Result<(), Error> {
        capped::check_size(&self.collection, document)?;
        match &self.validator {
            Some(validator) => validator.check(document, None, &context.variables),
            None => Ok(()),
        }
    }

    /// Put a document to those that are written next; or why it may not be written.
    async fn add(
        &mut self,
        context: &mut Context<'_>,
        chunk: &mut Chunk,
        index: usize,
        new: NewDocument,
    ) -> Result<Result<(), Error>, Error> {
        let mut tries = context.tries();
        while let Err(error) = self.check(context, &new.document) {
            if self.is_confirmed(context).await? {
                // What forbids it may be younger than its own first run.
                if context.look_up_records_once().await? {
                    self.leave_out_done(context, chunk);
                    if self.was_done_before(context, index) {
                        return Ok(Ok(()));
                    }
                }
                return Ok(Err(error));
            }
            tries.next(write_conflict()).await?;
            self.reload(context, chunk).await?;
            // One before it may not be written: this one is not tried.
            if self.held.is_some() {
                return Ok(Ok(()));
            }
        }
        chunk.push(index, new);
        Ok(Ok(()))
    }

    async fn flush(&mut self, context: &mut Context<'_>, chunk: &mut Chunk) -> Result<(), Error> {
        let mut tries = context.tries();
        while !chunk.indexes.is_empty() {
            self.add_records(context, chunk);
            let answer = context
                .handle()
                .insert(&self.collection, &chunk.documents, self.options.ordered)
                .await;
            match answer {
                // Those that are there may be this command's own, of an earlier try.
                Ok(Checked::Current(inserted))
                    if !inserted.failures.is_empty() && context.look_up_records_once().await? =>
                {
                    self.keep_unknown(context, chunk, &inserted);
                }
                Ok(Checked::Current(inserted)) => {
                    self.result.n += i64::try_from(inserted.inserted).unwrap_or(i64::MAX);
                    for (place, error) in inserted.failures {
                        let index = chunk.indexes.get(place).copied().unwrap_or_default();
                        self.result.errors.push(WriteError { index, error });
                    }
                    chunk.keep(&inserted.left);
                    if self.is_over() {
                        break;
                    }
                    if !chunk.indexes.is_empty() {
                        self.reload(context, chunk).await?;
                        tries.next(write_conflict()).await?;
                    }
                }
                Ok(Checked::Stale) => {
                    self.reload(context, chunk).await?;
                    tries.next(write_conflict()).await?;
                }
                Err(error) if context.is_in_transaction() => return Err(error),
                Err(error) => tries.next(error).await?,
            }
        }
        if !self.is_over() {
            self.result.errors.extend(self.held.take());
        }
        Ok(())
    }

    fn add_records(&self, context: &Context<'_>, chunk: &mut Chunk) {
        let Some(retry) = &context.retry else { return };
        let result = StatementResult { n: 1, ..StatementResult::default() };
        let reply = result.to_document().into_bytes();
        for (index, new) in chunk.indexes.iter().zip(&mut chunk.documents) {
            let statement = self.options.first_statement + index;
            new.record = Some(retry.record_of(statement, reply.clone()));
        }
    }

    /// Count what went in; of the rest, leave what is to be tried once more.
    fn keep_unknown(&mut self, context: &Context<'_>, chunk: &mut Chunk, inserted: &Inserted) {
        let failed: std::collections::HashSet<usize> =
            inserted.failures.iter().map(|(place, _)| *place).collect();
        self.result.n += i64::try_from(inserted.inserted).unwrap_or(i64::MAX);
        let (indexes, documents) = (chunk.indexes.split_off(0), chunk.documents.split_off(0));
        chunk.clear();
        let first = inserted.failures.first().map_or(0, |(place, _)| *place);
        for (place, (index, new)) in indexes.into_iter().zip(documents).enumerate() {
            let is_left = failed.contains(&place)
                || inserted.left.contains(&place)
                || (self.options.ordered && place >= first);
            if is_left && !self.was_done_before(context, index) {
                chunk.push(index, new);
            }
        }
    }

    /// Leave out what ran before.
    fn leave_out_done(&mut self, context: &Context<'_>, chunk: &mut Chunk) {
        let places: Vec<usize> = (chunk.indexes.iter().enumerate())
            .filter(|(_, index)| !self.was_done_before(context, **index))
            .map(|(place, _)| place)
            .collect();
        chunk.keep(&places);
    }

    /// Read the catalogue again, and hold what is not written to the rules that it has now.
    async fn reload(&mut self, context: &mut Context<'_>, chunk: &mut Chunk) -> Result<(), Error> {
        let mut tries = context.tries();
        let mut refusals = loop {
            let namespace = self.collection.namespace().clone();
            self.collection = context.writable_or_new(&namespace).await?;
            self.is_confirmed = false;
            self.load_rules(context).await?;
            let refusals: Vec<Option<Error>> = (chunk.documents.iter())
                .map(|new| self.check(context, &new.document).err())
                .collect();
            if refusals.iter().all(Option::is_none) || self.is_confirmed(context).await? {
                break refusals;
            }
            tries.next(write_conflict()).await?;
        };
        context.look_up_records().await?;
        let (indexes, documents) = (chunk.indexes.split_off(0), chunk.documents.split_off(0));
        chunk.clear();
        for ((index, new), refusal) in indexes.into_iter().zip(documents).zip(refusals.drain(..)) {
            if self.was_done_before(context, index) {
                continue;
            }
            match refusal {
                None => chunk.push(index, new),
                // Those before it may fail first; those after it are not written.
                Some(error) if self.options.ordered => {
                    self.held = Some(WriteError { index, error });
                    break;
                }
                Some(error) => self.result.errors.push(WriteError { index, error }),
            }
        }
        Ok(())
    }
}

impl Chunk {
    fn push(&mut self, index: usize, new: NewDocument) {
        self.bytes += new.document.as_bytes().len();
        self.indexes.push(index);
        self.documents.push(new);
    }

    /// Leave only those at some places, which are in order.
    fn keep(&mut self, places: &[usize]) {
        let (indexes, documents) = (self.indexes.split_off(0), self.documents.split_off(0));
        self.clear();
        for (place, (index, new)) in indexes.into_iter().zip(documents).enumerate() {
            if places.binary_search(&place).is_ok() {
                self.push(index, new);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.documents.len() >= MAX_AT_ONCE || self.bytes >= MAX_BYTES_AT_ONCE
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
