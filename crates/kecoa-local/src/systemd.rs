//! A unit file of systemd for an instance.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use kecoa_server::home::variable;

use crate::arguments::foreground_arguments;
use crate::error::Error;
use crate::layout;
use crate::options::Options;

/// A unit file, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unit {
    /// The unit's name: `kecoa-local-default.service`.
    pub name: String,
    /// The file's text.
    pub text: String,
    /// The directory for it: of the system's units for root, of the user's own for others.
    pub directory: PathBuf,
}

/// A unit that starts the instance with these options, and restarts it when it fails. It says that it is
/// ready once clients are accepted (`Type=notify`).
///
/// # Errors
///
/// When the home cannot be worked out, when there is no command by which to start this program, or when
/// a path in it cannot stand in a unit file.
pub fn systemd_unit(options: &Options) -> Result<Unit, Error> {
    let home = layout::locate(options)?;
    let (program, first) =
        options.self_command.split_first().ok_or(kecoa_server::Error::NoSelfCommand)?;
    let program = std::path::absolute(program).map_err(Error::io("reading", Path::new(program)))?;
    let mut words = vec![word(program.as_os_str())?];
    for argument in first {
        words.push(word(argument)?);
    }
    let mut options = options.clone();
    // The service manager has another environment and another current directory.
    options.binaries =
        match options.binaries.or_else(|| variable("KECOA_POSTGRES").map(PathBuf::from)) {
            Some(path) => Some(std::path::absolute(&path).map_err(Error::io("reading", &path))?),
            None => None,
        };
    for argument in foreground_arguments(&options, &home) {
        words.push(word(&argument)?);
    }
    let root = rustix::process::geteuid().is_root();
    let name = home.name();
    let target = if root { "multi-user.target" } else { "default.target" };
    let text = format!(
        "[Unit]\n\
         Description=kecoa local endpoint {name}\n\
         \n\
         [Service]\n\
         Type=notify\n\
         ExecStart={}\n\
         KillMode=mixed\n\
         Restart=on-failure\n\
         TimeoutStopSec=60\n\
         \n\
         [Install]\n\
         WantedBy={target}\n",
        words.join(" ")
    );
    let directory = if root {
        PathBuf::from("/etc/systemd/system")
    } else {
        match variable("XDG_CONFIG_HOME").map(PathBuf::from) {
            Some(config) if config.is_absolute() => config.join("systemd/user"),
            _ => std::env::home_dir().unwrap_or_default().join(".config/systemd/user"),
        }
    };
    Ok(Unit { name: format!("kecoa-local-{name}.service"), text, directory })
}

/// A word of `ExecStart=`, as `systemd.service(5)` has them: quoted where it must be; `%` and `$` stand
/// for themselves.
fn word(word: &OsStr) -> Result<String, Error> {
    let refused = |what: &str| {
        Err(Error::NotInUnit { word: word.to_string_lossy().into_owned(), what: what.to_owned() })
    };
    let Some(text) = word.to_str() else { return refused("it is not UTF-8") };
    if text.contains(|c: char| c.is_control()) {
        return refused("it has a control character");
    }
    let escaped = text.replace('%', "%%").replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,@%$+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(escaped);
    }
    Ok(format!("\"{}\"", escaped.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        for (given, written) in [
            ("/usr/bin/kecoa", "/usr/bin/kecoa"),
            ("/a b/kecoa", "\"/a b/kecoa\""),
            ("50%", "50%%"),
            ("$HOME", "$$HOME"),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("error:40001@commit:0.2, drop:0.1", "\"error:40001@commit:0.2, drop:0.1\""),
            ("", "\"\""),
        ] {
            assert_eq!(word(OsStr::new(given)).unwrap(), written);
        }
        assert!(word(OsStr::new("a\nb")).unwrap_err().to_string().contains("control character"));
    }

    #[test]
    fn a_unit_names_everything_outright() {
        let mut options = Options { home: Some("/a b".into()), ..Options::default() };
        options.name = Some("shop".to_owned());
        options.port = Some(5000);
        options.binaries = Some("/pg".into());
        assert!(systemd_unit(&options).is_err(), "without a command");
        options.self_command = ["/opt/py thon", "-m", "kecoa"].map(Into::into).to_vec();
        let unit = systemd_unit(&options).unwrap();
        assert_eq!(unit.name, "kecoa-local-shop.service");
        let expected = "\nExecStart=\"/opt/py thon\" -m kecoa local start --foreground \
                        --home \"/a b\" --name shop --engine postgres --port 5000 \
                        --postgres /pg\n";
        assert!(unit.text.contains(expected), "{}", unit.text);
        assert!(unit.text.contains("\nType=notify\n"));
    }
}
