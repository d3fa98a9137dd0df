//! `money`, as the locales `C` and `en_US` print it.

use super::integer;
use crate::{DecodeError, Money};

/// Decodes `[-]$1,234.56`.
///
/// # Errors
/// It is in another form, as in other locales.
pub fn decode(bytes: &[u8]) -> Result<Money, DecodeError> {
    parse(bytes).ok_or_else(|| {
        DecodeError::text(
            "money as -$1,234.56 (lc_monetary C or en_US; or cast it to numeric)",
            bytes,
        )
    })
}

fn parse(bytes: &[u8]) -> Option<Money> {
    let (negative, rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let rest = rest.strip_prefix(b"$")?;
    let (whole, cents) = rest.split_last_chunk::<3>()?;
    let [b'.', cents @ ..] = cents else { return None };
    let mut groups = whole.split(|byte| *byte == b',');
    let mut digits = groups.next()?.to_vec();
    let grouped = digits.len() <= 3;
    for group in groups {
        if group.len() != 3 || !grouped {
            return None;
        }
        digits.extend_from_slice(group);
    }
    if digits.is_empty() {
        return None;
    }
    digits.extend_from_slice(cents);
    let magnitude = integer::parse_unsigned(&digits)?;
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
        .map(Money)
}

/// Appends `[-]$1,234.56`.
pub fn encode(value: &Money, out: &mut Vec<u8>) {
    let magnitude = value.0.unsigned_abs();
    if value.0 < 0 {
        out.push(b'-');
    }
    out.push(b'$');
    let mut digits = Vec::with_capacity(20);
    integer::push_unsigned(magnitude / 100, &mut digits);
    for (index, digit) in digits.iter().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(b',');
        }
        out.push(*digit);
    }
    out.push(b'.');
    integer::push_padded(magnitude % 100, 2, out);
}
