//! Certificates and revocation lists of foreign bytes, through every function that reads them: for the
//! fuzz target, and for the test that changes good ones by chance.

use std::time::Duration;

use rustls::pki_types::UnixTime;

use super::names;
use super::path_validator::PathValidator;
use super::verify_error::VerifyError;
use crate::net::server_probe;
use crate::net::x509::{Certificate, RevocationList, same_name};

/// Takes a server's certificate, its authority's and a list apart and holds them to all rules but
/// signatures, which bytes by chance do not have.
pub(crate) fn exercise([leaf, authority, list]: [&[u8]; 3]) {
    let shown = server_probe::Certificate::from_der(leaf);
    let Some(leaf) = Certificate::parse(leaf) else { return };
    assert!(shown.is_some(), "what is read is shown");
    let _ = (leaf.signature_hash(), leaf.signed.algorithm_name(), leaf.common_name());
    let _ = names::check(&leaf, "db.example").map_err(explained);
    let Some(authority) = Certificate::parse(authority) else { return };
    for host in ["db.example", "192.0.2.1"] {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        let validator = PathValidator { now, host: Some(host), lists: None };
        let _ = validator.check(&[leaf, authority]).map_err(explained);
    }
    let identifier = leaf.authority_key_identifier().ok().flatten();
    let _ = authority.is_identified_by(identifier.as_ref());
    let _ = (same_name(leaf.issuer, authority.subject), leaf.subject.is_within(authority.subject));
    let Some(list) = RevocationList::parse(list) else { return };
    let _ = (list.lists(leaf.serial), list.is_of(&authority), list.scope(&leaf));
    let _ = (list.signed.algorithm_name(), same_name(list.issuer, leaf.issuer));
}

fn explained(error: VerifyError) -> String {
    error.explained("the authorities", "db.example").0
}
