//! Who watches: rows that live as long as the log is kept, after a stream was last read.
//!
//! A write counts on what the catalogue says of its collection. So a stream's beginning says there that the collection
//! is watched, and every write from then on, of whatever gateway, leaves its change in the log. Nobody else asks.

use std::time::Duration;

use tokio::time::Instant;

use super::change_log::is_watched;
use super::database::{Effect, Params, Store};
use super::failure::{read, unexpected};
use super::record::now;
use super::ticket::LOCK;
use crate::change::{Position, Scope, Start, to_timestamp};
use crate::error::{Code, Error, Label};

/// How often a stream's beginning goes through the catalogue before it gives up.
const ROUNDS: u32 = 50;
/// How many transactions of the log are removed at a time.
const BATCH: i64 = 1000;

/// One at a time begins to watch, or ends.
const ENTER: &str = "UPDATE kecoa_mongo.counter SET n = n + 1 WHERE name = 'watch'";
const KEEP: &str = "INSERT INTO kecoa_mongo.watch (db, name, since, until) VALUES ($1, $2, NULL, $3) \
     ON CONFLICT (db, name) DO UPDATE SET until = GREATEST(watch.until, excluded.until)";
/// Says of all collections that somebody watches that it is so.
const MARK: &str = "UPDATE kecoa_mongo.collection SET watched = true, version = version + 1 \
     WHERE db IS NOT NULL AND NOT watched AND ($1 = '' OR db = $1) AND ($2 = '' OR name = $2)";

impl Store {
    /// Makes sure that all changes within a scope are in the log from now on, and finds the place that a stream begins
    /// behind.
    ///
    /// # Errors
    ///
    /// 286 where the log does not reach back to the beginning; 50 where transactions that write there are not over by
    /// the deadline.
    pub async fn watch(
        &self,
        scope: &Scope,
        start: &Start,
        deadline: Option<Instant>,
    ) -> Result<Position, Error> {
        let (database, name) = names(scope);
        let until = self.watched_until();
        let is_new = self.enter(database, name, until, deadline).await?;
        let now = self.log_end().await?;
        if is_new {
            self.count(
                Effect::WriteOnce,
                "UPDATE kecoa_mongo.watch SET since = $3 WHERE db = $1 AND name = $2 AND since IS NULL",
                &[&database, &name, &now],
                None,
            )
            .await?;
        }
        let Some(position) = start.position() else { return Ok(Position::behind(now)) };
        let rows = self
            .rows(
                Effect::Read,
                "SELECT GREATEST((SELECT min(since) FROM kecoa_mongo.watch WHERE since IS NOT NULL AND \
                 (db = '' OR db = $1 AND name IN ('', $2))), \
                 (SELECT n FROM kecoa_mongo.counter WHERE name = 'floor'))",
                &[&database, &name],
                None,
            )
            .await?;
        let oldest: i64 = rows.first().map_or(Ok(i64::MAX), |row| read(row, 0))?;
        if position.time < oldest {
            return Err(history_lost());
        }
        Ok(position)
    }

    /// Says that a stream is still read.
    ///
    /// # Errors
    ///
    /// 286 where nobody kept the log for it, back to what it has read.
    pub async fn keep_watching(&self, scope: &Scope, behind: Position) -> Result<(), Error> {
        let (database, name) = names(scope);
        let until = self.watched_until();
        let kept = self
            .count(
                Effect::WriteOnce,
                "UPDATE kecoa_mongo.watch SET until = GREATEST(until, $3) WHERE db = $1 AND name = $2",
                &[&database, &name, &until],
                None,
            )
            .await?;
        if kept == 0 || behind.time < self.log_floor().await? {
            return Err(history_lost());
        }
        Ok(())
    }

    fn watched_until(&self) -> i64 {
        now().saturating_add(millis(self.options().change_life))
    }

