//! What the gateway was started with.

/// What the gateway was started with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The replica set that it says it is; without one it says it is a mongos.
    pub replica_set: Option<ReplicaSet>,
    /// Whether clients must log in.
    pub authentication: bool,
    /// Whether fail points and test commands are there.
    pub test_commands: bool,
    /// The command line, as getCmdLineOpts shows it.
    pub argv: Vec<String>,
    /// The number of this gateway, 0 to 32,767; no two of one database have the same.
    pub number: u16,
}

/// A replica set of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSet {
    /// Its name.
    pub name: String,
    /// `host:port` under which every client reaches this gateway.
    pub host: String,
}
