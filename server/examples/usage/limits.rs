//! What the disk and the database do with the same bytes when nothing has to be right: the limits
//! that the engine is measured against, in the same run.

use super::{Answer, world};
use laika_server::{sql, store::set};
use std::{fs::File, io::Write, path::Path, time::Instant};

/// So many writes of 4 KiB at the end of a file, each synced before the next.
pub(crate) fn fsync(folder: &Path, count: usize) -> Answer {
    let path = folder.join("fsync");
    let mut file = File::create(&path)?;
    let started = Instant::now();
    for _ in 0..count {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
    }
    let took = started.elapsed();
    std::fs::remove_file(path)?;
    Ok((took, format!("{count} syncs")))
}

/// The same texts into one column of one table without keys, a batch a transaction.
pub(crate) async fn raw(folder: &Path, count: usize, batch: usize) -> Answer {
    world::copy(folder, "raw")?;
    let (app, texts) = (world::open(folder, "raw").await?, world::events(count, 1000));
    let mut tx = app.store.write().await?;
    sql!("CREATE TABLE raw (body TEXT NOT NULL)").execute(&mut *tx).await?;
    tx.commit().await;
    let started = Instant::now();
    for batch in texts.chunks(batch) {
        let rows: Vec<[&str; 1]> = batch.iter().map(|text| [text.as_str()]).collect();
        let rows = set::of(&rows)?;
        let mut tx = app.store.write().await?;
        sql!("INSERT INTO raw (body) SELECT r.value->>0 FROM jsonb_each($1) AS r", rows)
            .execute(&mut *tx)
            .await?;
        tx.commit().await;
    }
    let took = started.elapsed();
    app.store.close().await;
    Ok((took, format!("{count} events")))
}

/// The two rows that an event needs, with their keys, in the tables where they go: what is left
/// when nothing is read, drawn, booked or decided.
pub(crate) async fn keyed(folder: &Path, count: usize, batch: usize) -> Answer {
    world::copy(folder, "keyed")?;
    let app = world::open(folder, "keyed").await?;
    let line = {
        let mut conn = app.store.read().await?;
        laika_server::store::lines::by_iccid(&mut conn, &world::iccid(0)).await?.ok_or("a line")?
    };
    let numbers: Vec<usize> = (0..count).collect();
    let sha256 = laika_server::secret::sha256_hex(b"");
    let started = Instant::now();
    for batch in numbers.chunks(batch) {
        let row = |number: &usize| {
            let (account, line) = (line.account_id.as_str(), line.id.as_str());
            (account, line, *number, format!("e{number:012}"), sha256.as_str())
        };
        let rows = set::of(&batch.iter().map(row).collect::<Vec<_>>())?;
        let mut tx = app.store.write().await?;
        sql!(
            "INSERT INTO inbox (source, id, sha256)
             SELECT 'carrier/eu-1', r.value->>3, r.value->>4 FROM jsonb_each($1) AS r",
            &rows
        )
        .execute(&mut *tx)
        .await?;
        sql!(
            "INSERT INTO usage_events (account_id, line_id, used_at, event_id, bytes, country,
                                       received_version, received_at)
             SELECT r.value->>0, r.value->>1, CAST(r.value->>2 AS BIGINT),
                    'carrier/eu-1 ' || (r.value->>3), 1000, 'ES', 1, 1
             FROM jsonb_each($1) AS r",
            &rows
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await;
    }
    let took = started.elapsed();
    app.store.close().await;
    Ok((took, format!("{count} events")))
}
