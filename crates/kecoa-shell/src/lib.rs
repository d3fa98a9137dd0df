//! An interactive SQL shell for CockroachDB and PostgreSQL: what `kecoa sql` runs.
//!
//! [`run`] is the whole of it: it reads statements and backslash commands from a terminal, from files, or
//! from arguments, and writes results as tables or as data. Rows are written as they come; text of the
//! server never controls the terminal. What ends a statement is decided by `kecoa-sql`; what goes over the
//! connection by `kecoa`.
#![forbid(unsafe_code)]

mod catalogue;
mod command;
mod commands;
mod complete;
mod connection;
mod copy;
mod describe;
mod destination;
mod editor;
mod entered;
mod escape;
mod format;
mod highlight;
mod history;
mod input;
mod keywords;
mod names;
mod options;
mod output;
mod password;
mod replacement;
mod report;
mod results;
mod say;
mod settings;
mod shell;
mod source;
mod style;
mod variables;

use std::io::{self, BufReader, IsTerminal as _, Write as _};

use connection::Interrupted;
use destination::Destination;
use editor::Editor;
pub use format::Format;
pub use options::{Color, Error, Options};
use password::connect_asking;
use replacement::Replacement;
use say::note;
use settings::Settings;
use shell::{Flow, Manner, Shell};
use source::{Script, Source};
use style::Style;
use variables::Variables;

/// Runs the shell. Gives the exit status: 0, 1 when something failed, 130 when Ctrl-C ended a script.
///
/// It handles SIGINT for the rest of the process's life.
///
/// # Errors
/// No connection could be made; a file, standard input or standard output cannot be used.
pub fn run(options: &Options) -> Result<i32, Error> {
    let scripted = !options.commands.is_empty() || !options.files.is_empty();
    let terminal = io::stdout().is_terminal();
    let interactive = !scripted && terminal && io::stdin().is_terminal();
    let interrupted = Interrupted::on_sigint().map_err(Error::Signal)?;
    let format = options.format.unwrap_or(if terminal { Format::Table } else { Format::Tsv });
    let mut settings = Settings::new(format);
    settings.look.tuples_only = options.tuples_only;
    settings.timing = options.timing;
    for (name, value) in &options.settings {
        settings.set(name, value.as_deref()).map_err(Error::Usage)?;
    }
    let mut variables = Variables::default();
    for (name, value) in &options.variables {
        variables.set(name, value);
    }
    let colored = |color: Color, terminal: bool| Style { on: color.is_wanted(terminal) };
    let destination = match &options.output {
        Some(path) => Destination::File(Replacement::at_first_write(path).map_err(Error::File)?),
        None => Destination::Terminal,
    };
    let mut shell = Shell {
        config: options.config.clone(),
        connect_timeout: options.connect_timeout,
        connection: None,
        interrupted,
        settings,
        variables,
        names: names::SharedNames::default(),
        manner: Manner {
            interactive,
            terminal,
            quiet: options.quiet,
            echo: options.echo,
            continues: options.continues,
            style: colored(options.color, terminal),
            error_style: colored(options.error_color, io::stderr().is_terminal()),
        },
        destination,
        last: String::new(),
        user: String::new(),
        database: String::new(),
        failed: false,
        cancelled: false,
        place: String::new(),
        depth: 0,
        leaves_transaction: false,
        restricted: None,
    };
    let may_ask = options.may_ask && io::stdin().is_terminal();
    let connected = connect_asking(&mut |config| shell.connect(config), &options.config, may_ask);
    if connected.is_err() && shell.interrupted.is_set() {
        return Ok(shell::INTERRUPTED);
    }
    connected?;
    let flow =
        if interactive { converse(&mut shell, options) } else { scripts(&mut shell, options) };
    let flow = flow.map_err(Error::Stream)?;
    if !interactive && shell.is_in_transaction() {
        note(
            "the script ended inside an open transaction, which was rolled back: end it with COMMIT or ROLLBACK, \
             or run the script with --single-transaction",
        );
        shell.failed = true;
    }
    let destination = std::mem::replace(&mut shell.destination, Destination::Terminal);
    destination.finish(!shell.failed).map_err(Error::Stream)?;
    Ok(match flow {
        Flow::Leave(status) if status != 0 => status,
        Flow::Leave(_) | Flow::Next => i32::from(shell.failed && !interactive),
    })
}

/// Talks with somebody at a terminal.
fn converse(shell: &mut Shell, options: &Options) -> io::Result<Flow> {
    if !options.quiet {
        let server =
            shell.connection.as_ref().map(connection::Connection::server_name).unwrap_or_default();
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "kecoa {}, connected to {}\n\\? for help, \\q or Ctrl-D to leave",
            env!("CARGO_PKG_VERSION"),
            escape::line(server.as_bytes()),
        )?;
    }
    let mut editor = Editor::new(shell.names.clone(), shell.manner.style)?;
    let flow = shell.run(&mut editor)?;
    if shell.is_in_transaction() {
        note("the open transaction was rolled back");
    }
    Ok(flow)
}

/// Runs arguments and files, or standard input.
fn scripts(shell: &mut Shell, options: &Options) -> io::Result<Flow> {
    if options.single_transaction {
        let flow = own(shell, "BEGIN")?;
        if flow != Flow::Next {
            return Ok(flow);
        }
        shell.leaves_transaction = false;
    }
    let mut flow = Flow::Next;
    for command in &options.commands {
        flow = shell.run(&mut Script::of_argument(command))?;
        if flow != Flow::Next {
            break;
        }
    }
    for file in &options.files {
        if flow != Flow::Next {
            break;
        }
        flow = if file == "-" { standard_input(shell)? } else { shell.include(file)? };
    }
    if options.commands.is_empty() && options.files.is_empty() {
        flow = standard_input(shell)?;
    }
    if options.single_transaction && shell.connection.as_ref().is_some_and(|c| !c.is_closed()) {
        return end_single_transaction(shell, flow);
    }
    Ok(flow)
}

/// Commits or rolls back what `--single-transaction` began, as far as it is still there.
fn end_single_transaction(shell: &mut Shell, flow: Flow) -> io::Result<Flow> {
    let left = shell.leaves_transaction;
    let good = !shell.failed && matches!(flow, Flow::Next | Flow::Leave(0));
    let open = shell.is_in_transaction();
    if left {
        note(
            "--single-transaction: the script ended the transaction itself; what it committed is kept, and what \
             came behind was not in that transaction",
        );
    }
    if open {
        let ended = own(shell, if good { "COMMIT" } else { "ROLLBACK" })?;
        if good {
            return Ok(if ended == Flow::Next { flow } else { ended });
        }
        note(match left {
            true => {
                "--single-transaction: the transaction that was open at the end was rolled back"
            }
            false => "--single-transaction: everything was rolled back",
        });
    }
    Ok(flow)
}

fn standard_input(shell: &mut Shell) -> io::Result<Flow> {
    shell.run(&mut Script::new(BufReader::new(io::stdin()), "standard input"))
}

/// Runs a statement of the shell's own.
fn own(shell: &mut Shell, sql: &str) -> io::Result<Flow> {
    let mut nothing: Box<dyn Source> = Box::new(Script::of_argument(""));
    let quiet = std::mem::replace(&mut shell.manner.quiet, true);
    let flow = shell.statement(sql, nothing.as_mut(), &mut input::Input::default());
    shell.manner.quiet = quiet;
    flow
}
