//! The messages before a session: which they are, and the seed a client may choose in them.

use bytes::{Bytes, BytesMut};
use kecoa_proto::frame::Limits;
use kecoa_proto::message::startup::Startup;
use kecoa_proto::message::startup_options;

/// The startup option by which a client chooses the seed of its connection.
const OPTION: &str = "kecoa.fault_seed";

/// What the first message of a connection asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FirstMessage {
    /// TLS or GSSAPI encryption.
    Encryption,
    /// To cancel another session's statement.
    Cancel,
    /// A session; or something that the server will complain about.
    Session,
    /// A session with a seed of its own, and the message without it.
    Seeded(u64, Bytes),
    /// A session with a seed that is none.
    BadSeed(String),
}

/// Looks at an untagged message.
pub(super) fn look(message: &[u8]) -> FirstMessage {
    let mut buffer = BytesMut::from(message);
    let (version, mut parameters) = match Startup::decode(&mut buffer, &Limits::default()) {
        Ok(Some(Startup::Tls | Startup::GssEncryption)) => return FirstMessage::Encryption,
        Ok(Some(Startup::Cancel(_))) => return FirstMessage::Cancel,
        Ok(Some(Startup::Startup { version, parameters })) => (version, parameters),
        Ok(None) | Err(_) => return FirstMessage::Session,
    };
    let mut chosen = None;
    for (name, value) in &mut parameters {
        if name.as_ref() == b"options"
            && let Ok(text) = std::str::from_utf8(value)
        {
            let rest = take(text, &mut chosen);
            *value = Bytes::from(rest);
        }
    }
    let Some(seed) = chosen else { return FirstMessage::Session };
    let Ok(seed) = seed.parse() else { return FirstMessage::BadSeed(seed) };
    parameters.retain(|(name, value)| name.as_ref() != b"options" || !value.is_empty());
    let mut out = BytesMut::new();
    match (Startup::Startup { version, parameters }).encode(&mut out) {
        Ok(()) => FirstMessage::Seeded(seed, out.freeze()),
        // It was decoded a moment ago.
        Err(_) => FirstMessage::Session,
    }
}

/// Takes the seed out of `options`, whose arguments are split as PostgreSQL splits them; returns the
/// rest.
fn take(options: &str, chosen: &mut Option<String>) -> String {
    let mut rest: Vec<&str> = Vec::new();
    for word in startup_options::split(options) {
        let assignment = word.strip_prefix("--").or_else(|| word.strip_prefix("-c"));
        let apart = rest.last() == Some(&"-c");
        let assignment = if apart { word } else { assignment.unwrap_or_default() };
        match assignment.split_once('=') {
            Some((OPTION, seed)) => {
                *chosen = Some(seed.to_owned());
                if apart {
                    rest.pop();
                }
            }
            _ => rest.push(word),
        }
    }
    if chosen.is_some() { rest.join(" ") } else { options.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kecoa_proto::ProtocolVersion;

    fn message(options: Option<&'static str>) -> Bytes {
        let text = |text: &'static str| Bytes::from_static(text.as_bytes());
        let mut parameters = vec![(text("user"), text("u"))];
        parameters.extend(options.map(|options| (text("options"), text(options))));
        let mut out = BytesMut::new();
        let startup = Startup::Startup { version: ProtocolVersion::V3_0, parameters };
        startup.encode(&mut out).unwrap();
        out.freeze()
    }

    #[test]
    fn the_seed_is_taken_out_of_the_options() {
        let plain = message(None);
        for (options, left) in [
            ("-c kecoa.fault_seed=17", None),
            ("-ckecoa.fault_seed=17", None),
            ("--kecoa.fault_seed=17", None),
            (r"-c a=b\ c  -c kecoa.fault_seed=17 -d", Some(r"-c a=b\ c -d")),
        ] {
            assert_eq!(look(&message(Some(options))), FirstMessage::Seeded(17, message(left)));
        }
        assert_eq!(look(&plain), FirstMessage::Session);
        assert_eq!(look(&message(Some("-c  x=kecoa.fault_seed=1"))), FirstMessage::Session);
        let bad = message(Some("-c kecoa.fault_seed=-1"));
        assert_eq!(look(&bad), FirstMessage::BadSeed("-1".to_owned()));
        assert_eq!(look(b"\0\0\0\x08\x04\xd2\x16\x2f"), FirstMessage::Encryption);
        assert_eq!(look(b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02"), FirstMessage::Cancel);
        assert_eq!(look(b"\0\0\0\x08\0\x09\0\0"), FirstMessage::Session);
    }
}
