//! `$size`, `$mod` and `$bitsAllSet` and its like.

use ::bson::RawBsonRef;

use super::{Parser, bad_value, field};
use crate::error::{Code, Error};
use crate::expression::shown;
use crate::query::bits::{BitTest, BitTestKind};
use crate::query::field_path::FieldPath;
use crate::query::integer::{self, NotInteger};
use crate::query::modulo::Modulo;
use crate::query::node::{Node, Test};

impl Parser<'_> {
    pub(super) fn size(self, value: RawBsonRef<'_>) -> Result<u64, Error> {
        let number = whole(value, "$size")
            .map_err(|problem| bad_value(format!("Failed to parse $size. {problem}")))?;
        if number > i64::from(i32::MAX) {
            return Err(bad_value(format!(
                "Failed to parse $size. Cannot represent in an int: $size: {number}"
            )));
        }
        u64::try_from(number).map_err(|_| {
            bad_value(format!(
                "Failed to parse $size. Expected a non-negative number in: $size: {number}"
            ))
        })
    }

    pub(super) fn modulo(self, value: RawBsonRef<'_>) -> Result<Modulo, Error> {
        let RawBsonRef::Array(array) = value else {
            return Err(bad_value("malformed mod, not an array"));
        };
        let mut values = array.into_iter().map_while(Result::ok);
        let (divisor, remainder) = match (values.next(), values.next(), values.next()) {
            (Some(divisor), Some(remainder), None) => (divisor, remainder),
            (Some(_), Some(_), Some(_)) => {
                return Err(bad_value("malformed mod, too many elements"));
            }
            _ => return Err(bad_value("malformed mod, not enough elements")),
        };
        let divisor = mod_number(divisor, "divisor")?;
        if divisor == 0 {
            return Err(bad_value("divisor cannot be 0"));
        }
        Ok(Modulo { divisor, remainder: mod_number(remainder, "remainder")? })
    }

    pub(super) fn bits(
        self,
        path: &FieldPath,
        kind: BitTestKind,
        value: RawBsonRef<'_>,
    ) -> Result<Node, Error> {
        let positions = match value {
            RawBsonRef::Array(array) => array
                .into_iter()
                .map_while(Result::ok)
                .map(bit_position)
                .collect::<Result<Vec<_>, _>>()?,
            RawBsonRef::Binary(binary) => {
                let bytes = (0_u32..).zip(binary.bytes);
                bytes.flat_map(|(at, byte)| positions(u64::from(*byte), at * 8)).collect()
            }
            value => positions(bit_mask(path, kind, value)?, 0).collect(),
        };
        let mut positions = positions;
        positions.sort_unstable();
        positions.dedup();
        Ok(field(path, Test::Bits(BitTest { kind, positions })))
    }
}

/// The positions of the bits of a number, from `first`.
fn positions(number: u64, first: u32) -> impl Iterator<Item = u32> {
    (0..64).filter(move |bit| number >> bit & 1 == 1).map(move |bit| first + bit)
}

fn bit_mask(path: &FieldPath, kind: BitTestKind, value: RawBsonRef<'_>) -> Result<u64, Error> {
    let name = kind.name();
    let failed = |message: String| Error::new(Code::FAILED_TO_PARSE, message);
    match integer::exact(value) {
        Ok(mask) => u64::try_from(mask)
            .map_err(|_| failed(format!("Expected a non-negative number in: {name}: {mask}"))),
        Err(NotInteger::NotNumber) => Err(bad_value(format!(
            "{} takes an Array, a number, or a BinData but received: {name}: {}",
            path.as_str(),
            shown(value)
        ))),
        Err(_) => Err(failed(whole(value, name).err().unwrap_or_default())),
    }
}

fn bit_position(value: RawBsonRef<'_>) -> Result<u32, Error> {
    let number = whole(value, "bit position")
        .map_err(|problem| bad_value(format!("Failed to parse bit position. {problem}")))?;
    let position = i32::try_from(number).ok().and_then(|position| u32::try_from(position).ok());
    position.ok_or_else(|| {
        bad_value(if number < 0 {
            format!("bit positions must be >= 0 but got: {number}")
        } else {
            format!("bit positions cannot be represented as a 32-bit signed integer: {number}")
        })
    })
}

/// A whole number, or what is wrong with it.
fn whole(value: RawBsonRef<'_>, name: &str) -> Result<i64, String> {
    integer::exact(value).map_err(|problem| integer::problem(name, value, problem))
}

fn mod_number(value: RawBsonRef<'_>, what: &str) -> Result<i64, Error> {
    integer::truncated(value).map_err(|problem| {
        let cause = match problem {
            NotInteger::NotNumber => {
                return bad_value(format!("malformed mod, {what} not a number"));
            }
            NotInteger::NotFinite | NotInteger::Fraction => {
                "Unable to coerce NaN/Inf to integral type"
            }
            NotInteger::OutOfRange => "Out of bounds coercing to integral value",
        };
        bad_value(format!("malformed mod, {what} value is invalid :: caused by :: {cause}"))
    })
}
