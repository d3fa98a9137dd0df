//! Server-side parameters: a statement with `$1`, `$2`, … and values beside it.
//!
//! Values become parameters by way of the literals that they are merged as otherwise: an integer is
//! declared as the type that PostgreSQL gives to such a constant, `'…'::date` as a date, and a plain
//! string as unknown, whose type the server infers where there is something to infer it from. So both ways to bind mean the same, adapters of a
//! program's own included. What has no such form (a tuple for `IN`, an expression of an adapter's)
//! and statements that take no parameters at that place are for client binding.

mod binding;
mod literal;
mod places;
mod template;
mod tokens;

use std::ops::Range;

use kecoa_proto::{Format, Parameter};
use kecoa_types::oid;

pub(crate) use binding::Binding;
pub(crate) use literal::Rules;
pub(crate) use template::{Template, is_plain, is_row_statement, template_of};

/// From here on oids are given to what users create (`FirstNormalObjectId`).
const FIRST_OF_USERS: u32 = 16_384;

/// The most values that a Bind message can carry: it counts them in 16 bits.
const MOST: usize = 65_535;

/// The literals of one statement as parameters, in text form.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// Oids of the types; 0 where the server is to infer one.
    pub(crate) types: Vec<u32>,
    data: Vec<u8>,
    places: Vec<Option<Range<usize>>>,
}

impl Values {
    /// From literals, and for each of their places whether nothing there says its type; nothing when one of
    /// them has no form as a parameter, or there are more than a message can carry.
    pub(crate) fn of<'a>(
        untyped: &[bool],
        literals: impl Iterator<Item = &'a [u8]> + Clone,
        rules: Rules,
    ) -> Option<Values> {
        let most = literals.size_hint().1.unwrap_or(0);
        let mut values = Values {
            types: Vec::with_capacity(most),
            // Few values are longer than their literals.
            data: Vec::with_capacity(literals.clone().map(<[u8]>::len).sum()),
            places: Vec::with_capacity(most),
        };
        for literal in literals {
            if values.places.len() == MOST {
                return None;
            }
            let begin = values.data.len();
            let (kind, is_null) = literal::read(literal, rules, &mut values.data)?;
            let untyped = untyped.get(values.types.len()) == Some(&true);
            values.types.push(if kind == 0 && untyped { oid::TEXT } else { kind });
            values.places.push((!is_null).then_some(begin..values.data.len()));
        }
        Some(values)
    }

    /// Declares what the columns are where that cannot fail and means the same: NULL as any type,
    /// whole numbers as wider ones. Rows then differ less in their types, and the server parses the
    /// statement less often. For values that [cannot fail](Values::cannot_fail).
    pub(crate) fn widen(&mut self, columns: &[u32]) {
        use kecoa_types::oid::{BPCHAR, INT4, INT8, NUMERIC, TEXT, VARCHAR};
        for ((oid, place), column) in self.types.iter_mut().zip(&self.places).zip(columns) {
            // A domain's own rules may refuse NULL: only types that come with the server.
            let is_null = place.is_none() && *column < FIRST_OF_USERS;
            // Text is of unknown type, as NULL is.
            let is_text = matches!(*column, TEXT | VARCHAR | BPCHAR);
            if is_null && !is_text
                || matches!((*oid, *column), (INT4, INT8) | (INT4 | INT8, NUMERIC))
            {
                *oid = *column;
            }
        }
    }

    /// What goes into a Bind message.
    pub(crate) fn parameters(&self) -> Vec<Parameter<'_>> {
        self.each().collect()
    }

    /// One by one.
    pub(crate) fn each(&self) -> impl ExactSizeIterator<Item = Parameter<'_>> {
        self.places.iter().map(|place| Parameter {
            format: Format::Text,
            value: place.clone().map(|place| self.data.get(place).unwrap_or_default()),
        })
    }

    /// Whether no parameter's input can fail: those of unknown type are NULL, or go where `columns`
    /// says that any text does.
    pub(crate) fn cannot_fail(&self, columns: &[u32]) -> bool {
        use kecoa_types::oid::{BPCHAR, TEXT, VARCHAR};
        self.types.len() == columns.len()
            && self.types.iter().zip(&self.places).zip(columns).all(|((oid, place), column)| {
                *oid != 0 || place.is_none() || matches!(*column, TEXT | VARCHAR | BPCHAR)
            })
    }
}

/// Whether a literal cannot be more than one: what is not known to be a literal may hold anything.
pub(crate) fn is_literal(text: &[u8], rules: Rules) -> bool {
    literal::read(text, rules, &mut Vec::new()).is_some()
}
