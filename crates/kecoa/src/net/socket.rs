//! A socket without TLS.
//!
//! The fast path of a round trip is one send and one recv: reads block, with a time limit so that
//! the caller can ask its interrupt hook, and nothing polls. Writes do not block: only when the
//! socket's buffer is full is there a wait, for room in it or for the peer to say something.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bytes::BytesMut;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{RecvFlags, SendFlags};

use super::wait::TICK;

/// A write to a peer that is gone is an error, never a signal. Apple's systems have no flag for
/// that: sockets of std and socket2 are made so there.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT;

/// A socket without TLS.
#[derive(Debug)]
pub(super) enum PlainSocket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsFd for PlainSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            PlainSocket::Tcp(socket) => socket.as_fd(),
            PlainSocket::Unix(socket) => socket.as_fd(),
        }
    }
}

impl PlainSocket {
    /// Reads into the buffer's spare capacity, which the caller has made.
    pub(super) fn read_into(&self, buf: &mut BytesMut, flags: RecvFlags) -> io::Result<usize> {
        let spare = buf.spare_capacity_mut();
        let room = spare.len();
        let (_, read) = rustix::net::recv(self, spare, flags)?;
        let read = read.min(room);
        // SAFETY: `recv` has initialised the first `read` bytes of the spare capacity, which starts
        // at `buf.len()`, and `read` is not larger than that capacity.
        unsafe { buf.set_len(buf.len() + read) };
        Ok(read)
    }

    /// One send, without waiting.
    pub(super) fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(self, data, SEND)?)
    }

    /// One send, and a second one after a wait if the first found no room at all. A send that
    /// blocks would not come back before it has sent everything: then nobody reads what the peer,
    /// whose own buffers may be full, is trying to say.
    pub(super) fn write(&self, data: &[u8]) -> io::Result<usize> {
        match rustix::net::send(self, data, SEND) {
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let tick = Timespec::try_from(TICK).map_err(io::Error::other)?;
                let mut polled = [PollFd::new(self, PollFlags::IN | PollFlags::OUT)];
                rustix::event::poll(&mut polled, Some(&tick))?;
                Ok(rustix::net::send(self, data, SEND)?)
            }
            sent => Ok(sent?),
        }
    }

    pub(super) fn set_time_limit(&self, limit: Duration) -> io::Result<()> {
        match self {
            PlainSocket::Tcp(socket) => socket.set_read_timeout(Some(limit)),
            PlainSocket::Unix(socket) => socket.set_read_timeout(Some(limit)),
        }
    }

    pub(super) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            PlainSocket::Tcp(socket) => socket.set_nonblocking(on),
            PlainSocket::Unix(socket) => socket.set_nonblocking(on),
        }
    }

    pub(super) fn shutdown(&self) {
        // A peer that is gone already is as good as one that is told.
        let _ = match self {
            PlainSocket::Tcp(socket) => socket.shutdown(Shutdown::Both),
            PlainSocket::Unix(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_full_socket_gives_way_to_what_the_peer_says() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let plain = PlainSocket::Unix(ours);
        let data = vec![0; 64 * 1024];
        let full = loop {
            if let Err(error) = plain.write(&data) {
                break error;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        theirs.write_all(b"stop").unwrap();
        let started = Instant::now();
        assert_eq!(plain.write(&data).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(started.elapsed() < TICK, "it waited for room");
        let mut received = BytesMut::with_capacity(16);
        assert_eq!(plain.read_into(&mut received, RecvFlags::DONTWAIT).unwrap(), 4);
        let nothing = plain.read_into(&mut received, RecvFlags::DONTWAIT).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        drop(theirs);
        assert_eq!(plain.write(&data).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
