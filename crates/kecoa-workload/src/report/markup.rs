//! HTML and SVG as text: elements with attributes, everything that stands in them escaped.

use std::fmt::{Display, Write as _};

/// A document that is written element by element.
///
/// Whatever is not the name of an element or an attribute goes through [`escaped`]. What is written is
/// well-formed XML as well as HTML: elements are closed in the order in which they were opened.
#[derive(Debug, Default)]
pub(super) struct Markup {
    text: String,
}

impl Markup {
    /// An element with what `inside` writes between its tags.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &dyn Display)],
        inside: impl FnOnce(&mut Markup),
    ) {
        self.start(name, attributes);
        self.text.push('>');
        inside(self);
        self.end(name);
    }

    /// An element of text.
    pub(super) fn text_element(
        &mut self,
        name: &str,
        attributes: &[(&str, &dyn Display)],
        text: &str,
    ) {
        self.element(name, attributes, |markup| markup.text(text));
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        self.start(name, attributes);
        self.text.push_str("/>");
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        self.text.push_str(&escaped(text));
    }

    /// A line end, so that the source can be read.
    pub(super) fn line_end(&mut self) {
        self.text.push('\n');
    }

    /// Text that is markup already: of the program's own, never of others.
    pub(super) fn verbatim(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    /// All that was written.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (attribute, value) in attributes {
            let value = escaped(&value.to_string());
            // Writing to a string cannot fail.
            let _ = write!(self.text, " {attribute}=\"{value}\"");
        }
    }

    fn end(&mut self, name: &str) {
        let _ = write!(self.text, "</{name}>");
    }
}

/// Text that means itself, between tags and in attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no other control characters at all.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Markup;

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut markup = Markup::default();
        let hostile = "</p><script a=\"1\" b='2'>&\u{1b}";
        markup.element("p", &[("title", &hostile)], |markup| markup.text(hostile));
        let escaped = "&lt;/p&gt;&lt;script a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;\u{fffd}";
        assert_eq!(markup.into_text(), format!("<p title=\"{escaped}\">{escaped}</p>"));
    }
}
