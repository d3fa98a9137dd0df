//! The live view: whole screens.

use kecoa_workload::live::draw;
use kecoa_workload::{End, Event, Summary};
use ratatui_core::backend::TestBackend;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier};
use ratatui_core::terminal::Terminal;

use crate::golden::assert_golden;
use crate::scripted::{busy, small, summary_of};

fn screen(summary: &Summary, color: bool, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let drawn = terminal.draw(|frame| draw(summary, color, frame.area(), frame.buffer_mut()));
    drawn.unwrap().buffer.clone()
}

/// The characters, line by line.
fn text(buffer: &Buffer) -> String {
    by_cell(buffer, |cell| cell.symbol().to_owned())
}

/// A letter for the look of each cell, line by line: `.` is plain.
fn looks(buffer: &Buffer) -> String {
    by_cell(buffer, |cell| {
        let look = match cell.fg {
            Color::Green => "g",
            Color::Red => "r",
            Color::Yellow => "y",
            Color::Cyan => "c",
            Color::DarkGray => "d",
            Color::Reset if cell.modifier.contains(Modifier::BOLD) => "B",
            Color::Reset if cell.modifier.contains(Modifier::DIM) => "D",
            Color::Reset if cell.symbol() == " " => " ",
            Color::Reset => ".",
            _ => "?",
        };
        look.to_owned()
    })
}

fn by_cell(buffer: &Buffer, show: impl Fn(&ratatui_core::buffer::Cell) -> String) -> String {
    let mut out = String::new();
    for line in buffer.content.chunks(buffer.area.width.into()) {
        let line: String = line.iter().map(&show).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The run of `busy` as it stands after so many seconds.
fn busy_at(seconds: u64) -> Summary {
    let end = std::time::Duration::from_secs(seconds);
    let before = |event: &Event| match event {
        Event::Transaction(transaction) => transaction.started + transaction.took < end,
        Event::Fault { at, .. } | Event::Killed { at } | Event::Back { at, .. } => *at < end,
        Event::Checked { at, .. } => *at < end,
        _ => false,
    };
    let events: Vec<_> = busy().into_iter().filter(before).collect();
    summary_of(&events, End::Running)
}

#[test]
fn whole_screens_are_exactly_these() {
    for (width, height) in [(80, 24), (120, 40), (60, 18), (40, 10)] {
        let buffer = screen(&busy_at(22), true, width, height);
        assert_golden(&format!("busy-{width}x{height}.txt"), &text(&buffer));
        assert_golden(&format!("busy-{width}x{height}-looks.txt"), &looks(&buffer));
    }
    assert_golden(
        "small-80x24.txt",
        &text(&screen(&summary_of(&small(), End::Running), true, 80, 24)),
    );
    assert_golden("empty-80x24.txt", &text(&screen(&summary_of(&[], End::Running), true, 80, 24)));
}

#[test]
fn without_colour_the_characters_are_the_same() {
    for (width, height) in [(80, 24), (120, 40)] {
        let (plain, colored) =
            (screen(&busy_at(22), false, width, height), screen(&busy_at(22), true, width, height));
        assert_eq!(text(&plain), text(&colored));
        assert!(
            plain.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset))
        );
        assert!(colored.content.iter().any(|cell| cell.fg == Color::Green));
        // What is bad is seen all the same.
        let failed = screen(&summary_of(&small(), End::Running), false, width, height);
        let bold = |cell: &&ratatui_core::buffer::Cell| cell.modifier.contains(Modifier::BOLD);
        let bold: String = failed.content.iter().filter(bold).map(|cell| cell.symbol()).collect();
        assert!(bold.contains("✗ sum: 1,000,100 in"), "{bold}");
    }
}

#[test]
fn every_size_can_be_drawn() {
    let summaries =
        [busy_at(22), summary_of(&[], End::Running), summary_of(&small(), End::Running)];
    for summary in &summaries {
        for width in (0..140).step_by(7).chain([59, 60, 61, 300]) {
            for height in (0..60).step_by(5).chain([17, 18, 19, 100]) {
                let area = Rect::new(0, 0, width, height);
                let mut buffer = Buffer::empty(area);
                draw(summary, true, area, &mut buffer);
            }
        }
    }
}

#[test]
fn nothing_is_drawn_outside_of_the_area() {
    let whole = Rect::new(0, 0, 100, 40);
    for area in [Rect::new(5, 3, 80, 24), Rect::new(50, 30, 80, 24), Rect::new(10, 10, 30, 8)] {
        let mut buffer = Buffer::empty(whole);
        draw(&busy_at(22), true, area, &mut buffer);
        for (index, cell) in buffer.content.iter().enumerate() {
            let index = u16::try_from(index).unwrap();
            let (x, y) = (index % whole.width, index / whole.width);
            assert!(area.contains((x, y).into()) || cell.symbol() == " ", "{x} {y}");
        }
    }
}

#[test]
fn a_failed_check_is_seen_on_the_smallest_screen_that_has_checks() {
    let mut events = small();
    for check in ["a", "b", "c", "d", "e", "f"] {
        let result = Ok("fine".to_owned());
        events.push(Event::Checked { at: std::time::Duration::ZERO, check, result });
    }
    let screen = screen(&summary_of(&events, End::Running), true, 60, 18);
    assert!(text(&screen).contains("✗ sum"), "{}", text(&screen));
}
