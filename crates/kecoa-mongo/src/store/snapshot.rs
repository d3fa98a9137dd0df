//! What a transaction sees, and what others have committed since.

use super::database::{Effect, Store};
use super::failure::{Duplicate, read};
use crate::error::{Code, Error, Label};

/// The first statement of a transaction: it takes its snapshot, and says which it is.
pub(super) fn begin(lock_wait: u128) -> String {
    format!("SELECT pg_current_snapshot()::TEXT, set_config('lock_timeout', '{lock_wait}ms', true)")
}

/// Whether a row is in a snapshot, `$1`. `xmin` is the lower half of the number of the transaction that has written it,
/// which is not above the next one's.
const VISIBLE: &str = "SELECT pg_visible_in_snapshot((n.next - ((n.next - r.xmin::TEXT::INT8) & 4294967295)) \
     ::TEXT::xid8, $1::TEXT::pg_snapshot) \
     FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::TEXT::INT8 AS next) n, ";

/// Whether the key that a transaction met was written by one that it does not see: it may be tried again then, and sees
/// it. One that has gone meanwhile, or was the transaction's own, was not.
///
/// # Errors
///
/// Those of the database.
pub(super) async fn is_newer(
    store: &Store,
    snapshot: &str,
    collection: i64,
    duplicate: &Duplicate,
) -> Result<bool, Error> {
    let rows = match duplicate {
        Duplicate::Document(key) => {
            let sql =
                format!("{VISIBLE} kecoa_mongo.document r WHERE r.coll = $2 AND r.id_key = $3");
            store.rows(Effect::Read, &sql, &[&snapshot, &collection, key], None).await?
        }
        Duplicate::Unique(number, key) => {
            let sql = format!(
                "{VISIBLE} kecoa_mongo.uniq r WHERE r.coll = $2 AND r.idx = $3 AND r.key = $4"
            );
            store.rows(Effect::Read, &sql, &[&snapshot, &collection, number, key], None).await?
        }
        Duplicate::Record | Duplicate::Other => return Ok(false),
    };
    match rows.first() {
        Some(row) => Ok(!read::<bool>(row, 0)?),
        None => Ok(false),
    }
}

/// The error of a transaction that met a key with which another one has done something that it does not see.
pub(super) fn conflict(done: &str) -> Error {
    Error::new(
        Code::WRITE_CONFLICT,
        format!(
            "Write conflict during plan execution and yielding is disabled: another transaction has \
             {done} the same unique key since this one began"
        ),
    )
    .with_label(Label::TransientTransactionError)
}
