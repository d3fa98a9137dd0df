//! How many files and connections this process may have open at a time.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// So many are taken where the system knows no bound, or does not accept its own.
const MANY: u64 = 10_240;

/// Takes as many as the system lets this process have: the usual number is for programs that know no more than
/// 1,024. Returns how many those are. What this process starts inherits them.
pub fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current else { return u64::MAX };
    let wanted = [maximum.unwrap_or(MANY), maximum.unwrap_or(MANY).min(MANY)];
    for more in wanted.into_iter().filter(|more| *more > current) {
        if setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum }).is_ok() {
            return more;
        }
    }
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_to_the_one_that_may_not_be_passed() {
        let before = getrlimit(Resource::Nofile);
        let raised = raise();
        assert!(before.current.is_none_or(|current| raised >= current));
        assert_eq!(raised, raise());
        let after = getrlimit(Resource::Nofile);
        assert_eq!(after.maximum, before.maximum);
        assert_eq!(after.current.unwrap_or(u64::MAX), raised);
    }
}
