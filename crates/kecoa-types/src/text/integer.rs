//! What the integer types share.

/// The integer that is the whole of `bytes`: an optional sign, then digits.
#[inline]
pub(crate) fn parse(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let magnitude = parse_unsigned(digits)?;
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// The unsigned integer that is the whole of `digits`: digits only.
#[inline]
pub(crate) fn parse_unsigned(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    // 19 digits always fit; a 20th needs the checked loop.
    if digits.len() > 19 {
        return parse_checked(digits);
    }
    let mut value = 0u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

#[cold]
fn parse_checked(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Appends a number in decimal.
pub(crate) fn push(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    push_unsigned(value.unsigned_abs(), out);
}

/// Appends a number in decimal.
pub(crate) fn push_unsigned(value: u64, out: &mut Vec<u8>) {
    push_padded(value, 1, out);
}

/// Appends a number in decimal with zeros in front up to `width` digits (20 at most).
pub(crate) fn push_padded(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut count = 0;
    for slot in digits.iter_mut().rev() {
        if value == 0 && count >= width {
            break;
        }
        // A remainder of ten is a digit.
        *slot = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        count += 1;
    }
    out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}
