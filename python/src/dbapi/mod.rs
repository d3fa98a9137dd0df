//! psycopg2's objects over `kecoa::blocking::Client`: connections, cursors and what they give.

pub(crate) mod adapters;
pub(crate) mod connection;
pub(crate) mod cursor;
pub(crate) mod lobject;
pub(crate) mod notify;
pub(crate) mod pipeline;
pub(crate) mod replication;
pub(crate) mod wait_callback;
