//! Collections of a bounded size: where documents come, the first ones go.

use ::bson::RawDocument;

use crate::error::{Code, Error};
use crate::plan::access::{Access, Order};
use crate::store::{Checked, Collection, Delete, Lock, PageLimit};

use super::context::Context;

/// The documents that are removed at once.
const AT_ONCE: usize = 1000;

/// What a collection may hold.
struct Bounds {
    documents: Option<u64>,
    bytes: u64,
}

/// Check that documents may be inserted.
///
/// # Errors
///
/// 263 for a capped collection in a transaction.
pub(super) fn check(context: &Context<'_>, collection: &Collection) -> Result<(), Error> {
    if context.is_in_transaction() && Bounds::of(collection.options()).is_some() {
        return Err(Error::new(
            Code::OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
            format!(
                "Collection '{}' is a capped collection. Writes in transactions are not allowed on capped collections.",
                collection.namespace()
            ),
        ));
    }
    Ok(())
}

/// Check that a document is not larger than all that a capped collection may hold.
///
/// # Errors
///
/// 2 where it is.
pub(super) fn check_size(collection: &Collection, document: &RawDocument) -> Result<(), Error> {
    let Some(bounds) = Bounds::of(collection.options()) else { return Ok(()) };
    let bytes = u64::try_from(document.as_bytes().len()).unwrap_or(u64::MAX);
    if bytes <= bounds.bytes {
        return Ok(());
    }
    let text = format!(
        "object to insert exceeds cappedMaxSize: expected at most {} bytes, found {bytes}",
        bounds.bytes
    );
    Err(Error::new(Code::BAD_VALUE, text))
}

/// Whether a collection is one.
pub(super) fn is_capped(collection: &Collection) -> bool {
    Bounds::of(collection.options()).is_some()
}

/// Remove the first documents of a capped collection that has more than it may have.
///
/// # Errors
///
/// Those of the store.
pub(super) async fn trim(context: &mut Context<'_>, collection: &Collection) -> Result<(), Error> {
    let Some(bounds) = Bounds::of(collection.options()) else { return Ok(()) };
    loop {
        let has = context.handle().statistics(collection).await?;
        let surplus = match bounds.documents {
            Some(most) => has.documents.saturating_sub(most),
            None => 0,
        };
        // One document always stays.
        let may_go = has.documents.saturating_sub(1);
        let surplus_bytes = has.bytes.saturating_sub(bounds.bytes);
        if may_go == 0 || (surplus == 0 && surplus_bytes == 0) {
            return Ok(());
        }
        let access = Access::All { order: Order::Forward };
        let limit = PageLimit { documents: AT_ONCE, ..PageLimit::default() };
        let page = context.handle().page(collection, &access, None, limit, Lock::None).await?;
        // Where the catalogue has changed, the next insert removes them.
        let Checked::Current(page) = page else { return Ok(()) };
        let (mut count, mut bytes) = (0, 0);
        let documents = page.stored()?;
        let goes = documents.iter().take_while(|stored| {
            let is_surplus = count < may_go && (count < surplus || bytes < surplus_bytes);
            count += 1;
            bytes += u64::try_from(stored.document.as_bytes().len()).unwrap_or(0);
            is_surplus
        });
        let deletes: Vec<_> = goes.map(|old| Delete { old, record: None }).collect();
        match context.handle().delete(collection, &deletes).await? {
            Checked::Stale => return Ok(()),
            Checked::Current(written) => {
                if let Some((_, error)) = written.failure {
                    return Err(error);
                }
                // Another gateway removes them.
                if !written.done.iter().any(|done| *done) {
                    return Ok(());
                }
            }
        }
    }
}

impl Bounds {
    fn of(options: &RawDocument) -> Option<Self> {
        if !options.get_bool("capped").unwrap_or(false) {
            return None;
        }
        let number = |name| {
            let value = options.get(name).ok().flatten()?;
            let number = value.as_i64().or_else(|| value.as_i32().map(i64::from))?;
            u64::try_from(number).ok()
        };
        Some(Self {
            documents: number("max").filter(|most| *most > 0),
            bytes: number("size").unwrap_or(u64::MAX),
        })
    }
}
