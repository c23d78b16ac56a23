//! What an operation of the API is: its method and path, and what its handler's own signature says
//! of it: who may call it, which body it reads, what it answers, and the problems that come with
//! each of these. The router and the document (`docs/openapi.json`) are made from the same list of
//! operations, so neither has what the other has not.

use super::extract::{Body, CallerAddress, MaybeSignedIn, Raw, RequestKey, SignedIn};
use crate::{Shared, error};
use axum::{
    Json,
    extract::{DefaultBodyLimit, Path, State},
    handler::Handler,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
    routing::{self, MethodRouter},
};
use std::{any::type_name, future::Future};

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, `{names}` in it.
    pub path: &'static str,
    /// The handler's own name, with its module: `laika_server::api::rules::save`.
    pub handler: &'static str,
    /// Who may call it.
    pub caller: Caller,
    /// Whether it takes an `Idempotency-Key`.
    pub takes_key: bool,
    /// What it reads.
    pub reads: Content,
    /// What it answers when it does what was asked.
    pub answers: Content,
    /// The status of that answer.
    pub status: u16,
    /// The code of every problem it may answer.
    pub problems: Vec<&'static str>,
    /// What runs.
    pub route: MethodRouter<Shared>,
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anybody; whoever is signed in may get more.
    Anybody,
    /// Somebody with a session.
    SignedIn,
    /// A machine that signs the body, in the header of this name.
    Machine(&'static str),
}

/// A body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// None.
    Nothing,
    /// JSON: the name of its type, as Rust has it.
    Json(&'static str),
    /// Something else, or JSON that is read by hand: the media types, and what the document calls
    /// its shape.
    Other(&'static [&'static str], &'static str),
}

/// An operation that reads.
pub fn get<H: Handler<T, Shared> + Describes<A>, T: 'static, A>(
    path: &'static str,
    handler: H,
) -> Operation {
    Operation::new::<H, A>(Method::GET, path, routing::get(handler))
}

/// An operation that makes something, or does it.
pub fn post<H: Handler<T, Shared> + Describes<A>, T: 'static, A>(
    path: &'static str,
    handler: H,
) -> Operation {
    Operation::new::<H, A>(Method::POST, path, routing::post(handler))
}

/// An operation that puts something in the place of what was there.
pub fn put<H: Handler<T, Shared> + Describes<A>, T: 'static, A>(
    path: &'static str,
    handler: H,
) -> Operation {
    Operation::new::<H, A>(Method::PUT, path, routing::put(handler))
}

/// An operation that changes a part of something.
pub fn patch<H: Handler<T, Shared> + Describes<A>, T: 'static, A>(
    path: &'static str,
    handler: H,
) -> Operation {
    Operation::new::<H, A>(Method::PATCH, path, routing::patch(handler))
}

/// An operation that ends something.
pub fn delete<H: Handler<T, Shared> + Describes<A>, T: 'static, A>(
    path: &'static str,
    handler: H,
) -> Operation {
    Operation::new::<H, A>(Method::DELETE, path, routing::delete(handler))
}

impl Operation {
    fn new<H: Describes<A>, A>(
        method: Method,
        path: &'static str,
        route: MethodRouter<Shared>,
    ) -> Operation {
        let safe = method == Method::GET;
        let mut operation = Operation {
            method,
            path,
            handler: type_name::<H>(),
            caller: Caller::Anybody,
            takes_key: false,
            reads: Content::Nothing,
            answers: Content::Nothing,
            status: 200,
            problems: vec!["internal", "too_slow", "database_away"],
            route,
        };
        if !safe {
            operation.problems.extend(["cross_origin", "encoded"]);
        }
        H::describe(&mut operation);
        operation
    }

    /// Answers with this status; 200, 201 and 204 need not be said where the type tells.
    pub fn status(mut self, status: u16) -> Operation {
        self.status = status;
        self
    }

    /// Answers with this type, where the handler's own does not tell.
    pub fn gives<T>(mut self, status: u16) -> Operation {
        (self.answers, self.status) = (Content::Json(type_name::<T>()), status);
        self
    }

    /// Answers with this media type and shape.
    pub fn gives_other(mut self, kind: &'static [&'static str], shape: &'static str) -> Operation {
        self.answers = Content::Other(kind, shape);
        self
    }

    /// Reads a body signed in that header, of one of the media types and of that shape.
    pub fn signed(
        mut self,
        header: &'static str,
        kinds: &'static [&'static str],
        shape: &'static str,
    ) -> Operation {
        (self.caller, self.reads) = (Caller::Machine(header), Content::Other(kinds, shape));
        self.may(&["bad_signature", "bad_json"])
    }

    /// Reads no larger body than that.
    pub fn body_most(mut self, bytes: usize) -> Operation {
        self.route = self.route.layer(DefaultBodyLimit::max(bytes));
        self
    }

    /// May also answer these problems, beside those of what it takes.
    pub fn may(mut self, problems: &[&'static str]) -> Operation {
        self.problems.extend(problems);
        self
    }
}

/// A handler, as far as its signature tells.
pub trait Describes<A> {
    /// Writes down what each argument and the answer mean.
    fn describe(operation: &mut Operation);
}

/// Something that a handler takes.
pub trait Taken {
    /// What that means for the operation.
    fn describe(operation: &mut Operation);
}

/// Something that a handler answers.
pub trait Answered {
    /// What that means for the operation.
    fn describe(operation: &mut Operation);
}

macro_rules! handlers {
    ($($($taken:ident)*;)*) => {$(
        impl<F, Fut, R, $($taken),*> Describes<(Fut, R, $($taken,)*)> for F
        where
            F: Fn($($taken),*) -> Fut,
            Fut: Future<Output = R>,
            R: Answered,
            $($taken: Taken,)*
        {
            fn describe(operation: &mut Operation) {
                R::describe(operation);
                $($taken::describe(operation);)*
            }
        }
    )*};
}

handlers! { ; A; A B; A B C; A B C D; A B C D E; }

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Taken for $type {
            fn describe(_: &mut Operation) {}
        }
    )*};
}

plain! { State<Shared>, CallerAddress, HeaderMap, MaybeSignedIn }

impl Taken for SignedIn {
    fn describe(operation: &mut Operation) {
        operation.caller = Caller::SignedIn;
        operation.problems.push("unauthenticated");
    }
}

impl Taken for RequestKey {
    fn describe(operation: &mut Operation) {
        operation.takes_key = true;
        operation.problems.push("idempotency_key");
    }
}

impl<T> Taken for Path<T> {
    fn describe(operation: &mut Operation) {
        operation.problems.push("not_found");
    }
}

impl<T> Taken for Body<T> {
    fn describe(operation: &mut Operation) {
        operation.reads = Content::Json(type_name::<T>());
        operation.problems.extend(["not_json", "bad_json", "too_large", "unreadable_body"]);
    }
}

impl Taken for Raw {
    fn describe(operation: &mut Operation) {
        operation.problems.extend(["too_large", "unreadable_body"]);
    }
}

impl<T: Answered> Answered for error::Result<T> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<T> Answered for Json<T> {
    fn describe(operation: &mut Operation) {
        operation.answers = Content::Json(type_name::<T>());
    }
}

impl Answered for StatusCode {
    fn describe(operation: &mut Operation) {
        operation.status = 204;
    }
}

impl<T: Answered> Answered for (StatusCode, T) {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
        operation.status = 201;
    }
}

impl Answered for Response {
    fn describe(_: &mut Operation) {}
}

impl Answered for &'static str {
    fn describe(operation: &mut Operation) {
        operation.answers = Content::Other(&["text/plain"], "text");
    }
}
