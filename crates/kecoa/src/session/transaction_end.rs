//! Whether a transaction ended because a statement said so, or because the server decided it.

use kecoa_proto::{Reply, TransactionStatus};

/// What is known of the end of the last transaction.
///
/// CockroachDB commits the open transaction in front of a statement that changes the schema
/// (`autocommit_before_ddl`, on by default since 25.1): the statement is answered as any other, and only
/// ReadyForQuery tells that no transaction is open any more.
#[derive(Debug, Default)]
pub(super) struct TransactionEnd {
    /// A transaction is open, as far as the replies tell.
    open: bool,
    /// A statement of the request under way ends transactions.
    asked: bool,
    by_server: bool,
}

impl TransactionEnd {
    pub(super) fn was_by_server(&self) -> bool {
        self.by_server
    }

    pub(super) fn apply(&mut self, reply: &Reply) {
        match reply {
            Reply::CommandComplete(tag) => match tag.as_bytes() {
                b"BEGIN" | b"START TRANSACTION" => {
                    self.open = true;
                    self.asked = false;
                    self.by_server = false;
                }
                b"COMMIT" | b"ROLLBACK" | b"PREPARE TRANSACTION" => self.asked = true,
                _ => {}
            },
            Reply::Ready(TransactionStatus::Idle) => {
                if self.open {
                    self.by_server = !self.asked;
                }
                self.open = false;
                self.asked = false;
            }
            Reply::Ready(_) => {
                self.open = true;
                self.asked = false;
                self.by_server = false;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use kecoa_proto::CommandTag;

    use super::*;

    const IDLE: TransactionStatus = TransactionStatus::Idle;
    const OPEN: TransactionStatus = TransactionStatus::InTransaction;

    fn ended_by_server(requests: &[(&[&'static str], TransactionStatus)]) -> bool {
        let mut ending = TransactionEnd::default();
        for (tags, status) in requests {
            for tag in *tags {
                let tag = CommandTag::new(tag.as_bytes());
                ending.apply(&Reply::CommandComplete(tag));
            }
            ending.apply(&Reply::Ready(*status));
        }
        ending.was_by_server()
    }

    #[test]
    fn a_statement_that_ends_a_transaction_is_told_from_one_that_the_server_ends() {
        assert!(ended_by_server(&[(&["BEGIN", "CREATE TABLE"], IDLE)]));
        assert!(ended_by_server(&[(&["BEGIN", "INSERT 0 1"], OPEN), (&["CREATE TABLE"], IDLE)]));
        assert!(ended_by_server(&[(&["BEGIN", "INSERT 0 1"], OPEN), (&[], IDLE)]));
        for end in ["COMMIT", "ROLLBACK", "PREPARE TRANSACTION"] {
            assert!(!ended_by_server(&[(&["BEGIN"], OPEN), (&[end], IDLE)]), "{end}");
            assert!(!ended_by_server(&[(&["BEGIN", end], IDLE)]), "{end}");
        }
        // ROLLBACK TO SAVEPOINT has the same tag, and ends nothing.
        assert!(ended_by_server(&[(&["BEGIN", "ROLLBACK"], OPEN), (&["CREATE TABLE"], IDLE)]));
    }

    #[test]
    fn what_follows_changes_nothing_until_the_next_transaction() {
        let ended = [(&["BEGIN"] as &[_], OPEN), (&["CREATE TABLE"] as &[_], IDLE)];
        assert!(ended_by_server(&[ended[0], ended[1], (&["SELECT 1"], IDLE)]));
        assert!(!ended_by_server(&[ended[0], ended[1], (&["BEGIN"], OPEN)]));
        assert!(!ended_by_server(&[(&["CREATE TABLE"], IDLE)]));
    }
}
