//! From a filter, a sort and a hint to the ranges that are read.

pub mod access;
