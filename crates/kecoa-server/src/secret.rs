//! The password of an instance: made at its first start, kept in a file that only its user may read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::error::Error;
use crate::files::{self, Found};

/// 24 bytes of chance: nobody guesses them, and they need no escapes in a URL.
const RANDOM: usize = 24;
const LONGEST: u64 = 256;

/// The password kept in `path`, or a new one that is kept there; and a note for the user.
///
/// # Errors
/// When the file holds something else than a password of ours, or cannot be read or written.
pub fn password(path: &Path) -> Result<(String, Option<String>), Error> {
    let us = rustix::process::geteuid().as_raw();
    let odd = |what: String| Error::OddFile { path: path.to_path_buf(), what };
    let mut note = None;
    match files::read(path, LONGEST, us).map_err(Error::io("reading", path))? {
        Found::Missing => {}
        Found::Odd(what) => return Err(odd(what)),
        Found::Bytes(bytes) => {
            let text = String::from_utf8(bytes).unwrap_or_default();
            let password = text.trim_end_matches('\n');
            let closed =
                fs::symlink_metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 == 0);
            if !is_usable(password) {
                return Err(odd("holds no password of ours".to_owned()));
            }
            if closed {
                return Ok((password.to_owned(), None));
            }
            note = Some(format!(
                "{} could be read by others, so a new password was made",
                path.display()
            ));
        }
    }
    let made = Base64UrlUnpadded::encode_string(
        &random::<RANDOM>().map_err(Error::io("reading", Path::new("/dev/urandom")))?,
    );
    files::put(path, format!("{made}\n").as_bytes())?;
    Ok((made, note))
}

/// What stands in a URL as it is, and is long enough.
fn is_usable(password: &str) -> bool {
    password.len() >= 16
        && password.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
}

/// Bytes that nobody can foresee.
///
/// # Errors
/// When the system has none.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A URL as it may be shown: without the password.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority);
    match authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host)))
    {
        Some((user, host)) => format!("{scheme}://{user}:***@{host}{tail}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_closed_to_others_and_made_anew_when_it_was_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let (first, note) = password(&path).unwrap();
        assert!(first.len() == 32 && note.is_none());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(password(&path).unwrap(), (first.clone(), None));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let (second, note) = password(&path).unwrap();
        assert!(second != first && note.unwrap().contains("read by others"));
        assert_eq!(password(&path).unwrap().0, second);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        for wrong in ["", "short", "with spaces in it, and more", "with@sign/and:colon@@@@"] {
            fs::write(&path, wrong).unwrap();
            let error = password(&path).unwrap_err().to_string();
            assert!(error.contains("password"), "{error}");
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn urls_are_shown_without_the_password() {
        for (url, shown) in [
            (
                "postgresql://root:s-3@127.0.0.1:1/d?a=b@c",
                "postgresql://root:***@127.0.0.1:1/d?a=b@c",
            ),
            ("postgresql://root@127.0.0.1:1/d", "postgresql://root@127.0.0.1:1/d"),
            ("postgresql://127.0.0.1/d?x=a:b@c", "postgresql://127.0.0.1/d?x=a:b@c"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
