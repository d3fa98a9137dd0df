//! Tags: the byte in front of each message that says which message it is, and its name.
//!
//! Client and server use the same letters for different messages, so each side has a table of its
//! own. Names are those of the chapter "Message Formats" of PostgreSQL's documentation.

/// Defines one side's constants and look-ups from one table.
macro_rules! tags {
    ($($constant:ident = $tag:literal, $name:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $constant: u8 = $tag;
        )*

        /// The documentation's name of the message with this tag; `unknown` if there is none.
        #[must_use]
        pub const fn name(tag: u8) -> &'static str {
            match tag {
                $($tag => $name,)*
                _ => "unknown",
            }
        }

        /// Whether this side has a message with this tag.
        #[must_use]
        pub const fn is_known(tag: u8) -> bool {
            matches!(tag, $($tag)|*)
        }

        /// The message's name, or its tag if it has none.
        pub(crate) fn describe(tag: u8) -> String {
            if is_known(tag) {
                name(tag).to_owned()
            } else {
                format!("a message with the unknown tag {tag:#04x}")
            }
        }
    };
}

/// Messages from the server.
pub mod backend {
    tags! {
        AUTHENTICATION = b'R', "Authentication";
        BACKEND_KEY_DATA = b'K', "BackendKeyData";
        BIND_COMPLETE = b'2', "BindComplete";
        CLOSE_COMPLETE = b'3', "CloseComplete";
        COMMAND_COMPLETE = b'C', "CommandComplete";
        COPY_DATA = b'd', "CopyData";
        COPY_DONE = b'c', "CopyDone";
        COPY_IN_RESPONSE = b'G', "CopyInResponse";
        COPY_OUT_RESPONSE = b'H', "CopyOutResponse";
        COPY_BOTH_RESPONSE = b'W', "CopyBothResponse";
        DATA_ROW = b'D', "DataRow";
        EMPTY_QUERY_RESPONSE = b'I', "EmptyQueryResponse";
        ERROR_RESPONSE = b'E', "ErrorResponse";
        FUNCTION_CALL_RESPONSE = b'V', "FunctionCallResponse";
        NEGOTIATE_PROTOCOL_VERSION = b'v', "NegotiateProtocolVersion";
        NO_DATA = b'n', "NoData";
        NOTICE_RESPONSE = b'N', "NoticeResponse";
        NOTIFICATION_RESPONSE = b'A', "NotificationResponse";
        PARAMETER_DESCRIPTION = b't', "ParameterDescription";
        PARAMETER_STATUS = b'S', "ParameterStatus";
        PARSE_COMPLETE = b'1', "ParseComplete";
        PORTAL_SUSPENDED = b's', "PortalSuspended";
        READY_FOR_QUERY = b'Z', "ReadyForQuery";
        ROW_DESCRIPTION = b'T', "RowDescription";
    }
}

/// Messages from the client. Those that open a connection have no tag.
pub mod frontend {
    tags! {
        BIND = b'B', "Bind";
        CLOSE = b'C', "Close";
        COPY_DATA = b'd', "CopyData";
        COPY_DONE = b'c', "CopyDone";
        COPY_FAIL = b'f', "CopyFail";
        DESCRIBE = b'D', "Describe";
        EXECUTE = b'E', "Execute";
        FLUSH = b'H', "Flush";
        FUNCTION_CALL = b'F', "FunctionCall";
        PARSE = b'P', "Parse";
        PASSWORD = b'p', "Password";
        QUERY = b'Q', "Query";
        SYNC = b'S', "Sync";
        TERMINATE = b'X', "Terminate";
    }
}
