//! The synopsis of a manual page: options with the names of their values.

use clap::{Arg, ArgAction, Command};

/// The section, as roff.
pub(super) fn section(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut words = vec![bold(name)];
    let shown = || command.get_arguments().filter(|argument| !argument.is_hide_set());
    words.extend(shown().filter(|argument| !argument.is_positional()).map(word));
    words.extend(command.get_positionals().filter(|it| !it.is_hide_set()).map(word));
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        let required = command.is_subcommand_required_set();
        words.push(marked(italic("COMMAND"), required));
    }
    format!(".SH SYNOPSIS\n{}\n", words.join("\n"))
}

/// An option or an argument; what may be left out is in brackets.
fn word(argument: &Arg) -> String {
    let values = match argument.get_value_names() {
        Some(names) => names.iter().map(|name| italic(name)).collect::<Vec<_>>().join(" "),
        None => italic(&argument.get_id().as_str().to_uppercase()),
    };
    let short = argument.get_short().map(|short| bold(&format!("-{short}")));
    let long = argument.get_long().map(|long| bold(&format!("--{long}")));
    let name = [short, long].into_iter().flatten().collect::<Vec<_>>().join("|");
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let text = match (name.is_empty(), takes) {
        (true, _) => values,
        (false, true) => format!("{name}\\ {values}"),
        (false, false) => name,
    };
    let again = match argument.get_action() {
        ArgAction::Append | ArgAction::Count => "...",
        _ => "",
    };
    format!("{}{again}", marked(text, argument.is_required_set()))
}

fn marked(text: String, required: bool) -> String {
    if required { text } else { format!("[{text}]") }
}

fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escaped(text))
}

fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escaped(text))
}

/// What roff would read as a command of its own, or as another dash.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_their_values() {
        let command = Command::new("load")
            .arg(Arg::new("file").required(true).value_name("FILE"))
            .arg(Arg::new("port").short('p').long("port").value_name("N"))
            .arg(Arg::new("to").long("to").required(true))
            .arg(Arg::new("set").long("set").value_name("A=B").action(ArgAction::Append))
            .arg(Arg::new("dry").long("dry-run").action(ArgAction::SetTrue))
            .arg(Arg::new("secret").long("secret").hide(true));
        let expected = ".SH SYNOPSIS\n\\fBload\\fR\n[\\fB\\-p\\fR|\\fB\\-\\-port\\fR\\ \\fIN\\fR]\n\
            \\fB\\-\\-to\\fR\\ \\fITO\\fR\n[\\fB\\-\\-set\\fR\\ \\fIA=B\\fR]...\n\
            [\\fB\\-\\-dry\\-run\\fR]\n\\fIFILE\\fR\n";
        assert_eq!(section(&command), expected);
    }
}
