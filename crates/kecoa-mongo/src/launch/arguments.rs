//! The command line of the process in the background.

use std::ffi::OsString;
use std::path::Path;

use kecoa_server::home::Home;

use super::options::Options;

/// The arguments that make our own program serve with these options. The home is named outright: the
/// background process must not work out another one. The database is in a file there. Files are named from the root
/// on: the process in the background works in another folder.
pub(super) fn serve_arguments(options: &Options, home: &Home) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["mongo", "serve", "--detached"].map(Into::into).to_vec();
    let mut option = |name: &str, value: OsString| arguments.extend([name.into(), value]);
    option("--home", home.base().into());
    option("--name", options.name.clone().into());
    option("--address", options.address.to_string().into());
    option("--user", options.user.clone().into());
    option("--connections", options.connections.to_string().into());
    if let Some(port) = options.port {
        option("--port", port.to_string().into());
    }
    if let Some(path) = &options.password_file {
        option("--password-file", absolute(path));
    }
    if let Some(name) = &options.replica_set {
        option("--replica-set", name.into());
    }
    if let Some(tls) = &options.tls {
        option("--tls-certificate", absolute(&tls.certificate));
        option("--tls-key", absolute(&tls.key));
        if tls.allow_plain {
            arguments.push("--allow-plain".into());
        }
    }
    if options.no_password {
        arguments.push("--no-password".into());
    }
    if options.test_commands {
        arguments.push("--test-commands".into());
    }
    arguments
}

fn absolute(path: &Path) -> OsString {
    std::path::absolute(path).unwrap_or_else(|_| path.into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::options::TlsOptions;
    use crate::launch::service::SERVICE;

    #[test]
    fn the_background_process_is_told_everything_but_the_database() {
        let mut options = Options { home: Some("/a b".into()), ..Options::default() };
        options.database = "postgresql://root:secret@h/d".to_owned();
        options.port = Some(5000);
        options.connections = 20;
        options.password_file = Some("/p".into());
        options.replica_set = Some("rs@h:1".to_owned());
        options.no_password = true;
        options.test_commands = true;
        let home = Home::locate(&SERVICE, options.home.clone(), &options.name).unwrap();
        let joined: Vec<_> = serve_arguments(&options, &home)
            .into_iter()
            .map(|a| a.into_string().unwrap())
            .collect();
        let expected = "mongo|serve|--detached|--home|/a b|--name|default|--address|127.0.0.1|--user|root|--connections|20|\
                        --port|5000|\
                        --password-file|/p|--replica-set|rs@h:1|--no-password|--test-commands";
        assert_eq!(joined.join("|"), expected);
    }

    #[test]
    fn the_background_process_finds_files_from_any_folder() {
        let here = std::env::current_dir().unwrap();
        let home = Home::locate(&SERVICE, Some("/a".into()), "default").unwrap();
        let tls =
            Some(TlsOptions { certificate: "c".into(), key: "d/k".into(), allow_plain: false });
        let options = Options { password_file: Some("p".into()), tls, ..Options::default() };
        let arguments = serve_arguments(&options, &home);
        for file in ["p", "c", "d/k"] {
            assert!(arguments.contains(&here.join(file).into_os_string()), "{file}: {arguments:?}");
        }
    }
}
