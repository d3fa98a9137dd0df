//! `kecoa completions`: what a shell needs to complete commands, options, and names of instances.

use clap::builder::PossibleValuesParser;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::Output;

/// Stands in the scripts where the names of instances are to be.
const NAMES: &str = "KECOA-NAMES";
/// What a shell runs to have them.
const LIST: &str = "kecoa local list --names 2>/dev/null";

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
    command: Command,
    output: &Output,
) -> Result<i32, Failure> {
    output.line(script(arguments.shell, command).trim_end())?;
    Ok(0)
}

/// The script. In bash, zsh and fish `--name` is completed by the names that there are; others have none.
fn script(shell: Shell, command: Command) -> String {
    let asks = matches!(shell, Shell::Bash | Shell::Zsh | Shell::Fish);
    let mut command = if asks { with_names(command) } else { command };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "kecoa", &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Bash => script.replace(NAMES, &format!("$({LIST})")),
        // Between parentheses words are evaluated.
        Shell::Zsh => script.replace(NAMES, &format!("${{(f)\"$({LIST})\"}}")),
        // Within double quotes, and evaluated when it is needed.
        Shell::Fish => script.replace(&format!("{NAMES}\\t''"), &format!("({LIST})")),
        _ => script.into_owned(),
    }
}

/// The command line with one possible value for `--name`, wherever it is an option.
fn with_names(command: Command) -> Command {
    command
        .mut_args(|argument| match argument.get_long() {
            Some("name") => argument.value_parser(PossibleValuesParser::new([NAMES])),
            _ => argument,
        })
        .mut_subcommands(with_names)
}

#[cfg(all(test, feature = "local"))]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn names_are_asked_for_where_a_shell_can() {
        for (shell, asks) in [
            (Shell::Bash, "compgen -W \"$(kecoa local list --names 2>/dev/null)\""),
            (Shell::Zsh, ":NAME:(${(f)\"$(kecoa local list --names 2>/dev/null)\"})"),
            (Shell::Fish, "-r -f -a \"(kecoa local list --names 2>/dev/null)\""),
        ] {
            let script = script(shell, crate::Cli::command());
            assert!(script.contains(asks), "{shell}");
            assert!(!script.contains(NAMES), "{shell}");
        }
        let other = script(Shell::PowerShell, crate::Cli::command());
        assert!(!other.contains(NAMES) && !other.contains(LIST));
    }
}
