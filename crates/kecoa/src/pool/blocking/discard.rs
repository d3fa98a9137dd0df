//! What undoes all that a caller did to its session.

use crate::client::blocking::Client;
use crate::error::Error;
use crate::interrupt::Never;
use crate::pool::discard::discard_sql;
use crate::proto::Request;

/// Undoes what the last caller did to the session, for [`Builder::reset`](super::Builder::reset): settings, temporary
/// tables, LISTEN. One round trip. As DISCARD ALL, but for prepared statements, of which the client
/// keeps account.
///
/// # Errors
/// As [`Client::batch`].
pub fn discard_session(client: &mut Client) -> Result<(), Error> {
    let sql = discard_sql(client.crdb_version().is_some());
    client.run(&Request::Query(sql.as_bytes()), &mut Never).map(drop)
}
