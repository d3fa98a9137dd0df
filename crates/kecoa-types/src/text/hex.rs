//! Hexadecimal digits.

/// Not a digit.
const BAD: u8 = 0xff;

const VALUES: [u8; 256] = {
    let mut table = [BAD; 256];
    let digits = b"0123456789abcdef";
    let upper = b"0123456789ABCDEF";
    let mut value = 0u8;
    // Const code cannot iterate; an index out of bounds would not compile.
    #[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
    while value < 16 {
        table[digits[value as usize] as usize] = value;
        table[upper[value as usize] as usize] = value;
        value += 1;
    }
    table
};

const PAIRS: [[u8; 2]; 256] = {
    let mut table = [[0; 2]; 256];
    let digits = b"0123456789abcdef";
    let mut byte = 0;
    #[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};

#[inline]
fn value(digit: u8) -> u8 {
    // The table has an entry for every byte; the optimiser drops the check.
    VALUES.get(usize::from(digit)).copied().unwrap_or(BAD)
}

/// The byte two hexadecimal digits of either case stand for.
#[inline]
pub(crate) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (value(high), value(low));
    // A bad digit is the only one with high bits.
    if (high | low) > 15 { None } else { Some(high << 4 | low) }
}

/// The bytes that pairs of digits stand for; one test for all of them.
#[inline]
pub(crate) fn hex_pairs<const N: usize>(pairs: [[u8; 2]; N]) -> Option<[u8; N]> {
    let mut all = 0;
    let bytes = pairs.map(|[high, low]| {
        let (high, low) = (value(high), value(low));
        all |= high | low;
        high << 4 | low & 15
    });
    if all > 15 { None } else { Some(bytes) }
}

/// Appends the bytes that pairs of digits stand for; `None` if one is not of digits, and then what
/// was appended is meaningless.
pub(crate) fn push_pairs(pairs: &[[u8; 2]], out: &mut Vec<u8>) -> Option<()> {
    let mut all = 0;
    out.extend(pairs.iter().map(|[high, low]| {
        let (high, low) = (value(*high), value(*low));
        all |= high | low;
        high << 4 | low & 15
    }));
    if all > 15 { None } else { Some(()) }
}

/// Appends bytes as lower-case digits.
pub(crate) fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.extend_from_slice(&PAIRS.get(usize::from(*byte)).copied().unwrap_or_default());
    }
}

/// The bytes of `N` pairs of digits with colons between them.
pub(crate) fn colon_pairs<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut address = [0; N];
    let mut groups = bytes.split(|byte| *byte == b':');
    for place in &mut address {
        let [high, low] = groups.next()? else { return None };
        *place = hex_pair(*high, *low)?;
    }
    if groups.next().is_some() { None } else { Some(address) }
}

/// Appends bytes as pairs of lower-case digits with colons between them.
pub(crate) fn push_colon_pairs(bytes: &[u8], out: &mut Vec<u8>) {
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            out.push(b':');
        }
        push_hex(&[*byte], out);
    }
}
