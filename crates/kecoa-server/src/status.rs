//! What whoever asks learns of a service.

use serde::{Serialize, Serializer};

use crate::secret::redacted;

/// What is known about a service; `R` is what is known while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status<R> {
    /// It accepts clients.
    Running(R),
    /// It is about to accept clients.
    Starting,
    /// It is about to have ended.
    Stopping,
    /// Nothing of it runs.
    Stopped,
    /// It is half there.
    Broken {
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl<R> Status<R> {
    /// One that is half there.
    pub fn broken(reason: impl Into<String>) -> Status<R> {
        Status::Broken { reason: reason.into() }
    }

    /// The exit status that service scripts use (LSB): 0 running, 1 broken, 3 stopped; as `systemctl is-active`,
    /// 3 also for what is not there yet or not any more.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self {
            Status::Running(_) => 0,
            Status::Broken { .. } => 1,
            Status::Starting | Status::Stopping | Status::Stopped => 3,
        }
    }
}

impl<R: Serialize> Status<R> {
    /// One JSON object: `status`, and the fields of `R` or a `reason`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Paths that are not UTF-8 cannot be written in JSON.
        serde_json::to_string_pretty(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// What whoever stops a service found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It ran, and has stopped.
    Stopped,
    /// Nothing ran.
    WasNotRunning,
}

/// Writes a URL without its password, as a field's `serialize_with`.
///
/// # Errors
///
/// The serializer's.
pub fn without_password<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&redacted(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Running {
        #[serde(serialize_with = "without_password")]
        url: String,
    }

    #[test]
    fn words_and_codes() {
        let url = "postgresql://root:secret@127.0.0.1:1/d".to_owned();
        let running = Status::Running(Running { url });
        assert_eq!(running.exit_code(), 0);
        let json = running.to_json();
        assert!(json.contains(r#""status": "running""#), "{json}");
        assert!(json.contains("root:***@") && !json.contains("secret"), "{json}");
        for (status, word) in [
            (Status::<Running>::Stopped, "stopped"),
            (Status::Starting, "starting"),
            (Status::Stopping, "stopping"),
        ] {
            assert_eq!(status.exit_code(), 3);
            assert!(status.to_json().contains(&format!(r#""status": "{word}""#)));
        }
        let broken = Status::<Running>::broken("why");
        assert_eq!(broken.exit_code(), 1);
        assert!(broken.to_json().contains(r#""reason": "why""#));
    }
}
