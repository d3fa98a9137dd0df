//! The report: one HTML file, with charts, that needs nothing from elsewhere.
//!
//! Style is inline, charts are SVG, there is no script. Colours follow the reader's scheme, and those of
//! paper when it is printed. Whatever came from a server or a user is escaped.

mod axis;
mod charts;
mod markup;
mod timeline;

use std::fmt::Display;

use self::charts::{BarRow, bars};
use self::markup::Markup;
use crate::summary::{Check, End, Latency, Summary};
use crate::units::{clock, count, counted, rate, share, time};

const STYLE: &str = include_str!("report/style.css");

/// Cells of a table's row: a class and a text each.
type Cells = Vec<(&'static str, String)>;

impl Summary {
    /// The summary as an HTML document in one file, to be written to disk as it is.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut out = Markup::default();
        out.verbatim("<!DOCTYPE html>\n");
        out.element("html", &[("lang", &"en")], |out| {
            out.element("head", &[], |out| {
                out.empty("meta", &[("charset", &"utf-8")]);
                let viewport = "width=device-width, initial-scale=1";
                out.empty("meta", &[("name", &"viewport"), ("content", &viewport)]);
                out.text_element("title", &[], &self.title());
                out.element("style", &[], |out| out.verbatim(STYLE));
            });
            out.line_end();
            out.element("body", &[], |out| out.element("main", &[], |out| self.body(out)));
        });
        out.line_end();
        out.into_text()
    }

    fn title(&self) -> String {
        format!("kecoa workload {}", self.run.workload)
    }

    fn body(&self, out: &mut Markup) {
        self.head(out);
        if let Some(found) = self.checks.iter().find(|check| check.failed > 0) {
            violated(out, found);
        }
        self.tiles(out);
        section(out, "Throughput", |out| charts::throughput(out, self));
        if self.transactions.committed > 0 {
            section(out, "Latency", |out| {
                faint(out, "Of transactions that committed, retries and waits included.");
                charts::percentiles(out, self);
                charts::histogram(out, self);
                self.latency_table(out);
            });
        }
        if self.attempts.total > 0 {
            section(out, "Attempts", |out| self.attempts(out));
        }
        if !self.failures.is_empty() {
            section(out, "Why attempts failed", |out| self.failures(out));
        }
        self.timelines(out);
        if self.faults.injected > 0 || self.faults.killed > 0 {
            section(out, "Faults", |out| self.faults(out));
        }
        if self.transactions.ambiguous > 0 {
            section(out, "Ambiguous commits", |out| self.ambiguous(out));
        }
        if !self.checks.is_empty() {
            section(out, "Checks", |out| self.checks(out));
        }
        section(out, "The run", |out| self.options(out));
    }

    fn head(&self, out: &mut Markup) {
        out.text_element("h1", &[], &self.title());
        let workers = counted(self.run.concurrency.into(), "worker", "workers");
        let lasted = time(self.duration_us);
        faint(out, &format!("{workers} on {} for {lasted}, {}", self.run.server, self.run.started));
        let violated = self.checks.iter().any(|check| check.failed > 0);
        let committed = self.transactions.committed + self.ambiguous.committed;
        let (class, verdict) = match self.run.end {
            _ if violated => ("verdict bad", "An invariant is violated."),
            End::Violated => ("verdict bad", "An invariant is violated."),
            End::Failed => ("verdict bad", "The run could not go on."),
            End::Running => ("verdict", "The run goes on."),
            _ if committed == 0 => ("verdict bad", "Not one transaction committed."),
            _ if self.checks.is_empty() => ("verdict", "Nothing was checked."),
            End::Completed => ("verdict good", "Every check passed."),
            End::Interrupted => ("verdict good", "Interrupted; every check passed until then."),
        };
        out.text_element("p", &[("class", &class)], verdict);
        out.line_end();
    }

    fn tiles(&self, out: &mut Markup) {
        let sums = &self.transactions;
        let all = self.latency.first().cloned().unwrap_or_default();
        let retried = counted(self.attempts.retries, "retry", "retries");
        let waits = &self.backoff;
        let mut tiles = vec![
            (
                "Committed",
                count(sums.committed),
                format!("{} of all", share(sums.committed, sums.total)),
            ),
            ("Throughput", rate(sums.committed_per_second), "commits a second".to_owned()),
            match all.count {
                0 => ("Latency, p50", "-".to_owned(), "nothing committed".to_owned()),
                _ => ("Latency, p50", time(all.p50_us), format!("p99 {}", time(all.p99_us))),
            },
            ("Attempts each", self.attempts.per_transaction.to_string(), retried),
        ];
        if waits.waits > 0 {
            let waited =
                format!("{}, p50 {}", counted(waits.waits, "wait", "waits"), time(waits.p50_us));
            tiles.push(("Back-off", time(waits.total_us), waited));
        }
        for (name, number) in
            [("Refused", sums.refused), ("Failed", sums.failed), ("Ambiguous", sums.ambiguous)]
        {
            if number > 0 {
                tiles.push((name, count(number), format!("{} of all", share(number, sums.total))));
            }
        }
        out.element("dl", &[("class", &"tiles")], |out| {
            for (name, value, remark) in tiles {
                out.element("div", &[], |out| {
                    out.text_element("dt", &[], name);
                    out.text_element("dd", &[], &value);
                    out.text_element("dd", &[("class", &"remark")], &remark);
                });
            }
        });
        out.line_end();
    }

    fn latency_table(&self, out: &mut Markup) {
        let head =
            ["kind", "#count", "#min", "#mean", "#p50", "#p90", "#p95", "#p99", "#p99.9", "#max"];
        let one_kind = self.latency.len() <= 2;
        let rows = self.latency.iter().skip(usize::from(one_kind)).map(latency_cells);
        table(out, &head, rows);
    }

    fn attempts(&self, out: &mut Markup) {
        let transactions: u64 = self.attempts.distribution.iter().map(|row| row.transactions).sum();
        let rows: Vec<_> = self
            .attempts
            .distribution
            .iter()
            .map(|row| {
                let more = if row.or_more { " or more" } else { "" };
                let noun = if row.attempts == 1 { "attempt" } else { "attempts" };
                let name = format!("{}{more} {noun}", row.attempts);
                let number = count(row.transactions);
                let remark = format!("{number} ({})", share(row.transactions, transactions));
                BarRow { name, parts: vec![(row.transactions, "fill-blue")], remark }
            })
            .collect();
        bars(out, "Transactions by their attempts", &rows);
    }

    fn failures(&self, out: &mut Markup) {
        let rows: Vec<_> = self
            .failures
            .iter()
            .map(|failure| {
                let code =
                    failure.sqlstate.as_deref().map(|code| format!("{code} ")).unwrap_or_default();
                let name = format!("{code}{}", failure.reason);
                let parts = vec![(failure.retried, "fill-amber"), (failure.ended, "fill-red")];
                let remark = match (failure.retried, failure.ended) {
                    (retried, 0) => format!("{} retried", count(retried)),
                    (0, ended) => format!("{} not retried", count(ended)),
                    (retried, ended) => {
                        format!("{} retried, {} not", count(retried), count(ended))
                    }
                };
                BarRow { name, parts, remark }
            })
            .collect();
        bars(out, "Failed attempts by their reason", &rows);
        let head = ["SQLSTATE", "reason", "#retried", "#ended with it", "the first one's message"];
        let rows = self.failures.iter().map(|failure| {
            vec![
                ("", failure.sqlstate.clone().unwrap_or_else(|| "-".to_owned())),
                ("", failure.reason.clone()),
                ("number", count(failure.retried)),
                ("number", count(failure.ended)),
                ("text", failure.message.clone()),
            ]
        });
        table(out, &head, rows);
    }

    fn timelines(&self, out: &mut Markup) {
        let sample = &self.timeline;
        if sample.slowest.is_empty() {
            return;
        }
        section(out, "Back-off", |out| {
            let few = sample.sample.len() < 20;
            faint(
                out,
                if few {
                    "Every transaction that was retried or failed, the slowest first."
                } else {
                    "The slowest transactions that were retried or failed."
                },
            );
            timeline::timeline(out, "The slowest transactions", &sample.slowest);
            if !few {
                faint(out, "A random sample of those that were retried or failed.");
                timeline::timeline(out, "A sample of transactions", &sample.sample);
            }
        });
    }

    fn faults(&self, out: &mut Markup) {
        let rows: Vec<_> = self
            .faults
            .by_kind
            .iter()
            .map(|fault| BarRow {
                name: fault.what.clone(),
                parts: vec![(fault.count, "fill-purple")],
                remark: count(fault.count),
            })
            .collect();
        if !rows.is_empty() {
            bars(out, "Injected faults", &rows);
        }
        if self.faults.killed > 0 {
            let kills = counted(self.faults.killed, "kill", "kills");
            out.text_element("p", &[], &format!("{kills} of the server"));
            let rows = self.faults.kills.iter().map(|kill| {
                let down = kill.down_us.map_or_else(|| "not back".to_owned(), time);
                vec![("", clock(kill.at_us)), ("", down)]
            });
            table(out, &["killed at", "down for"], rows);
        }
    }

    fn ambiguous(&self, out: &mut Markup) {
        let ambiguous = &self.ambiguous;
        faint(
            out,
            &format!(
                "Their COMMIT had no answer. They were looked up: {} had committed, {} had not, of {} it could \
                 not be found out.",
                count(ambiguous.committed),
                count(ambiguous.not_committed),
                count(ambiguous.unknown)
            ),
        );
        let head = ["#at", "kind", "#worker", "turned out", "SQLSTATE", "message"];
        let rows = ambiguous.commits.iter().map(|commit| {
            vec![
                ("number", clock(commit.at_us)),
                ("", commit.kind.clone()),
                ("number", commit.worker.to_string()),
                ("", commit.turned_out.clone()),
                ("", commit.sqlstate.clone().unwrap_or_else(|| "-".to_owned())),
                ("text", commit.message.clone()),
            ]
        });
        table(out, &head, rows);
        let shown = ambiguous.commits.len() as u64;
        if self.transactions.ambiguous > shown {
            faint(out, &format!("The first {} are shown.", count(shown)));
        }
    }

    fn checks(&self, out: &mut Markup) {
        let rows = self.checks.iter().map(|check| {
            let class = if check.failed > 0 { "bad" } else { "good" };
            let said = match (&check.first_failure, check.first_failure_at_us) {
                (Some(found), Some(at)) => format!("first at {}: {found}", clock(at)),
                _ => check.last.clone(),
            };
            vec![
                ("", check.check.clone()),
                (class, if check.failed > 0 { "failed" } else { "passed" }.to_owned()),
                ("number", count(check.passed)),
                ("number", count(check.failed)),
                ("text", said),
            ]
        });
        table(out, &["check", "result", "#passed", "#failed", "what it said"], rows);
    }

    fn options(&self, out: &mut Markup) {
        let run = &self.run;
        let planned = run.planned_us.map_or_else(|| "until it was stopped".to_owned(), time);
        let rate = run.rate.map_or_else(|| "as many as can be".to_owned(), |r| r.to_string());
        let given = [
            ("workload", run.workload.clone()),
            ("database", run.database.clone()),
            ("server", run.server.clone()),
            ("client", run.client.clone()),
            ("concurrency", run.concurrency.to_string()),
            ("transactions a second", rate),
            ("planned duration", planned),
            ("seed", run.seed.to_string()),
        ];
        let given = given.into_iter().map(|(name, value)| (name.to_owned(), value));
        let chosen = run.options.iter().map(|option| (option.name.clone(), option.value.clone()));
        let kecoa = [
            ("kecoa".to_owned(), run.kecoa.clone()),
            ("started".to_owned(), run.started.clone()),
            ("lasted".to_owned(), time(self.duration_us)),
        ];
        let rows = given.chain(chosen).chain(kecoa);
        table(
            out,
            &["option", "value"],
            rows.map(|(name, value)| vec![("", name), ("text", value)]),
        );
    }
}

