//! Typing at the terminal: the line editor with history, completion and colours.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{History as _, MemHistory, SearchDirection};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    ColorMode, CompletionType, Config, Context, Editor as LineEditor, Helper as EditorHelper,
};

use crate::complete::complete;
use crate::entered::is_complete;
use crate::highlight::highlight;
use crate::history;
use crate::input::bare_command;
use crate::names::SharedNames;
use crate::say::note;
use crate::source::{Line, Prompt, Source};
use crate::style::{Role, Style};

/// What the line editor asks while somebody types.
struct Helper {
    names: SharedNames,
    style: Style,
    files: FilenameCompleter,
    /// Whether Enter ends a line in any case: data of a COPY.
    plain: bool,
    /// What was typed before of a statement that goes on.
    pending: Rc<str>,
}

impl EditorHelper for Helper {}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        if self.plain {
            // It stands between the columns of data.
            let tab = Pair { display: "\t".to_owned(), replacement: "\t".to_owned() };
            return Ok((cursor, vec![tab]));
        }
        if ["\\i ", "\\o ", "\\ir "].iter().any(|command| line.starts_with(command)) {
            return self.files.complete(line, cursor, context);
        }
        let found = complete(line, cursor, &self.names.get());
        let pair = |name: String| Pair { display: name.clone(), replacement: name };
        Ok((found.start, found.candidates.into_iter().map(pair).collect()))
    }
}

impl Hinter for Helper {
    type Hint = String;
}

impl Highlighter for Helper {
    fn highlight<'l>(&self, line: &'l str, _cursor: usize) -> Cow<'l, str> {
        if self.style.on && !self.plain {
            Cow::Owned(highlight(line, self.style))
        } else {
            Cow::Borrowed(line)
        }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        if self.style.on {
            Cow::Owned(self.style.paint(Role::Prompt, prompt))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    fn highlight_char(&self, _line: &str, _cursor: usize, _kind: CmdKind) -> bool {
        self.style.on && !self.plain
    }
}

impl Validator for Helper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let typed = format!("{}{}", self.pending, context.input());
        Ok(if self.plain || is_complete(&typed) || bare_command(&typed).is_some() {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// A terminal at which somebody types.
pub(crate) struct Editor {
    editor: LineEditor<Helper, MemHistory>,
    path: Option<PathBuf>,
    initial: Option<String>,
    /// An error of the history is told once.
    warned: bool,
}

fn failed(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

impl Editor {
    pub(crate) fn new(names: SharedNames, style: Style) -> io::Result<Editor> {
        let config = Config::builder()
            .max_history_size(history::LIMIT)
            .map_err(failed)?
            .completion_type(CompletionType::List)
            .completion_prompt_limit(200)
            .auto_add_history(false)
            .color_mode(if style.on { ColorMode::Forced } else { ColorMode::Disabled })
            .tab_stop(4)
            .build();
        let history = MemHistory::with_config(&config);
        let mut editor = LineEditor::with_history(config, history).map_err(failed)?;
        editor.set_helper(Some(Helper {
            names,
            style,
            files: FilenameCompleter::new(),
            plain: false,
            pending: "".into(),
        }));
        let path = history::path();
        let mut editor = Editor { editor, path, initial: None, warned: false };
        editor.load();
        Ok(editor)
    }

    fn load(&mut self) {
        let Some(path) = self.path.clone() else { return };
        let loaded = history::load(&path).and_then(|entries| {
            for entry in &entries {
                self.editor.add_history_entry(entry).map_err(failed)?;
            }
            history::shorten(&path, &entries)
        });
        self.warn(loaded);
    }

    fn warn(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && !self.warned
        {
            self.warned = true;
            let path = self.path.as_deref().unwrap_or(std::path::Path::new("")).display();
            note(&format!("the history {path} cannot be used: {error}"));
        }
    }

    fn remember(&mut self, entry: &str) {
        let entry = entry.trim();
        // What is a secret is not offered by the arrow keys either: a screen may be shared.
        if entry.is_empty() || history::is_secret(entry) {
            return;
        }
        match self.editor.add_history_entry(entry) {
            Ok(true) => {}
            _ => return,
        }
        if let Some(path) = &self.path {
            let written = history::append(path, entry);
            self.warn(written);
        }
    }
}

impl Source for Editor {
    fn line(&mut self, prompt: &Prompt, pending: &str) -> io::Result<Line> {
        if let Some(helper) = self.editor.helper_mut() {
            helper.plain = prompt.plain;
            helper.pending =
                if pending.is_empty() { "".into() } else { format!("{pending}\n").into() };
        }
        let initial = self.initial.take().unwrap_or_default();
        match self.editor.readline_with_initial(&prompt.text, (&initial, "")) {
            Ok(text) => {
                if !prompt.plain {
                    let all = match pending {
                        "" => text.clone(),
                        pending => format!("{pending}\n{text}"),
                    };
                    self.remember(&all);
                }
                Ok(Line::Text(format!("{text}\n")))
            }
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
            // The window has another size now: what is typed is gone, and nothing else.
            Err(ReadlineError::Signal(_)) => Ok(Line::Interrupted),
            Err(error) => Err(failed(error)),
        }
    }

    fn is_interactive(&self) -> bool {
        true
    }

    fn edit_next(&mut self, text: String) {
        self.initial = Some(text);
    }

    fn history(&self) -> Vec<String> {
        let history = self.editor.history();
        let entry = |index| history.get(index, SearchDirection::Forward).ok().flatten();
        (0..history.len()).filter_map(entry).map(|found| found.entry.into_owned()).collect()
    }
}
