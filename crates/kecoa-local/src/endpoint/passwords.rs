//! Passwords that roles have of their own.

use bytes::Bytes;
use kecoa_proto::ProtocolVersion;
use kecoa_server::scram::Verifier;

use super::BackendAddress;
use super::backend;
use super::shared::Shared;
use crate::dialect::quote::quote;

/// What the password of a role is checked by: one that clients made, that may log in and whose password
/// has not expired. The user's name is all that comes from the client, and is quoted.
pub(super) async fn of_role(shared: &Shared, user: &str) -> Option<Verifier> {
    let BackendAddress { user: root, .. } = &shared.options.backend;
    let reader = shared.options.passwords.as_ref()?;
    if user.is_empty() || user == root || user.contains('\0') {
        return None;
    }
    let sql = format!(
        "SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = {} AND rolcanlogin \
         AND oid >= 16384 AND NOT (rolsuper OR rolreplication OR rolbypassrls) \
         AND coalesce(rolvaliduntil > pg_catalog.now(), true)",
        quote(user)
    );
    let _alone = shared.reading.lock().await;
    let options =
        (Bytes::from_static(b"options"), Bytes::copy_from_slice(reader.options.as_bytes()));
    let address = &shared.options.backend;
    let database = reader.database.as_bytes();
    let version = ProtocolVersion::V3_0;
    let opened = backend::open(address, &reader.user, version, database, &[options]).await;
    let mut backend = opened.ok()?.backend;
    let rows = backend::internal_query(&mut backend, sql.as_bytes()).await.ok()?.ok()?;
    Verifier::parse(rows.first()?.first()?.as_deref()?)
}
