//! Looks and habits that `\pset`, `\x`, `\t`, `\a` and `\timing` change.

use crate::format::{Expanded, Format, Look};

/// What `\pset` knows.
pub(crate) const OPTIONS: [&str; 7] =
    ["expanded", "fieldsep", "format", "null", "pager", "timing", "tuples_only"];

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) look: Look,
    pub(crate) timing: bool,
    pub(crate) pager: bool,
}

impl Settings {
    pub(crate) fn new(format: Format) -> Settings {
        Settings {
            look: Look {
                format,
                expanded: Expanded::Off,
                null: "NULL".to_owned(),
                separator: "|".to_owned(),
                tuples_only: false,
                counted: true,
            },
            timing: false,
            pager: true,
        }
    }

    /// Sets an option, or switches it where no value is given; what it is now comes back.
    ///
    /// # Errors
    /// There is no such option or value.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) -> Result<String, String> {
        match name {
            "format" => {
                if let Some(value) = value {
                    self.look.format = Format::named(value).ok_or_else(|| {
                        let known = Format::ALL.map(|(name, _)| name).join(", ");
                        format!("format: expected one of {known}; found {value}")
                    })?;
                }
            }
            "expanded" | "x" => {
                self.look.expanded = match value {
                    None if self.look.expanded == Expanded::Off => Expanded::On,
                    None => Expanded::Off,
                    Some("auto") => Expanded::Auto,
                    Some(value) if switch(name, value)? => Expanded::On,
                    Some(_) => Expanded::Off,
                };
            }
            "null" => self.look.null = value.unwrap_or_default().to_owned(),
            "fieldsep" => self.look.separator = value.unwrap_or("|").to_owned(),
            "tuples_only" | "t" => switched(&mut self.look.tuples_only, name, value)?,
            "pager" => switched(&mut self.pager, name, value)?,
            "timing" => switched(&mut self.timing, name, value)?,
            _ => {
                let known = OPTIONS.join(", ");
                return Err(format!("expected one of {known}; found {name}"));
            }
        }
        Ok(self.shown(name))
    }

    /// An option and its value.
    pub(crate) fn shown(&self, name: &str) -> String {
        let on = |value: bool| if value { "on" } else { "off" };
        match name {
            "format" => format!("format is {}", self.look.format.name()),
            "expanded" | "x" => {
                let value = match self.look.expanded {
                    Expanded::Off => "off",
                    Expanded::On => "on",
                    Expanded::Auto => "auto",
                };
                format!("expanded is {value}")
            }
            "null" => format!("null is \"{}\"", self.look.null),
            "fieldsep" => format!("fieldsep is \"{}\"", self.look.separator),
            "tuples_only" | "t" => format!("tuples_only is {}", on(self.look.tuples_only)),
            "pager" => format!("pager is {}", on(self.pager)),
            _ => format!("timing is {}", on(self.timing)),
        }
    }
}

fn switched(place: &mut bool, name: &str, value: Option<&str>) -> Result<(), String> {
    *place = match value {
        Some(value) => switch(name, value)?,
        None => !*place,
    };
    Ok(())
}

fn switch(name: &str, value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" | "always" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err(format!("{name}: expected on or off, found {value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_set_and_switched() {
        let mut settings = Settings::new(Format::Table);
        for (name, value, shown) in [
            ("format", Some("csv"), "format is csv"),
            ("format", Some("aligned"), "format is table"),
            ("format", None, "format is table"),
            ("x", None, "expanded is on"),
            ("x", None, "expanded is off"),
            ("x", Some("auto"), "expanded is auto"),
            ("null", Some("-"), "null is \"-\""),
            ("timing", None, "timing is on"),
            ("timing", Some("off"), "timing is off"),
            ("tuples_only", Some("on"), "tuples_only is on"),
        ] {
            assert_eq!(settings.set(name, value).as_deref(), Ok(shown));
        }
        for (name, value) in [("format", "xml"), ("timing", "maybe"), ("border", "2")] {
            assert!(settings.set(name, Some(value)).is_err(), "{name}");
        }
    }
}
