//! What the operations of a `bulkWrite` came to.

use std::collections::HashMap;

use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawDocumentBuf};

use crate::error::Error;
use crate::operation::write_result::{WriteResult, append_error, number, position};
use crate::operation::{Retry, StatementResult};

/// What the operations came to: numbers, and an entry each.
#[derive(Debug, Default)]
pub(super) struct Summary {
    errors_only: bool,
    entries: Vec<(usize, RawDocumentBuf)>,
    errors: i64,
    inserted: i64,
    matched: i64,
    modified: i64,
    upserted: i64,
    deleted: i64,
    retried: Vec<i32>,
}

impl Summary {
    pub(super) fn new(errors_only: bool) -> Self {
        Self { errors_only, ..Self::default() }
    }

    pub(super) fn errors(&self) -> i64 {
        self.errors
    }

    /// Inserts from `first` on, as many as `count`.
    pub(super) fn inserted(
        &mut self,
        first: usize,
        count: usize,
        result: WriteResult,
        ordered: bool,
    ) {
        self.inserted += result.n;
        self.retried.extend(result.retried);
        let stopped = result.errors.first().map(|error| error.index).filter(|_| ordered);
        let mut failures: HashMap<usize, Error> =
            result.errors.into_iter().map(|failure| (failure.index, failure.error)).collect();
        for place in 0..count {
            match failures.remove(&place) {
                Some(error) => self.failed(first + place, &error, false),
                None => self.entry(first + place, 1, |_| {}),
            }
            if stopped == Some(place) {
                return;
            }
        }
    }

    pub(super) fn updated(&mut self, index: usize, done: StatementResult, retry: Option<&Retry>) {
        match done.upserted {
            Some(_) => self.upserted += 1,
            None => self.matched += done.n,
        }
        self.modified += done.modified;
        self.note_retried(index, &done, retry);
        self.entry(index, done.n, |entry| {
            entry.append(cstr!("nModified"), number(done.modified));
            if let Some(id) = &done.upserted {
                let mut upserted = RawDocumentBuf::new();
                upserted.append(cstr!("index"), 0);
                upserted.append(cstr!("_id"), id.as_raw_bson_ref());
                entry.append(cstr!("upserted"), upserted);
            }
        });
    }

    pub(super) fn deleted(&mut self, index: usize, done: StatementResult, retry: Option<&Retry>) {
        self.deleted += done.n;
        self.note_retried(index, &done, retry);
        self.entry(index, done.n, |_| {});
    }

    pub(super) fn failed(&mut self, index: usize, error: &Error, is_update: bool) {
        self.errors += 1;
        let mut entry = RawDocumentBuf::new();
        entry.append(cstr!("ok"), 0.0);
        entry.append(cstr!("idx"), position(index));
        append_error(&mut entry, error);
        entry.append(cstr!("n"), 0);
        if is_update {
            entry.append(cstr!("nModified"), 0);
        }
        self.entries.push((index, entry));
    }

    /// Append the numbers to a reply; gives the entries in order.
    pub(super) fn append_to(mut self, reply: &mut RawDocumentBuf) -> Vec<RawDocumentBuf> {
        reply.append(cstr!("nErrors"), number(self.errors));
        reply.append(cstr!("nInserted"), number(self.inserted));
        reply.append(cstr!("nMatched"), number(self.matched));
        reply.append(cstr!("nModified"), number(self.modified));
        reply.append(cstr!("nUpserted"), number(self.upserted));
        reply.append(cstr!("nDeleted"), number(self.deleted));
        if !self.retried.is_empty() {
            let retried: RawArrayBuf = self.retried.iter().copied().collect();
            reply.append(cstr!("retriedStmtIds"), retried);
        }
        self.entries.sort_by_key(|(index, _)| *index);
        self.entries.into_iter().map(|(_, entry)| entry).collect()
    }

    fn note_retried(&mut self, index: usize, done: &StatementResult, retry: Option<&Retry>) {
        if let Some(retry) = retry.filter(|_| done.retried) {
            self.retried.push(retry.number(index));
        }
    }

    fn entry(&mut self, index: usize, n: i64, more: impl FnOnce(&mut RawDocumentBuf)) {
        if self.errors_only {
            return;
        }
        let mut entry = RawDocumentBuf::new();
        entry.append(cstr!("ok"), 1.0);
        entry.append(cstr!("idx"), position(index));
        entry.append(cstr!("n"), number(n));
        more(&mut entry);
        self.entries.push((index, entry));
    }
}
