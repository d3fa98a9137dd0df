//! What a service is called.

/// The names of a service: in messages, on the disk, on the command line. Each server has one, as a
/// constant.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// What it is, as it stands behind "the" or "no": `local endpoint`.
    pub title: &'static str,
    /// What it keeps on the disk, as it stands in "where to keep …": `the local database`.
    pub data: &'static str,
    /// The command that starts, stops and describes it: `kecoa local`.
    pub command: &'static str,
    /// The directory below the home that holds its instances: `instances`. No two services share one.
    pub directory: &'static str,
    /// The file in an instance's directory for what the process in the background says: `local.log`.
    pub log: &'static str,
}
