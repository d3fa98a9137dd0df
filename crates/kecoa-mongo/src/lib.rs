//! The MongoDB gateway of kecoa: documents in CockroachDB and PostgreSQL.
//!
//! From the bottom: [`bson`] is what MongoDB says of values, [`error`] what a command fails with. [`expression`],
//! [`query`], [`projection`], [`aggregate`], [`update`], [`index`] and [`plan`] are its semantics, without SQL,
//! sockets and clocks. [`store`] alone writes SQL. [`operation`] puts them together, [`command`] reads arguments
//! and writes replies, [`wire`] and [`server`] carry them, [`session`] and [`auth`] say who asks.
#![forbid(unsafe_code)]

pub mod aggregate;
pub mod auth;
pub mod bson;
pub mod change;
pub mod collation;
pub mod command;
pub mod error;
pub mod expression;
pub mod index;
pub mod interrupt;
pub mod launch;
pub mod operation;
pub mod plan;
pub mod projection;
pub mod query;
pub mod regexes;
pub mod serve;
pub mod server;
pub mod session;
pub mod store;
pub mod update;
pub mod value;
pub mod wire;
