//! Results as text: one printer a format.
//!
//! A printer takes rows as they come and holds no more than a chunk of them.

mod delimited;
mod json;
mod look;
mod markup;
mod table;

pub use look::Format;
#[cfg(test)]
use look::Kind;
pub(crate) use look::{Column, Expanded, Look, Printer, Screen};

/// A printer for a result with these columns.
pub(crate) fn printer(look: &Look, screen: Screen, columns: Vec<Column>) -> Box<dyn Printer> {
    match look.format {
        Format::Table => Box::new(table::Table::new(look.clone(), screen, columns)),
        Format::Unaligned | Format::Csv | Format::Tsv => {
            Box::new(delimited::Delimited::new(look.clone(), screen, &columns))
        }
        Format::Json => Box::new(json::Json::new(screen, &columns, false)),
        Format::Ndjson => Box::new(json::Json::new(screen, &columns, true)),
        Format::Markdown => Box::new(markup::Markdown::new(look.clone(), screen, &columns)),
        Format::Html => Box::new(markup::Html::new(look.clone(), screen, &columns)),
    }
}

#[cfg(test)]
mod tests;
