//! Streaming replication, the receiver's half: how far it has come, and what it owes the server.
//!
//! [`Client::read_stream`](crate::blocking::Client::read_stream) takes what the server streams and
//! keeps a [`Progress`]. The server must get a status update from the receiver before its `wal_sender_timeout`
//! (60 s by default) runs out, and may forget the log before what is flushed: both travel in status
//! updates. The rules by which they are sent are psycopg2's.

mod stream;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kecoa_proto::message::replication::{Keepalive, StatusUpdate, StreamedData};

use crate::row::ResultSet;

/// 2000-01-01 00:00 UTC, from which PostgreSQL counts time, in seconds since 1970.
pub const EPOCH: u64 = 946_684_800;

/// How often a status update is sent when nothing asks for one, unless the caller says otherwise.
pub const STATUS_INTERVAL: Duration = Duration::from_secs(10);

/// What reading a stream gave.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamEvent {
    /// A piece of the log.
    Data(StreamedData),
    /// Nothing has arrived.
    Nothing,
    /// The server ended the stream: at the end of a timeline, or because it shuts down. Then come
    /// the results of the statement that began it, such as the next timeline.
    Ended(Vec<ResultSet>),
}

/// A moment by both clocks: one that never jumps, and the one that people read.
#[derive(Clone, Copy, Debug)]
struct Moment {
    steady: Instant,
    shown: SystemTime,
}

impl Moment {
    fn now() -> Moment {
        Moment { steady: Instant::now(), shown: SystemTime::now() }
    }
}

/// How far a receiver has come in a stream, and when it last said so. All positions are LSNs.
#[derive(Clone, Debug)]
pub struct Progress {
    status_interval: Duration,
    written: u64,
    flushed: u64,
    applied: u64,
    /// What the receiver itself said to be flushed; keepalives may move `flushed` beyond.
    confirmed: u64,
    last_data: u64,
    wal_end: u64,
    last_io: Option<Moment>,
    last_feedback: Option<Moment>,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress {
            status_interval: STATUS_INTERVAL,
            written: 0,
            flushed: 0,
            applied: 0,
            confirmed: 0,
            last_data: 0,
            wal_end: 0,
            last_io: None,
            last_feedback: None,
        }
    }
}

impl Progress {
    /// Nothing received, nothing confirmed.
    #[must_use]
    pub fn new() -> Progress {
        Progress::default()
    }

    /// Sets how often a status update is sent when nothing asks for one.
    pub fn set_status_interval(&mut self, interval: Duration) {
        self.status_interval = interval;
    }

    /// Notes what the receiver has written, flushed and applied. Positions never go back: a lower
    /// one, such as 0, leaves what is known. Nothing is sent.
    pub fn confirm(&mut self, written: u64, flushed: u64, applied: u64) {
        self.written = self.written.max(written);
        self.confirmed = self.confirmed.max(flushed);
        self.flushed = self.flushed.max(flushed);
        self.applied = self.applied.max(applied);
    }

    /// Where the log ended on the server when it last said so; 0 before that.
    #[must_use]
    pub fn wal_end(&self) -> u64 {
        self.wal_end
    }

    /// Up to where the server is told that the log is safe with the receiver.
    #[must_use]
    pub fn flushed(&self) -> u64 {
        self.flushed
    }

    /// When something was last received or sent.
    #[must_use]
    pub fn last_io(&self) -> Option<SystemTime> {
        self.last_io.map(|moment| moment.shown)
    }

    /// When a status update was last sent.
    #[must_use]
    pub fn last_feedback(&self) -> Option<SystemTime> {
        self.last_feedback.map(|moment| moment.shown)
    }

    /// How long until the next status update is due; zero when it is, as before the first.
    #[must_use]
    pub fn due_in(&self) -> Duration {
        self.due_in_at(Instant::now())
    }

    fn due_in_at(&self, now: Instant) -> Duration {
        match self.last_feedback {
            Some(last) => {
                self.status_interval.saturating_sub(now.saturating_duration_since(last.steady))
            }
            None => Duration::ZERO,
        }
    }

    /// Takes over what another thread has noted meanwhile on a copy: the later of each.
    pub fn absorb(&mut self, other: &Progress) {
        self.confirm(other.written, other.confirmed, other.applied);
        self.flushed = self.flushed.max(other.flushed);
        self.last_data = self.last_data.max(other.last_data);
        self.wal_end = self.wal_end.max(other.wal_end);
        let later = |a: Option<Moment>, b: Option<Moment>| match (a, b) {
            (Some(a), Some(b)) => Some(if b.steady > a.steady { b } else { a }),
            (a, b) => a.or(b),
        };
        self.last_io = later(self.last_io, other.last_io);
        self.last_feedback = later(self.last_feedback, other.last_feedback);
    }

