//! What a write command answers: numbers, and the statements that failed.

use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawBson, RawDocumentBuf};

use crate::error::Error;

pub use super::numbers::{number, position};
use super::retry::Retry;
use super::statement_result::StatementResult;

/// What the statements of a write command came to.
#[derive(Clone, Debug, Default)]
pub struct WriteResult {
    /// Documents inserted, matched or deleted; those that were upserted count, too.
    pub n: i64,
    /// Documents that an update changed.
    pub modified: i64,
    /// The statements that upserted, and the `_id`s.
    pub upserted: Vec<(usize, RawBson)>,
    /// The statements that failed.
    pub errors: Vec<WriteError>,
    /// The numbers of the statements that had run before, and whose results were kept.
    pub retried: Vec<i32>,
}

/// A statement of a write command that failed.
#[derive(Clone, Debug)]
pub struct WriteError {
    /// Which statement of the command.
    pub index: usize,
    /// Why.
    pub error: Error,
}

impl WriteResult {
    /// Count in what a statement came to.
    pub fn add(&mut self, index: usize, done: StatementResult, retry: Option<&Retry>) {
        self.n += done.n;
        self.modified += done.modified;
        if let Some(id) = done.upserted {
            self.upserted.push((index, id));
        }
        if let Some(retry) = retry
            && done.retried
        {
            self.retried.push(retry.number(index));
        }
    }

    /// The fields of the reply, `ok` not among them.
    #[must_use]
    pub fn append_to(self, reply: &mut RawDocumentBuf, update: bool) -> bool {
        reply.append(cstr!("n"), number(self.n));
        if update {
            reply.append(cstr!("nModified"), number(self.modified));
        }
        if !self.upserted.is_empty() {
            let mut upserted = RawArrayBuf::new();
            for (index, id) in self.upserted {
                let mut entry = RawDocumentBuf::new();
                entry.append(cstr!("index"), position(index));
                entry.append(cstr!("_id"), id);
                upserted.push(entry);
            }
            reply.append(cstr!("upserted"), upserted);
        }
        let failed = !self.errors.is_empty();
        if failed {
            let mut errors = RawArrayBuf::new();
            for error in &self.errors {
                errors.push(error.to_document());
            }
            reply.append(cstr!("writeErrors"), errors);
        }
        if !self.retried.is_empty() {
            let mut retried = RawArrayBuf::new();
            for statement in self.retried {
                retried.push(statement);
            }
            reply.append(cstr!("retriedStmtIds"), retried);
        }
        failed
    }
}

impl WriteError {
    /// The entry of `writeErrors`.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("index"), position(self.index));
        append_error(&mut document, &self.error);
        document
    }
}

/// Code, details and message of an error, as an entry of `writeErrors` holds them.
pub fn append_error(document: &mut RawDocumentBuf, error: &Error) {
    document.append(cstr!("code"), error.code().number());
    if let Some(details) = error.details() {
        for (name, value) in details.iter().map_while(Result::ok) {
            document.append(name, value);
        }
    }
    document.append(cstr!("errmsg"), error.message());
}
