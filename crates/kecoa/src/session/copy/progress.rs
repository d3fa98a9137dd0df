//! COPY in either direction, reply by reply.

use bytes::Bytes;
use kecoa_proto::{CommandTag, Reply, Request, RequestId, ServerError};

use crate::error::Error;
use crate::session::core::Session;
use crate::session::statement::endless;

/// What is the same in both directions.
#[derive(Debug)]
struct Course {
    begun: bool,
    over: bool,
    misuse: bool,
    server: Option<Box<ServerError>>,
    tag: Option<CommandTag>,
}

impl Course {
    fn new() -> Course {
        Course { begun: false, over: false, misuse: false, server: None, tag: None }
    }

    fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Error(error) => {
                self.server.get_or_insert(error);
            }
            Reply::CommandComplete(tag) => self.tag = Some(tag),
            Reply::Ready(_) => self.over = true,
            _ => {}
        }
    }

    /// The error of a COPY that is over; asked once.
    fn check(&mut self, expected: &str) -> Result<(), Error> {
        match self.server.take() {
            // An error of the server is then its answer to a COPY that was given up here.
            Some(error) if !self.misuse => Err(Error::from_server(error)),
            None if self.begun && !self.misuse => Ok(()),
            _ => Err(Error::usage_after_the_fact(format!(
                "expected one {expected}, found another statement"
            ))),
        }
    }

    fn rows(&self) -> Option<u64> {
        self.tag.as_ref().and_then(CommandTag::rows)
    }
}

/// A COPY … FROM STDIN under way.
#[derive(Debug)]
pub(crate) struct CopyingIn {
    pub(crate) id: RequestId,
    course: Course,
    refused: bool,
}

impl CopyingIn {
    pub(crate) fn submit(session: &mut Session, sql: &str) -> Result<CopyingIn, Error> {
        let id = session.submit(&Request::Query(sql.as_bytes()))?;
        Ok(CopyingIn { id, course: Course::new(), refused: false })
    }

    /// The server waits for data.
    pub(crate) fn has_begun(&self) -> bool {
        self.course.begun
    }

    pub(crate) fn is_over(&self) -> bool {
        self.course.over
    }

    /// The server has answered with an error, and waits for no end of the data.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused || self.course.server.is_some()
    }

    pub(crate) fn refuse(&mut self) {
        self.refused = true;
    }

    /// Takes a reply. The error of a statement that began no COPY comes at its end.
    pub(crate) fn take(&mut self, session: &mut Session, reply: Reply) -> Result<(), Error> {
        match reply {
            Reply::CopyIn(_) if self.course.begun => {
                self.course.misuse = true;
                session.refuse_copy()?;
            }
            Reply::CopyIn(_) => self.course.begun = true,
            Reply::CopyOut(_) => self.course.misuse = true,
            Reply::CopyBoth(_) => return Err(endless(session)),
            reply => self.course.take(reply),
        }
        if self.course.over && !self.course.begun {
            return self.course.check("COPY … FROM STDIN");
        }
        Ok(())
    }

    /// What came of it, once it is over.
    pub(crate) fn outcome(&mut self) -> Result<Option<u64>, Error> {
        self.course.check("COPY … FROM STDIN")?;
        Ok(self.course.rows())
    }
}

/// A COPY … TO STDOUT under way.
#[derive(Debug)]
pub(crate) struct CopyingOut {
    pub(crate) id: RequestId,
    course: Course,
}

impl CopyingOut {
    pub(crate) fn submit(session: &mut Session, sql: &str) -> Result<CopyingOut, Error> {
        let id = session.submit(&Request::Query(sql.as_bytes()))?;
        Ok(CopyingOut { id, course: Course::new() })
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.course.begun
    }

    pub(crate) fn is_over(&self) -> bool {
        self.course.over
    }

    /// How many rows were copied, once it is over.
    pub(crate) fn rows(&self) -> Option<u64> {
        self.course.rows()
    }

    /// Takes a reply; gives the data in it. The error comes at the end.
    pub(crate) fn take(
        &mut self,
        session: &mut Session,
        reply: Reply,
    ) -> Result<Option<Bytes>, Error> {
        match reply {
            Reply::CopyOut(_) => self.course.begun = true,
            Reply::CopyData(data) => return Ok(Some(data)),
            Reply::CopyIn(_) => {
                self.course.misuse = true;
                session.refuse_copy()?;
            }
            Reply::CopyBoth(_) => return Err(endless(session)),
            reply => self.course.take(reply),
        }
        if self.course.over {
            self.course.check("COPY … TO STDOUT").map(|()| None)
        } else {
            Ok(None)
        }
    }
}
