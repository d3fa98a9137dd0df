//! What `$out` and `$merge` write.

mod merge;
mod out;

use super::settings::Settings;
use crate::aggregate::{Pipeline, Write};
use crate::error::{Code, Error};
use crate::operation::context::Context;
use crate::store::Namespace;

/// Write the documents of `$out` or `$merge`.
pub(super) async fn write(
    context: &mut Context<'_>,
    write: Write,
    settings: &Settings,
) -> Result<(), Error> {
    let target = Namespace::new(&write.namespace.database, &write.namespace.collection)?;
    match &write.merge {
        None => out::replace(context, &target, &write.documents, settings).await,
        Some(merge) => merge::merge(context, &target, merge, &write, settings).await,
    }
}

/// Check that a pipeline may write what it writes.
///
/// # Errors
///
/// 263 in a transaction; those of the target.
pub(super) async fn check(context: &mut Context<'_>, pipeline: &Pipeline) -> Result<(), Error> {
    let Some(target) = pipeline.target() else { return Ok(()) };
    if context.is_in_transaction() {
        return Err(Error::new(
            Code::OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
            format!(
                "Operation not permitted in transaction :: caused by :: Aggregation stage that writes to {}.{} cannot run within a multi-document transaction.",
                target.database, target.collection
            ),
        ));
    }
    let target = Namespace::new(&target.database, &target.collection)?;
    context.writable(&target).await?;
    Ok(())
}
