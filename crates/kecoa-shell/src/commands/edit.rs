//! `\e`: the statement in the user's editor.

use std::io::{self, Write as _};
use std::process::Command as Process;

use crate::input::Input;
use crate::output;
use crate::shell::{Flow, Shell};
use crate::source::Source;

impl Shell {
    /// Has the statement edited in the user's editor, and put where the next line is typed.
    pub(super) fn edit(
        &mut self,
        path: Option<&str>,
        source: &mut dyn Source,
        input: &mut Input,
    ) -> io::Result<Flow> {
        if !source.is_interactive() {
            return Ok(self.refuse("\\e needs a terminal"));
        }
        let filled = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let editor =
            filled("VISUAL").or_else(|| filled("EDITOR")).unwrap_or_else(|| "vi".to_owned());
        let mut own = None;
        let path = match path {
            Some(path) => output::home_expanded(path),
            None => {
                // Only its user can read it.
                let mut file =
                    tempfile::Builder::new().prefix("kecoa-").suffix(".sql").tempfile()?;
                writeln!(file, "{}", self.typed(input))?;
                let path = file.path().to_owned();
                own = Some(file);
                path
            }
        };
        let status = Process::new("sh")
            .arg("-c")
            .arg(format!("{editor} \"$1\""))
            .arg("sh")
            .arg(&path)
            .status();
        self.interrupted.take();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return Ok(self.refuse(&format!("the editor {editor} failed: {status}"))),
            Err(error) => {
                return Ok(self.refuse(&format!("cannot run the editor {editor}: {error}")));
            }
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                input.clear();
                source.edit_next(text.trim_end().to_owned());
            }
            Err(error) => {
                return Ok(self.refuse(&format!("cannot read {}: {error}", path.display())));
            }
        }
        drop(own);
        Ok(Flow::Next)
    }
}
