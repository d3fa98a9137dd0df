//! `kecoa completions`: what a shell needs to complete commands and options.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(
    after_help = "bash: kecoa completions bash > ~/.local/share/bash-completion/completions/kecoa\n\
    zsh:  kecoa completions zsh > DIR/_kecoa, where DIR is one of $fpath\n\
    fish: kecoa completions fish > ~/.config/fish/completions/kecoa.fish"
)]
pub(crate) struct Arguments {
    /// The shell that is to complete
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script for the shell. `command` is the whole command line.
pub(crate) fn run(
    arguments: &Arguments,
    command: &mut Command,
    output: &Output,
) -> Result<i32, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "kecoa", &mut script);
    output.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(0)
}
