//! How an error is written: `{}` in one line, `{:?}` for people who read what `main` or `unwrap` prints.

use std::error::Error as _;
use std::fmt;

use super::{Error, ErrorKind, Source};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let ErrorKind::RetriesExhausted { attempts, elapsed } = inner.kind {
            let times = if attempts == 1 { "attempt" } else { "attempts" };
            write!(f, "gave up after {attempts} {times} in {:.3} s", elapsed.as_secs_f64())?;
        } else {
            f.write_str(&inner.message)?;
        }
        match &inner.server {
            Some((_, server)) if inner.message.is_empty() => write!(f, "{server}")?,
            Some(_) if matches!(inner.kind, ErrorKind::Connect | ErrorKind::Authentication) => {}
            Some((_, server)) => write!(f, ": {server}")?,
            None => {}
        }
        match &inner.source {
            Some(Source::Ours(error)) => write!(f, ": {error}"),
            Some(Source::Foreign(error)) => write!(f, ": {error}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.debug_tuple("Error").field(&self.0).finish();
        }
        let message = self.to_string();
        f.write_str(&message)?;
        write!(f, "\n  kind: {:?}", self.kind())?;
        if let Some(report) = self.server() {
            let state = report.sqlstate();
            write!(f, "\n  SQLSTATE: {state}")?;
            if let Some(name) = state.condition_name() {
                write!(f, " ({name})")?;
            }
            for (title, text) in [("detail", report.detail()), ("hint", report.hint())] {
                if let Some(text) = text {
                    write!(f, "\n  {title}: {}", text.replace('\n', "\n    "))?;
                }
            }
        }
        // Those whose words are in the message already are not said again.
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                write!(f, "\n  caused by: {}", text.replace('\n', "\n    "))?;
            }
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kecoa_proto::{ServerError, SqlState};
    use std::time::Duration;

    fn server(code: &[u8; 5], detail: Option<&str>, hint: Option<&str>) -> Error {
        let state = SqlState::from_bytes(code).unwrap();
        let mut builder = ServerError::builder("ERROR", state, "it failed");
        if let Some(detail) = detail {
            builder = builder.detail(detail);
        }
        if let Some(hint) = hint {
            builder = builder.hint(hint);
        }
        Error::from_server(Box::new(builder.build().unwrap()))
    }

    #[test]
    fn what_main_prints_is_lines() {
        let error = server(b"23505", Some("Key (id)=(1) already exists."), Some("Try\nanother."));
        assert_eq!(
            format!("{error:?}"),
            "ERROR: it failed (SQLSTATE 23505)\n  kind: Server\n  SQLSTATE: 23505 (unique_violation)\n  \
             detail: Key (id)=(1) already exists.\n  hint: Try\n    another."
        );
        assert_eq!(
            format!("{:?}", server(b"ZZZZZ", None, None)),
            "ERROR: it failed (SQLSTATE ZZZZZ)\n  kind: Server\n  SQLSTATE: ZZZZZ"
        );
        // The report of the last attempt, as error.server() has it.
        let last = server(b"40001", None, None);
        let error = Error::retries_exhausted(3, Duration::from_secs(1), last);
        assert!(
            format!("{error:?}").ends_with("SQLSTATE: 40001 (serialization_failure)"),
            "{error:?}"
        );
        assert!(format!("{error:#?}").contains("Inner {"), "the structure");
    }

    /// An error with a cause.
    #[derive(Debug)]
    struct Failed(&'static str, Option<Box<Failed>>);

    impl fmt::Display for Failed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Failed {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn causes_are_named_once() {
        let inner = std::io::Error::other("broken");
        let error = Error::io("cannot read", inner);
        assert_eq!(format!("{error:?}"), "cannot read: broken\n  kind: Io");

        let write = Failed("cannot write", Some(Box::new(Failed("the disk is full", None))));
        let error = Error::io("cannot copy", std::io::Error::other(write));
        assert_eq!(
            format!("{error:?}"),
            "cannot copy: cannot write\n  kind: Io\n  caused by: the disk is full"
        );
        assert!(error.source().is_some());
    }
}
