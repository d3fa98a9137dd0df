//! `#[derive(FromRow)]` of the crate `kecoa`, where it is documented and exported.
#![forbid(unsafe_code)]

mod fields;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Code;
use quote::quote;
use syn::{Data, DeriveInput, Error, parse_macro_input};

use fields::{Source, sources};

/// Reads rows as this struct; see `kecoa::FromRow`.
///
/// A struct with named fields finds its columns by name, a tuple struct takes them in order. NULL
/// needs an `Option`. On a field:
///
/// - `#[kecoa(rename = "column")]`: the column has another name;
/// - `#[kecoa(flatten)]`: the field is read from the same row by its own `FromRow`;
/// - `#[kecoa(skip)]`: no column; the field's `Default`.
#[proc_macro_derive(FromRow, attributes(kecoa))]
pub fn derive_from_row(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> Result<Code, Error> {
    let data = match &input.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            let message = "expected a struct to read rows as, found an enum";
            return Err(Error::new(data.enum_token.span, message));
        }
        Data::Union(data) => {
            let message = "expected a struct to read rows as, found a union";
            return Err(Error::new(data.union_token.span, message));
        }
    };
    let sources = sources(&data.fields)?;
    let find = sources.iter().map(|field| {
        let ty = field.ty;
        match &field.source {
            Source::Named(name) => quote! { columns.named::<#ty>(#name)?; },
            Source::Positional => quote! { columns.positional::<#ty>()?; },
            Source::Flattened => quote! { <#ty as ::kecoa::FromRow>::find(columns)?; },
            Source::Skipped => Code::new(),
        }
    });
    let read = sources.iter().map(|field| {
        let (member, ty) = (&field.member, field.ty);
        let value = match field.source {
            Source::Named(_) | Source::Positional => quote! { values.take::<#ty>()? },
            Source::Flattened => quote! { <#ty as ::kecoa::FromRow>::read(values)? },
            Source::Skipped => quote! { ::core::default::Default::default() },
        };
        quote! { #member: #value }
    });
    let name = &input.ident;
    let mut generics = input.generics.clone();
    if input.generics.type_params().next().is_some() {
        let bounds = generics.make_where_clause();
        for field in &sources {
            let ty = field.ty;
            bounds.predicates.push(match field.source {
                Source::Named(_) | Source::Positional => {
                    syn::parse_quote! { #ty: ::kecoa::types::FromSql }
                }
                Source::Flattened => syn::parse_quote! { #ty: ::kecoa::FromRow },
                Source::Skipped => syn::parse_quote! { #ty: ::core::default::Default },
            });
        }
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters ::kecoa::FromRow for #name #arguments #bounds {
            fn find(
                columns: &mut ::kecoa::Columns<'_>,
            ) -> ::core::result::Result<(), ::kecoa::Error> {
                let _ = &columns;
                #(#find)*
                ::core::result::Result::Ok(())
            }

            fn read(
                values: &mut ::kecoa::Values<'_>,
            ) -> ::core::result::Result<Self, ::kecoa::Error> {
                let _ = &values;
                ::core::result::Result::Ok(Self { #(#read),* })
            }
        }
    })
}
