//! The `kecoa` binary.
fn main() {}
