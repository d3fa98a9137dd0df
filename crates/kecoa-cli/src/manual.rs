//! `kecoa man`: manual pages, for whoever packages the program.

use std::path::PathBuf;

use clap::{Args, Command};

use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(
    after_help = "A page a command: kecoa.1, kecoa-local.1, kecoa-local-start.1 and so on. For `man kecoa` put \
    them into a folder man1 of $MANPATH, such as ~/.local/share/man/man1."
)]
pub(crate) struct Arguments {
    /// The folder for the pages, which is made [default: print the page kecoa(1)]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Writes the pages. `command` is the whole command line.
pub(crate) fn run(
    arguments: &Arguments,
    command: Command,
    output: &Output,
) -> Result<i32, Failure> {
    let Some(folder) = &arguments.folder else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        rendered.map_err(|error| Failure::Other(format!("making the page: {error}")))?;
        output.line(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(0);
    };
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    written
        .map_err(|error| Failure::Other(format!("writing into {}: {error}", folder.display())))?;
    output.note(&format!("manual pages in {}", folder.display()));
    Ok(0)
}
