//! How much of a request's results is held in memory.

use kecoa_proto::{Reply, RequestId};

/// What a result, a description or a parameter list takes beside the bytes that came for it.
const OVERHEAD: usize = 256;

/// Counts what is held for the request whose replies arrive, and says when to stop.
///
/// COPY data is not counted, nor is what a caller takes reply by reply: neither is held here.
#[derive(Default)]
pub(super) struct Budget {
    /// In bytes; nothing for no limit.
    limit: Option<usize>,
    request: Option<RequestId>,
    held: usize,
    /// Its replies are taken as they come.
    streamed: Option<RequestId>,
    /// Requests whose results were too large, oldest first, and how large they had become.
    exceeded: Vec<(RequestId, usize)>,
}

impl Budget {
    pub(super) fn new(limit: Option<usize>) -> Budget {
        Budget { limit, ..Budget::default() }
    }

    pub(super) fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// The replies to this request are taken one by one.
    pub(super) fn exempt(&mut self, request: RequestId) {
        self.streamed = Some(request);
    }

    /// Whether a reply may be held. Once the results of a request are too large, none of them is.
    pub(super) fn admits(&mut self, id: RequestId, reply: &Reply) -> bool {
        let Some(limit) = self.limit else { return true };
        if self.streamed == Some(id) {
            return true;
        }
        let Some(weight) = weight(reply) else { return true };
        if self.request != Some(id) {
            self.request = Some(id);
            self.held = 0;
        }
        if self.has_exceeded(id) {
            return false;
        }
        self.held = self.held.saturating_add(weight);
        if self.held <= limit {
            return true;
        }
        self.exceeded.push((id, self.held));
        false
    }

    /// Whether the results of the request were too large.
    pub(super) fn has_exceeded(&self, id: RequestId) -> bool {
        self.exceeded.iter().any(|(exceeded, _)| *exceeded == id)
    }

    /// How large the results of the request had become when they were too large; asked once.
    pub(super) fn take_exceeded(&mut self, id: RequestId) -> Option<usize> {
        let at = self.exceeded.iter().position(|(exceeded, _)| *exceeded == id)?;
        Some(self.exceeded.remove(at).1)
    }

    /// No request is under way.
    pub(super) fn clear(&mut self) {
        self.exceeded.clear();
        self.streamed = None;
    }
}

/// What holding a reply costs; nothing for what must be known in any case.
fn weight(reply: &Reply) -> Option<usize> {
    let bytes = match reply {
        Reply::Rows(rows) => rows.bytes().len(),
        Reply::RowDescription(description) => {
            description.fields.iter().map(|field| OVERHEAD / 4 + field.name.len()).sum()
        }
        Reply::ParameterDescription(types) => types.len() * size_of::<u32>(),
        Reply::FunctionResult(value) => value.as_ref().map_or(0, bytes::Bytes::len),
        Reply::CommandComplete(_) | Reply::EmptyQuery | Reply::PortalSuspended => 0,
        _ => return None,
    };
    Some(bytes.saturating_add(OVERHEAD))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kecoa_proto::{CommandTag, Connection, Limits, Request};

    fn ids(count: usize) -> Vec<RequestId> {
        let mut connection = Connection::new(Limits::default());
        let submit = |_| connection.submit(&Request::Query(b"SELECT 1")).unwrap();
        (0..count).map(submit).collect()
    }

    fn tag() -> Reply {
        Reply::CommandComplete(CommandTag::new(b"SELECT 1".as_slice()))
    }

    #[test]
    fn each_request_has_the_whole_of_it() {
        let ids = ids(3);
        let mut budget = Budget::new(Some(2 * OVERHEAD));
        for id in &ids[..2] {
            assert!(budget.admits(*id, &tag()) && budget.admits(*id, &tag()));
            assert!(!budget.admits(*id, &tag()));
            assert!(!budget.admits(*id, &Reply::EmptyQuery), "and nothing behind it");
            assert!(budget.admits(*id, &Reply::ParseComplete), "but what costs nothing");
        }
        assert_eq!(budget.take_exceeded(ids[0]), Some(3 * OVERHEAD));
        assert_eq!(budget.take_exceeded(ids[0]), None);
        assert!(budget.has_exceeded(ids[1]));
        budget.clear();
        assert!(!budget.has_exceeded(ids[1]));
        budget.exempt(ids[2]);
        assert!((0..10).all(|_| budget.admits(ids[2], &tag())));
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let id = ids(1)[0];
        let mut budget = Budget::new(None);
        assert!((0..100).all(|_| budget.admits(id, &tag())));
        assert_eq!(budget.take_exceeded(id), None);
    }
}
