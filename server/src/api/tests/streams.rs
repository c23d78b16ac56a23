//! Live streams: one session holds so many at once and no more; the oldest ends for the newest.

use super::World;
use crate::{live, live::STREAMS_MOST, store::accounts};
use axum::{
    body::{Body, Bytes},
    http::Request,
};
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::time::timeout;
use tower_service::Service;

/// A stream that was opened and has said its first word.
async fn open(world: &World, cookie: &str) -> Body {
    let request = Request::builder().uri("/api/v1/events").header("cookie", cookie);
    let request = request.body(Body::empty()).expect("a request");
    let answer = world.router.clone().call(request).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut stream = answer.into_body();
    assert!(next(&mut stream).await.is_some(), "the present version");
    stream
}

/// What a stream says next; nothing once it has ended.
async fn next(stream: &mut Body) -> Option<Bytes> {
    let frame = timeout(Duration::from_secs(10), stream.frame()).await;
    let frame = frame.expect("a stream says something or ends")?;
    frame.expect("no error").into_data().ok()
}

#[tokio::test]
async fn the_oldest_stream_of_a_session_ends_for_the_newest() {
    let world = World::new().await;
    let ana = world.register("+34612345678", "ana@example.org").await;
    let bob = world.register("+34612345679", "bob@example.org").await;
    let mut of_bob = open(&world, &bob).await;
    // Closed ones leave room.
    for _ in 0..3 * STREAMS_MOST {
        drop(open(&world, &ana).await);
    }
    let mut of_ana = Vec::new();
    for _ in 0..STREAMS_MOST + 2 {
        of_ana.push(open(&world, &ana).await);
    }
    let mut stay = of_ana.split_off(2);
    for stream in &mut of_ana {
        assert!(next(stream).await.is_none(), "it makes room");
    }
    let polls = tokio::spawn(live::run(world.app.clone()));
    let mut tx = world.app.store.write().await.expect("a transaction");
    let ids = sqlx::query::<sqlx::Any>("SELECT id FROM accounts").fetch_all(&mut *tx).await;
    for row in ids.expect("read") {
        let id: String = sqlx::Row::try_get(&row, 0).expect("an id");
        accounts::bump(&mut tx, &id).await.expect("changed");
    }
    tx.commit().await;
    world.app.changed.notify_waiters();
    for stream in stay.iter_mut().chain([&mut of_bob]) {
        assert!(next(stream).await.is_some(), "it still tells of changes");
    }
    world.app.stop.send_replace(true);
    polls.await.expect("polling ends with the process");
}
