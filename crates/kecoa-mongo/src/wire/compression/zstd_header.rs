//! The header of a frame of Zstandard (RFC 8878): how much memory its decoder would reserve.

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Windows up to this size are accepted for any message: what compressors use by default has at most this.
const USUAL_WINDOW: u64 = 8 * 1024 * 1024;

/// Whether the frame wants a window that is usual, or not larger than its content, which has `length` bytes
/// (rounded up, as compressors do); and does not contradict that length.
pub(super) fn is_within(frame: &[u8], length: usize) -> bool {
    read(frame).is_some_and(|header| {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let rounded = length.checked_next_power_of_two().unwrap_or(length);
        header.content.is_none_or(|content| content == length)
            && header.window.unwrap_or(length) <= rounded.max(USUAL_WINDOW)
    })
}

struct Header {
    /// `None`: the content itself.
    window: Option<u64>,
    content: Option<u64>,
}

fn read(frame: &[u8]) -> Option<Header> {
    let rest = frame.strip_prefix(&MAGIC)?;
    let (&descriptor, mut rest) = rest.split_first()?;
    let is_single = descriptor & 0x20 != 0;
    let mut window = None;
    if !is_single {
        let (&byte, tail) = rest.split_first()?;
        let base = 1_u64 << (10 + (byte >> 3));
        window = Some(base + base / 8 * u64::from(byte & 7));
        rest = tail;
    }
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied()?;
    rest = rest.get(dictionary..)?;
    let width = match (descriptor >> 6, is_single) {
        (0, false) => return Some(Header { window, content: None }),
        (0, true) => 1,
        (1, _) => 2,
        (2, _) => 4,
        _ => 8,
    };
    let mut bytes = [0; 8];
    bytes.get_mut(..width)?.copy_from_slice(rest.get(..width)?);
    let offset = if width == 2 { 256 } else { 0 };
    Some(Header { window, content: u64::from_le_bytes(bytes).checked_add(offset) })
}
