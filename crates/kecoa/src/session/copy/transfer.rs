//! COPY in both directions, in bounded memory.

use std::io::{ErrorKind, Read, Write};

use kecoa_proto::{Reply, Request};

use super::answer::Answer;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::session::core::Session;
use crate::session::statement::finish;

/// How much of the data goes into one message.
const CHUNK: usize = 64 * 1024;

/// What became of a statement that was to copy.
#[derive(Default)]
struct Transfer {
    /// The copying began.
    begun: bool,
    /// Our side failed.
    failed: Option<Error>,
    answer: Answer,
}

impl Transfer {
    /// The number of rows, when the server said it; `expected` is what the statement should be.
    fn end(mut self, session: &mut Session, expected: &str) -> Result<Option<u64>, Error> {
        finish(session, &mut self.answer.error)?;
        let rows = self.answer.rows();
        match (self.failed, self.answer.error) {
            // What the server made of it belongs to it.
            (Some(error), Some(server)) => Err(error.with_server(server)),
            (Some(error), None) => Err(error),
            (None, Some(error)) => Err(Error::from_server(error)),
            (None, None) if !self.begun => Err(Error::usage_after_the_fact(format!(
                "expected {expected}, found another statement"
            ))),
            (None, None) => Ok(rows),
        }
    }
}

/// COPY … FROM STDIN.
pub(crate) fn copy_in(
    session: &mut Session,
    sql: &[u8],
    data: &mut dyn Read,
    hook: &mut dyn Interrupt,
) -> Result<Option<u64>, Error> {
    let id = session.submit(&Request::Query(sql))?;
    let mut transfer = Transfer::default();
    loop {
        match session.reply(id, hook)? {
            Reply::CopyIn(_) if transfer.begun => {
                transfer.failed.get_or_insert(Error::usage_after_the_fact(
                    "expected one COPY FROM STDIN, found another one behind it",
                ));
                session.refuse_copy()?;
            }
            Reply::CopyIn(_) => {
                transfer.begun = true;
                match feed(session, data, hook) {
                    Ok(Fed::Everything) => session.copy_done()?,
                    // After its error the server waits for no end of the data either.
                    Ok(Fed::UntilRefused) => {}
                    // The server looks at a cancel request when it reads more, which this is.
                    Ok(Fed::UntilCancelled) => session.copy_fail("cancelled by the client")?,
                    Ok(Fed::UntilFailed(error)) => {
                        session.copy_fail(&reason(&error))?;
                        transfer.failed =
                            Some(Error::io("the data to copy could not be read", error));
                    }
                    Err(error) if session.is_closed() => return Err(error),
                    Err(error) => {
                        session.copy_fail("the client could not read the data to copy")?;
                        transfer.failed = Some(error);
                    }
                }
            }
            reply => {
                transfer.answer.take(reply);
                if transfer.answer.is_over {
                    return transfer.end(session, "COPY … FROM STDIN");
                }
            }
        }
    }
}

/// How feeding a COPY ended.
enum Fed {
    Everything,
    UntilRefused,
    UntilCancelled,
    UntilFailed(std::io::Error),
}

/// The most of a reader's error that the server is told, in characters.
const REASON: usize = 1000;

/// The text of a reader's error as the reason of a CopyFail, which has no NUL.
pub(crate) fn reason(error: &std::io::Error) -> String {
    error.to_string().chars().take(REASON).filter(|character| *character != '\0').collect()
}

/// Sends the reader's bytes until it ends, or until the server has lost interest.
fn feed(
    session: &mut Session,
    data: &mut dyn Read,
    hook: &mut dyn Interrupt,
) -> Result<Fed, Error> {
    let mut chunk = vec![0; CHUNK];
    loop {
        if session.has_refused_copy()? {
            return Ok(Fed::UntilRefused);
        }
        let reading = Reading { session: &mut *session, is_over: false };
        let read = data.read(&mut chunk);
        reading.over();
        let n = match read {
            Ok(0) => return Ok(Fed::Everything),
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Fed::UntilFailed(error)),
        };
        session.copy_data(chunk.get(..n).unwrap_or_default(), hook)?;
        if session.is_cancelled() {
            return Ok(Fed::UntilCancelled);
        }
    }
}

/// While the caller's reader is at work: where it panics the server is told to give the COPY up, or
/// whatever is asked next would be taken for a part of it.
struct Reading<'a> {
    session: &'a mut Session,
    is_over: bool,
}

impl Reading<'_> {
    fn over(mut self) {
        self.is_over = true;
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // A connection that takes no CopyFail is of no use to anybody.
            if self.session.copy_fail("the client could not read the data to copy").is_err() {
                self.session.close();
            }
        }
    }
}

/// COPY … TO STDOUT.
pub(crate) fn copy_out(
    session: &mut Session,
    sql: &[u8],
    sink: &mut dyn Write,
    hook: &mut dyn Interrupt,
) -> Result<Option<u64>, Error> {
    let id = session.submit(&Request::Query(sql))?;
    let mut transfer = Transfer::default();
    loop {
        match session.reply(id, hook)? {
            Reply::CopyOut(_) => transfer.begun = true,
            Reply::CopyIn(_) => session.refuse_copy()?,
            // After the sink failed the rest is drained, so that the connection stays usable.
            Reply::CopyData(data) => {
                if transfer.failed.is_none()
                    && let Err(error) = sink.write_all(&data)
                {
                    let error = Error::io("the copied data could not be written", error);
                    transfer.failed = Some(error);
                }
            }
            reply => {
                transfer.answer.take(reply);
                if transfer.answer.is_over {
                    return transfer.end(session, "COPY … TO STDOUT");
                }
            }
        }
    }
}
