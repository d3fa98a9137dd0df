//! `kecoa man`: manual pages, for whoever packages the program.

mod synopsis;

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(
    after_help = "A page a command: kecoa.1, kecoa-local.1, kecoa-local-start.1 and so on. For `man kecoa` put \
    them into a folder man1 of $MANPATH, such as ~/.local/share/man/man1."
)]
pub(crate) struct Arguments {
    /// The folder for the pages, which is made [default: print the page kecoa(1)]
    #[arg(value_name = "DIR", value_parser = crate::path::parser())]
    folder: Option<PathBuf>,
}

/// Writes the pages. `command` is the whole command line.
pub(crate) fn run(
    arguments: &Arguments,
    command: Command,
    output: &Output,
) -> Result<i32, Failure> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let Some(folder) = &arguments.folder else {
        let page = page(&command);
        let page = page.map_err(|error| Failure::Other(format!("making the page: {error}")))?;
        output.line(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(0);
    };
    let written = std::fs::create_dir_all(folder).and_then(|()| write_all(&command, folder));
    written
        .map_err(|error| Failure::Other(format!("writing into {}: {error}", folder.display())))?;
    output.note(&format!("manual pages in {}", folder.display()));
    Ok(0)
}

/// The pages of a command and of those below it.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_all(below, folder)?;
    }
    std::fs::write(folder.join(Man::new(command.clone()).get_filename()), page(command)?)
}

/// What an apostrophe is, for roff.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// One page: `clap_mangen`'s, but for the synopsis, in which options have their values.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    page.extend_from_slice(synopsis::section(command).as_bytes());
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    if command.get_after_long_help().or(command.get_after_help()).is_some() {
        man.render_extra_section(&mut page)?;
    }
    if command.get_version().or(command.get_long_version()).is_some() {
        man.render_version_section(&mut page)?;
    }
    // Each section comes with it, and a page needs it once.
    let page = String::from_utf8_lossy(&page).replace(PREAMBLE, "");
    Ok([PREAMBLE, &page].concat().into_bytes())
}
