//! `fsync`: all that was written is on disk, which each commit waits for.

use ::bson::{RawDocumentBuf, rawdoc};

use super::arguments::Argument;
use super::context::{Context, Definition, Privilege, Running};
use crate::error::{Code, Error};

/// `fsync`.
pub const FSYNC: Definition = Definition::new("fsync", run)
    .arguments(&[
        Argument::lenient_boolean("lock"),
        Argument::lenient_boolean("async"),
        Argument::any("fsyncLockAcquisitionTimeoutMillis"),
    ])
    .open()
    .admin()
    .needs(Privilege::Operate)
    .help("all that was written is on disk");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move { answer(context) })
}

fn answer(context: &Context<'_>) -> Result<RawDocumentBuf, Error> {
    if context.arguments.boolean("lock") {
        return Err(Error::new(Code::NOT_IMPLEMENTED, "fsync with lock is not supported"));
    }
    Ok(rawdoc! { "numFiles": 1 })
}
