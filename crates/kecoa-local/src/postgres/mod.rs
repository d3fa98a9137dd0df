//! Finds PostgreSQL binaries, keeps a data directory, starts and stops the server.
