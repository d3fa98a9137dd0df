//! Credentials, users, roles.
