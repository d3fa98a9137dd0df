//! Tasks that open connections, until none is asked for.

use std::sync::Arc;

use super::tasks::Tasks;
use crate::client::tokio::Client;
use crate::error::Error;
use crate::pool::connection::configured;
use crate::pool::core::ConnId;
use crate::pool::shared::Shared;

/// How far an opener is.
enum Progress {
    /// It has not begun.
    Start,
    Opening(ConnId),
    End,
}

/// Whatever becomes of its task, the pool hears of it.
struct Opener {
    pool: Arc<Shared<Tasks>>,
    progress: Progress,
}

pub(super) fn start(pool: &Arc<Shared<Tasks>>) {
    let opener = Opener { pool: pool.clone(), progress: Progress::Start };
    pool.executor.runtime.spawn(opener.run());
}

impl Opener {
    async fn run(mut self) {
        loop {
            let Some(id) = self.pool.lock().next_to_open() else {
                self.progress = Progress::End;
                return;
            };
            self.progress = Progress::Opening(id);
            let opened = open(&self.pool).await;
            self.pool.opened(id, opened);
            self.progress = Progress::Start;
        }
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        match self.progress {
            Progress::End => {}
            Progress::Opening(id) => {
                let error = Error::connect("the task that connects has ended before its time");
                self.pool.opener_failed(Some(id), error);
            }
            // The runtime has ended, and nothing can be opened any more.
            Progress::Start => self.pool.change(|state, _| state.core.close()),
        }
    }
}

async fn open(pool: &Shared<Tasks>) -> Result<Client, Error> {
    let mut client = Client::connect(&pool.config).await?;
    configure(pool, &mut client).await?;
    Ok(client)
}

/// Prepares a connection whose session is as the server made it.
pub(super) async fn configure(pool: &Shared<Tasks>, client: &mut Client) -> Result<(), Error> {
    if let Some(configure) = &pool.options.configure {
        configure(client).await?;
    }
    configured(client)
}
