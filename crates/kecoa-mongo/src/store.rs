//! The only module that writes SQL: tables, catalogue, reads, writes.
