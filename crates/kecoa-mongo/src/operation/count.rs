//! `count`.

use crate::error::Error;
use crate::store::{Checked, Collection};

use super::attempts::write_conflict;
use super::context::Context;
use super::find::Find;

/// How many documents a collection has that `find` would give; none, where the catalogue says something else by now.
///
/// # Errors
///
/// Those of filters and of the store.
pub async fn count(
    context: &mut Context<'_>,
    collection: &Collection,
    find: &Find<'_>,
) -> Result<Option<u64>, Error> {
    if find.filter.is_none_or(|filter| filter.is_empty()) {
        let all = count_all(context, collection, find).await?;
        let left = all.saturating_sub(find.skip);
        return Ok(Some(if find.limit > 0 { left.min(find.limit) } else { left }));
    }
    let mut query = find.open(context, collection)?;
    if !query.begin(context).await? {
        return Ok(None);
    }
    let mut count = 0;
    while query.skip_one(context).await? {
        count += 1;
    }
    Ok(Some(count))
}

async fn count_all(
    context: &mut Context<'_>,
    collection: &Collection,
    find: &Find<'_>,
) -> Result<u64, Error> {
    // A hint must be that of an index.
    find.open(context, collection)?;
    let access = crate::plan::access::Access::All { order: crate::plan::access::Order::Forward };
    let mut collection = collection.clone();
    let mut tries = context.tries();
    loop {
        match context.handle().count(&collection, &access).await {
            Ok(Checked::Current(count)) => return Ok(count),
            Ok(Checked::Stale) => {
                tries.next(write_conflict()).await?;
                let namespace = collection.namespace().clone();
                match context.collection(&namespace).await? {
                    Some(current) => collection = current,
                    None => return Ok(0),
                }
            }
            Err(error) if context.is_in_transaction() => return Err(error),
            Err(error) => tries.next(error).await?,
        }
    }
}
