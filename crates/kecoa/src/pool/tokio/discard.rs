//! What undoes all that a caller did to its session.

use crate::client::tokio::Client;
use crate::error::Error;
use crate::pool::discard::discard_sql;

/// Undoes what the last caller did to the session, for [`Builder::reset`](super::Builder::reset): settings, temporary
/// tables, LISTEN. One round trip. As DISCARD ALL, but for prepared statements, of which the client
/// keeps account.
///
/// ```
/// use kecoa::pool::tokio::{Pool, discard_session};
///
/// let builder = Pool::builder().reset(|client| Box::pin(discard_session(client)));
/// ```
///
/// # Errors
/// As [`Client::batch`].
pub async fn discard_session(client: &mut Client) -> Result<(), Error> {
    let sql = discard_sql(client.crdb_version().is_some());
    client.simple(sql.as_bytes()).await.map(drop)
}
