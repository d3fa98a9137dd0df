//! One client's connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ::bson::{RawDocument, RawDocumentBuf};
use uuid::Uuid;

use crate::auth::{Access, Conversation, RoleName, UserName};
use crate::session::SessionId;
use crate::session::id::hash_of_user;
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
    pub conversation: Option<Conversation>,
    /// Whether the client may make a user without being logged in, because there is none yet.
    pub may_create_first_user: bool,
    /// Tells whether the client has gone.
    pub gone: Option<Gone>,
    /// The hash of who is logged in, or was; with the number of that user.
    hash: Mutex<Option<(Uuid, [u8; 32])>>,
}

/// Tells whether a client has gone, without waiting.
#[derive(Clone)]
pub struct Gone(Arc<dyn Fn() -> bool + Send + Sync>);

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The database that the user belongs to.
    pub database: String,
    /// The user's number; another user of that name has another.
    pub id: Uuid,
    /// The user's roles, those that they inherit included.
    pub roles: Vec<RoleName>,
    /// What they allow.
    pub access: Arc<Access>,
    /// How many changes the gateway had made to users when the roles were read.
    pub changes: u64,
    /// When the roles were read.
    pub since: Instant,
}

impl Gone {
    /// By a question that is answered at once.
    #[must_use]
    pub fn by(question: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(question))
    }

    /// Whether it is so.
    #[must_use]
    pub fn is_so(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gone")
    }
}

impl Login {
    /// The user's name and database.
    #[must_use]
    pub fn name(&self) -> UserName {
        UserName::new(self.database.as_str(), self.user.as_str())
    }
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
            may_create_first_user: false,
            gone: None,
            hash: Mutex::default(),
        }
    }

    /// Whether the client runs on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.peer.is_none_or(|peer| peer.ip().to_canonical().is_loopback())
    }

    /// The name that the client's application gave itself.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        self.metadata.as_deref().and_then(application_name)
    }

    /// The session of this UUID that belongs to who is logged in.
    #[must_use]
    pub fn session(&self, uuid: [u8; 16]) -> SessionId {
        let Some(login) = &self.login else { return SessionId::new(uuid, None) };
        let mut known = self.hash.lock().unwrap_or_else(PoisonError::into_inner);
        match *known {
            Some((id, hash)) if id == login.id => SessionId::of_hash(uuid, hash),
            _ => {
                let hash = hash_of_user(self.user().as_deref());
                *known = Some((login.id, hash));
                SessionId::of_hash(uuid, hash)
            }
        }
    }

    /// The user as `name@database`, `None` when nobody is logged in.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.login.as_ref().map(|login| format!("{}@{}", login.user, login.database))
    }
}

/// The application's name in what a client says of itself.
pub(super) fn application_name(metadata: &RawDocument) -> Option<&str> {
    metadata.get_document("application").ok()?.get_str("name").ok()
}