    /// Writes down who watches; whether the log may lack changes from before now.
    async fn enter(
        &self,
        database: &str,
        name: &str,
        until: i64,
        deadline: Option<Instant>,
    ) -> Result<bool, Error> {
        let mut rounds = 0;
        let mut is_new = false;
        loop {
            let statements: [(&str, Params<'_>); 4] = [
                (ENTER, &[]),
                (KEEP, &[&database, &name, &until]),
                (
                    "SELECT since IS NULL FROM kecoa_mongo.watch WHERE db = $1 AND name = $2",
                    &[&database, &name],
                ),
                (MARK, &[&database, &name]),
            ];
            let (mut answers, slots) =
                self.together(Effect::WriteOnce, &statements, deadline).await?;
            let [.., asked, marked] = slots.as_slice() else {
                return Err(unexpected("no answer"));
            };
            let wrong = |error: kecoa::Error| unexpected(&error.to_string());
            let rows = answers.rows(*asked).map_err(wrong)?;
            let unfinished: bool = rows.first().map_or(Ok(true), |row| read(row, 0))?;
            let marked = answers.count(*marked).map_err(wrong)?;
            is_new = is_new || unfinished || marked > 0;
            if !is_new || rounds > 0 && marked == 0 {
                return Ok(is_new);
            }
            rounds += 1;
            if rounds == ROUNDS {
                return Err(Error::new(
                    Code::WRITE_CONFLICT,
                    "others went on making collections while the change stream began",
                ));
            }
            // Who began before may make a collection, or write to one, and not know of it.
            self.alone().with_deadline(deadline).settle().await?;
        }
    }

    /// The end of the log: a number above those of all that are committed, and below those of all others.
    async fn log_end(&self) -> Result<i64, Error> {
        let time = self.tick();
        let lock = LOCK;
        let by_lock: [(&str, Params<'_>); 2] = [
            ("SELECT pg_advisory_xact_lock($1::INT8)::TEXT", &[&lock]),
            (
                "SELECT setval('kecoa_mongo.change_n', GREATEST(nextval('kecoa_mongo.change_n'), $1::INT8))",
                &[&time],
            ),
        ];
        let by_row: [(&str, Params<'_>); 2] = [
            (
                "UPDATE kecoa_mongo.counter SET n = GREATEST(n + 1, $1::INT8) WHERE name = 'ticket'",
                &[&time],
            ),
            ("SELECT n FROM kecoa_mongo.counter WHERE name = 'ticket'", &[]),
        ];
        let statements = if self.capabilities().commit_lock { by_lock } else { by_row };
        let (mut answers, slots) = self.together(Effect::WriteOnce, &statements, None).await?;
        let slot = slots.last().ok_or_else(|| unexpected("no answer"))?;
        let rows = answers.rows(*slot).map_err(|error| unexpected(&error.to_string()))?;
        let row = rows.first().ok_or_else(|| unexpected("no number"))?;
        let end = read(row, 0)?;
        self.clock().advance(to_timestamp(end));
        Ok(end)
    }

    /// Removes what is older than it is kept: rows of the log, and those who watched.
    pub(super) async fn trim_log(&self, now: i64) -> Result<(), Error> {
        let oldest = now.saturating_sub(millis(self.options().change_life));
        let found = "SELECT max(n), count(*) FROM \
             (SELECT n, at FROM kecoa_mongo.ticket ORDER BY n LIMIT $2) o WHERE at < $1";
        loop {
            let rows = self.rows(Effect::Read, found, &[&oldest, &BATCH], None).await?;
            let Some(row) = rows.first() else { break };
            let Some(last) = read::<Option<i64>>(row, 0)? else { break };
            let statements: [(&str, Params<'_>); 3] = [
                (
                    "UPDATE kecoa_mongo.counter SET n = GREATEST(n, $1::INT8) WHERE name = 'floor'",
                    &[&last],
                ),
                (
                    "DELETE FROM kecoa_mongo.change WHERE t IN \
                     (SELECT t FROM kecoa_mongo.ticket WHERE n <= $1)",
                    &[&last],
                ),
                ("DELETE FROM kecoa_mongo.ticket WHERE n <= $1", &[&last]),
            ];
            self.together(Effect::WriteOnce, &statements, None).await?;
            if read::<i64>(row, 1)? < BATCH {
                break;
            }
        }
        self.end_watches(now).await
    }

    async fn end_watches(&self, now: i64) -> Result<(), Error> {
        let sql = "SELECT 1 FROM kecoa_mongo.watch WHERE until < $1 LIMIT 1";
        if self.rows(Effect::Read, sql, &[&now], None).await?.is_empty() {
            return Ok(());
        }
        let unmark = format!(
            "UPDATE kecoa_mongo.collection c SET watched = false, version = c.version + 1 \
             WHERE c.watched AND c.db IS NOT NULL AND NOT {}",
            is_watched("c.db", "c.name")
        );
        let statements: [(&str, Params<'_>); 3] = [
            (ENTER, &[]),
            ("DELETE FROM kecoa_mongo.watch WHERE until < $1", &[&now]),
            (&unmark, &[]),
        ];
        self.together(Effect::WriteOnce, &statements, None).await?;
        Ok(())
    }
}

fn names(scope: &Scope) -> (&str, &str) {
    (scope.database().unwrap_or_default(), scope.collection().unwrap_or_default())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The log does not reach back so far.
pub(super) fn history_lost() -> Error {
    Error::new(
        Code::CHANGE_STREAM_HISTORY_LOST,
        "Resume of change stream was not possible, as the resume point may no longer be in the log: changes are kept \
         while somebody watches, and for a day. Begin a new change stream",
    )
    .with_label(Label::NonResumableChangeStreamError)
}
