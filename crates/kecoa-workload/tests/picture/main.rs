//! What is shown of a run: the recorder, the summary, the report, the live view. No network.

#[cfg(test)]
mod golden;
mod recorder;
mod scripted;
mod summary;
