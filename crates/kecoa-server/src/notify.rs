//! Tells the service manager that started us how far we are, by the protocol of `sd_notify(3)`: a datagram to
//! the socket that `NOTIFY_SOCKET` names. Without that variable nobody asked, and nothing is sent.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;

use crate::home::variable;

/// The variable that names the socket. Programs that we start are not the service that is waited for, and
/// should not have it.
pub const VARIABLE: &str = "NOTIFY_SOCKET";

/// Clients are accepted; `status` is a line for `systemctl status`.
pub fn ready(status: &str) {
    send(&format!("READY=1\nSTATUS={}\n", one_line(status)));
}

/// What is being done, for `systemctl status`; and that it may take `seconds` from now.
pub fn progress(status: &str, seconds: u64) {
    let usec = seconds.saturating_mul(1_000_000);
    send(&format!("STATUS={}\nEXTEND_TIMEOUT_USEC={usec}\n", one_line(status)));
}

/// We stop.
pub fn stopping() {
    send("STOPPING=1\n");
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// What cannot be sent is lost: the service works without it, and its manager says what it missed.
fn send(message: &str) {
    if let Some(name) = variable(VARIABLE) {
        let _ = send_to(&name, message.as_bytes());
    }
}

fn send_to(name: &OsStr, message: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::SocketAddr;

        return socket.send_to_addr(message, &SocketAddr::from_abstract_name(name)?).map(drop);
    }
    if name.as_bytes().first() != Some(&b'/') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    socket.send_to(message, name).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_an_abstract_name_are_reached_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        send_to(path.as_os_str(), b"READY=1\n").unwrap();
        let mut buffer = [0; 64];
        let length = manager.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"READY=1\n");
        #[cfg(target_os = "linux")]
        {
            use std::os::linux::net::SocketAddrExt as _;

            let name = format!("kecoa-test-{}", std::process::id());
            let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
            let manager = UnixDatagram::bind_addr(&address).unwrap();
            send_to(OsStr::new(&format!("@{name}")), b"STOPPING=1\n").unwrap();
            let length = manager.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"STOPPING=1\n");
        }
        for wrong in ["", "relative", "/no/such/socket"] {
            assert!(send_to(OsStr::new(wrong), b"READY=1\n").is_err());
        }
        assert_eq!(one_line("a\nREADY=1"), "a READY=1");
    }
}
