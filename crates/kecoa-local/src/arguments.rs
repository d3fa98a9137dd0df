//! The command line of the process in the background.

use std::ffi::OsString;

use kecoa_server::home::Home;

use crate::options::Options;

/// The arguments that make our own program serve with these options. The home is named outright:
/// the background process must not work out another one.
pub(crate) fn serve_arguments(options: &Options, home: &Home) -> Vec<OsString> {
    arguments(&["local", "serve", "--detached"], options, home)
}

/// The same for a process in the foreground.
pub(crate) fn foreground_arguments(options: &Options, home: &Home) -> Vec<OsString> {
    arguments(&["local", "start", "--foreground"], options, home)
}

fn arguments(first: &[&str], options: &Options, home: &Home) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = first.iter().map(Into::into).collect();
    let mut option = |name: &str, value: OsString| arguments.extend([name.into(), value]);
    option("--home", home.base().into());
    option("--name", home.name().into());
    option("--engine", options.engine.to_string().into());
    if let Some(port) = options.port {
        option("--port", port.to_string().into());
    }
    if let Some(faults) = &options.faults {
        option("--faults", faults.plan.to_string().into());
        if let Some(seed) = faults.seed {
            option("--seed", seed.to_string().into());
        }
    }
    if let Some(path) = &options.binaries {
        option("--postgres", path.into());
    }
    if let Some(path) = &options.embedded {
        option("--embedded-postgres", path.into());
    }
    if options.no_password {
        arguments.push("--no-password".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    #[test]
    fn the_background_process_is_told_everything() {
        let mut options = Options { home: Some("/a b".into()), ..Options::default() };
        options.port = Some(5000);
        options.binaries = Some("/pg bin".into());
        options.embedded = Some("/e".into());
        options.no_password = true;
        let home = layout::locate(&options).unwrap();
        let arguments = serve_arguments(&options, &home);
        let expected = "local|serve|--detached|--home|/a b|--name|default|--engine|postgres|--port|\
                        5000|--postgres|/pg bin|--embedded-postgres|/e|--no-password";
        let joined: Vec<_> = arguments.iter().map(|a| a.to_str().unwrap()).collect();
        assert_eq!(joined.join("|"), expected);
    }
}
