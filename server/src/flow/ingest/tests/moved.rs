//! A database that became another under a living server, as after a failover that lost commits:
//! what stands at the same versions is not what the server remembers.

use super::{Database, DatabaseUrl, LINES, app_at, event, handle_usage, rows};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_of_another_database_counts_no_more() {
    if std::env::var_os("LAIKA_POSTGRES").is_none() {
        return;
    }
    let database = Database::new();
    let app = app_at(DatabaseUrl::parse(&database.url()).expect("an address")).await;
    let (iccid, has) = LINES[2];
    let uses = async |id: &str, bytes| {
        let counted = handle_usage::handle(&app, rows(vec![event(id, iccid, 1, bytes)])).await;
        assert_eq!(counted.expect("counted").accepted, 1);
    };
    uses("first", 1_000).await;
    uses("second", 1_000).await;
    // The commit of the second is lost, and another took its version before we came back.
    let of_line = format!("line_id IN (SELECT id FROM lines WHERE iccid = '{iccid}')");
    database.ask(&format!("UPDATE buckets SET bytes_left = bytes_left - 500 WHERE {of_line}"));
    database.end_connections();
    uses("third", 1_000).await;
    let left = database.ask(&format!("SELECT bytes_left FROM buckets WHERE {of_line}"));
    assert_eq!(left, (has - 3_500).to_string());
    app.store.close().await;
}
