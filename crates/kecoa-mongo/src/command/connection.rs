//! One client's connection.

use std::any::Any;
use std::net::SocketAddr;

use ::bson::RawDocumentBuf;

use crate::wire::Compressor;

/// What is known of one client's connection.
#[derive(Debug)]
pub struct Connection {
    /// A number that no other connection of this process has.
    pub id: i32,
    /// The client's address; `None` for a unix socket.
    pub peer: Option<SocketAddr>,
    /// The gateway's address at this connection.
    pub local: Option<SocketAddr>,
    /// What the client said of itself in its first hello.
    pub metadata: Option<RawDocumentBuf>,
    /// Whether a hello was answered.
    pub greeted: bool,
    /// The compressors that both sides know, in the client's order.
    pub compressors: Vec<Compressor>,
    /// Whether the client says that a load balancer is between.
    pub load_balanced: bool,
    /// Who is logged in.
    pub login: Option<Login>,
    /// A login that is under way.
    pub conversation: Option<Box<dyn Any + Send + Sync>>,
}

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The database that the user belongs to.
    pub database: String,
}

impl Connection {
    /// A connection that has said nothing yet.
    #[must_use]
    pub fn new(id: i32, peer: Option<SocketAddr>, local: Option<SocketAddr>) -> Self {
        Self {
            id,
            peer,
            local,
            metadata: None,
            greeted: false,
            compressors: Vec::new(),
            load_balanced: false,
            login: None,
            conversation: None,
        }
    }

    /// The name that the client's application gave itself.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        self.metadata.as_ref()?.get_document("application").ok()?.get_str("name").ok()
    }

    /// The user as `name@database`, `None` when nobody is logged in.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.login.as_ref().map(|login| format!("{}@{}", login.user, login.database))
    }
}
