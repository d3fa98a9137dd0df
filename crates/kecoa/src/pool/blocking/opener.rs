//! Threads that open connections, until none is asked for.

use std::sync::Arc;

use super::threads::Threads;
use crate::client::blocking::Client;
use crate::error::Error;
use crate::pool::connection::configured;
use crate::pool::core::ConnId;
use crate::pool::shared::Shared;

/// Whatever a hook unwinds through: the pool hears of the connection.
struct Opener<'a> {
    pool: &'a Arc<Shared<Threads>>,
    opening: Option<ConnId>,
    over: bool,
}

impl Drop for Opener<'_> {
    fn drop(&mut self) {
        if !self.over {
            let error = Error::connect("the thread that connects has panicked: see configure()");
            self.pool.opener_failed(self.opening, error);
        }
    }
}

pub(super) fn start(pool: &Arc<Shared<Threads>>) {
    let this = pool.clone();
    let thread = std::thread::Builder::new().name(format!("{} connects", pool.options.name));
    if thread.spawn(move || open_connections(&this)).is_err() {
        // No thread can be had.
        open_connections(pool);
    }
}

fn open_connections(pool: &Arc<Shared<Threads>>) {
    let mut opener = Opener { pool, opening: None, over: false };
    loop {
        opener.opening = pool.lock().next_to_open();
        let Some(id) = opener.opening else {
            opener.over = true;
            return;
        };
        let opened = open(pool);
        opener.opening = None;
        pool.opened(id, opened);
    }
}

fn open(pool: &Shared<Threads>) -> Result<Client, Error> {
    let mut client = Client::connect(&pool.config)?;
    configure(pool, &mut client)?;
    Ok(client)
}

/// Prepares a connection whose session is as the server made it.
pub(super) fn configure(pool: &Shared<Threads>, client: &mut Client) -> Result<(), Error> {
    if let Some(configure) = &pool.options.configure {
        configure(client)?;
    }
    configured(client)
}
