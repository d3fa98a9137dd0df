//! Messages that are longer than a client may send. As in CockroachDB such a message is read and dropped, and is an
//! error of what it belongs to; the connection stays.

use bytes::Bytes;
use kecoa_proto::frame::Frame;

use super::dropped::read;
use super::flow::{End, Flow};
use super::messages::CLIENT_MESSAGE;
use super::own_statements::OWN;
use super::run::Run;
use super::script::Script;
use super::session::Session;
use crate::dialect::plan::{Class, OnError, Piece, Refusal};

/// CockroachDB's error.
pub(super) fn refusal(frame: &Frame) -> Option<Refusal> {
    let (_, size) = read(frame)?;
    let (found, most) = (in_units(size), in_units(CLIENT_MESSAGE));
    let message = format!("message size {found} bigger than maximum allowed message size {most}");
    let hint = "the maximum message size can be configured using the \
                sql.conn.max_read_buffer_message_size cluster setting; not so in the local endpoint"
        .to_owned();
    Some(Refusal { hint, ..Refusal::new("08P01", message) })
}

/// A size as CockroachDB writes it: `16 MiB`, `1.5 GiB`.
fn in_units(bytes: usize) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut unit = 0;
    let mut tenths = bytes.saturating_mul(10);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths = tenths.saturating_add(512) / 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).unwrap_or(&"B");
    if unit == 0 || tenths >= 100 {
        format!("{} {name}", (tenths + 5) / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

impl Session {
    /// Answers a message that was dropped.
    pub(super) async fn too_long(&mut self, frame: &Frame) -> Flow<()> {
        let (Some((tag, _)), Some(refusal)) = (read(frame), refusal(frame)) else {
            return Err(End::Protocol("invalid frontend message type 0".to_owned()));
        };
        let piece = Piece::raise(&refusal);
        match tag {
            // What is left of a COPY that failed.
            b'd' | b'c' | b'f' => {
                self.end_request();
                Ok(())
            }
            b'Q' => {
                self.drain().await?;
                self.end_request();
                if self.skipping {
                    return Ok(());
                }
                let run = Run::plain(std::slice::from_ref(&piece), Class::Work);
                let script = Script::of(piece.sql, vec![run]);
                let ended = self.run_script(script, &Bytes::new()).await?;
                self.ready(ended.status, true);
                self.client.flush().await.map_err(|_| End::Client)
            }
            _ if self.skipping => Ok(()),
            _ => {
                self.end_request();
                let run = Run { on_error: OnError::Raised, ..Run::hidden() };
                self.put_piece(OWN, &piece, run, false, None);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_cockroachdb_does() {
        for (bytes, text) in [
            (5, "5 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (16 << 20, "16 MiB"),
            (17 << 20, "17 MiB"),
            (21 << 20, "21 MiB"),
            ((1 << 30) - 1, "1.0 GiB"),
        ] {
            assert_eq!(in_units(bytes), text, "{bytes}");
        }
    }
}