    /// Notes that the stream has begun.
    pub fn begun(&mut self) {
        self.last_io = Some(Moment::now());
    }

    /// Notes a piece of the log.
    pub(crate) fn received(&mut self, data: &StreamedData) {
        self.last_io = Some(Moment::now());
        self.wal_end = data.wal_end;
        self.last_data = data.start;
    }

    /// Notes a sign of life. When all data that came was confirmed, there is nothing in the log up
    /// to its end that the receiver waits for, and the server may forget it.
    pub(crate) fn received_keepalive(&mut self, keepalive: &Keepalive) {
        self.last_io = Some(Moment::now());
        self.wal_end = keepalive.wal_end;
        if self.confirmed >= self.last_data && keepalive.wal_end > self.confirmed {
            self.flushed = self.flushed.max(keepalive.wal_end);
        }
    }

    /// The status update to send now.
    pub(crate) fn update(&self, reply: bool) -> StatusUpdate {
        StatusUpdate {
            written: self.written,
            flushed: self.flushed,
            applied: self.applied,
            sent: server_time(SystemTime::now()),
            reply,
        }
    }

    /// Notes that it was sent.
    pub(crate) fn sent(&mut self) {
        let now = Moment::now();
        self.last_feedback = Some(now);
        self.last_io = Some(now);
    }
}

/// A time as PostgreSQL sends it: microseconds since 2000-01-01 00:00 UTC.
fn server_time(time: SystemTime) -> i64 {
    let epoch = UNIX_EPOCH + Duration::from_secs(EPOCH);
    match time.duration_since(epoch) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_micros()).map_or(i64::MIN, std::ops::Neg::neg)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(start: u64, wal_end: u64) -> StreamedData {
        StreamedData { start, wal_end, sent: 0, payload: "x".into() }
    }

    fn keepalive(wal_end: u64) -> Keepalive {
        Keepalive { wal_end, sent: 0, reply: false }
    }

    #[test]
    fn positions_never_go_back() {
        let mut progress = Progress::new();
        progress.confirm(30, 20, 10);
        progress.confirm(0, 0, 0);
        progress.confirm(5, 25, 5);
        let update = progress.update(true);
        assert_eq!((update.written, update.flushed, update.applied), (30, 25, 10));
        assert!(update.reply && update.sent > 0);
    }

    #[test]
    fn a_keepalive_moves_what_is_flushed_only_when_all_data_is_confirmed() {
        let mut progress = Progress::new();
        progress.received(&data(100, 150));
        progress.received_keepalive(&keepalive(200));
        assert_eq!((progress.flushed(), progress.wal_end()), (0, 200));
        progress.confirm(0, 100, 0);
        progress.received_keepalive(&keepalive(300));
        assert_eq!(progress.flushed(), 300);
        // A later piece is not confirmed yet.
        progress.received(&data(310, 320));
        progress.received_keepalive(&keepalive(400));
        assert_eq!(progress.flushed(), 300);
        // An end before what is confirmed says nothing.
        progress.confirm(0, 500, 0);
        progress.received_keepalive(&keepalive(450));
        assert_eq!(progress.flushed(), 500);
    }

    #[test]
    fn the_first_update_is_due_at_once_and_the_next_after_the_interval() {
        let mut progress = Progress::new();
        progress.begun();
        assert_eq!(progress.due_in(), Duration::ZERO);
        assert!(progress.last_io().is_some() && progress.last_feedback().is_none());
        progress.set_status_interval(Duration::from_secs(100));
        progress.sent();
        let sent = progress.last_feedback.unwrap().steady;
        assert_eq!(progress.due_in_at(sent), Duration::from_secs(100));
        assert_eq!(progress.due_in_at(sent + Duration::from_secs(99)), Duration::from_secs(1));
        assert_eq!(progress.due_in_at(sent + Duration::from_secs(101)), Duration::ZERO);
        assert_eq!(progress.last_io(), progress.last_feedback());
    }

    #[test]
    fn absorbs_the_later_of_each() {
        let mut progress = Progress::new();
        let mut copy = progress.clone();
        copy.received(&data(100, 150));
        copy.sent();
        progress.confirm(120, 100, 0);
        progress.absorb(&copy);
        let update = progress.update(false);
        assert_eq!((update.written, update.flushed, progress.wal_end()), (120, 100, 150));
        assert_eq!(progress.last_feedback(), copy.last_feedback());
        progress.received_keepalive(&keepalive(200));
        assert_eq!(progress.flushed(), 200);
    }

    #[test]
    fn counts_time_as_the_server_does() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(server_time(at(EPOCH)), 0);
        assert_eq!(server_time(at(EPOCH + 2)), 2_000_000);
        assert_eq!(server_time(at(EPOCH - 1)), -1_000_000);
    }
}
