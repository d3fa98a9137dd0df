//! CockroachDB's dialect: text in, a plan out.
