//! The suite's part about the audit log: whatever is done to it afterwards shows.

use super::{now, on_each};
use crate::error::Result;
use crate::store::{
    Store, Tx,
    audit_log::{self, By},
};

async fn entries(tx: &mut Tx, operator: &str, most: usize) -> Result<()> {
    for number in 0..most {
        let by = By { operator, why: "because \"so\"" };
        audit_log::append(tx, &by, "kill_switch_on", &format!("line_{number}"), now()).await?;
    }
    Ok(())
}

/// What the auditor finds after a change that nobody should have made; the change is undone.
async fn after(store: &Store, change: &'static str) -> Result<Option<i64>> {
    let mut tx = store.write().await?;
    sqlx::raw_sql(change).execute(&mut *tx).await?;
    let broken = audit_log::broken(&mut tx).await?;
    tx.rollback().await?;
    Ok(broken)
}

#[tokio::test]
async fn an_entry_that_is_edited_taken_out_or_put_in_shows() {
    on_each(async |store| {
        assert_eq!(audit_log::broken(&mut *store.read().await?).await?, None, "an empty one");
        let mut tx = store.write().await?;
        entries(&mut tx, "ana", 4).await?;
        tx.commit().await;
        let all = audit_log::all(&mut *store.read().await?).await?;
        assert_eq!(all.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(audit_log::broken(&mut *store.read().await?).await?, None);
        for (change, first) in [
            ("UPDATE audit_log SET operator = 'bo' WHERE number = 2", 2),
            ("UPDATE audit_log SET why = '' WHERE number = 4", 4),
            ("UPDATE audit_log SET done_at = done_at + 1 WHERE number = 1", 1),
            ("DELETE FROM audit_log WHERE number = 1", 1),
            ("DELETE FROM audit_log WHERE number = 3", 3),
            ("DELETE FROM audit_log WHERE number = 4", 4),
            ("DELETE FROM audit_log", 1),
            (
                "INSERT INTO audit_log SELECT 5, done_at, operator, what, subject, why,
                  before_sha256, sha256 FROM audit_log WHERE number = 4",
                5,
            ),
        ] {
            assert_eq!(after(&store, change).await?, Some(first), "{change}");
        }
        let kept = audit_log::all(&mut *store.read().await?).await?;
        assert_eq!(kept.len(), 4, "all of it was undone");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_who_act_at_once_continue_one_chain() {
    on_each(async |store| {
        super::at_once(8, || {
            let store = std::sync::Arc::clone(&store);
            async move {
                let mut tx = store.write().await?;
                entries(&mut tx, "somebody", 3).await?;
                tx.commit().await;
                Ok(())
            }
        })
        .await;
        let mut snapshot = store.read().await?;
        assert_eq!(audit_log::all(&mut snapshot).await?.len(), 24);
        assert_eq!(audit_log::broken(&mut snapshot).await?, None);
        Ok(())
    })
    .await;
}
