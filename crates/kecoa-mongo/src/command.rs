//! A file a command: arguments in, a reply out.
//!
//! [`Gateway`] is what all clients share, [`Connection`] what one is. [`Gateway::handle`] answers a request: it
//! finds the command's [`Definition`] in [`table::COMMANDS`], checks its arguments, gives it a [`Context`] and
//! completes its reply. A command is a file with a `Definition` and a function `run`.

pub mod accounts;
pub mod aggregate;
pub mod api;
pub mod arguments;
pub mod authenticate;
pub mod authentication;
pub mod authorization;
pub mod build_info;
pub mod bulk_write;
pub mod coll_mod;
pub mod coll_stats;
pub mod compact;
pub mod configure_fail_point;
pub mod connection;
pub mod connection_status;
pub mod context;
pub mod convert_to_capped;
pub mod count;
pub mod create;
pub mod create_indexes;
pub mod current_op;
pub mod data_size;
pub mod db_stats;
pub mod delete;
pub mod distinct;
pub mod drop;
pub mod drop_database;
pub mod drop_indexes;
pub mod explain;
mod explained;
pub mod fail_points;
pub mod find;
pub mod find_and_modify;
pub mod fsync;
pub mod gateway;
pub mod get_more;
pub mod get_parameter;
pub mod handle;
pub mod hello;
pub mod insert;
pub mod kill_cursors;
pub mod list_collections;
pub mod list_commands;
pub mod list_databases;
pub mod list_indexes;
pub mod logout;
pub mod namespace;
pub mod operations;
pub mod options;
pub mod parameters;
pub mod ping;
pub mod rename_collection;
pub mod replica_set;
pub mod reply;
pub mod sasl_continue;
pub mod sasl_start;
pub mod search_indexes;
pub mod server_status;
pub mod sessions;
pub mod table;
pub mod test_versions;
mod timekeeper;
pub mod transactions;
pub mod update;
pub mod users;
pub mod validate;
mod work;

pub use connection::{Connection, Gone, Login};
pub use context::{Again, Context, Definition, Privilege, Running};
pub use gateway::Gateway;
pub use handle::{Next, Outcome};
pub use options::{Options, ReplicaSet};
