//! The sandbox's second face: the same router, called in this process instead of over a socket.
//!
//! Place in the flow: an adapter's request -> `Outbound` -> here -> the router that HTTP serves ->
//! the answer, or none where the script says that it is lost. So whoever runs both in one process,
//! as the simulator does, goes through the same requests and answers. It holds no rule.

use super::{
    Sandbox,
    http::{Lost, router},
};
use crate::outbound::{Answered, NoAnswer};
use axum::{Router, body::Body};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use tower_service::Service;

#[cfg(test)]
pub(crate) mod trouble;

/// A sandbox in this process; cheap to clone.
#[derive(Clone, Debug)]
pub struct InProcess {
    router: Router,
    /// What goes wrong between us and it.
    #[cfg(test)]
    pub(crate) trouble: trouble::Line,
}

impl InProcess {
    /// The in-process face of a sandbox.
    pub fn new(sandbox: Sandbox) -> InProcess {
        InProcess {
            router: router(sandbox),
            #[cfg(test)]
            trouble: trouble::Line::default(),
        }
    }

    /// One request and its whole answer.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answered, NoAnswer> {
        #[cfg(test)]
        return trouble::through(self, request).await;
        #[cfg(not(test))]
        self.exchange(request).await
    }

    /// The request reaches the sandbox.
    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answered, NoAnswer> {
        let Ok(response) = self.router.clone().call(request.map(Body::new)).await;
        if response.extensions().get::<Lost>().is_some() {
            return Err(NoAnswer::unknown("the answer is lost"));
        }
        let status = response.status().as_u16();
        let body = response.into_body().collect().await;
        let half = |error| NoAnswer::unknown(format!("half an answer: {error}"));
        let body = body.map_err(half)?.to_bytes();
        Ok(Answered { status, told_at: None, retry_after: None, body })
    }
}
