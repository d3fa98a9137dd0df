//! The log, read in pages.

use super::database::{Effect, Store};
use super::failure::read;
use crate::change::{Change, Place, Position, Scope};
use crate::error::Error;

/// How many transactions a page goes through at most.
const TRANSACTIONS: i64 = 1000;
/// How many changes a page has at most.
const CHANGES: i64 = 1000;
/// How many bytes of them, but for one that is larger.
const BYTES: i64 = 4 * 1024 * 1024;

/// Changes of collections are given whatever they are called: they may have had another name.
const READ: &str = "SELECT p.n, p.lsid, p.txn, p.i, p.db, p.name, p.change, p.whole FROM \
     (SELECT q.*, count(*) OVER () AS whole, sum(coalesce(octet_length(q.change), 0)) OVER \
     (ORDER BY q.n, q.i ROWS UNBOUNDED PRECEDING) - coalesce(octet_length(q.change), 0) AS before FROM \
     (SELECT k.n, k.lsid, k.txn, c.i, c.db, c.name, c.change FROM \
     (SELECT n, t, lsid, txn FROM kecoa_mongo.ticket WHERE n >= $1 ORDER BY n LIMIT $3) k \
     LEFT JOIN kecoa_mongo.change c ON c.t = k.t AND (k.n > $1 OR c.i > $2) AND \
     (c.ddl OR ($5::TEXT IS NULL OR c.db = $5::TEXT) AND ($6::TEXT IS NULL OR c.name = $6::TEXT)) \
     ORDER BY k.n, c.i LIMIT $4) q) p WHERE p.before < $7 ORDER BY p.n, p.i";

/// Changes, and where to go on.
#[derive(Debug)]
pub struct ChangePage {
    /// The changes that a stream sees, in order.
    pub changes: Vec<(Place, Change)>,
    /// Behind all that was read.
    pub position: Position,
    /// Whether there was nothing more.
    pub is_last: bool,
}

impl Store {
    /// Changes behind a place.
    ///
    /// # Errors
    ///
    /// Those of the database; 286 where the log was cut off behind the place.
    pub async fn changes(&self, scope: &Scope, after: Position) -> Result<ChangePage, Error> {
        let (time, event) = match after.event {
            i32::MAX => (after.time.saturating_add(1), -1),
            event => (after.time, event),
        };
        let rows = self
            .rows(
                Effect::Read,
                READ,
                &[
                    &time,
                    &event,
                    &TRANSACTIONS,
                    &CHANGES,
                    &scope.database(),
                    &scope.collection(),
                    &BYTES,
                ],
                None,
            )
            .await?;
        let mut page = ChangePage { changes: Vec::new(), position: after, is_last: true };
        let mut transactions = 0;
        let mut last = None;
        for row in &rows {
            let time: i64 = read(row, 0)?;
            if last != Some(time) {
                transactions += 1;
                last = Some(time);
            }
            page.position = Position::behind(time);
            let Some(event) = read::<Option<i32>>(row, 3)? else { continue };
            page.position = Position { time, event };
            let change = Change::from_bytes(read(row, 6)?)?;
            let place = Place {
                position: page.position,
                database: read(row, 4)?,
                collection: read(row, 5)?,
                transaction: read::<Option<Vec<u8>>>(row, 1)?.zip(read::<Option<i64>>(row, 2)?),
            };
            if scope.sees(&place.database, &place.collection, &change) {
                page.changes.push((place, change));
            }
        }
        let whole: i64 = rows.first().map_or(Ok(0), |row| read(row, 7))?;
        let given = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let is_cut = given < whole || whole >= CHANGES;
        page.is_last = !is_cut && transactions < TRANSACTIONS;
        if !is_cut && let Some(time) = last {
            page.position = Position::behind(time);
        }
        Ok(page)
    }

    /// The number of the last transaction that was removed from the log.
    pub(super) async fn log_floor(&self) -> Result<i64, Error> {
        let sql = "SELECT n FROM kecoa_mongo.counter WHERE name = 'floor'";
        let rows = self.rows(Effect::Read, sql, &[], None).await?;
        rows.first().map_or(Ok(0), |row| read(row, 0))
    }
}