fn latency_cells(latency: &Latency) -> Cells {
    let times = [
        latency.min_us,
        latency.mean_us,
        latency.p50_us,
        latency.p90_us,
        latency.p95_us,
        latency.p99_us,
        latency.p999_us,
        latency.max_us,
    ];
    let mut cells = vec![("", latency.kind.clone()), ("number", count(latency.count))];
    cells.extend(times.map(|us| ("number", time(us))));
    cells
}

fn violated(out: &mut Markup, check: &Check) {
    let at = clock(check.first_failure_at_us.unwrap_or_default());
    let found = check.first_failure.as_deref().unwrap_or_default();
    out.text_element(
        "p",
        &[("class", &"bad")],
        &format!("{}, first at {at}: {found}", check.check),
    );
    out.line_end();
}

fn section(out: &mut Markup, title: &str, inside: impl FnOnce(&mut Markup)) {
    out.element("section", &[], |out| {
        out.text_element("h2", &[], title);
        out.line_end();
        inside(out);
    });
    out.line_end();
}

fn faint(out: &mut Markup, text: &str) {
    out.text_element("p", &[("class", &"faint")], text);
    out.line_end();
}

/// A table; heads that begin with `#` are of numbers.
fn table(out: &mut Markup, heads: &[&str], rows: impl Iterator<Item = Cells>) {
    out.element("div", &[("class", &"wide")], |out| {
        out.element("table", &[], |out| {
            out.element("thead", &[], |out| {
                out.element("tr", &[], |out| {
                    for head in heads {
                        let number = head.strip_prefix('#');
                        let class = if number.is_some() { "number" } else { "" };
                        cell(out, "th", class, number.unwrap_or(head));
                    }
                });
            });
            out.line_end();
            out.element("tbody", &[], |out| {
                for row in rows {
                    out.element("tr", &[], |out| {
                        for (class, text) in row {
                            cell(out, "td", class, &text);
                        }
                    });
                    out.line_end();
                }
            });
        });
    });
    out.line_end();
}

fn cell(out: &mut Markup, name: &str, class: &str, text: &str) {
    let with: &[(&str, &dyn Display)] = &[("class", &class)];
    let scope: &[(&str, &dyn Display)] = &[("scope", &"col")];
    let attributes =
        [if class.is_empty() { &[] } else { with }, if name == "th" { scope } else { &[] }];
    out.text_element(name, &attributes.concat(), text);
}
