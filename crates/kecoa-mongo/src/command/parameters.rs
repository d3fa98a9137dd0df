//! The server parameters that getParameter shows and setParameter changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::error::{Code, Error};

use super::arguments::values::whole;
use super::options::Options;
use crate::bson::type_class::type_name;

/// The server's parameters.
#[derive(Debug)]
pub struct Parameters(Mutex<BTreeMap<&'static str, Parameter>>);

#[derive(Debug)]
struct Parameter {
    value: RawBson,
    settable: Settable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settable {
    Never,
    AtRuntime,
    Startup,
}

impl Parameters {
    /// The parameters as they are at start.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        use Settable::{AtRuntime, Never, Startup};
        let mut mechanisms = RawArrayBuf::new();
        mechanisms.push("SCRAM-SHA-1");
        mechanisms.push("SCRAM-SHA-256");
        let rows: [(&'static str, RawBson, Settable); 24] = [
            ("authenticationMechanisms", RawBson::Array(mechanisms), Startup),
            ("connPoolMaxConnsPerHost", RawBson::Int32(200), Startup),
            ("cursorTimeoutMillis", RawBson::Int64(600_000), AtRuntime),
            ("diagnosticDataCollectionEnabled", RawBson::Boolean(false), AtRuntime),
            ("enableTestCommands", RawBson::Boolean(options.test_commands), Startup),
            ("featureCompatibilityVersion", RawBson::Document(rawdoc! { "version": "8.0" }), Never),
            ("internalQueryExecMaxBlockingSortBytes", RawBson::Int32(104_857_600), AtRuntime),
            (
                "internalQueryMaxBlockingSortMemoryUsageBytes",
                RawBson::Int32(104_857_600),
                AtRuntime,
            ),
            ("localLogicalSessionTimeoutMinutes", RawBson::Int32(30), Startup),
            ("logComponentVerbosity", RawBson::Document(rawdoc! { "verbosity": 0 }), AtRuntime),
            ("logLevel", RawBson::Int32(0), AtRuntime),
            ("maxBSONDepth", RawBson::Int32(200), Startup),
            ("maxTransactionLockRequestTimeoutMillis", RawBson::Int32(5), AtRuntime),
            ("notablescan", RawBson::Boolean(false), AtRuntime),
            ("quiet", RawBson::Boolean(false), AtRuntime),
            ("requireApiVersion", RawBson::Boolean(false), AtRuntime),
            ("saslHostName", RawBson::String("localhost".to_owned()), Startup),
            ("scramIterationCount", RawBson::Int32(10_000), AtRuntime),
            ("scramSHA256IterationCount", RawBson::Int32(15_000), AtRuntime),
            ("traceExceptions", RawBson::Boolean(false), AtRuntime),
            ("transactionLifetimeLimitSeconds", RawBson::Int32(60), AtRuntime),
            ("ttlMonitorEnabled", RawBson::Boolean(true), AtRuntime),
            ("ttlMonitorSleepSecs", RawBson::Int32(60), AtRuntime),
            ("writePeriodicNoops", RawBson::Boolean(true), AtRuntime),
        ];
        let rows =
            rows.into_iter().map(|(name, value, settable)| (name, Parameter { value, settable }));
        Self(Mutex::new(rows.collect()))
    }

    /// Whether a parameter is true.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.lock().get(name).is_some_and(|parameter| parameter.value == RawBson::Boolean(true))
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        whole(self.lock().get(name)?.value.as_raw_bson_ref())
    }

    /// The parameters that `which` names, with `detailed` each with what may be done to it.
    #[must_use]
    pub fn show(&self, which: impl Fn(&str, bool, bool) -> bool, detailed: bool) -> RawDocumentBuf {
        let mut shown = RawDocumentBuf::new();
        for (name, parameter) in &*self.lock() {
            let at_runtime = parameter.settable == Settable::AtRuntime;
            let at_startup = parameter.settable != Settable::Never;
            if !which(name, at_runtime, at_startup) {
                continue;
            }
            let Ok(key) = <&::bson::raw::CStr>::try_from(*name) else { continue };
            if detailed {
                let value = parameter.value.clone();
                shown.append(
                    key,
                    rawdoc! { "value": value, "settableAtRuntime": at_runtime, "settableAtStartup": at_startup },
                );
            } else {
                shown.append(key, parameter.value.as_raw_bson_ref());
            }
        }
        shown
    }

    /// Changes a parameter, and answers what it was.
    ///
    /// # Errors
    /// 72 for one that there is not, 20 for one that cannot be changed, 2 for a value it cannot have.
    pub fn set(&self, name: &str, value: RawBsonRef<'_>) -> Result<RawBson, Error> {
        let mut parameters = self.lock();
        let parameter = parameters.get_mut(name).ok_or_else(|| {
            Error::new(
                Code::INVALID_OPTIONS,
                format!("attempted to set unrecognized parameter [{name}], use help:true to see options "),
            )
        })?;
        if parameter.settable != Settable::AtRuntime {
            let message = format!("not allowed to change [{name}] at runtime");
            return Err(Error::new(Code::ILLEGAL_OPERATION, message));
        }
        let refuse = || {
            let (wanted, found) = (type_name(parameter.value.as_raw_bson_ref()), type_name(value));
            Error::new(
                Code::BAD_VALUE,
                format!("Invalid value for parameter {name}: expected {wanted}, found {found}"),
            )
        };
        let new = match (&parameter.value, value) {
            (RawBson::Boolean(_), RawBsonRef::Boolean(value)) => RawBson::Boolean(value),
            (RawBson::Boolean(_), value) => RawBson::Boolean(whole(value).ok_or_else(refuse)? != 0),
            (RawBson::Int32(_), value) => {
                let value = whole(value)
                    .and_then(|value| i32::try_from(value).ok())
                    .filter(|value| *value >= 0);
                RawBson::Int32(value.ok_or_else(refuse)?)
            }
            (RawBson::Int64(_), value) => RawBson::Int64(whole(value).ok_or_else(refuse)?),
            (RawBson::Document(_), RawBsonRef::Document(value)) => {
                RawBson::Document(RawDocument::to_owned(value))
            }
            _ => return Err(refuse()),
        };
        Ok(std::mem::replace(&mut parameter.value, new))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Parameter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
