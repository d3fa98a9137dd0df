//! `kecoa sql`: an interactive SQL shell.

use std::path::Path;

use clap::{ArgAction, Args, ValueEnum};
use kecoa::Config;
use kecoa_local::Status;
use kecoa_shell::{Color, Format, Options};

use crate::database_url;
use crate::failure::Failure;
use crate::output::Output;
use crate::terminal::Stream;

#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "Without a URL and without -h, -p, -U and -d: $DATABASE_URL, else the PG* variables where they \
    name a server or a database, else the local endpoint if it runs. With some of -h, -p, -U and -d, the PG* \
    variables fill in the rest, as in psql.\n\n\
    At a terminal, \\? lists the commands. Statements that are piped in, or given by -c and -f, run until \
    the first error.\n\n\
    Exit status: 0 when everything worked, 1 when a statement failed or there was no connection, 2 for a \
    mistake in the arguments, 130 when Ctrl-C ended a script."
)]
pub(crate) struct Arguments {
    /// URL, connection string, or the name of a database; `-` reads it from standard input
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// The user, where the first argument is a database
    #[arg(value_name = "USER")]
    user_argument: Option<String>,
    /// Run this text and end; several times, each by itself
    #[arg(
        short = 'c',
        long = "command",
        visible_short_alias = 'e',
        value_name = "SQL",
        allow_hyphen_values = true
    )]
    commands: Vec<String>,
    /// Run this file and end, after each -c; `-` is standard input
    #[arg(short, long = "file", value_name = "FILE", value_parser = crate::path::text)]
    files: Vec<String>,
    /// The server's host, or the folder of its unix socket
    #[arg(short = 'h', long, value_name = "HOST")]
    host: Option<String>,
    /// The server's port
    #[arg(short, long, value_name = "PORT")]
    port: Option<u16>,
    /// The user to log in as
    #[arg(short = 'U', long, visible_alias = "user", value_name = "NAME")]
    username: Option<String>,
    /// The database, or a connection string
    #[arg(short, long, visible_alias = "database", value_name = "NAME")]
    dbname: Option<String>,
    /// How results are written [default: table at a terminal, else tsv]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatName>,
    /// CSV, as --format csv
    #[arg(long, conflicts_with = "format")]
    csv: bool,
    /// JSON, as --format json; remarks and errors stay text
    #[arg(long, conflicts_with_all = ["format", "csv"])]
    json: bool,
    /// HTML, as --format html
    #[arg(short = 'H', long, conflicts_with_all = ["format", "csv", "json"])]
    html: bool,
    /// Fields with | between them, as --format unaligned
    #[arg(short = 'A', long, conflicts_with_all = ["format", "csv", "json", "html"])]
    no_align: bool,
    /// What stands between the fields, with --no-align
    #[arg(short = 'F', long, value_name = "TEXT")]
    field_separator: Option<String>,
    /// Rows only, without headings and counts
    #[arg(short, long)]
    tuples_only: bool,
    /// One line a column
    #[arg(short = 'x', long)]
    expanded: bool,
    /// An option of \pset
    #[arg(short = 'P', long, value_name = "NAME[=VALUE]")]
    pset: Vec<String>,
    /// A variable: :NAME, :'NAME' and :"NAME" stand for it
    #[arg(short = 'v', long = "set", visible_alias = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// Write results into this file
    #[arg(short, long, value_name = "FILE", value_parser = crate::path::text)]
    output: Option<String>,
    /// No banner, and no word of what statements did
    #[arg(short, long)]
    quiet: bool,
    /// Say more of what happens; there is no short form here
    #[arg(long, action = ArgAction::Count)]
    verbose: u8,
    /// Show each statement before it runs
    #[arg(short = 'a', long, visible_alias = "echo-all")]
    echo: bool,
    /// Show how long each statement takes
    #[arg(long)]
    timing: bool,
    /// What a script does after an error
    #[arg(long, value_enum, default_value = "stop", value_name = "WHAT")]
    on_error: OnError,
    /// One transaction around everything that -c, -f or standard input run
    #[arg(short = '1', long)]
    single_transaction: bool,
    /// List the databases and end
    #[arg(short, long)]
    list: bool,
    /// Never ask for a password
    #[arg(short = 'w', long)]
    no_password: bool,
    /// For psql's sake: there is no start-up file to leave out
    #[arg(short = 'X', long, hide = true)]
    no_psqlrc: bool,
    /// Where the local endpoint is kept [default: $KECOA_HOME, or the user's data directory]
    #[arg(long, value_name = "DIR", value_parser = crate::path::parser())]
    home: Option<std::path::PathBuf>,
    /// Print help
    #[arg(long, short = '?', action = ArgAction::Help)]
    help: Option<bool>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    Table,
    Unaligned,
    Csv,
    Tsv,
    Json,
    Ndjson,
    Markdown,
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum OnError {
    Stop,
    Continue,
}

