//! In which client encoding the texts of a result came.
//!
//! The server reports a change in front of the end of the request that made it, and answers to earlier
//! requests may be here then that nobody has asked for yet.

use std::sync::Arc;

use kecoa_proto::RequestId;

/// The client encoding now, and that of answers which are yet to be taken.
#[derive(Default)]
pub(super) struct Encodings {
    current: Option<Arc<str>>,
    /// The requests that were over, and not taken, when it changed.
    earlier: Vec<(RequestId, Option<Arc<str>>)>,
}

impl Encodings {
    /// As the server says it, if it does.
    pub(super) fn new(current: Option<&str>) -> Encodings {
        Encodings { current: current.map(Arc::from), earlier: Vec::new() }
    }

    /// It is another one from here on; the answers to the requests `over` are in the one before.
    pub(super) fn change(&mut self, name: Option<&str>, over: &[RequestId]) {
        let before = std::mem::replace(&mut self.current, name.map(Arc::from));
        self.earlier.retain(|(id, _)| over.contains(id));
        for id in over {
            if !self.earlier.iter().any(|(known, _)| known == id) {
                self.earlier.push((*id, before.clone()));
            }
        }
    }

    /// That of a request which has just been answered to its end.
    pub(super) fn take(&mut self, id: RequestId) -> Option<Arc<str>> {
        match self.earlier.iter().position(|(known, _)| *known == id) {
            Some(place) => self.earlier.swap_remove(place).1,
            None => self.current.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use kecoa_proto::{Connection, Limits, Request};

    use super::*;

    #[test]
    fn what_was_over_when_it_changed_is_in_the_one_before() {
        let mut connection = Connection::new(Limits::default());
        let mut submit = || connection.submit(&Request::Query(b"SELECT 1")).unwrap();
        let (one, two, three) = (submit(), submit(), submit());
        let mut encodings = Encodings::new(Some("UTF8"));
        encodings.change(Some("LATIN1"), &[one]);
        encodings.change(Some("SJIS"), &[one, two]);
        let mut name = |id| encodings.take(id).unwrap().to_string();
        assert_eq!(
            [name(three), name(two), name(one), name(one)],
            ["SJIS", "LATIN1", "UTF8", "SJIS"]
        );
        encodings.change(None, &[]);
        assert_eq!(encodings.take(three), None);
    }
}
