//! Where each field of a struct gets its value from.

use syn::ext::IdentExt;
use syn::{Error, Field, Fields, Index, LitStr, Member, Type};

/// A field and its source.
pub(crate) struct Sourced<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) source: Source,
}

/// Where a field's value comes from.
pub(crate) enum Source {
    /// The column of this name.
    Named(String),
    /// The next column.
    Positional,
    /// Columns that the field's own type finds.
    Flattened,
    /// Nowhere.
    Skipped,
}

pub(crate) fn sources(fields: &Fields) -> Result<Vec<Sourced<'_>>, Error> {
    fields.iter().enumerate().map(|(number, field)| sourced(number, field)).collect()
}

fn sourced(number: usize, field: &Field) -> Result<Sourced<'_>, Error> {
    let mut chosen: Option<Source> = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("kecoa")) {
        attribute.parse_nested_meta(|meta| {
            let source = if meta.path.is_ident("rename") {
                Source::Named(meta.value()?.parse::<LitStr>()?.value())
            } else if meta.path.is_ident("flatten") {
                Source::Flattened
            } else if meta.path.is_ident("skip") {
                Source::Skipped
            } else {
                return Err(meta.error("expected rename = \"…\", flatten or skip"));
            };
            if chosen.replace(source).is_some() {
                return Err(meta.error("expected one of rename, flatten and skip, found two"));
            }
            Ok(())
        })?;
    }
    let (member, usual) = match &field.ident {
        Some(name) => (Member::Named(name.clone()), Source::Named(name.unraw().to_string())),
        None => (Member::Unnamed(Index::from(number)), Source::Positional),
    };
    Ok(Sourced { member, ty: &field.ty, source: chosen.unwrap_or(usual) })
}
