//! A blocking byte stream: unix socket, TCP, or TLS over either.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use bytes::BytesMut;
use rustix::net::RecvFlags;

use super::address::Peer;
use super::buffers;
use super::socket::PlainSocket;
use super::tls::TlsStream;
use super::wait::{Stop, TICK, Wait};

/// The least and the most bytes that a read offers by itself.
const READ_MIN: usize = 16 * 1024;
const READ_MAX: usize = 256 * 1024;
/// Reads below this share of what was offered make the next one smaller.
const SPARSE: usize = 8;

/// A connected stream.
#[derive(Debug)]
pub(crate) struct Stream {
    inner: Inner,
    peer: Peer,
    read_size: ReadSize,
}

#[derive(Debug)]
enum Inner {
    Plain(PlainSocket),
    Tls(Box<TlsStream>),
}

/// How many bytes a read offers: grows while reads fill it, shrinks when they do not.
#[derive(Debug)]
struct ReadSize(usize);

impl ReadSize {
    fn adjust(&mut self, offered: usize, read: usize) {
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
        let needed = hint.min(READ_MAX);
        if spare < wanted / 4 || spare < needed {
            buffers::make_room(buf, wanted, needed);
        }
    }
}

impl Stream {
    pub(super) fn plain(plain: PlainSocket, peer: Peer) -> io::Result<Stream> {
        plain.set_time_limit(TICK)?;
        Ok(Stream { inner: Inner::Plain(plain), peer, read_size: ReadSize(READ_MIN) })
    }

    /// Puts TLS over the socket. Nothing is sent before the first read or write.
    pub(super) fn with_tls(
        self,
        make: impl FnOnce(PlainSocket) -> Result<TlsStream, rustls::Error>,
    ) -> Result<Stream, rustls::Error> {
        let Stream { inner, mut peer, read_size } = self;
        let inner = match inner {
            Inner::Plain(plain) => Inner::Tls(Box::new(make(plain)?)),
            tls @ Inner::Tls(_) => tls,
        };
        peer.tls = true;
        Ok(Stream { inner, peer, read_size })
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
                self.read_size.reserve(buf, hint);
                let offered = buf.capacity() - buf.len();
                let read = plain.read_into(buf, RecvFlags::empty())?;
                self.read_size.adjust(offered, read);
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
                self.read_size.reserve(buf, 0);
                let offered = buf.capacity() - buf.len();
                let read = plain.read_into(buf, RecvFlags::DONTWAIT)?;
                self.read_size.adjust(offered, read);
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

    /// As [`Stream::write`], until some of `data` was taken; what takes nothing any more is broken.
    pub(super) fn write_some(&mut self, data: &[u8], wait: &mut Wait<'_>) -> Result<usize, Stop> {
        match wait.until_done(|| self.write(data))? {
            0 => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            written => Ok(written),
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
        self.socket().set_nonblocking(on)
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

    /// Ends both directions; TLS sends its close_notify first. Errors are of no use to anybody here.
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

    fn socket(&self) -> &PlainSocket {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_follows_the_reads() {
        let mut size = ReadSize(READ_MIN);
        for _ in 0..10 {
            size.adjust(4096, 4096);
        }
        assert_eq!(size.0, READ_MAX);
        size.adjust(READ_MAX, READ_MAX / 2);
        assert_eq!(size.0, READ_MAX);
        for _ in 0..10 {
            size.adjust(READ_MAX, 60);
        }
        assert_eq!(size.0, READ_MIN);
    }

    #[test]
    fn space_is_made_only_when_it_is_short() {
        let size = ReadSize(READ_MIN);
        let mut buf = BytesMut::with_capacity(READ_MIN / 2);
        size.reserve(&mut buf, 0);
        assert_eq!(buf.capacity(), READ_MIN / 2);
        size.reserve(&mut buf, READ_MIN);
        assert!(buf.capacity() >= READ_MIN);
        // A hint from the wire does not decide over memory.
        size.reserve(&mut buf, usize::MAX);
        assert!(buf.capacity() <= 2 * READ_MAX);
    }
}
