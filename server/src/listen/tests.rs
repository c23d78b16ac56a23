//! Clients that are slow on purpose, that send too much, or that come in great numbers: each costs
//! what the limits say, and others are served meanwhile.

use super::{Limits, serve_within};
use crate::{api::guard, error};
use axum::{
    Router, body::Bytes, extract::DefaultBodyLimit, middleware, response::Response, routing::post,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

const SOON: Duration = Duration::from_millis(200);
const GOOD: &str =
    "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";

async fn echo(body: Bytes) -> Bytes {
    body
}

async fn problems(response: Response) -> Response {
    error::render(response, "req_1")
}

/// A server with short limits; it stops when the sender is dropped.
async fn server(connections: usize) -> (SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new()
        .route("/echo", post(echo))
        .layer(DefaultBodyLimit::max(1_000))
        .layer(middleware::from_fn(|request, next| guard::in_time(SOON, request, next)))
        .layer(middleware::map_response(problems));
    let limits = Limits { connections, headers_within: SOON };
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(serve_within(limits, listener, router, async {
        let _ = stopped.await;
    }));
    (address, stop)
}

/// Sends, and reads until the server closes the connection.
async fn send(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // A server that has heard enough may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    rest(stream).await
}

async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_headers_is_closed_and_others_are_served() {
    let (address, _stop) = server(64).await;
    let mut slow = Vec::new();
    for start in ["", "P", "POST /echo HTTP/1.1\r\n", "POST /echo HTTP/1.1\r\nHost: a\r\nX: "] {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(start.as_bytes()).await.expect("sent");
        slow.push(stream);
    }
    assert!(send(address, GOOD.as_bytes()).await.ends_with("hi"));
    for stream in slow {
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_body_is_told_so() {
    let (address, _stop) = server(64).await;
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(&GOOD.as_bytes()[..GOOD.len() - 1]).await.expect("sent");
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"too_slow\""), "{answer}");
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab";
    let answer = send(address, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"too_slow\""), "{answer}");
}

#[tokio::test]
async fn who_holds_all_connections_and_asks_nothing_holds_them_not_for_long() {
    let (address, _stop) = server(2).await;
    let held = [TcpStream::connect(address).await, TcpStream::connect(address).await];
    assert!(held.iter().all(Result::is_ok));
    assert!(send(address, GOOD.as_bytes()).await.ends_with("hi"));
}

#[tokio::test]
async fn what_is_too_large_or_no_http_is_refused_and_nothing_falls_over() {
    let (address, _stop) = server(64).await;
    let large = format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1001\r\n\r\n{}",
        "a".repeat(1_001)
    );
    let endless = format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "3ff\r\n".to_owned() + &"a".repeat(0x3ff) + "\r\n"
    );
    for body in [large, endless] {
        let answer = send(address, body.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("\"too_large\""), "{answer}");
    }
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a: b\r\n".repeat(5_000));
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "c".repeat(1 << 20));
    let address_line = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(1 << 17));
    for request in [
        many.as_str(),
        &long,
        &address_line,
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        let answer = send(address, request.as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap_or("closed").to_owned();
        let shown: String = request.chars().take(60).collect();
        assert!(status == "closed" || status.starts_with('4'), "{shown}: {status}");
    }
    assert!(send(address, GOOD.as_bytes()).await.ends_with("hi"));
}
