//! Which ports an instance tries, and what is said when it gets another than its own.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use kecoa_server::home::Home;

use crate::error::Error;
use crate::options::{DEFAULT_PORT, Options};
use crate::record::Record;

/// The ports to try, in this order; 0 is a free one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports {
    candidates: Vec<u16>,
    /// The port was said: it is this or none.
    asked: Option<u16>,
    own: Option<u16>,
}

impl Ports {
    /// Those of an instance: the port asked for and no other; else that of a killed predecessor, whose
    /// clients come back to it; else the one it had before; at its first start the usual one; or a free
    /// one.
    pub(crate) fn of(home: &Home, options: &Options, previous: Option<u16>) -> Ports {
        Ports::choose(options.port, previous, Record::read(home).port)
    }

    fn choose(asked: Option<u16>, previous: Option<u16>, own: Option<u16>) -> Ports {
        let mut candidates = Vec::new();
        match asked {
            Some(port) => candidates.push(port),
            None => {
                candidates.extend(previous);
                candidates.push(own.unwrap_or(DEFAULT_PORT));
                candidates.push(0);
                candidates.dedup();
            }
        }
        Ports { candidates, asked, own }
    }

    /// The ports, the best first.
    pub(crate) fn candidates(&self) -> Vec<u16> {
        self.candidates.clone()
    }

    /// Sees that a port that was asked for is free, before much is done in vain. Whoever takes it meanwhile is
    /// noticed when it is bound.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Some(port) = self.asked.filter(|port| *port != 0) else { return Ok(()) };
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(self.taken()),
            _ => Ok(()),
        }
    }

    /// What is wrong when none of them is to be had.
    pub(crate) fn taken(&self) -> Error {
        Error::PortTaken { port: self.asked.or(self.own).unwrap_or(DEFAULT_PORT) }
    }

    /// A remark for whoever starts it, when it got another port than usual.
    pub(crate) fn note(&self, port: u16) -> Option<String> {
        match (self.asked, self.own) {
            (Some(_), _) => None,
            (None, Some(own)) if own == port => None,
            (None, Some(own)) => {
                Some(format!("its port {own} is taken; a free one is used this time"))
            }
            (None, None) if port == DEFAULT_PORT => None,
            (None, None) => Some(format!("port {DEFAULT_PORT} is taken; a free one is used")),
        }
    }

    /// Keeps the port for later starts, unless it is only used this time.
    pub(crate) fn keep(&self, home: &Home, port: u16) -> Result<(), Error> {
        if self.asked.is_none() && self.own.is_some() {
            return Ok(());
        }
        Record { port: Some(port), ..Record::read(home) }.write(home)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asked_for_or_kept_or_usual_or_free() {
        let candidates = |asked, previous, own| Ports::choose(asked, previous, own).candidates();
        assert_eq!(candidates(Some(7), Some(8), Some(9)), [7]);
        assert_eq!(candidates(Some(0), Some(8), Some(9)), [0]);
        assert_eq!(candidates(None, None, None), [DEFAULT_PORT, 0]);
        assert_eq!(candidates(None, None, Some(9)), [9, 0]);
        assert_eq!(candidates(None, Some(9), Some(9)), [9, 0]);
        assert_eq!(candidates(None, Some(8), Some(9)), [8, 9, 0]);
    }

    #[test]
    fn a_port_that_was_asked_for_is_looked_at_first() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Ports::choose(Some(port), None, None).check().unwrap_err();
        assert!(matches!(error, Error::PortTaken { port: found } if found == port), "{error}");
        Ports::choose(Some(0), None, Some(port)).check().unwrap();
        Ports::choose(None, Some(port), Some(port)).check().unwrap();
        drop(taken);
        Ports::choose(Some(port), None, None).check().unwrap();
    }

    #[test]
    fn a_port_that_is_not_the_usual_one_is_said() {
        assert_eq!(Ports::choose(None, None, None).note(DEFAULT_PORT), None);
        assert!(Ports::choose(None, None, None).note(5).unwrap().contains("26257 is taken"));
        assert!(Ports::choose(None, None, Some(9)).note(5).unwrap().contains("9 is taken"));
        assert_eq!(Ports::choose(None, None, Some(9)).note(9), None);
        assert_eq!(Ports::choose(Some(0), None, Some(9)).note(5), None);
    }
}
