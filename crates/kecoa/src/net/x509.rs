//! Certificates and revocation lists, as far as it takes to judge them.
//!
//! What their extensions, times and numbers say is read by `x509-cert` and `der`; the structures around
//! that are ours, because `x509-cert`'s `Certificate` and `CertificateList`
//!
//! - own what they read: Mozilla's 118 roots, which a connection that verifies goes through, take 690
//!   us in place of 28;
//! - lose the bytes that were signed: one of those roots is written again with other dates;
//! - refuse what OpenSSL takes: lists of version 1, which `openssl ca -gencrl` makes unless told
//!   otherwise, times before 1970, alternative names that are not ASCII, and lengths in more bytes than
//!   they need (`reading.rs`).
//!
//! Names are compared by OpenSSL's rules and taken apart by libpq's, which no library has.
//!
//! Source: RFC 5280, sections 4 and 5.

mod certificate;
mod extensions;
mod general_names;
mod key;
mod name;
mod reading;
mod revocation_list;
mod signed;
#[cfg(test)]
mod tests;
mod time;

pub(crate) use certificate::{Certificate, Hash};
pub(crate) use general_names::{AlternativeName, address_of};
pub(crate) use key::{Key, KeyKind};
pub(crate) use name::{Attribute, DirectoryName, Name, readable, same_name};
pub(crate) use revocation_list::{RevocationList, Scope};
pub(crate) use signed::Signed;
