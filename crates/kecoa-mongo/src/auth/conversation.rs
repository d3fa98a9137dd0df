//! saslStart and saslContinue: a login in steps.

use base64ct::{Base64, Encoding as _};
use kecoa_server::secret::random;

use super::credentials::{Credentials, Decoy};
use super::exchange::{ClientFirst, Exchange, ExchangeError};
use super::mechanism::Mechanism;
use super::names::UserName;

/// The first step, before it is known whether the user exists.
#[derive(Clone, Debug)]
pub struct Start {
    mechanism: Mechanism,
    user: UserName,
    first: ClientFirst,
    skips_empty_exchange: bool,
}

/// A login that has begun.
#[derive(Debug)]
pub struct Conversation {
    id: i32,
    user: UserName,
    mechanism: Mechanism,
    exchange: Exchange,
    skips_empty_exchange: bool,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// The client's proof is to come.
    Proof,
    /// The proof was right; an empty message is to come.
    Empty,
    Done,
}

/// What a step has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    /// The server's message.
    pub payload: Vec<u8>,
    /// Whether the client is who it says it is, and nothing follows.
    pub is_done: bool,
}

impl Start {
    /// Reads the first message of a user of `database`.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Malformed`].
    pub fn parse(
        mechanism: Mechanism,
        database: &str,
        payload: &[u8],
        skips_empty_exchange: bool,
    ) -> Result<Self, ExchangeError> {
        let first = ClientFirst::parse(payload)?;
        let user = UserName::new(database, first.user.as_str());
        Ok(Self { mechanism, user, first, skips_empty_exchange })
    }

    /// Whose credentials are needed.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// The mechanism that they are needed for.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Begins the conversation `id`, and gives the first answer. Without credentials it goes on as with
    /// `decoy`'s, and fails in the end.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Malformed`] when the system has no random bytes.
    pub fn begin(
        self,
        id: i32,
        credentials: Option<Credentials>,
        decoy: &Decoy,
    ) -> Result<(Conversation, StepResult), ExchangeError> {
        let nonce = random::<24>().map_err(|_| ExchangeError::Malformed("random bytes"))?;
        Ok(self.begin_with(id, credentials, decoy, &Base64::encode_string(&nonce)))
    }

    /// The same with this nonce for the server's part.
    #[must_use]
    pub fn begin_with(
        self,
        id: i32,
        credentials: Option<Credentials>,
        decoy: &Decoy,
        nonce: &str,
    ) -> (Conversation, StepResult) {
        // Invented in any case, so that it takes the same time.
        let invented = decoy.credentials(self.mechanism, &self.user);
        let credentials = credentials
            .filter(|credentials| credentials.mechanism() == self.mechanism)
            .unwrap_or(invented);
        let exchange = Exchange::new(self.first, credentials, nonce);
        let payload = exchange.server_first().as_bytes().to_vec();
        let conversation = Conversation {
            id,
            user: self.user,
            mechanism: self.mechanism,
            exchange,
            skips_empty_exchange: self.skips_empty_exchange,
            state: State::Proof,
        };
        (conversation, StepResult { payload, is_done: false })
    }
}

impl Conversation {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Who the client says it is.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// The mechanism.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Takes the client's next message. After an error, or when it is done, the conversation is over.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`].
    pub fn step(&mut self, payload: &[u8]) -> Result<StepResult, ExchangeError> {
        match self.state {
            State::Proof => {
                let answer =
                    self.exchange.finish(payload).inspect_err(|_| self.state = State::Done)?;
                let is_done = self.skips_empty_exchange;
                self.state = if is_done { State::Done } else { State::Empty };
                Ok(StepResult { payload: answer.into_bytes(), is_done })
            }
            State::Empty if payload.is_empty() => {
                self.state = State::Done;
                Ok(StepResult { payload: Vec::new(), is_done: true })
            }
            State::Empty | State::Done => {
                self.state = State::Done;
                Err(ExchangeError::Malformed("an empty last message"))
            }
        }
    }
}
