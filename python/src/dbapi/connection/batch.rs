//! Rows that travel together: one request of many statements that ends in one Sync.

use std::ops::Range;

use kecoa::blocking::Client;
use kecoa::{Interrupt, Never, PipelineOutcome, ResultSet};
use kecoa_proto::{Parameter, Request, RequestId, Step, Target, TransactionStatus};

use crate::convert::parameters::Values;

/// How many rows travel together, and how many bytes of their text.
pub(in crate::dbapi) const BATCH_ROWS: usize = 500;
pub(in crate::dbapi) const BATCH_BYTES: usize = 256 * 1024;
/// The names by which a request knows the statement that is bound, and the end of a transaction.
const ROW: &[u8] = b"kecoa_many";
const CHAIN: &[u8] = b"kecoa_chain";
pub(in crate::dbapi) const UNNAMED: &[u8] = b"";

/// A row as it will travel.
pub(in crate::dbapi) struct Row {
    pub(in crate::dbapi) text: Range<usize>,
    /// Beside the text, where the statement is parsed once.
    pub(in crate::dbapi) values: Option<Values>,
}

/// Rows that travel together.
#[derive(Default)]
pub(crate) struct Batch {
    pub(in crate::dbapi) texts: Vec<u8>,
    pub(in crate::dbapi) rows: Vec<Row>,
}

/// A statement that is parsed once for all rows.
pub(crate) struct ParsedStatement {
    pub(in crate::dbapi) sql: Vec<u8>,
    /// For each value, whether nothing says its type.
    pub(in crate::dbapi) untyped: Vec<bool>,
    /// The types of the columns that the values go to; none by server binding, which is asked for.
    pub(in crate::dbapi) columns: Option<Vec<u32>>,
}

/// How one batch ended.
pub(crate) struct Sent {
    pub(in crate::dbapi) results: Vec<ResultSet>,
    /// The error, the row that it came of, and whether nothing of that row ran.
    pub(crate) failed: Option<(kecoa::Error, usize, bool)>,
}

/// What the server was asked in front of the rows and behind each of them.
#[derive(Clone, Copy)]
pub(in crate::dbapi) struct Commits(bool);

impl Commits {
    /// In a transaction that is the caller's: nothing.
    pub(in crate::dbapi) const NEVER: Commits = Commits(false);

    /// A row's result among those of the request.
    fn position(self, row: usize) -> usize {
        if self.0 { 1 + 2 * row } else { row }
    }

    /// The row that a number of results leads up to, and whether the next answer is its own.
    fn row_at(self, results: usize) -> (usize, bool) {
        match (self.0, results.checked_sub(1)) {
            (false, _) => (results, true),
            (true, None) => (0, false),
            (true, Some(behind)) => (behind / 2, behind % 2 == 0),
        }
    }

    /// How many portals are bound when a row's own is.
    fn bound_at(self, row: usize) -> usize {
        self.position(row) + 1
    }
}

impl Batch {
    pub(crate) fn text(&self, index: usize) -> &[u8] {
        self.rows.get(index).and_then(|row| self.texts.get(row.text.clone())).unwrap_or_default()
    }

