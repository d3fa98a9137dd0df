//! Connections to little servers on loopback.