impl FormatName {
    fn format(self) -> Format {
        match self {
            FormatName::Table => Format::Table,
            FormatName::Unaligned => Format::Unaligned,
            FormatName::Csv => Format::Csv,
            FormatName::Tsv => Format::Tsv,
            FormatName::Json => Format::Json,
            FormatName::Ndjson => Format::Ndjson,
            FormatName::Markdown => Format::Markdown,
            FormatName::Html => Format::Html,
        }
    }
}

/// A variable and its value.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value))
            if name.chars().all(|c| c == '_' || c.is_alphanumeric()) && !name.is_empty() =>
        {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE, with a name of letters, digits and _".to_owned()),
    }
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<i32, Failure> {
    if arguments.output.is_none() {
        // Before a statement has done something whose result nobody sees.
        output.check()?;
    }
    let config = configuration(&arguments, output)?;
    let format = match (arguments.csv, arguments.json, arguments.html, arguments.no_align) {
        (true, ..) => Some(Format::Csv),
        (_, true, ..) => Some(Format::Json),
        (_, _, true, _) => Some(Format::Html),
        (.., true) => Some(Format::Unaligned),
        _ => arguments.format.map(FormatName::format),
    };
    let mut settings: Vec<(String, Option<String>)> = Vec::new();
    if arguments.expanded {
        settings.push(("expanded".to_owned(), Some("on".to_owned())));
    }
    if let Some(separator) = arguments.field_separator {
        settings.push(("fieldsep".to_owned(), Some(separator)));
    }
    if arguments.no_align {
        // As psql has it: NULL is nothing there.
        settings.push(("null".to_owned(), Some(String::new())));
    }
    for option in arguments.pset {
        settings.push(match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (option, None),
        });
    }
    let mut commands = arguments.commands;
    if arguments.list {
        commands.push("\\l".to_owned());
    }
    let options = Options {
        config,
        connect_timeout: database_url::CONNECT_TIMEOUT,
        may_ask: !arguments.no_password,
        commands,
        files: arguments.files,
        format,
        tuples_only: arguments.tuples_only,
        settings,
        variables: arguments.variables,
        output: arguments.output,
        color: color(output.stdout()),
        error_color: color(output.stderr()),
        quiet: arguments.quiet,
        echo: arguments.echo,
        timing: arguments.timing,
        continues: arguments.on_error == OnError::Continue,
        single_transaction: arguments.single_transaction,
    };
    match kecoa_shell::run(&options) {
        Ok(status) => Ok(status),
        Err(kecoa_shell::Error::Database(error)) => Err(Failure::Database(error)),
        Err(kecoa_shell::Error::Usage(message)) => Err(Failure::Usage(message)),
        Err(kecoa_shell::Error::Stream(error))
            if error.kind() == std::io::ErrorKind::BrokenPipe =>
        {
            Err(Failure::Output(error))
        }
        Err(error) => Err(Failure::Other(error.to_string())),
    }
}

/// Colours as every command has them.
fn color(stream: Stream) -> Color {
    if stream.is_colored() { Color::Always } else { Color::Never }
}

/// Where to connect.
fn configuration(arguments: &Arguments, output: &Output) -> Result<Config, Failure> {
    let place = arguments.url.as_deref().or(arguments.dbname.as_deref());
    let place = database_url::from_argument(place, output)?;
    let mut config = match place.as_deref() {
        Some(text) if text.contains("://") || text.contains('=') => Config::parse(text)?,
        Some(name) => {
            let mut config = Config::new();
            config.set("dbname", name)?;
            config
        }
        None => Config::new(),
    };
    // psql's first two arguments are a database and a user; -d and -U come before them.
    let database = arguments.dbname.as_deref().filter(|_| arguments.url.is_some());
    if database.is_some_and(|name| name.trim().is_empty()) {
        return Err(Failure::Usage("the name of the database is empty".to_owned()));
    }
    let port = arguments.port.map(|port| port.to_string());
    let user = arguments.username.as_deref().or(arguments.user_argument.as_deref());
    let given = [
        ("host", arguments.host.as_deref()),
        ("port", port.as_deref()),
        ("user", user),
        ("dbname", database),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            config.set(name, value)?;
        }
    }
    if config.pairs().next().is_none() {
        config = found(arguments.home.as_deref(), output)?;
    }
    if config.get("application_name").is_none() && std::env::var_os("PGAPPNAME").is_none() {
        config.set("application_name", "kecoa sql")?;
    }
    Ok(config)
}

/// The database that nobody named: the environment's, else the local endpoint.
fn found(home: Option<&Path>, output: &Output) -> Result<Config, Failure> {
    if let Some(url) = database_url::from_environment(output)? {
        return Ok(Config::parse(&url)?);
    }
    if database_url::environment_names_server() {
        return Ok(Config::new());
    }
    let mut options = kecoa_local::Options::default();
    options.home = home.map(Path::to_path_buf);
    match kecoa_local::status(&options)? {
        Status::Stopped => Err(Failure::Other(
            "no database to connect to: name one, as in `kecoa sql postgresql://user@host:port/database`, set \
             DATABASE_URL or the PG* variables, or start the local endpoint with `kecoa local start`"
                .to_owned(),
        )),
        status => Ok(Config::parse(&kecoa_local::usable(status, &options)?.url)?),
    }
}
