//! One client, one connection to the server, and the faults between them.

use std::time::Duration;

use bytes::BytesMut;
use kecoa_proto::SqlState;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::from_client::FromClient;
use crate::from_server::FromServer;
use crate::inject;
use crate::injector::{End, Injector, Shared};
use crate::pipe::Pipe;

/// How long the two sides have to take notice of an end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// A stream that can be closed by RST.
pub(super) trait ClientStream: AsyncRead + AsyncWrite + Unpin + Send {
    /// From here on closing it resets it.
    fn reset_when_closed(&self);
}

impl ClientStream for tokio::net::TcpStream {
    fn reset_when_closed(&self) {
        // Where that is not possible the connection is just closed.
        let _ = self.set_zero_linger();
    }
}

/// Serves a client until both sides have ended, or a fault ends them.
pub(super) async fn serve(
    injector: &Injector,
    mut client: impl ClientStream,
    mut server: impl AsyncRead + AsyncWrite + Unpin + Send,
) {
    let shared = Shared::new(injector);
    let end = {
        let (client_reader, client_writer) = tokio::io::split(&mut client);
        let (server_reader, server_writer) = tokio::io::split(&mut server);
        let up = Pipe::new(client_reader, server_writer);
        let down = Pipe::new(server_reader, client_writer);
        tokio::select! {
            end = FromClient::new(&shared, up).run() => end,
            end = FromServer::new(&shared, down).run() => end,
        }
    };
    if end == End::Reset {
        client.reset_when_closed();
        return;
    }
    if matches!(end, End::Close | End::Report(_)) {
        // The server's side ends first, so that what the client does next meets a server that has
        // has decided.
        let _ = server.shutdown().await;
        drain(&mut server).await;
    }
    drop(server);
    if let End::Report(message) = &end {
        let _ = client.write_all(message).await;
    }
    let _ = client.shutdown().await;
    // What the client has sent and nobody read would turn the close into a reset.
    drain(&mut client).await;
}

/// Ends a client for whom there is no server, with this reason.
pub(super) async fn refuse(mut client: impl ClientStream, code: SqlState, reason: &str) {
    let _ = client.write_all(&inject::report(code, true, reason)).await;
    let _ = client.shutdown().await;
    drain(&mut client).await;
}

async fn drain(from: &mut (impl AsyncRead + Unpin)) {
    let mut chunk = BytesMut::with_capacity(4096);
    let all = async {
        while matches!(from.read_buf(&mut chunk).await, Ok(length) if length > 0) {
            chunk.clear();
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, all).await;
}
