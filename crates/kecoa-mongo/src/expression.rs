//! Aggregation's expressions: a document in, a value out.
