//! When somebody who waits for an answer looks at the socket for a moment before going to sleep.
//!
//! To be put to sleep and woken costs more than the answer to a small statement takes: a look that meets the
//! answer halves the round trip. A look that does not is CPU time lost. So a connection looks only while its
//! answers come within a look; each miss makes it sleep at once for 1, 3, 7 … 63 answers.
//!
//! Between looks the core is given to whoever wants it, above all to the server. Where others compute on it, it
//! comes back late, by milliseconds: one that sleeps is woken before them, one that gave the core up waits for its
//! turn. So looks are measured by the sleeps of the same connection, of which it first makes some; a look that
//! takes much longer makes it sleep at once for thousands of answers, and for longer each time. A crowd of threads
//! that wait for answers in turn is no reason: there a sleep takes as long.

use std::time::Duration;

/// So many misses in a row at most make the next pause longer: 2⁶ - 1 answers.
const MISSES: u32 = 6;

/// So many answers are slept for where others compute, at first and at most.
const CROWDED: (u32, u32) = (4_095, 65_535);

/// So many answers are slept for at first, and later one of so many, to know what a sleep takes.
const SAMPLE: u32 = 64;

/// What one connection knows about its answers.
#[derive(Debug, Default)]
pub struct BusyPoll {
    /// How long a look may take; zero: it never looks.
    limit: Duration,
    /// Misses of late, less the hits since.
    misses: u32,
    /// So many answers are slept for before the next look.
    pause: u32,
    /// So many answers were slept for when the core last came back late; zero once it is forgotten.
    crowded: u32,
    /// Looks until the next sleep that is measured.
    left: u32,
    /// How long a short sleep takes, as far as is known.
    asleep: Option<Duration>,
}

impl BusyPoll {
    /// Looks for up to `limit`; zero turns it off.
    #[must_use]
    pub fn new(limit: Duration) -> BusyPoll {
        BusyPoll { limit, pause: SAMPLE, left: SAMPLE - 1, ..BusyPoll::default() }
    }

