//! The only module that writes SQL: tables, catalogue, reads, writes.
//!
//! A [`Store`] is a database. Work on it goes through a [`Handle`], which is either by itself
//! ([`Store::alone`]: each call is one statement or one small transaction) or inside a [`Transaction`]
//! ([`Transaction::handle`]).
//!
//! A [`Collection`] is what the catalogue says of one, at one version. Every read and every write checks in its own
//! statement that the catalogue still says so; where it does not, the answer is [`Checked::Stale`]: look the
//! collection up again, look up the retry record again if there is one, plan again.
//!
//! Documents are changed by compare-and-set: a write names the version of the document that it is made from, and does
//! nothing where the document has another one.

mod accounts;
mod build_lease;
mod builds;
mod catalogue;
mod change_log;
mod change_page;
mod changes;
mod collection;
mod database;
mod entry_changes;
mod failure;
mod fill;
mod handle;
mod inserts;
mod layout;
mod maintenance;
mod named;
mod options;
mod pages;
mod parts;
mod places;
mod queries;
mod read;
mod record;
mod records;
mod schema;
mod snapshot;
mod stale_keys;
mod statement;
mod ticket;
mod transaction;
mod ttl;
mod wake;
mod watch;
mod write;

pub use change_page::ChangePage;
pub use collection::{
    Collection, CollectionKind, CreatedIndexes, DroppedIndexes, IndexChange, Modification,
    Namespace, NewCollection, Statistics, check_database,
};
pub use database::Store;
pub use handle::{Checked, Handle};
pub use options::{Capabilities, Options};
pub use read::{Fetched, Lock, Page, PageLimit, Position, Stored};
pub use record::{Record, RecordId};
pub use transaction::{Committed, Transaction};
pub use wake::Waiting;
pub use write::{Delete, Inserted, NewDocument, Origin, Replace, Written};
