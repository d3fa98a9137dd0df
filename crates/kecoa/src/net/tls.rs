//! TLS over a socket, by rustls.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use rustix::net::RecvFlags;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::socket::PlainSocket;
use super::wait::is_pause;
use super::x509;

/// How much is read from the socket at once. rustls by itself reads 4 KiB: four calls a record.
const READ_SIZE: usize = 64 * 1024;

/// A socket with TLS over it. The TLS handshake happens within the first reads and writes.
#[derive(Debug)]
pub(crate) struct TlsStream {
    socket: PlainSocket,
    tls: ClientConnection,
    /// What came from the socket and rustls has not taken yet.
    inbound: BytesMut,
    /// The socket has ended.
    ended: bool,
    /// Sending waits for room.
    waits: bool,
}

impl TlsStream {
    /// Begins TLS. `inbound` must not hold anything the peer sent before.
    pub(super) fn new(
        socket: PlainSocket,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<TlsStream, rustls::Error> {
        let tls = ClientConnection::new(config, name)?;
        Ok(TlsStream {
            socket,
            tls,
            inbound: BytesMut::with_capacity(READ_SIZE),
            ended: false,
            waits: true,
        })
    }

    /// Drives the TLS handshake one step. `true` when it is complete.
    ///
    /// # Errors
    ///
    /// `WouldBlock` and `Interrupted` as for reads; a refused certificate as `InvalidData` with a
    /// [`rustls::Error`] inside.
    pub(super) fn handshake(&mut self) -> io::Result<bool> {
        if self.tls.wants_write() {
            self.flush()?;
        } else if self.tls.is_handshaking() {
            self.fill(RecvFlags::empty())?;
            if self.ended && self.tls.is_handshaking() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(!self.tls.is_handshaking() && !self.tls.wants_write())
    }

    pub(super) fn read_into(&mut self, buf: &mut BytesMut) -> io::Result<usize> {
        // What cannot be sent now is tried again at the next read: waiting for a peer that itself
        // waits for us to read would be without end. If sending fails, reading says why.
        let _ = self.flush();
        self.read(buf, RecvFlags::empty())
    }

    /// As [`TlsStream::read_into`], with what has already arrived.
    pub(super) fn try_read_into(&mut self, buf: &mut BytesMut) -> io::Result<usize> {
        self.read(buf, RecvFlags::DONTWAIT)
    }

    fn read(&mut self, buf: &mut BytesMut, flags: RecvFlags) -> io::Result<usize> {
        loop {
            let read = self.take_plaintext(buf)?;
            if read > 0 || self.ended {
                return Ok(read);
            }
            self.fill(flags)?;
        }
    }

    /// Takes all decrypted bytes there are, decrypting what is already here as far as it goes.
    fn take_plaintext(&mut self, buf: &mut BytesMut) -> io::Result<usize> {
        let mut taken = 0;
        loop {
            let mut reader = self.tls.reader();
            loop {
                match reader.fill_buf() {
                    // The peer's close_notify.
                    Ok([]) => {
                        self.ended = true;
                        break;
                    }
                    Ok(chunk) => {
                        let length = chunk.len();
                        buf.extend_from_slice(chunk);
                        reader.consume(length);
                        taken += length;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    // The socket ended without TLS's close_notify. What came before counts; the
                    // protocol above knows by itself whether something is missing.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        self.ended = true;
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
            if self.inbound.is_empty() || self.ended {
                return Ok(taken);
            }
            self.decrypt()?;
        }
    }

    /// Reads from the socket once and decrypts.
    fn fill(&mut self, flags: RecvFlags) -> io::Result<()> {
        if self.inbound.is_empty() {
            self.inbound.clear();
            self.inbound.reserve(READ_SIZE);
            if self.socket.read_into(&mut self.inbound, flags)? == 0 {
                self.ended = true;
                // Lets rustls know, which then tells a truncated record from an end.
                self.tls.read_tls(&mut io::empty())?;
                return Ok(());
            }
        }
        self.decrypt()
    }

    /// Hands rustls as much of the inbound bytes as it takes at once.
    fn decrypt(&mut self) -> io::Result<()> {
        let taken = self.tls.read_tls(&mut &self.inbound[..])?;
        let taken = taken.min(self.inbound.len());
        self.inbound.advance(taken);
        if let Err(error) = self.tls.process_new_packets() {
            // The alert says to the peer what was wrong; whether it can be told changes nothing.
            let _ = self.flush();
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        Ok(())
    }

    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.flush()?;
        let taken = self.tls.writer().write(data)?;
        match self.flush() {
            // It is rustls that has the data now: the caller must not send it again.
            Err(error) if !is_pause(&error) => Err(error),
            _ => Ok(taken),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut Outbound { socket: &self.socket, waits: self.waits })?;
        }
        Ok(())
    }

    /// Does something without waiting for room to send.
    pub(super) fn without_waiting<T>(&mut self, work: impl FnOnce(&mut TlsStream) -> T) -> T {
        self.waits = false;
        let done = work(self);
        self.waits = true;
        done
    }

    pub(super) fn close_notify(&mut self) {
        self.tls.send_close_notify();
        let _ = self.flush();
    }

    pub(super) fn socket(&self) -> &PlainSocket {
        &self.socket
    }

    /// The hash of the server's certificate for SCRAM's channel binding (RFC 5929, section 4), if
    /// the certificate's signature has a hash function of its own: Ed25519's has none.
    pub(super) fn server_end_point(&self) -> Option<Vec<u8>> {
        let der = self.tls.peer_certificates()?.first()?;
        Some(match x509::Certificate::parse(der)?.signature_hash()? {
            x509::Hash::Sha256 => Sha256::digest(der).to_vec(),
            x509::Hash::Sha384 => Sha384::digest(der).to_vec(),
            x509::Hash::Sha512 => Sha512::digest(der).to_vec(),
        })
    }

    /// The protocol that the server has chosen by ALPN.
    pub(super) fn alpn(&self) -> Option<&[u8]> {
        self.tls.alpn_protocol()
    }

    pub(super) fn info(&self) -> Option<(&'static str, &'static str)> {
        let version = match self.tls.protocol_version()? {
            rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3",
            rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2",
            _ => "TLS",
        };
        let suite = self.tls.negotiated_cipher_suite()?.suite().as_str()?;
        Some((version, suite.strip_prefix("TLS13_").map_or(suite, |_| tls13_name(suite))))
    }
}

/// rustls writes `TLS13_AES_…` where the registry, and OpenSSL, write `TLS_AES_…`.
fn tls13_name(suite: &'static str) -> &'static str {
    match suite {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}

struct Outbound<'a> {
    socket: &'a PlainSocket,
    waits: bool,
}

impl Write for Outbound<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.waits { self.socket.write(data) } else { self.socket.try_write(data) }
    }

    // std's own vectored write could raise SIGPIPE, which ends a Python program that has set the
    // signal's default action. Records are put together instead, for one call.
    fn write_vectored(&mut self, data: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match data {
            [one] => self.write(one),
            several => {
                let joined: Vec<u8> = several.iter().fold(Vec::new(), |mut joined, piece| {
                    joined.extend_from_slice(piece);
                    joined
                });
                self.write(&joined)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
