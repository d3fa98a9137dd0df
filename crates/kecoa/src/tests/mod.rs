//! The client against a scripted server in the same thread, in virtual time.

mod atomic;
mod batching;
mod bodies;
mod calls;
mod cuts;
mod drive;
mod excess;
mod harness;
mod prepared;
mod replication;
mod replies;
mod restart;
mod transactions;
mod unknown;
