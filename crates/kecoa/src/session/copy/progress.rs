//! COPY in either direction, reply by reply.

use bytes::Bytes;
use kecoa_proto::{Reply, Request, RequestId};

use super::answer::Answer;
use crate::error::Error;
use crate::session::core::Session;
use crate::session::statement::endless;

/// What is the same in both directions.
#[derive(Debug, Default)]
struct Progress {
    begun: bool,
    misuse: bool,
    answer: Answer,
}

impl Progress {
    /// The error of a COPY that is over; asked once.
    fn check(&mut self, expected: &str) -> Result<(), Error> {
        match self.answer.error.take() {
            // An error of the server is then its answer to a COPY that was given up here.
            Some(error) if !self.misuse => Err(Error::from_server(error)),
            None if self.begun && !self.misuse => Ok(()),
            _ => Err(Error::usage_after_the_fact(format!(
                "expected one {expected}, found another statement"
            ))),
        }
    }
}

/// A COPY … FROM STDIN under way.
#[derive(Debug)]
pub(crate) struct CopyingIn {
    pub(crate) id: RequestId,
    progress: Progress,
    refused: bool,
}

impl CopyingIn {
    pub(crate) fn submit(session: &mut Session, sql: &str) -> Result<CopyingIn, Error> {
        let id = session.submit(&Request::Query(sql.as_bytes()))?;
        Ok(CopyingIn { id, progress: Progress::default(), refused: false })
    }

    /// The server waits for data.
    pub(crate) fn has_begun(&self) -> bool {
        self.progress.begun
    }

    pub(crate) fn is_over(&self) -> bool {
        self.progress.answer.is_over
    }

    /// The server has answered with an error, and waits for no end of the data.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused || self.progress.answer.error.is_some()
    }

    pub(crate) fn refuse(&mut self) {
        self.refused = true;
    }

    /// Takes a reply. The error of a statement that began no COPY comes at its end.
    pub(crate) fn take(&mut self, session: &mut Session, reply: Reply) -> Result<(), Error> {
        match reply {
            Reply::CopyIn(_) if self.progress.begun => {
                self.progress.misuse = true;
                session.refuse_copy()?;
            }
            Reply::CopyIn(_) => self.progress.begun = true,
            Reply::CopyOut(_) => self.progress.misuse = true,
            Reply::CopyBoth(_) => return Err(endless(session)),
            reply => self.progress.answer.take(reply),
        }
        if self.progress.answer.is_over && !self.progress.begun {
            return self.progress.check("COPY … FROM STDIN");
        }
        Ok(())
    }

    /// What came of it, once it is over.
    pub(crate) fn outcome(&mut self) -> Result<Option<u64>, Error> {
        self.progress.check("COPY … FROM STDIN")?;
        Ok(self.progress.answer.rows())
    }
}

/// A COPY … TO STDOUT under way.
#[derive(Debug)]
pub(crate) struct CopyingOut {
    pub(crate) id: RequestId,
    progress: Progress,
}

impl CopyingOut {
    pub(crate) fn submit(session: &mut Session, sql: &str) -> Result<CopyingOut, Error> {
        let id = session.submit(&Request::Query(sql.as_bytes()))?;
        Ok(CopyingOut { id, progress: Progress::default() })
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.progress.begun
    }

    pub(crate) fn is_over(&self) -> bool {
        self.progress.answer.is_over
    }

    /// How many rows were copied, once it is over.
    pub(crate) fn rows(&self) -> Option<u64> {
        self.progress.answer.rows()
    }

    /// Takes a reply; gives the data in it. The error comes at the end.
    pub(crate) fn take(
        &mut self,
        session: &mut Session,
        reply: Reply,
    ) -> Result<Option<Bytes>, Error> {
        match reply {
            Reply::CopyOut(_) => self.progress.begun = true,
            Reply::CopyData(data) => return Ok(Some(data)),
            Reply::CopyIn(_) => {
                self.progress.misuse = true;
                session.refuse_copy()?;
            }
            Reply::CopyBoth(_) => return Err(endless(session)),
            reply => self.progress.answer.take(reply),
        }
        if self.progress.answer.is_over {
            self.progress.check("COPY … TO STDOUT").map(|()| None)
        } else {
            Ok(None)
        }
    }
}
