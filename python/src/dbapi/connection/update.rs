//! What driving the client changed of the session.

use std::sync::Mutex;

use kecoa_proto::{Notification, ServerError, TransactionStatus};

use super::link::Link;
use super::state::{STATUS_BEGIN, STATUS_READY, State};
use crate::convert::formats::is_utc;
use crate::sync::lock;

/// What a statement left behind for Python to see.
pub(crate) struct SessionUpdate {
    pub(super) notices: Vec<ServerError>,
    pub(super) notifications: Vec<Notification>,
    pub(super) encoding: Option<(u64, String)>,
    pub(super) standard_strings: Option<bool>,
}

impl SessionUpdate {
    /// Looks at the client. What needs no Python is brought up to date at once, while the client is
    /// held: of two threads the one that comes to the interpreter later may have come here first.
    pub(crate) fn collect(link: &mut Link, state: &Mutex<State>) -> Option<SessionUpdate> {
        let client = link.client.as_mut()?;
        let (mut changed, mut standard_strings) = (false, None);
        let reports = Some(client.parameter_reports());
        if link.reports != reports {
            link.reports = reports;
            link.utc = is_utc(client.parameter("TimeZone"));
            let encoding = client.parameter("client_encoding").unwrap_or("UTF8");
            changed = encoding != link.encoding;
            if changed {
                link.encoding = encoding.to_owned();
                link.encodings += 1;
            }
            // Without a report (very old servers) backslashes are special.
            let standard = client.parameter("standard_conforming_strings") == Some("on");
            standard_strings = (standard != link.standard_strings).then_some(standard);
            link.standard_strings = standard;
        }
        let mut state = lock(state);
        state.transaction = client.transaction_status();
        if state.status == STATUS_BEGIN
            && state.transaction == TransactionStatus::Idle
            && client.was_ended_by_server()
        {
            // What follows is a transaction of its own. One that a statement of the program ended counts
            // as begun still, as in psycopg2: programs run COMMIT and then CREATE DATABASE.
            state.status = STATUS_READY;
            state.mark += 1;
        }
        state.commits = client.commits();
        state.session_changes = client.session_changes();
        if client.is_closed() && state.closed == 0 {
            state.closed = 2;
        }
        state.standard_strings = link.standard_strings;
        drop(state);
        Some(SessionUpdate {
            notices: client.take_notices(),
            notifications: client.take_notifications(),
            encoding: changed.then(|| (link.encodings, link.encoding.clone())),
            standard_strings,
        })
    }
}
