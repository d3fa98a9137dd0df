//! The MongoDB gateway of kecoa: documents in CockroachDB and PostgreSQL.
//!
//! So far it holds its lowest layer, [`bson`]: what MongoDB says of values, without SQL, sockets and clocks.
#![forbid(unsafe_code)]

pub mod bson;
