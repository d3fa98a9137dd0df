//! Accepts clients, plans each statement, forwards to PostgreSQL, rewrites replies.
