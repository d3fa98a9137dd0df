//! A cursor: documents that are given batch by batch.

use std::fmt;

use ::bson::{RawDocument, RawDocumentBuf};

use crate::error::Error;
use crate::expression::Variables;

use super::batch::{Batch, DEFAULT_FIRST_BATCH};
use super::change_stream::ChangeStream;
use super::context::Context;
use super::find::Query;
use super::pipeline::{Piped, next};

/// Where the documents of a cursor come from.
pub enum Source {
    /// A `find`.
    Query(Box<Query>),
    /// A pipeline.
    Piped(Box<Piped>),
    /// They are there.
    Documents(std::vec::IntoIter<RawDocumentBuf>),
    /// A change stream.
    Changes(Box<ChangeStream>),
}

/// Documents that are given batch by batch.
pub struct Cursor {
    source: Source,
    /// One that did not fit into the batch before.
    next: Option<RawDocumentBuf>,
    variables: Variables,
    finished: bool,
    /// What a change stream goes on with, behind the last batch.
    token: Option<RawDocumentBuf>,
    /// How it waits for documents that are inserted later.
    pub tail: Option<Tail>,
    /// The size of batches, where it was given.
    pub batch_size: Option<usize>,
    /// Whether the command that opened it had a time limit, which is that of reading on, too.
    pub is_timed: bool,
}

/// A cursor that waits for documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Whether `getMore` waits for them.
    pub awaits: bool,
}

impl Source {
    async fn next(&mut self, context: &mut Context<'_>) -> Result<Option<RawDocumentBuf>, Error> {
        match self {
            Self::Query(query) => query.next(context).await,
            Self::Piped(piped) => next(piped, context).await,
            Self::Documents(documents) => Ok(documents.next()),
            Self::Changes(stream) => Box::pin(stream.next(context)).await,
        }
    }

    fn is_finished(&self) -> bool {
        match self {
            Self::Query(query) => query.is_finished(),
            Self::Piped(piped) => piped.is_finished(),
            Self::Documents(documents) => documents.len() == 0,
            Self::Changes(stream) => stream.has_ended(),
        }
    }
}

impl Cursor {
    /// Of a source whose expressions see these variables.
    #[must_use]
    pub fn new(source: Source, variables: Variables) -> Self {
        Self {
            source,
            next: None,
            variables,
            finished: false,
            token: None,
            tail: None,
            batch_size: None,
            is_timed: false,
        }
    }

    /// Of documents that are there.
    #[must_use]
    pub fn of_documents(documents: Vec<RawDocumentBuf>, variables: Variables) -> Self {
        Self::new(Source::Documents(documents.into_iter()), variables)
    }

    /// Read the first documents of its query: see [`Query::begin`].
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn begin(&mut self, context: &mut Context<'_>) -> Result<bool, Error> {
        match &mut self.source {
            Source::Query(query) => query.begin(context).await,
            Source::Piped(piped) => piped.begin(context).await,
            Source::Documents(_) | Source::Changes(_) => Ok(true),
        }
    }

    /// The first batch: 101 documents if no size is given.
    ///
    /// # Errors
    ///
    /// Those of the source.
    pub async fn first_batch(
        &mut self,
        context: &mut Context<'_>,
        size: Option<usize>,
    ) -> Result<Batch, Error> {
        self.batch_size = size;
        if let Source::Changes(stream) = &self.source {
            self.token = Some(stream.token());
        }
        if size == Some(0) {
            return Ok(Batch::new(Some(0)));
        }
        self.fill(context, Batch::new(Some(size.unwrap_or(DEFAULT_FIRST_BATCH)))).await
    }

    /// A batch after the first: as many as fit if no size is given.
    ///
    /// # Errors
    ///
    /// Those of the source.
    pub async fn next_batch(
        &mut self,
        context: &mut Context<'_>,
        size: Option<usize>,
    ) -> Result<Batch, Error> {
        self.fill(context, Batch::new(size.filter(|size| *size > 0))).await
    }

    /// Whether there are certainly no further documents.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.next.is_none() && (self.finished || self.source.is_finished())
    }

    /// Whether nothing will ever come: a cursor that waits has not ended because there is nothing yet.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        match &self.source {
            Source::Changes(stream) => self.next.is_none() && stream.has_ended(),
            _ => self.tail.is_none() && self.is_finished(),
        }
    }

    /// Whether it is a change stream.
    #[must_use]
    pub fn is_change_stream(&self) -> bool {
        matches!(self.source, Source::Changes(_))
    }

    /// What a change stream goes on with, behind the last batch.
    #[must_use]
    pub fn resume_token(&self) -> Option<&RawDocument> {
        self.token.as_deref()
    }

    /// What is read.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    async fn fill(&mut self, context: &mut Context<'_>, mut batch: Batch) -> Result<Batch, Error> {
        // Its expressions and stages keep the flag that they began with.
        context.variables.interrupt().lead(self.variables.interrupt());
        context.variables = self.variables.clone();
        while !batch.is_full() {
            let document = match self.next.take() {
                Some(document) => document,
                None => match self.source.next(context).await? {
                    Some(document) => document,
                    None => {
                        self.finished = true;
                        if let Source::Changes(stream) = &self.source
                            && !stream.has_ended()
                        {
                            self.token = Some(stream.token());
                        }
                        break;
                    }
                },
            };
            if !batch.fits(&document) {
                self.next = Some(document);
                break;
            }
            batch.push(&document);
            if self.is_change_stream() {
                self.token = document.get_document("_id").ok().map(ToOwned::to_owned);
            }
        }
        Ok(batch)
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("tail", &self.tail).finish_non_exhaustive()
    }
}
