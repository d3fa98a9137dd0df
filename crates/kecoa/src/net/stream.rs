//! A blocking byte stream: unix socket, TCP, or TLS over either.
//!
//! The fast path of a round trip is one send and one recv: reads block, with a time limit so that
//! the caller can look at its interrupt hook, and nothing polls. Writes do not block: only when the
//! socket's buffer is full is there a wait, for room in it or for the peer to say something.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bytes::BytesMut;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{RecvFlags, SendFlags};

use super::Peer;
use super::tls::TlsStream;

/// How long one read or write waits before it gives the caller a chance to look around.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// A write to a peer that is gone is an error, never a signal. Apple's systems have no flag for
/// that: sockets of std and socket2 are made so there.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT;

/// The smallest and the largest room that a read offers by itself.
const READ_MIN: usize = 16 * 1024;
const READ_MAX: usize = 512 * 1024;
/// Reads below this share of the offered room make the next one smaller.
const SPARSE: usize = 8;

/// A connected stream.
#[derive(Debug)]
pub(crate) struct Stream {
    inner: Inner,
    peer: Peer,
    room: Room,
}

#[derive(Debug)]
enum Inner {
    Plain(Plain),
    Tls(Box<TlsStream>),
}

/// A socket without TLS.
#[derive(Debug)]
pub(super) enum Plain {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// How much a read offers: grows while reads fill it, shrinks when they do not.
#[derive(Debug)]
struct Room(usize);

impl Room {
    fn settle(&mut self, offered: usize, read: usize) {
        if read == offered {
            self.0 = (self.0 * 2).min(READ_MAX);
        } else if read < self.0 / SPARSE {
            self.0 = (self.0 / 2).max(READ_MIN);
        }
    }

    /// Makes room in `buf` if what it has is small beside what is expected.
    fn reserve(&self, buf: &mut BytesMut, hint: usize) {
        let wanted = self.0.max(hint.min(READ_MAX));
        let spare = buf.capacity() - buf.len();
        if spare < wanted / 4 || spare < hint.min(READ_MAX) {
            buf.reserve(wanted);
        }
    }
}

impl Stream {
    pub(super) fn plain(plain: Plain, peer: Peer) -> io::Result<Stream> {
        plain.set_time_limit(TICK)?;
        Ok(Stream { inner: Inner::Plain(plain), peer, room: Room(READ_MIN) })
    }

    /// Puts TLS over the socket. Nothing is sent before the first read or write.
    pub(super) fn with_tls(
        self,
        make: impl FnOnce(Plain) -> Result<TlsStream, rustls::Error>,
    ) -> Result<Stream, rustls::Error> {
        let Stream { inner, mut peer, room } = self;
        let inner = match inner {
            Inner::Plain(plain) => Inner::Tls(Box::new(make(plain)?)),
            tls @ Inner::Tls(_) => tls,
        };
        peer.tls = true;
        Ok(Stream { inner, peer, room })
    }