    /// Whether it may look at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.limit.is_zero()
    }

    /// Whether to look for the answer that is awaited now, by a caller who can wait for `left` at most. If not,
    /// the caller says how long it [`slept`](BusyPoll::slept).
    pub fn begin(&mut self, left: Option<Duration>) -> bool {
        if !self.is_on() || left.is_some_and(|left| left <= self.limit) {
            return false;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return false;
        }
        if self.left == 0 {
            self.left = SAMPLE - 1;
            self.crowded = 0;
            return false;
        }
        self.left -= 1;
        true
    }

    /// The answer came `elapsed` after the caller went to sleep.
    pub fn slept(&mut self, elapsed: Duration) {
        self.asleep = Some(match self.asleep {
            None => elapsed,
            // What is sought is a short sleep: statements that take long by themselves count for little.
            Some(known) if elapsed < known => known - (known - elapsed) / 4,
            Some(known) => known + (elapsed - known).min(known) / 16,
        });
    }

    /// Nothing has come `elapsed` after the look began: whether to go on looking.
    pub fn nothing(&mut self, elapsed: Duration) -> bool {
        if elapsed < self.limit {
            return true;
        }
        self.missed(elapsed);
        false
    }

    /// Something has come `elapsed` after the look began.
    pub fn something(&mut self, elapsed: Duration) {
        // Who waits among many for the core may be late, as long as it is not later than out of a sleep.
        let asleep = self.asleep.unwrap_or_default();
        if elapsed <= self.limit.max(asleep + asleep / 4) {
            self.misses = self.misses.saturating_sub(1);
        } else {
            self.missed(elapsed);
        }
    }

    fn missed(&mut self, elapsed: Duration) {
        if elapsed > self.limit + 2 * self.asleep.unwrap_or(self.limit) {
            self.crowded = (2 * self.crowded + 1).clamp(CROWDED.0, CROWDED.1);
            self.pause = self.crowded;
            self.left = SAMPLE - 1;
        } else {
            self.misses = (self.misses + 1).min(MISSES);
            self.pause = (1 << self.misses) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_micros(50);
    /// What waking up adds.
    const WAKING: Duration = Duration::from_micros(25);

    /// Answers that come after the times given, each once; how many of them were looked for, and the time spent
    /// on looks. A look comes round every `turn` microseconds.
    fn run(
        poll: &mut BusyPoll,
        turn: u64,
        answers: impl IntoIterator<Item = u64>,
    ) -> (u32, Duration) {
        let (mut looks, mut spent) = (0, Duration::ZERO);
        for answer in answers.into_iter().map(Duration::from_micros) {
            if !poll.begin(None) {
                poll.slept(answer + WAKING);
                continue;
            }
            looks += 1;
            let mut elapsed = Duration::ZERO;
            loop {
                elapsed += Duration::from_micros(turn);
                if elapsed >= answer {
                    poll.something(elapsed);
                    break;
                }
                if !poll.nothing(elapsed) {
                    break;
                }
            }
            spent += elapsed;
        }
        (looks, spent)
    }

    /// One that has measured its first sleeps.
    fn practised() -> BusyPoll {
        let mut poll = BusyPoll::new(LIMIT);
        assert_eq!(run(&mut poll, 2, [20; 64]).0, 0);
        poll
    }

    #[test]
    fn quick_answers_are_looked_for_but_for_a_sample() {
        let (looks, spent) = run(&mut practised(), 2, [20; 6_400]);
        assert_eq!((looks, spent), (6_300, Duration::from_millis(126)));
    }

    #[test]
    fn slow_answers_are_looked_for_ever_less() {
        let mut poll = practised();
        let looked: Vec<usize> = (0..300).filter(|_| run(&mut poll, 2, [140]).0 == 1).collect();
        assert_eq!(looked, [0, 2, 6, 14, 30, 62, 126, 190, 254]);
        // In the long run a look is less than a microsecond an answer.
        let (_, spent) = run(&mut poll, 2, [140; 6_400]);
        assert!(spent / 6_400 < Duration::from_micros(1), "{spent:?}");
    }

    #[test]
    fn quick_answers_are_found_again() {
        let mut poll = practised();
        run(&mut poll, 2, [5_000; 1_000]);
        let (looks, _) = run(&mut poll, 2, [20; 200]);
        assert!(looks >= 200 - 64 - 4, "{looks}");
    }

    #[test]
    fn one_slow_answer_among_quick_ones_costs_little() {
        let answers = (0..1_000).map(|i| if i % 10 == 9 { 140 } else { 20 });
        let (looks, _) = run(&mut practised(), 2, answers);
        assert!((850..1_000).contains(&looks), "{looks}");
    }

    #[test]
    fn many_slow_answers_make_looks_rare() {
        let mut poll = practised();
        let mut answers =
            (0_u64..).map(|i| if i.wrapping_mul(0x9E37_79B9) % 100 < 80 { 140 } else { 20 });
        run(&mut poll, 2, answers.by_ref().take(500));
        let (looks, _) = run(&mut poll, 2, answers.take(1_000));
        assert!(looks < 150, "{looks}");
    }

    #[test]
    fn where_others_compute_it_sleeps() {
        // The core comes back after two milliseconds, with the answer.
        let mut poll = practised();
        let (looks, spent) = run(&mut poll, 2_000, [20; 20_000]);
        assert_eq!(looks, 3, "after 4,095 and 8,191 answers");
        assert!(spent / 20_000 < Duration::from_micros(1), "{spent:?}");
        // The others are gone; then they come again.
        let (looks, _) = run(&mut poll, 2, [20; 20_000]);
        assert!(looks > 10_000, "{looks}");
        let (looks, _) = run(&mut poll, 2_000, [20; 20_000]);
        assert_eq!(looks, 3);
    }

    #[test]
    fn where_others_compute_slow_answers_pay_little() {
        let (looks, spent) = run(&mut practised(), 3_000, [2_000; 10_000]);
        assert!(looks < 200, "{looks}");
        assert!(spent < Duration::from_millis(2) * 10_000 / 30, "{spent:?}");
    }

    #[test]
    fn a_crowd_of_threads_goes_on_looking() {
        // Every answer takes as long as all others' turns, asleep or not.
        let mut poll = BusyPoll::new(LIMIT);
        let (looks, _) = run(&mut poll, 600, [590; 64 + 640]);
        assert_eq!(looks, 630);
    }

    #[test]
    fn turned_off_or_without_time_nothing_is_looked_for() {
        assert_eq!(run(&mut BusyPoll::default(), 2, [1; 100]).0, 0);
        let mut poll = practised();
        assert!(!poll.begin(Some(Duration::from_micros(50))));
        assert!(poll.begin(Some(Duration::from_micros(51))));
    }
}
