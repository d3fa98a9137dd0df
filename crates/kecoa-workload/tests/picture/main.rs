//! What is shown of a run: the recorder, the summary, the report, the live view. No network.

#[cfg(test)]
mod golden;
#[cfg(test)]
mod live;
mod recorder;
mod report;
#[cfg(test)]
mod scripted;
mod summary;
#[cfg(test)]
#[cfg(unix)]
mod terminal;
