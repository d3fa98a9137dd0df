//! Which columns are asked for in binary form.

use kecoa_proto::{Format, RowDescription};
use kecoa_types::oid;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::load::{Form, Kind};
use super::typecaster::{self, Cast, takes_binary};

/// The form to ask for, a column each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Formats {
    each: Vec<Format>,
    needs_utc: bool,
}

impl Formats {
    /// Binary where it pays and the typecaster in charge is ours; nothing where that is nowhere.
    /// `types` are the dictionaries before the module's, `utc` what [`is_utc`] says.
    ///
    /// A typecaster may be registered after that and before the rows are loaded, by another thread:
    /// it gets its text all the same, written here instead of by the server.
    pub(crate) fn choose(
        py: Python<'_>,
        description: &RowDescription,
        types: &[Option<Bound<'_, PyDict>>],
        utc: bool,
    ) -> PyResult<Option<Formats>> {
        let mut chosen: Option<Formats> = None;
        for (index, field) in description.fields.iter().enumerate() {
            let oid = field.type_oid;
            let kind = worth(oid);
            let zoned = kind == Some(Kind::TimestampTz);
            let wanted = match kind {
                Some(kind) => (!zoned || utc) && is_ours(py, oid, kind, types)?,
                None => false,
            };
            let own = !wanted && takes_binary() && asks_for_it(py, oid, types)?;
            if !wanted && !own {
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
        Ok(chosen)
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
fn is_ours(
    py: Python<'_>,
    oid: u32,
    kind: Kind,
    types: &[Option<Bound<'_, PyDict>>],
) -> PyResult<bool> {
    let Some(caster) = typecaster::find(py, oid, types)? else { return Ok(false) };
    let is_array = Form::of_type(oid).is_none();
    Ok(match &caster.get().cast {
        Cast::Native(found) => !is_array && *found == kind,
        Cast::Array(base) => {
            is_array && matches!(&base.get().cast, Cast::Native(found) if *found == kind)
        }
        Cast::Python(_) | Cast::Forms { .. } | Cast::Missing => false,
    })
}

/// Whether the typecaster for the type is a program's own that takes its binary form.
fn asks_for_it(py: Python<'_>, oid: u32, types: &[Option<Bound<'_, PyDict>>]) -> PyResult<bool> {
    Ok(typecaster::find(py, oid, types)?
        .is_some_and(|caster| matches!(caster.get().cast, Cast::Forms { .. })))
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
