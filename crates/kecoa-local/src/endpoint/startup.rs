//! From the first byte to the first ReadyForQuery.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kecoa_proto::ProtocolVersion;
use kecoa_proto::frame::Limits;
use kecoa_proto::message::startup::Startup;
use kecoa_server::accept::Shutdown;
use kecoa_server::listener::Peer;
use kecoa_server::scram::{Exchange, Failed, MECHANISM, Verifier};
use kecoa_server::unauthenticated::Slot;

use super::backend::{self, Opened, Refused};
use super::cancel;
use super::given_values;
use super::messages::{Client, Messages, Stream, UNAUTHENTICATED_MESSAGE, put};
use super::passwords;
use super::replies::{Fields, string};
use super::session::{Entry, Session};
use super::shared::Shared;
use crate::dialect::quote::quote;
use crate::dialect::set;
use crate::dialect::variables;

/// How long a client may take to say who it is, as PostgreSQL's `authentication_timeout`.
const AUTHENTICATION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long one that is refused may take to read why.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends the client the reason why it has no session.
async fn refuse(client: &mut Client, error: &Fields) {
    error.put(b'E', &mut client.output);
    let _ = client.flush().await;
}

/// Reads the client's first messages and opens its session. `None` when there is none to run: the
/// client only wanted a cancel, left, or was refused.
pub(super) async fn open(
    peer: Peer,
    slot: Option<Slot>,
    shared: Arc<Shared>,
    shutdown: Shutdown,
) -> Option<Session> {
    let (reader, writer) = peer.into_split();
    let mut client = Stream::new(reader, writer, Messages::up_to(UNAUTHENTICATED_MESSAGE));
    let Admitted { version, parameters, by_own_password } =
        admitted(&mut client, &shared, slot).await?;
    client.decoder = Messages::of_client();
    let seat = match shared.seats.take() {
        Ok(seat) => seat,
        Err(error) => {
            refuse(&mut client, &error).await;
            return None;
        }
    };
    let (parameters, variables) = match sort(parameters) {
        Ok(sorted) => sorted,
        Err(error) => {
            refuse(&mut client, &error).await;
            return None;
        }
    };
    let value = |name: &[u8]| {
        let found = parameters.iter().find(|(key, _)| key.as_ref() == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    let user = value(b"user");
    let default = Bytes::copy_from_slice(shared.options.database.as_bytes());
    let mut database = value(b"database").unwrap_or_else(|| default.clone());
    let parameters: Vec<(Bytes, Bytes)> = parameters
        .into_iter()
        .filter(|(name, _)| {
            !matches!(name.as_ref(), b"user" | b"database") && !name.starts_with(b"_pq_.")
        })
        .collect();
    let address = &shared.options.backend;
    let root = address.user.as_str();
    let mut opened = backend::open(address, root, version, &database, &parameters).await;
    if let Err(Refused::Error(error)) = &opened
        && error.code() == "3D000"
        && user.as_ref() == Some(&database)
    {
        // libpq names the user's database when none was named, and the two look alike.
        database = default;
        opened = backend::open(address, root, version, &database, &parameters).await;
    }
    let mut opened = match opened {
        Ok(opened) => opened,
        Err(refused) => {
            refuse(&mut client, &refused.into_fields()).await;
            return None;
        }
    };
    let mut role = root.to_owned();
    if let Some(user) = user.as_ref().and_then(|user| std::str::from_utf8(user).ok())
        && user != root
    {
        let found = match own_role(&mut opened, user).await {
            Ok(true) => backend::open(address, user, version, &database, &parameters).await,
            // Its password is nobody else's.
            Ok(false) if by_own_password => {
                let message = format!("role \"{user}\" does not exist");
                Err(Refused::Error(Fields::own("FATAL", "28000", &message)))
            }
            Ok(false) => Ok(opened),
            Err(error) => Err(Refused::Error(error)),
        };
        opened = match found {
            Ok(found) => found,
            Err(refused) => {
                refuse(&mut client, &refused.into_fields()).await;
                return None;
            }
        };
        role = opened.user.clone();
    }
    let set = match set_variables(&mut opened, &variables).await {
        Ok(()) => given_values::check(&mut opened, &parameters).await,
        Err(error) => Err(error),
    };
    if let Err(error) = set {
        refuse(&mut client, &error).await;
        return None;
    }
    let Opened { backend, frames, key, .. } = opened;
    let database = String::from_utf8_lossy(&database).into_owned();
    let entry = Entry { user: role, database, parameters, seat };
    let mut session = Session::new(client, backend, shared, shutdown, version, entry);
    // Set just now, or for the role or the database.
    let is_admin = session.ask_first().await.ok()?;
    session.report(&frames, is_admin);
    session.adopt_key(key);
    session.ready(b'I', true);
    session.client.flush().await.ok()?;
    Some(session)
}

/// Whether a client that names `user` becomes that role: one that clients made and that may log in. Who
/// names none that there is is the clients' own role.
async fn own_role(opened: &mut Opened, user: &str) -> Result<bool, Fields> {
    let sql = format!(
        "SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = {} AND oid >= 16384 \
         AND NOT (rolsuper OR rolreplication OR rolbypassrls)",
        quote(user)
    );
    let rows = backend::internal_query(&mut opened.backend, sql.as_bytes())
        .await
        .map_err(|error| Refused::Io(error).into_fields())??;
    match rows.first().and_then(|row| row.first()?.as_deref()) {
        None => Ok(false),
        Some("t") => Ok(true),
        Some(_) => {
            let message = format!("{user} does not have login privilege");
            Err(Fields::own("FATAL", "28000", &message))
        }
    }
}

/// A client that may have a session.
struct Admitted {
    /// The version spoken.
    version: ProtocolVersion,
    parameters: Pairs,
    /// What it has shown is the password of the role that it names.
    by_own_password: bool,
}

/// [`known`], unless it takes too long or too many others wait.
async fn admitted(client: &mut Client, shared: &Shared, slot: Option<Slot>) -> Option<Admitted> {
    let Some(mut slot) = slot else {
        return tokio::time::timeout(AUTHENTICATION_TIMEOUT, known(client, shared, true))
            .await
            .ok()?;
    };
    tokio::select! {
        known = tokio::time::timeout(AUTHENTICATION_TIMEOUT, known(client, shared, false)) => {
            return known.ok()?;
        }
        () = slot.evicted() => {}
    }
    let message = "too many connections that have not said their password";
    let refusal = Fields::own("FATAL", "53300", message);
    // It may be one that does not read.
    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, refuse(client, &refusal)).await;
    None
}

/// Who the client says it is, once it has shown that it may.
async fn known(client: &mut Client, shared: &Shared, is_same_user: bool) -> Option<Admitted> {
    let (version, parameters) = first(client, shared).await?;
    let (version, unknown) = negotiate(version, &parameters);
    if let Some(unknown) = unknown {
        put(&mut client.output, b'v', &unknown);
    }
    let mut by_own_password = false;
    if let Some(password) = shared.options.password.as_ref().filter(|_| !is_same_user) {
        let user = user(&parameters);
        let own = passwords::of_role(shared, &user).await.map(|own| password.beside(own));
        match prove(client, own.as_ref().unwrap_or(password.verifier()), &user).await? {
            Ok(first) => by_own_password = first && own.is_some(),
            Err(error) => {
                refuse(client, &error).await;
                return None;
            }
        }
    }
    put(&mut client.output, b'R', &[0; 4]);
    Some(Admitted { version, parameters, by_own_password })
}

/// The user that a client names.
fn user(parameters: &Pairs) -> String {
    let user = parameters.iter().find(|(name, _)| name.as_ref() == b"user");
    user.map(|(_, user)| String::from_utf8_lossy(user).into_owned()).unwrap_or_default()
}

/// Has the client prove that it knows the password; true if it is the verifier's first. `None` when
/// it left.
async fn prove(
    client: &mut Client,
    verifier: &Verifier,
    user: &str,
) -> Option<Result<bool, Fields>> {
    let failed = |failure: Failed| match failure {
        Failed::WrongPassword => {
            let message = format!("password authentication failed for user \"{user}\"");
            let mut error = Fields::own("FATAL", "28P01", &message);
            error.set(b'H', "`kecoa local url` prints the URL with the password");
            error
        }
        Failed::Malformed(why) => {
            let message = format!("malformed SCRAM message: {why}");
            Fields::own("FATAL", "08P01", &message)
        }
    };
    let request = [&10_u32.to_be_bytes()[..], MECHANISM.as_bytes(), b"\0\0"].concat();
    put(&mut client.output, b'R', &request);
    let body = answer(client).await?;
    let first = string(&body).filter(|(mechanism, _)| mechanism.as_ref() == MECHANISM.as_bytes());
    let Some(first) = first.and_then(|(_, rest)| rest.get(4..).map(<[u8]>::to_vec)) else {
        return Some(Err(failed(Failed::Malformed("it chooses a mechanism that was not offered"))));
    };
    let exchange = match Exchange::begin(verifier, &first) {
        Ok(exchange) => exchange,
        Err(failure) => return Some(Err(failed(failure))),
    };
    let first = [&11_u32.to_be_bytes()[..], exchange.server_first().as_bytes()].concat();
    put(&mut client.output, b'R', &first);
    let body = answer(client).await?;
    Some(match exchange.finish(verifier, &body) {
        Ok(proved) => {
            let last = [&12_u32.to_be_bytes()[..], proved.answer.as_bytes()].concat();
            put(&mut client.output, b'R', &last);
            Ok(proved.first)
        }
        Err(failure) => Err(failed(failure)),
    })
}

/// Sends what is to be sent and waits for the client's answer, a message `p`.
async fn answer(client: &mut Client) -> Option<Bytes> {
    client.flush().await.ok()?;
    loop {
        match client.message() {
            Ok(Some(frame)) if frame.tag == b'p' => return Some(frame.body),
            Ok(Some(_)) | Err(_) => {
                let message = "expected a password message";
                refuse(client, &Fields::own("FATAL", "08P01", message)).await;
                return None;
            }
            Ok(None) => client.read().await.ok()?,
        }
    }
}

async fn first(
    client: &mut Client,
    shared: &Shared,
) -> Option<(ProtocolVersion, Vec<(Bytes, Bytes)>)> {
    let limits = Limits::default();
    let mut asked = 0;
    loop {
        let message = match Startup::decode(&mut client.input, &limits) {
            Ok(message) => message,
            Err(error) => {
                refuse(client, &Fields::own("FATAL", "08P01", &error.to_string())).await;
                return None;
            }
        };
        match message {
            None => client.read().await.ok()?,
            Some(Startup::Tls | Startup::GssEncryption) if asked < 4 => {
                // The endpoint listens on loopback, in clear.
                asked += 1;
                client.output.put_u8(b'N');
                client.flush().await.ok()?;
            }
            Some(Startup::Tls | Startup::GssEncryption) => return None,
            Some(Startup::Cancel(key)) => {
                if let Some(backend) = shared.keys.get(&key) {
                    let socket = backend::socket(&shared.options.backend);
                    let _ = cancel::send(&socket, backend).await;
                }
                return None;
            }
            Some(Startup::Startup { version, parameters }) => return Some((version, parameters)),
        }
    }
}

/// The version that is spoken, and the body of NegotiateProtocolVersion when the client asked for
/// more.
fn negotiate(
    version: ProtocolVersion,
    parameters: &[(Bytes, Bytes)],
) -> (ProtocolVersion, Option<Vec<u8>>) {
    let newest = ProtocolVersion::V3_2;
    let options: Vec<&Bytes> =
        parameters.iter().map(|(name, _)| name).filter(|name| name.starts_with(b"_pq_.")).collect();
    // There never was a 3.1.
    let spoken = if version >= newest { newest } else { ProtocolVersion::V3_0 };
    if spoken == version && options.is_empty() {
        return (spoken, None);
    }
    let mut body = BytesMut::new();
    body.put_u32(spoken.code());
    body.put_u32(u32::try_from(options.len()).unwrap_or(0));
    for option in options {
        body.put_slice(option);
        body.put_u8(0);
    }
    (spoken, Some(body.to_vec()))
}

type Pairs = Vec<(Bytes, Bytes)>;

/// Separates CockroachDB's session variables from PostgreSQL's parameters.
fn sort(parameters: Pairs) -> Result<(Pairs, Vec<(String, String)>), Fields> {
    let mut kept = Vec::new();
    let mut ours = Vec::new();
    for (name, value) in parameters {
        let folded = String::from_utf8_lossy(&name).to_ascii_lowercase();
        let text = String::from_utf8_lossy(&value).into_owned();
        match folded.as_str() {
            "client_encoding" if !variables::is_utf8(&text) => {
                let message = format!("client encoding must be UTF8, found {text:?}");
                return Err(Fields::own("FATAL", "22023", &message));
            }
            "replication" if variables::boolean(&text) != Some(false) => {
                let message = "the local endpoint cannot stream replication";
                return Err(Fields::own("FATAL", "0A000", message));
            }
            "replication" => {}
            "options" => {
                let rest = options(&text, &mut ours).map_or(value, Bytes::from);
                if !rest.is_empty() {
                    kept.push((name, rest));
                }
            }
            // crdb:session_revival_token_base64, crdb:remote_addr: a proxy's business.
            _ if folded.starts_with("crdb:") => {}
            "idle_in_session_timeout" => {
                kept.push((Bytes::from_static(b"idle_session_timeout"), value));
            }
            _ if variables::find(&folded).is_some() => ours.push((folded, text)),
            _ => kept.push((name, value)),
        }
    }
    Ok((kept, ours))
}

/// Takes CockroachDB's variables and `--cluster` out of `options`; returns the rest, or `None` when
/// there are none in it.
fn options(text: &str, ours: &mut Vec<(String, String)>) -> Option<String> {
    let mut rest: Vec<Cow<'_, str>> = Vec::new();
    let mut taken = false;
    for argument in given_values::arguments(text) {
        let given_values::Argument { parts, name, value } = argument;
        if name == "idle_in_session_timeout" {
            let text = parts.join(" ");
            let escaped = text.replace("idle_in_session_timeout", "idle_session_timeout");
            rest.push(escaped.into());
            taken = true;
            continue;
        }
        if name != "cluster" && variables::find(&name).is_none() {
            rest.extend(parts.into_iter().map(Cow::Borrowed));
            continue;
        }
        taken = true;
        if name != "cluster" {
            ours.push((name, value));
        }
    }
    taken.then(|| rest.join(" "))
}

async fn set_variables(opened: &mut Opened, variables: &[(String, String)]) -> Result<(), Fields> {
    for (name, value) in variables {
        let form = match variables::find(name) {
            Some((_, variables::Form::ReadOnly)) => continue,
            found => found.map_or(variables::Form::Text, |(_, form)| form),
        };
        let normal = set::checked(name, form, value)
            .map_err(|refusal| Fields::own("FATAL", refusal.code, &refusal.message))?;
        let sql = format!("SET {} TO {}", variables::option_name(name), quote(&normal));
        backend::internal_query(&mut opened.backend, sql.as_bytes())
            .await
            .map_err(|error| Refused::Io(error).into_fields())??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_parted() {
        let mut ours = Vec::new();
        let rest = options(
            "--cluster=cool-cat-12 -c statement_timeout=5 -cvectorize=off --geqo=off",
            &mut ours,
        );
        assert_eq!(rest.unwrap(), "-c statement_timeout=5 --geqo=off");
        assert_eq!(ours, [("vectorize".to_owned(), "off".to_owned())]);
        ours.clear();
        let rest =
            options(r"-c search_path=a\  -c vectorize=o\ff -c application_name=b\ c", &mut ours);
        assert_eq!(rest.unwrap(), r"-c search_path=a\  -c application_name=b\ c");
        assert_eq!(ours, [("vectorize".to_owned(), "off".to_owned())]);
        ours.clear();
        let rest = options(r"-c application_name=x\ -c\ vectorize=off", &mut ours);
        assert_eq!((rest, ours.len()), (None, 0));
    }

    #[test]
    fn versions_between_are_negotiated_down() {
        assert_eq!(negotiate(ProtocolVersion::V3_0, &[]), (ProtocolVersion::V3_0, None));
        assert_eq!(negotiate(ProtocolVersion::V3_2, &[]), (ProtocolVersion::V3_2, None));
        assert!(negotiate(ProtocolVersion::new(3, 9), &[]).1.is_some());
        let option = (Bytes::from_static(b"_pq_.x"), Bytes::from_static(b"1"));
        let (_, body) = negotiate(ProtocolVersion::V3_0, &[option]);
        assert_eq!(body.unwrap(), b"\0\x03\0\0\0\0\0\x01_pq_.x\0");
    }
}