    pub(in crate::dbapi) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, text: &[u8], values: Option<Values>) {
        let begin = self.texts.len();
        self.texts.extend_from_slice(text);
        self.rows.push(Row { text: begin..self.texts.len(), values });
    }

    /// Queues the rows as one request, in a transaction that is the caller's.
    pub(crate) fn submit_behind(
        &self,
        client: &mut Client,
        once: Option<&ParsedStatement>,
    ) -> Result<RequestId, kecoa::Error> {
        self.submit(client, once, Commits::NEVER)
    }

    pub(in crate::dbapi) fn clear(&mut self) {
        self.texts.clear();
        self.rows.clear();
    }

    /// Queues the rows as one request.
    fn submit(
        &self,
        client: &mut Client,
        once: Option<&ParsedStatement>,
        commits: Commits,
    ) -> Result<RequestId, kecoa::Error> {
        let parameters: Vec<Vec<Parameter<'_>>> = self
            .rows
            .iter()
            .map(|row| row.values.as_ref().map(Values::parameters).unwrap_or_default())
            .collect();
        let mut steps = Vec::with_capacity(self.rows.len() * 4 + 8);
        let execute = Step::Execute { portal: UNNAMED, max_rows: 0 };
        let bind =
            |statement| Step::Bind { portal: UNNAMED, statement, parameters: &[], results: &[] };
        if commits.0 {
            steps.push(Step::Parse { name: UNNAMED, sql: b"BEGIN", types: &[] });
            steps.extend([bind(UNNAMED), execute]);
            // Closed first: an error may have kept an earlier request from closing it.
            steps.push(Step::Close(Target::Statement(CHAIN)));
            steps.push(Step::Parse { name: CHAIN, sql: b"COMMIT AND CHAIN", types: &[] });
        }
        let mut parsed: Option<&[u32]> = None;
        for (index, (row, parameters)) in self.rows.iter().zip(&parameters).enumerate() {
            match (&row.values, once) {
                (Some(values), Some(once)) => {
                    if parsed != Some(values.types.as_slice()) {
                        steps.push(Step::Close(Target::Statement(ROW)));
                        let (sql, types) = (once.sql.as_slice(), values.types.as_slice());
                        steps.push(Step::Parse { name: ROW, sql, types });
                        parsed = Some(&values.types);
                    }
                    let (portal, statement) = (UNNAMED, ROW);
                    steps.push(Step::Bind { portal, statement, parameters, results: &[] });
                }
                _ => {
                    let sql = self.text(index);
                    steps.push(Step::Parse { name: UNNAMED, sql, types: &[] });
                    steps.push(bind(UNNAMED));
                }
            }
            steps.push(execute);
            if commits.0 {
                if index + 1 == self.rows.len() {
                    steps.push(Step::Parse { name: UNNAMED, sql: b"COMMIT", types: &[] });
                    steps.extend([bind(UNNAMED), execute]);
                } else {
                    steps.extend([bind(CHAIN), execute]);
                }
            }
        }
        if commits.0 {
            steps.push(Step::Close(Target::Statement(CHAIN)));
        }
        if parsed.is_some() {
            steps.push(Step::Close(Target::Statement(ROW)));
        }
        client.submit(&Request::Extended(&steps))
    }

    /// Sends the rows; after an error the transaction is what the row's own error would have left.
    pub(crate) fn run(
        &self,
        client: &mut Client,
        once: Option<&ParsedStatement>,
        hook: &mut dyn Interrupt,
    ) -> Result<Sent, kecoa::Error> {
        let commits = Commits(client.transaction_status() == TransactionStatus::Idle);
        let sent =
            self.submit(client, once, commits).and_then(|id| client.finish_pipeline(id, hook));
        // Also where the request was interrupted: its own transaction is no one's to end but ours.
        if commits.0
            && !client.is_closed()
            && client.transaction_status() != TransactionStatus::Idle
        {
            client.run(&Request::Query(b"ROLLBACK"), &mut Never)?;
        }
        Ok(self.outcome(commits, sent?))
    }

    /// What became of the rows.
    pub(in crate::dbapi) fn outcome(&self, commits: Commits, piped: PipelineOutcome) -> Sent {
        let PipelineOutcome { results, bound, error, .. } = piped;
        let (row, own) = commits.row_at(results.len());
        let failed = error.map(|error| {
            let unrun = commits.0 && own && bound < commits.bound_at(row);
            (error, row, unrun)
        });
        let complete = if failed.is_some() { row } else { self.rows.len() };
        let mut taken = Vec::with_capacity(complete);
        for (index, result) in results.into_iter().enumerate() {
            if index == commits.position(taken.len()) && taken.len() < complete {
                taken.push(result);
            }
        }
        Sent { results: taken, failed }
    }
}
