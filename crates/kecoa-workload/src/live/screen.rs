//! The terminal: taken over while the view lasts, and given back on every way out.

use std::io::{self, BufWriter, Stderr, Write as _};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ratatui_core::backend::{Backend as _, ClearType};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::{Position, Rect};
use ratatui_crossterm::CrosstermBackend;
use ratatui_crossterm::crossterm::event::{
    self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
};
use ratatui_crossterm::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui_crossterm::crossterm::{cursor, execute, queue};

use super::draw;
use crate::summary::{End, Summary};

/// How often the view is drawn.
const REFRESH: Duration = Duration::from_millis(200);

/// Why [`watch`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The run is over, or about to be.
    Over,
    /// Somebody pressed `q`.
    Quit,
    /// Somebody pressed Ctrl-C, which is no signal while the view has the terminal.
    Interrupted,
}

/// Shows the run on the terminal until its summary says that it has ended, nobody gives one any more, or
/// somebody presses `q` or Ctrl-C. `summary` is asked five times a second.
///
/// It draws on standard error, so that standard output stays free for results. The terminal is as before
/// when this returns, and before the message of a panic in any thread is printed.
///
/// # Errors
/// There is no terminal, or it cannot be used any more; a thread panicked meanwhile.
pub fn watch(color: bool, mut summary: impl FnMut() -> Option<Summary>) -> io::Result<Left> {
    let mut screen = Screen::open()?;
    loop {
        let summary = summary().filter(|summary| summary.run.end == End::Running);
        let Some(summary) = summary else { return Ok(Left::Over) };
        screen.draw(&summary, color)?;
        if let Some(left) = screen.key(REFRESH)? {
            return Ok(left);
        }
    }
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// The terminal while it is ours.
///
/// What changed is drawn, cell by cell. ratatui's `Terminal` does the same, but asks the terminal where its
/// cursor is whenever the size changes, and fails where none answers.
struct Screen {
    backend: CrosstermBackend<BufWriter<Stderr>>,
    /// What the terminal shows.
    shown: Buffer,
    /// False once it has been given back.
    taken: Arc<AtomicBool>,
    /// The hook that was there before; of panics in all threads.
    hook: Option<Arc<Hook>>,
}

impl Screen {
    fn open() -> io::Result<Screen> {
        // One write a drawing, not one a cell.
        let backend = CrosstermBackend::new(BufWriter::new(io::stderr()));
        let taken = Arc::new(AtomicBool::new(true));
        let hook: Arc<Hook> = Arc::new(panic::take_hook());
        let (previous, taken_too) = (Arc::clone(&hook), Arc::clone(&taken));
        panic::set_hook(Box::new(move |info| {
            give_back(&taken_too);
            previous(info);
        }));
        // From here on dropping it gives everything back, also when a step fails.
        let screen = Screen { backend, shown: Buffer::default(), taken, hook: Some(hook) };
        enable_raw_mode()?;
        execute!(io::stderr(), EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }

    fn draw(&mut self, summary: &Summary, color: bool) -> io::Result<()> {
        if !self.taken.load(Ordering::SeqCst) {
            return Err(io::Error::other("a thread panicked"));
        }
        let area = Rect::from((Position::ORIGIN, self.backend.size()?));
        let mut next = Buffer::empty(area);
        draw(summary, color, area, &mut next);
        if next == self.shown {
            return Ok(());
        }
        // Terminals that know this show the frame at once, or not at all.
        queue!(self.backend, BeginSynchronizedUpdate)?;
        if area != self.shown.area {
            self.backend.clear_region(ClearType::All)?;
            self.shown = Buffer::empty(area);
        }
        self.backend.draw(self.shown.diff(&next).into_iter())?;
        queue!(self.backend, EndSynchronizedUpdate)?;
        self.shown = next;
        io::Write::flush(&mut self.backend)
    }

    /// Waits for a key that ends the view; `None` when the time is over or the window has another size.
    fn key(&mut self, time: Duration) -> io::Result<Option<Left>> {
        let end = Instant::now() + time;
        loop {
            if !event::poll(end.saturating_duration_since(Instant::now()))? {
                return Ok(None);
            }
            match event::read()? {
                Event::Key(key) => {
                    if let Some(left) = left_by(key) {
                        return Ok(Some(left));
                    }
                }
                Event::Resize(..) => return Ok(None),
                _ => {}
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // What a drawing that failed left behind belongs on the view's screen.
        let _ = io::Write::flush(&mut self.backend);
        give_back(&self.taken);
        // A thread that panics may not touch the hook; the one that is there then does no harm.
        if thread::panicking() {
            return;
        }
        drop(panic::take_hook());
        if let Some(hook) = self.hook.take().and_then(Arc::into_inner) {
            panic::set_hook(hook);
        }
    }
}

/// Leaves the terminal as it was, once.
fn give_back(taken: &AtomicBool) {
    if taken.swap(false, Ordering::SeqCst) {
        // Nobody could be told that it failed: what would be told with is gone.
        let _ = execute!(io::stderr(), EndSynchronizedUpdate, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
        let _ = io::stderr().flush();
    }
}

/// What a key ends, if it ends anything.
fn left_by(key: KeyEvent) -> Option<Left> {
    match key.code {
        _ if key.kind == KeyEventKind::Release => None,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
            Some(Left::Interrupted)
        }
        KeyCode::Char('q' | 'Q') => Some(Left::Quit),
        _ => None,
    }
}
