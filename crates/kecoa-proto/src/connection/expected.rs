//! Which message may come now, and what an error says was expected.

use super::state::{Connection, ExpectedReply, Kind, Phase};
use crate::error::ProtocolError;
use crate::message::tags::backend as tags;

impl Connection {
    /// Whether the message with this tag may come now.
    pub(super) fn check_expected(&self, tag: u8) -> Result<(), ProtocolError> {
        let simple = self.kind() == Some(Kind::Query);
        let executing = self.executing();
        let step = self.step();
        let start = self.phase == Phase::Start;
        let allowed = match tag {
            tags::DATA_ROW => match self.phase {
                Phase::Rows => executing,
                Phase::Start => executing && !simple,
                _ => false,
            },
            tags::COMMAND_COMPLETE => {
                executing
                    && matches!(
                        self.phase,
                        Phase::Start
                            | Phase::Rows
                            | Phase::CopyIn { finished: true }
                            | Phase::CopyOutDone
                    )
            }
            tags::EMPTY_QUERY_RESPONSE
            | tags::COPY_IN_RESPONSE
            | tags::COPY_OUT_RESPONSE
            | tags::COPY_BOTH_RESPONSE => start && executing,
            tags::PORTAL_SUSPENDED => {
                matches!(self.phase, Phase::Start | Phase::Rows) && executing && !simple
            }
            tags::ROW_DESCRIPTION => {
                start
                    && (simple
                        || matches!(
                            step,
                            Some(ExpectedReply::Columns | ExpectedReply::PortalColumns)
                        ))
            }
            tags::NO_DATA => {
                start && matches!(step, Some(ExpectedReply::Columns | ExpectedReply::PortalColumns))
            }
            tags::PARAMETER_DESCRIPTION => start && step == Some(ExpectedReply::Parameters),
            tags::PARSE_COMPLETE => start && step == Some(ExpectedReply::Parse),
            tags::BIND_COMPLETE => start && step == Some(ExpectedReply::Bind),
            tags::CLOSE_COMPLETE => start && step == Some(ExpectedReply::Close),
            tags::FUNCTION_CALL_RESPONSE => start && step == Some(ExpectedReply::Call),
            tags::COPY_DATA => {
                matches!(self.phase, Phase::CopyOut | Phase::CopyBoth { server_done: false, .. })
            }
            tags::COPY_DONE => {
                matches!(self.phase, Phase::CopyOut | Phase::CopyBoth { server_done: false, .. })
            }
            tags::READY_FOR_QUERY => match (self.phase, self.kind()) {
                (_, None) => false,
                (Phase::Failed, _) => true,
                (Phase::Start, Some(Kind::Query)) => self.replied,
                (Phase::Start, Some(_)) => step.is_none(),
                _ => false,
            },
            _ => false,
        };
        if allowed { Ok(()) } else { Err(self.unexpected(tags::describe(tag))) }
    }

    pub(super) fn unexpected(&self, found: String) -> ProtocolError {
        let (expected, state) = self.expectation();
        ProtocolError::Unexpected { expected, found, state }
    }

    fn expectation(&self) -> (&'static str, &'static str) {
        let Some(kind) = self.kind() else {
            return ("nothing but notices and notifications", "while no request was waiting");
        };
        match self.phase {
            Phase::Failed => return ("ReadyForQuery", "after a request failed"),
            Phase::Rows => return ("DataRow or CommandComplete", "while a result's rows arrive"),
            Phase::CopyIn { finished: false } => {
                return ("nothing but an error", "while a COPY waited for our data");
            }
            Phase::CopyIn { finished: true } | Phase::CopyOutDone => {
                return ("CommandComplete", "at the end of a COPY");
            }
            Phase::CopyOut => return ("CopyData or CopyDone", "while a COPY's data arrived"),
            Phase::CopyBoth { .. } => {
                return ("CopyData or CopyDone", "while data was copied both ways");
            }
            Phase::Start => {}
        }
        match (kind, self.step()) {
            (Kind::Query, _) => {
                ("the result of a statement or ReadyForQuery", "during a simple query")
            }
            (_, None) => ("ReadyForQuery", "at the end of a request"),
            (_, Some(ExpectedReply::Parse)) => ("ParseComplete", "after Parse"),
            (_, Some(ExpectedReply::Bind)) => ("BindComplete", "after Bind"),
            (_, Some(ExpectedReply::Close)) => ("CloseComplete", "after Close"),
            (_, Some(ExpectedReply::Parameters)) => ("ParameterDescription", "after Describe"),
            (_, Some(ExpectedReply::Columns | ExpectedReply::PortalColumns)) => {
                ("RowDescription or NoData", "after Describe")
            }
            (_, Some(ExpectedReply::Execute { .. })) => {
                ("the result of a statement", "after Execute")
            }
            (_, Some(ExpectedReply::Call)) => ("FunctionCallResponse", "after FunctionCall"),
        }
    }
}
