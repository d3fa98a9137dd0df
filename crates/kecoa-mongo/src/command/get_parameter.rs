//! `getParameter` and `setParameter`.

use ::bson::{RawBsonRef, RawDocumentBuf};
use bson::raw::cstr;

use crate::error::{Code, Error};

use super::context::{Context, Definition, Privilege, Running};

/// `getParameter`.
pub const GET_PARAMETER: Definition = Definition::new("getParameter", get)
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("shows parameters of the server");

/// `setParameter`.
pub const SET_PARAMETER: Definition = Definition::new("setParameter", set)
    .open()
    .admin()
    .needs(Privilege::Operate)
    .help("changes parameters of the server");

/// Fields of the body that name no parameter.
const OTHERS: &[&str] = &[
    "lsid",
    "comment",
    "maxTimeMS",
    "txnNumber",
    "readConcern",
    "writeConcern",
    "allParameters",
    "showDetails",
];

fn get<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let body = context.request.body();
        let (all, detailed, runtime, startup) = match context.value {
            RawBsonRef::String("*") => (true, false, false, false),
            RawBsonRef::Document(options) => {
                let flag = |name| matches!(options.get(name), Ok(Some(RawBsonRef::Boolean(true))));
                let at = options.get_str("setAt").ok();
                (
                    flag("allParameters"),
                    flag("showDetails"),
                    at == Some("runtime"),
                    at == Some("startup"),
                )
            }
            _ => (false, false, false, false),
        };
        let named: Vec<_> = names(body).collect();
        let shown = context.gateway.parameters.show(
            |name, at_runtime, at_startup| {
                (all || named.contains(&name))
                    && (!runtime || at_runtime)
                    && (!startup || at_startup)
            },
            detailed,
        );
        if shown.is_empty() {
            return Err(Error::new(Code::INVALID_OPTIONS, "no option found to get"));
        }
        Ok(shown)
    })
}

fn set<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let mut reply = RawDocumentBuf::new();
        for (name, value) in context.request.body().iter().skip(1).flatten() {
            let name = name.as_str();
            if is_other(name) {
                continue;
            }
            let before = context.gateway.parameters.set(name, value)?;
            if reply.is_empty() {
                reply.append(cstr!("was"), before);
            }
        }
        if reply.is_empty() {
            return Err(Error::new(
                Code::INVALID_OPTIONS,
                "no option found to set, use help:true to see options ",
            ));
        }
        Ok(reply)
    })
}

fn names(body: &::bson::RawDocument) -> impl Iterator<Item = &str> {
    body.iter().skip(1).flatten().map(|(name, _)| name.as_str()).filter(|name| !is_other(name))
}

fn is_other(name: &str) -> bool {
    name.starts_with('$') || name.starts_with("api") || OTHERS.contains(&name)
}
