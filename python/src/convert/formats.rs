//! Which columns are asked for in binary form.

use kecoa_proto::{Format, RowDescription};
use kecoa_types::oid;

use super::load::{Form, Kind};
use super::typecaster::{Cast, Typecaster};

/// The form to ask for, a column each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Formats {
    each: Vec<Format>,
    needs_utc: bool,
}

impl Formats {
    /// Binary where it pays and the typecaster in charge is ours, or is one of the program's that takes
    /// it; nothing where that is nowhere. `casters` has the one of each column, `utc` is what [`is_utc`]
    /// says.
    ///
    /// A typecaster may be registered after that and before the rows are loaded, by another thread:
    /// it gets its text all the same, written here instead of by the server.
    pub(crate) fn choose<'a>(
        description: &RowDescription,
        casters: impl Iterator<Item = Option<&'a Typecaster>>,
        utc: bool,
    ) -> Option<Formats> {
        let mut chosen: Option<Formats> = None;
        for (index, (field, caster)) in description.fields.iter().zip(casters).enumerate() {
            let Some(caster) = caster else { continue };
            let oid = field.type_oid;
            let kind = worth(oid);
            let zoned = kind == Some(Kind::TimestampTz);
            let wanted = kind.is_some_and(|kind| (!zoned || utc) && is_ours(oid, kind, caster));
            if !wanted && !matches!(caster.cast, Cast::Forms { .. }) {
                continue;
            }
            let formats = chosen.get_or_insert_with(|| Formats {
                each: vec![Format::Text; description.fields.len()],
                needs_utc: false,
            });
            if let Some(format) = formats.each.get_mut(index) {
                *format = Format::Binary;
            }
            formats.needs_utc |= zoned && wanted;
        }
        chosen
    }

    /// In the order of the columns.
    pub(crate) fn each(&self) -> &[Format] {
        &self.each
    }

    /// Whether an instant is among them, whose binary form does not hold the session's offset.
    pub(crate) fn needs_utc(&self) -> bool {
        self.needs_utc
    }
}

/// Whether a session's parameter `TimeZone` is UTC for certain, so that its instants are written with +00.
pub(crate) fn is_utc(zone: Option<&str>) -> bool {
    zone.is_some_and(|zone| {
        ["UTC", "Etc/UTC", "GMT", "Etc/GMT"].iter().any(|utc| zone.eq_ignore_ascii_case(utc))
    })
}

/// What makes objects of a type's text, where its binary form is less work, for the server and here
/// together. Text, JSON and numbers of few digits are no less.
fn worth(oid: u32) -> Option<Kind> {
    if let Some(form) = Form::of_type(oid) {
        return match form {
            Form::Plain(_) | Form::Jsonb | Form::Numeric => None,
            form => Some(form.kind()),
        };
    }
    match oid::element_of(oid).and_then(Form::of_type)? {
        // CockroachDB has an exponent in text form, which the binary form does not hold.
        Form::Numeric => None,
        form => Some(form.kind()),
    }
}

/// Whether the typecaster for the type is the one that binary form stands in for.
fn is_ours(oid: u32, kind: Kind, caster: &Typecaster) -> bool {
    let is_array = Form::of_type(oid).is_none();
    match &caster.cast {
        Cast::Native(found) => !is_array && *found == kind,
        Cast::Array(base) => {
            is_array && matches!(&base.get().cast, Cast::Native(found) if *found == kind)
        }
        Cast::Python(_) | Cast::Forms { .. } | Cast::Missing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        for oid in
            [oid::TEXT, oid::VARCHAR, oid::JSON, oid::JSONB, oid::NUMERIC, oid::POINT, 0, 70_000]
        {
            assert_eq!(worth(oid), None, "{oid}");
        }
        assert_eq!(worth(oid::INT4), Some(Kind::Int));
        assert_eq!(worth(oid::TEXT_ARRAY), Some(Kind::Text));
        assert_eq!(worth(oid::NUMERIC_ARRAY), None);
    }
}
