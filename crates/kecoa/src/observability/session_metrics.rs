//! Counters of one session.

use std::sync::atomic::Ordering::Relaxed;

use super::counters::{Counters, PROCESS};

/// One open connection, with what it has done; counted as over when it is dropped at the latest.
#[derive(Debug)]
pub(crate) struct SessionMetrics {
    own: Counters,
    over: bool,
}

/// Counts for the connection and for the process.
macro_rules! both {
    ($self:ident, $field:ident, $count:expr) => {{
        let count: u64 = $count;
        $self.own.$field = $self.own.$field.wrapping_add(count);
        PROCESS.$field.fetch_add(count, Relaxed);
    }};
}

impl SessionMetrics {
    /// A connection was made.
    pub(crate) fn new() -> SessionMetrics {
        let mut metrics = SessionMetrics { own: Counters::default(), over: false };
        both!(metrics, connections_opened, 1);
        metrics
    }

    pub(crate) fn counters(&self) -> Counters {
        self.own.clone()
    }

    pub(crate) fn statement(&mut self) {
        both!(self, statements, 1);
    }

    pub(crate) fn commit(&mut self) {
        both!(self, commits, 1);
    }

    pub(crate) fn sent(&mut self, bytes: usize) {
        both!(self, bytes_sent, u64::try_from(bytes).unwrap_or(0));
    }

    pub(crate) fn received(&mut self, bytes: usize) {
        both!(self, bytes_received, u64::try_from(bytes).unwrap_or(0));
    }

    /// The connection is over, by our own will or not.
    pub(crate) fn end(&mut self, lost: bool) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        both!(self, connections_ended, 1);
        if lost {
            both!(self, connections_lost, 1);
        }
    }
}

impl Drop for SessionMetrics {
    fn drop(&mut self) {
        self.end(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_ends_once() {
        let mut metrics = SessionMetrics::new();
        metrics.statement();
        metrics.sent(7);
        assert_eq!(metrics.counters().connections_open(), 1);
        metrics.end(true);
        metrics.end(false);
        let counters = metrics.counters();
        assert_eq!((counters.connections_ended, counters.connections_lost), (1, 1));
        assert_eq!((counters.connections_open(), counters.statements), (0, 1));
        let named: Vec<_> = counters.iter().filter(|(_, value)| *value > 0).collect();
        let expected = [
            ("kecoa.connections.opened", 1),
            ("kecoa.connections.lost", 1),
            ("kecoa.connections.ended", 1),
            ("kecoa.statements", 1),
            ("kecoa.bytes.sent", 7),
        ];
        assert_eq!(named, expected);
    }
}
