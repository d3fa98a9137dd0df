//! Memory for reads of large results, used again when nobody has rows in it any more: the first use of a
//! page of fresh memory costs more than to read into it.
//!
//! A buffer has a handle here, which keeps its memory. When it is the only one left, the memory is free.

use std::sync::Mutex;

use bytes::BytesMut;

/// How many bytes a buffer has that is used again.
const SIZE: usize = 512 * 1024;
/// How many of them a process keeps: what it holds beyond its results is bounded by 8 MiB.
const KEPT: usize = 16;
/// Reads that want less than this, in bytes, have memory of the allocator's: it has that at hand.
const LEAST: usize = 64 * 1024;

static BUFFERS: Mutex<Buffers> = Mutex::new(Buffers { handles: Vec::new(), next: 0 });

/// Makes room for `wanted` bytes behind those in `buf`, or for fewer, but for no less than `needed`.
pub(super) fn make_room(buf: &mut BytesMut, wanted: usize, needed: usize) {
    let needed = needed.max(LEAST);
    if wanted < LEAST || buf.len().saturating_add(needed) > SIZE {
        return buf.reserve(wanted);
    }
    let begun = std::mem::take(buf);
    // Who finds another thread here, or its like at the time of a fork, does without.
    match BUFFERS.try_lock() {
        Ok(mut buffers) => {
            *buf = buffers.take();
            buf.extend_from_slice(&begun);
        }
        Err(_) => {
            *buf = begun;
            buf.reserve(wanted);
        }
    }
}

struct Buffers {
    handles: Vec<BytesMut>,
    /// Where to look first, and whose place the next one takes where none is free.
    next: usize,
}

impl Buffers {
    /// A buffer that is empty and has [`SIZE`] bytes.
    fn take(&mut self) -> BytesMut {
        let count = self.handles.len();
        let (before, from) = self.handles.split_at_mut(self.next.min(count));
        let mut in_turn = from.iter_mut().chain(before);
        let free = in_turn.position(|handle| handle.try_reclaim(SIZE));
        let at = match free {
            Some(steps) => (self.next + steps) % count,
            None if count < KEPT => {
                self.handles.push(BytesMut::with_capacity(SIZE));
                count
            }
            None => {
                if let Some(oldest) = self.handles.get_mut(self.next) {
                    *oldest = BytesMut::with_capacity(SIZE);
                }
                self.next
            }
        };
        self.next = (at + 1) % KEPT.min(self.handles.len());
        let Some(handle) = self.handles.get_mut(at) else { return BytesMut::with_capacity(SIZE) };
        let mut buffer = std::mem::take(handle);
        *handle = buffer.split_off(SIZE);
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffers() -> Buffers {
        Buffers { handles: Vec::new(), next: 0 }
    }

    /// Fills a buffer and gives its rows away.
    fn filled(buffers: &mut Buffers) -> bytes::Bytes {
        let mut buffer = buffers.take();
        assert!(buffer.is_empty() && buffer.capacity() >= SIZE);
        buffer.resize(SIZE, 7);
        buffer.freeze()
    }

    #[test]
    fn memory_is_used_again_when_nobody_has_bytes_of_it() {
        let mut buffers = buffers();
        let first = filled(&mut buffers);
        let place = first.as_ptr();
        let second = filled(&mut buffers);
        assert_ne!(second.as_ptr(), place);
        let rows = first.slice(100..200);
        drop(first);
        let third = filled(&mut buffers);
        assert_ne!(third.as_ptr(), place, "somebody has rows in it");
        assert!(rows.iter().all(|byte| *byte == 7));
        drop(rows);
        assert_eq!(filled(&mut buffers).as_ptr(), place);
        assert_eq!(buffers.handles.len(), 3);
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let mut buffers = buffers();
        let held: Vec<_> = (0..2 * KEPT).map(|_| filled(&mut buffers)).collect();
        assert_eq!(buffers.handles.len(), KEPT);
        let later: Vec<_> = held.iter().skip(KEPT).map(|bytes| bytes.as_ptr()).collect();
        drop(held);
        let again: Vec<_> = (0..KEPT).map(|_| filled(&mut buffers)).collect();
        assert!(again.iter().all(|bytes| later.contains(&bytes.as_ptr())), "the last ones stay");
    }

    #[test]
    fn what_was_read_moves_along() {
        let mut buf = BytesMut::from(&b"half a mess"[..]);
        make_room(&mut buf, SIZE, 100);
        assert_eq!(&buf[..], b"half a mess");
        assert!(buf.capacity() - buf.len() >= LEAST);
        // More than a buffer has: that is the allocator's.
        make_room(&mut buf, 2 * SIZE, 2 * SIZE);
        assert_eq!(&buf[..], b"half a mess");
        assert!(buf.capacity() - buf.len() >= 2 * SIZE);
        let mut small = BytesMut::new();
        make_room(&mut small, LEAST - 1, 0);
        assert!(small.capacity() < SIZE);
    }
}
