//! The rows of one statement, reply by reply, in bounded memory.

use std::sync::Arc;

use kecoa_proto::{
    CommandTag, Format, Reply, Request, RequestId, RowDescription, ServerError, Step, Target,
};

use crate::error::Error;
use crate::row::{Row, RunOfRows};
use crate::session::core::Session;
use crate::session::extended::Encoded;
use crate::session::in_flight::CommitRisk;
use crate::session::placeholders;
use crate::session::statement::endless;

/// A statement whose rows are taken as they come.
#[derive(Debug)]
pub(crate) struct StreamedRows {
    pub(crate) id: RequestId,
    description: Option<Arc<RowDescription>>,
    run: Option<RunOfRows>,
    server: Option<Box<ServerError>>,
    misuse: bool,
    tag: Option<CommandTag>,
    over: bool,
    risk: CommitRisk,
}

impl StreamedRows {
    /// Queues the statement. It is parsed anew: beside many rows that is nothing.
    pub(crate) fn submit(
        session: &mut Session,
        sql: &str,
        encoded: &Encoded,
    ) -> Result<StreamedRows, Error> {
        let parameters = encoded.parameters();
        placeholders::check(sql.as_bytes(), parameters.len())?;
        let request = encoded.request(None, sql, &parameters);
        let steps = [
            Step::Parse { name: b"", sql: request.sql, types: request.types },
            Step::Bind {
                portal: b"",
                statement: b"",
                parameters: &parameters,
                results: &[Format::Binary],
            },
            Step::Describe(Target::Portal(b"")),
            Step::Execute { portal: b"", max_rows: 0 },
        ];
        let id = session.submit(&Request::Extended(&steps))?;
        Ok(StreamedRows {
            id,
            description: None,
            run: None,
            server: None,
            misuse: false,
            tag: None,
            over: false,
            risk: session.risk(id),
        })
    }

    /// A row that has been read already.
    pub(crate) fn next_row(&mut self) -> Option<Row> {
        self.run.as_mut().and_then(Iterator::next)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// How many rows the server says it has sent or touched, once it is over.
    pub(crate) fn count(&self) -> Option<u64> {
        self.tag.as_ref().and_then(CommandTag::rows)
    }

    /// Nothing more comes: the connection failed.
    pub(crate) fn end(&mut self) {
        self.run = None;
        self.over = true;
    }

    /// Takes a reply. An error comes when the request is over.
    pub(crate) fn take(&mut self, session: &mut Session, reply: Reply) -> Result<(), Error> {
        match reply {
            Reply::RowDescription(description) => self.description = Some(description),
            Reply::Rows(rows) => {
                if let Some(description) = &self.description {
                    self.run = Some(RunOfRows::new(description.clone(), rows));
                }
            }
            Reply::CommandComplete(tag) => self.tag = Some(tag),
            Reply::CopyIn(_) => {
                self.misuse = true;
                session.refuse_copy()?;
            }
            Reply::CopyOut(_) => self.misuse = true,
            Reply::CopyBoth(_) => return Err(endless(session)),
            Reply::Error(error) => {
                self.server.get_or_insert(error);
            }
            Reply::Ready(_) => {
                self.end();
                if self.misuse {
                    return Err(Error::usage_after_the_fact(
                        "expected a statement that returns rows, found COPY: use copy_in or \
                         copy_out",
                    ));
                }
                if let Some(error) = self.server.take() {
                    return Err(self.risk.answered(Error::from_server(error)));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
