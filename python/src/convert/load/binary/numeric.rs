//! `numeric` to the text that `Decimal` reads: the same digits and exponent as in text form.

use kecoa_types::{DecodeError, binary, text};

/// Space for 18 digits on either side of the point, a sign and the point.
const CAPACITY: usize = 40;

/// The text, on the stack for the numbers that programs have.
pub(super) enum NumericText {
    Short { bytes: [u8; CAPACITY], length: usize },
    Long(Vec<u8>),
}

impl NumericText {
    pub(super) fn new(data: &[u8]) -> Result<NumericText, DecodeError> {
        if let Some(short) = short(data) {
            return Ok(short);
        }
        let mut out = Vec::new();
        text::numeric::encode(&binary::numeric::decode(data)?, &mut out);
        Ok(NumericText::Long(out))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            NumericText::Short { bytes, length } => bytes.get(..*length).unwrap_or_default(),
            NumericText::Long(bytes) => bytes,
        }
    }
}

/// A number of at most 16 digits before the point and as many behind it; nothing for any other, and
/// for what is malformed.
fn short(data: &[u8]) -> Option<NumericText> {
    let (words, []) = data.as_chunks::<2>() else { return None };
    let [count, weight, sign, scale, groups @ ..] = words else { return None };
    let weight = i32::from(i16::from_be_bytes(*weight));
    let scale = usize::from(u16::from_be_bytes(*scale));
    if usize::from(u16::from_be_bytes(*count)) != groups.len()
        || !(-4..4).contains(&weight)
        || scale > 16
    {
        return None;
    }
    let mut text = Text { bytes: [0; CAPACITY], length: 0 };
    match u16::from_be_bytes(*sign) {
        0 => {}
        // Zero has no sign.
        0x4000 if !groups.is_empty() => text.push(b'-'),
        _ => return None,
    }
    let group = |power: i32| -> Option<u16> {
        let Ok(index) = usize::try_from(weight - power) else { return Some(0) };
        let Some(group) = groups.get(index) else { return Some(0) };
        let group = u16::from_be_bytes(*group);
        (group < 10_000).then_some(group)
    };
    // Zeros at either end, and digits beyond the scale, are for the long way to cut off.
    if let (Some(first), Some(last)) = (groups.first(), groups.last()) {
        let last = u16::from_be_bytes(*last);
        if *first == [0, 0] || last == 0 {
            return None;
        }
        let zeros = [10, 100, 1000].iter().filter(|unit| last % **unit == 0).count();
        let behind = i32::try_from(groups.len()).ok()? - 1 - weight;
        if usize::try_from(behind).is_ok_and(|behind| behind * 4 > scale + zeros) {
            return None;
        }
    }
    let top = weight.max(0);
    text.push_first(group(top)?);
    for power in (0..top).rev() {
        text.push_group(group(power)?);
    }
    if scale > 0 {
        text.push(b'.');
        let end = text.length + scale;
        let mut power = -1;
        while text.length < end {
            text.push_group(group(power)?);
            power -= 1;
        }
        text.length = end;
    }
    Some(NumericText::Short { bytes: text.bytes, length: text.length })
}

struct Text {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Text {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
        }
        self.length += 1;
    }

    /// Four digits.
    fn push_group(&mut self, group: u16) {
        for unit in [1000, 100, 10, 1] {
            self.push(digit(group / unit % 10));
        }
    }

    /// Without zeros in front, but for zero itself.
    fn push_first(&mut self, group: u16) {
        for unit in [1000, 100, 10] {
            if group >= unit {
                self.push(digit(group / unit % 10));
            }
        }
        self.push(digit(group % 10));
    }
}

/// A number below ten.
fn digit(value: u16) -> u8 {
    b'0' + value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let count = u16::try_from(groups.len()).unwrap();
        [count, weight.cast_unsigned(), sign, scale]
            .iter()
            .chain(groups)
            .flat_map(|word| word.to_be_bytes())
            .collect()
    }

    fn as_text(data: &[u8]) -> String {
        String::from_utf8(NumericText::new(data).unwrap().as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn keeps_digits_and_scale() {
        for (data, expected) in [
            (form(0, 0, 0, &[]), "0"),
            (form(0, 0, 2, &[]), "0.00"),
            (form(0, 0x4000, 0, &[]), "0"),
            (form(1, 0, 2, &[1, 2345, 6700]), "12345.67"),
            (form(-1, 0x4000, 5, &[1, 2000]), "-0.00012"),
            (form(2, 0, 0, &[1]), "100000000"),
            (form(-2, 0, 8, &[1]), "0.00000001"),
            (form(0, 0, 1, &[7, 1999]), "7.1"),
            (form(0, 0, 0, &[7, 1999]), "7"),
            (form(3, 0x4000, 16, &[9999; 8]), "-9999999999999999.9999999999999999"),
            (form(0, 0xc000, 0, &[]), "NaN"),
            (form(0, 0xd000, 0x20, &[]), "Infinity"),
            (form(0, 0xf000, 0x20, &[]), "-Infinity"),
            (form(5, 0, 0, &[1]), "100000000000000000000"),
        ] {
            assert_eq!(as_text(&data), expected);
        }
    }

    #[test]
    fn both_ways_agree() {
        let groups = [0, 1, 90, 700, 1000, 1010, 9999];
        for weight in -5..5 {
            for scale in 0..18 {
                for (at, first) in groups.iter().enumerate() {
                    let data = [*first, groups[(at + 3) % 7], groups[(at * 2 + 1) % 7], 1];
                    for count in 0..=4 {
                        let data = form(weight, 0x4000, scale, &data[..count]);
                        let mut long = Vec::new();
                        text::numeric::encode(&binary::numeric::decode(&data).unwrap(), &mut long);
                        let long = String::from_utf8(long).unwrap();
                        assert_eq!(as_text(&data), long, "{data:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn refuses_what_is_malformed() {
        for data in
            [&b""[..], b"\0\0\0\0\0\0", b"\0\x01\0\0\0\0\0\0", b"\0\x01\0\0\0\0\0\0\xff\xff"]
        {
            assert!(NumericText::new(data).is_err());
        }
    }
}