    /// Appends what the peer sent to `buf`; `hint` is how many bytes the caller knows to be coming.
    /// 0 is the end of the stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when nothing came for 250 ms and `Interrupted` when a signal arrived: in both
    /// cases the stream is as it was. Anything else ends the stream.
    pub(crate) fn read_into(&mut self, buf: &mut BytesMut, hint: usize) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Plain(plain) => {
                self.room.reserve(buf, hint);
                let offered = buf.capacity() - buf.len();
                let read = plain.read_into(buf, RecvFlags::empty())?;
                self.room.settle(offered, read);
                Ok(read)
            }
            Inner::Tls(tls) => tls.read_into(buf),
        }
    }

    /// As [`Stream::read_into`], with what has already arrived: never waits.
    ///
    /// # Errors
    ///
    /// As [`Stream::read_into`]; `WouldBlock` when nothing has arrived.
    pub(crate) fn try_read_into(&mut self, buf: &mut BytesMut) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Plain(plain) => {
                self.room.reserve(buf, 0);
                let offered = buf.capacity() - buf.len();
                let read = plain.read_into(buf, RecvFlags::DONTWAIT)?;
                self.room.settle(offered, read);
                Ok(read)
            }
            Inner::Tls(tls) => tls.try_read_into(buf),
        }
    }

    /// Sends some of `data` and says how many bytes it took. Under TLS what was taken may still
    /// wait for the socket; [`Stream::flush`] and every later read push it on.
    ///
    /// # Errors
    ///
    /// As [`Stream::read_into`]; with `WouldBlock` nothing was taken: for 250 ms there was no room,
    /// or the peer has something to say, which may be why it does not read.
    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Plain(plain) => plain.write(data),
            Inner::Tls(tls) => tls.write(data),
        }
    }

    /// Sends what TLS still holds back.
    ///
    /// # Errors
    ///
    /// As [`Stream::read_into`].
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.inner {
            Inner::Plain(_) => Ok(()),
            Inner::Tls(tls) => tls.flush(),
        }
    }

    /// As [`Stream::write`], without waiting for room.
    ///
    /// # Errors
    ///
    /// As [`Stream::write`]; `WouldBlock` when there is no room.
    pub(crate) fn try_write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Plain(plain) => plain.try_write(data),
            Inner::Tls(tls) => tls.without_waiting(|tls| tls.write(data)),
        }
    }

    /// As [`Stream::flush`], without waiting for room.
    ///
    /// # Errors
    ///
    /// As [`Stream::flush`]; `WouldBlock` when there is no room.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        match &mut self.inner {
            Inner::Plain(_) => Ok(()),
            Inner::Tls(tls) => tls.without_waiting(TlsStream::flush),
        }
    }

    /// Whether reads come back at once when nothing has arrived, while the caller waits by itself.
    pub(super) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self.socket() {
            Plain::Tcp(socket) => socket.set_nonblocking(on),
            Plain::Unix(socket) => socket.set_nonblocking(on),
        }
    }

    /// Drives the TLS handshake one step; `true` when it is complete, or there is no TLS.
    ///
    /// # Errors
    ///
    /// As [`Stream::read_into`]; a refused certificate is `InvalidData` with a [`rustls::Error`]
    /// inside.
    pub(super) fn tls_handshake(&mut self) -> io::Result<bool> {
        match &mut self.inner {
            Inner::Plain(_) => Ok(true),
            Inner::Tls(tls) => tls.handshake(),
        }
    }

    /// Ends both directions; TLS says good-bye first. Errors are of no use to anybody here.
    pub(crate) fn shutdown(&mut self) {
        if let Inner::Tls(tls) = &mut self.inner {
            tls.close_notify();
        }
        self.socket().shutdown();
    }

    /// The descriptor of the socket, for psycopg2's `fileno()`.
    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.socket().as_fd().as_raw_fd()
    }

    /// TLS version and cipher suite, such as `TLSv1.3` and `TLS_AES_256_GCM_SHA384`.
    pub(crate) fn tls_info(&self) -> Option<(&'static str, &'static str)> {
        match &self.inner {
            Inner::Plain(_) => None,
            Inner::Tls(tls) => tls.info(),
        }
    }

    /// What SCRAM binds itself to, under TLS.
    pub(super) fn server_end_point(&self) -> Option<Vec<u8>> {
        match &self.inner {
            Inner::Plain(_) => None,
            Inner::Tls(tls) => tls.server_end_point(),
        }
    }

    /// The protocol that the server has chosen by ALPN, under TLS.
    pub(super) fn alpn(&self) -> Option<&[u8]> {
        match &self.inner {
            Inner::Plain(_) => None,
            Inner::Tls(tls) => tls.alpn(),
        }
    }

    /// Whom the stream is connected to.
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    fn socket(&self) -> &Plain {
        match &self.inner {
            Inner::Plain(plain) => plain,
            Inner::Tls(tls) => tls.socket(),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl AsFd for Plain {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Plain::Tcp(socket) => socket.as_fd(),
            Plain::Unix(socket) => socket.as_fd(),
        }
    }
}

impl Plain {
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

    fn set_time_limit(&self, limit: Duration) -> io::Result<()> {
        match self {
            Plain::Tcp(socket) => socket.set_read_timeout(Some(limit)),
            Plain::Unix(socket) => socket.set_read_timeout(Some(limit)),
        }
    }

    pub(super) fn shutdown(&self) {
        // A peer that is gone already is as good as one that is told.
        let _ = match self {
            Plain::Tcp(socket) => socket.shutdown(Shutdown::Both),
            Plain::Unix(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Instant;

    use super::*;

    #[test]
    fn room_follows_the_reads() {
        let mut room = Room(READ_MIN);
        for _ in 0..10 {
            room.settle(4096, 4096);
        }
        assert_eq!(room.0, READ_MAX);
        room.settle(READ_MAX, READ_MAX / 2);
        assert_eq!(room.0, READ_MAX);
        for _ in 0..10 {
            room.settle(READ_MAX, 60);
        }
        assert_eq!(room.0, READ_MIN);
    }

    #[test]
    fn a_full_socket_gives_way_to_what_the_peer_says() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let plain = Plain::Unix(ours);
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
        let mut heard = BytesMut::with_capacity(16);
        assert_eq!(plain.read_into(&mut heard, RecvFlags::DONTWAIT).unwrap(), 4);
        let nothing = plain.read_into(&mut heard, RecvFlags::DONTWAIT).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        drop(theirs);
        assert_eq!(plain.write(&data).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn room_is_made_only_when_it_is_short() {
        let room = Room(READ_MIN);
        let mut buf = BytesMut::with_capacity(READ_MIN / 2);
        room.reserve(&mut buf, 0);
        assert_eq!(buf.capacity(), READ_MIN / 2);
        room.reserve(&mut buf, READ_MIN);
        assert!(buf.capacity() >= READ_MIN);
        // A hint from the wire does not decide over memory.
        room.reserve(&mut buf, usize::MAX);
        assert!(buf.capacity() <= 2 * READ_MAX);
    }
}
