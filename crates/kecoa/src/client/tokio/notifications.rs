//! Notifications of `NOTIFY`.

use kecoa_proto::Notification;

use super::client::Client;
use crate::error::Error;

impl Client {
    /// Waits for a notification: what `NOTIFY` sent to a channel that this connection listens to.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// # if client.crdb_version().is_some() { return Ok(()); }
    /// // CockroachDB has no LISTEN.
    /// client.batch("LISTEN news; NOTIFY news, 'hello'").await?;
    /// assert_eq!(client.notification().await?.payload, "hello");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) or the FATAL error by which
    /// the server ended the connection.
    pub async fn notification(&mut self) -> Result<Notification, Error> {
        self.link.ready().await?;
        loop {
            self.collect_notifications();
            if let Some(notification) = self.notifications.pop_front() {
                return Ok(notification);
            }
            self.link.news().await?;
        }
    }

    fn collect_notifications(&mut self) {
        self.notifications.extend(self.link.inner().take_notifications());
    }

    /// Takes the notifications that came so far, oldest first, without waiting.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        self.collect_notifications();
        self.notifications.drain(..).collect()
    }
}
