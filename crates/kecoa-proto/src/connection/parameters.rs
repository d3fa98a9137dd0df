//! The settings that a server reports.

use crate::error::ProtocolError;
use crate::frame::Limits;
use crate::message::backend::ParameterStatus;
use crate::message::tags::backend as tags;

/// Settings by name, with the value that was reported last. What is not UTF-8 is replaced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters {
    values: Vec<(String, String)>,
    /// How many reports have come.
    reports: u64,
}

impl Parameters {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn reports(&self) -> u64 {
        self.reports
    }

    /// Keeps a parameter's value, and returns its name and value; a server may not report more names
    /// or bytes than the limits say.
    pub(crate) fn set(
        &mut self,
        status: &ParameterStatus,
        limits: &Limits,
    ) -> Result<(String, String), ProtocolError> {
        let name = String::from_utf8_lossy(&status.name).into_owned();
        let value = String::from_utf8_lossy(&status.value).into_owned();
        self.reports += 1;
        let others = self.values.iter().filter(|(known, _)| *known != name);
        let bytes: usize = others.map(|(name, value)| name.len() + value.len()).sum();
        let bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if bytes > limits.parameter_bytes {
            return Err(ProtocolError::malformed(
                tags::name(tags::PARAMETER_STATUS),
                format!("at most {} bytes of parameters in all", limits.parameter_bytes),
                format!("{bytes}"),
            ));
        }
        if let Some((_, known)) = self.values.iter_mut().find(|(known, _)| *known == name) {
            value.clone_into(known);
            return Ok((name, value));
        }
        let limit = limits.parameters;
        if self.values.len() >= limit {
            return Err(ProtocolError::malformed(
                tags::name(tags::PARAMETER_STATUS),
                format!("at most {limit} different parameters"),
                format!("another one, {:?}", name.chars().take(64).collect::<String>()),
            ));
        }
        self.values.push((name.clone(), value.clone()));
        Ok((name, value))
    }
}
