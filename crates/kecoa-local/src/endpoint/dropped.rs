//! What stands for a message that is longer than a client may send, of which only the header was kept.

use kecoa_proto::frame::Frame;

/// Its tag, which no message has.
pub(super) const DROPPED: u8 = 0;

/// What stands for a message: its body has the tag that that had, and its size.
pub(super) fn dropped(tag: u8, size: usize) -> Frame {
    let mut body = vec![tag];
    body.extend_from_slice(&size.to_be_bytes());
    Frame { tag: DROPPED, body: body.into() }
}

/// The tag and the size of the message; `None` if this stands for none.
pub(super) fn read(frame: &Frame) -> Option<(u8, usize)> {
    let (tag, size) = frame.body.split_first().filter(|_| frame.tag == DROPPED)?;
    Some((*tag, usize::from_be_bytes(size.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_is_read_again() {
        assert_eq!(read(&dropped(b'Q', 17 << 20)), Some((b'Q', 17 << 20)));
        assert_eq!(read(&Frame { tag: DROPPED, body: bytes::Bytes::new() }), None);
        // As long as what stands for one.
        let other = Frame { tag: b'Q', body: bytes::Bytes::from_static(b"SELECT 1\0") };
        assert_eq!(read(&other), None);
    }
}
