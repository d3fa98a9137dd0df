//! Revocation lists.

use x509_cert::der::Decode;
use x509_cert::der::oid::db::rfc5280;
use x509_cert::der::oid::{AssociatedOid, ObjectIdentifier};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralNames};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber, IssuingDistributionPoint};

use super::certificate::Certificate;
use super::extensions::{Extension, Extensions};
use super::name::Name;
use super::reading::{
    CONTEXT_0, Element, Elements, GENERALIZED_TIME, INTEGER, Result, SEQUENCE, UTC_TIME, only,
    without_zeros,
};
use super::signed::Signed;
use super::time::time;

/// A revocation list taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RevocationList<'a> {
    pub(crate) signed: Signed<'a>,
    pub(crate) issuer: Name<'a>,
    /// Seconds since 1970.
    pub(crate) this_update: i64,
    pub(crate) next_update: Option<i64>,
    revoked: &'a [u8],
    extensions: Extensions<'a>,
    /// A critical extension of an entry: none of them is known here.
    critical_in_entry: Option<Extension<'a>>,
}

/// A certificate that is revoked.
struct Entry<'a> {
    serial: &'a [u8],
    extensions: Extensions<'a>,
}

impl<'a> Entry<'a> {
    fn read(element: Element<'a>) -> Result<Entry<'a>> {
        let mut parts = Elements(element.expect(SEQUENCE)?);
        let serial = parts.expect(INTEGER)?;
        time(parts.element()?)?;
        let extensions = Extensions(parts.optional(SEQUENCE).unwrap_or_default());
        Ok(Entry { serial, extensions })
    }
}

/// Which certificates a list is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    /// Not those that are asked about.
    Others,
    /// It is a part of a list only: what changed, or of some reasons, or of other authorities.
    Part,
    /// It has a critical extension that is not known here.
    Unknown(String),
}

// x509-cert has the number of another extension for it.
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = rfc5280::ID_CE_ISSUING_DISTRIBUTION_POINT;
const KNOWN: [ObjectIdentifier; 5] = [
    AuthorityKeyIdentifier::OID,
    CrlNumber::OID,
    ISSUING_DISTRIBUTION_POINT,
    rfc5280::ID_CE_DELTA_CRL_INDICATOR,
    rfc5280::ID_CE_FRESHEST_CRL,
];

impl<'a> RevocationList<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Option<RevocationList<'a>> {
        RevocationList::read(der).ok()
    }

    fn read(der: &'a [u8]) -> Result<RevocationList<'a>> {
        let signed = Signed::parse(der)?;
        let mut fields = signed.fields()?;
        // Of version 1, which `openssl ca -gencrl` makes, it has no number.
        fields.optional(INTEGER);
        signed.check_algorithm(&mut fields)?;
        let issuer = Name(fields.expect(SEQUENCE)?);
        let this_update = time(fields.element()?)?;
        let next_update = match { fields }.element() {
            Ok(Element { tag: UTC_TIME | GENERALIZED_TIME, .. }) => Some(time(fields.element()?)?),
            _ => None,
        };
        let revoked = fields.optional(SEQUENCE).unwrap_or_default();
        let extensions = match fields.optional(CONTEXT_0) {
            Some(list) => Extensions::parse(only(list, SEQUENCE)?)?,
            None => Extensions::default(),
        };
        fields.finish()?;
        let mut critical_in_entry = None;
        for entry in Elements(revoked) {
            let of_entry = Entry::read(entry?)?.extensions;
            critical_in_entry = critical_in_entry.or_else(|| of_entry.unknown_critical(&[]));
        }
        Ok(RevocationList {
            signed,
            issuer,
            this_update,
            next_update,
            revoked,
            extensions,
            critical_in_entry,
        })
    }

    /// Whether it lists the certificate with this serial number.
    pub(crate) fn lists(&self, serial: &[u8]) -> bool {
        let wanted = without_zeros(serial);
        Elements(self.revoked)
            .filter_map(|entry| Entry::read(entry.ok()?).ok())
            .any(|entry| without_zeros(entry.serial) == wanted)
    }

    /// Whether this authority's key is the one that the list says has signed it.
    pub(crate) fn is_of(&self, authority: &Certificate<'_>) -> bool {
        match self.extensions.get::<AuthorityKeyIdentifier>() {
            Ok(identifier) => authority.is_identified_by(identifier.as_ref()),
            Err(_) => false,
        }
    }

    /// What the list says of a certificate by not naming it.
    pub(crate) fn scope(&self, certificate: &Certificate<'_>) -> Scope {
        let unknown = self.extensions.unknown_critical(&KNOWN).or(self.critical_in_entry);
        if let Some(unknown) = unknown {
            return Scope::Unknown(unknown.name());
        }
        if self.extensions.value(&rfc5280::ID_CE_DELTA_CRL_INDICATOR).is_some() {
            return Scope::Part;
        }
        let Some(point) = self.extensions.value(&ISSUING_DISTRIBUTION_POINT) else {
            return Scope::All;
        };
        let Ok(point) = IssuingDistributionPoint::from_der(point) else { return Scope::Part };
        if point.indirect_crl || point.only_some_reasons.is_some() {
            return Scope::Part;
        }
        let is_authority = matches!(certificate.basic_constraints(), Ok(Some(basic)) if basic.ca);
        let others = if is_authority {
            point.only_contains_user_certs
        } else {
            point.only_contains_ca_certs
        };
        if others || point.only_contains_attribute_certs {
            return Scope::Others;
        }
        match point.distribution_point {
            None => Scope::All,
            Some(DistributionPointName::FullName(names)) if is_named(certificate, &names) => {
                Scope::All
            }
            Some(_) => Scope::Others,
        }
    }
}

/// Whether a certificate says that its lists are at one of these places.
fn is_named(certificate: &Certificate<'_>, names: &GeneralNames) -> bool {
    let Ok(Some(points)) = certificate.distribution_points() else { return false };
    points.0.iter().any(|point| match &point.distribution_point {
        Some(DistributionPointName::FullName(places)) => {
            point.reasons.is_none() && places.iter().any(|place| names.contains(place))
        }
        _ => false,
    })
}
