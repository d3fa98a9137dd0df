//! Rules of a collection that another gateway has changed.

use crate::error::Error;
use crate::store::Collection;

use super::capped;
use super::context::Context;

/// Whether a refusal by a collection's rules, its validator's or its size's, is to be looked at once more: the catalogue
/// has other ones by now.
///
/// # Errors
///
/// Those of the store.
pub(super) async fn have_changed(
    context: &mut Context<'_>,
    collection: &Collection,
) -> Result<bool, Error> {
    let has_rules = capped::is_capped(collection)
        || matches!(collection.options().get("validator"), Ok(Some(_)));
    Ok(has_rules && !context.handle().is_current(collection).await?)
}
