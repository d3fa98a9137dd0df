//! `dropDatabase`.

use ::bson::RawDocumentBuf;
use ::bson::raw::cstr;

use crate::error::{Code, Error};

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[];

/// `dropDatabase`.
pub const DROP_DATABASE: Definition = Definition::new("dropDatabase", run)
    .value(Kind::Integer { least: 1, most: 1, code: Code::location(5_255_100) })
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Administrate)
    .write_concern()
    .help("drop a database");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let database = context.database.to_owned();
    if matches!(database.as_str(), "admin" | "config" | "local") {
        return Err(Error::new(
            Code::ILLEGAL_OPERATION,
            format!("Dropping the '{database}' database is prohibited."),
        ));
    }
    let mut work = work::work(context).await?;
    let dropped = work.handle().drop_database(&database).await?;
    drop(work);
    let prefix = format!("{database}.");
    drop(
        context
            .gateway
            .cursors
            .kill_where(|owner| owner.namespace.starts_with(&prefix) && !owner.watches),
    );
    let mut reply = RawDocumentBuf::new();
    if dropped > 0 {
        reply.append(cstr!("dropped"), database);
    }
    Ok(reply)
}
