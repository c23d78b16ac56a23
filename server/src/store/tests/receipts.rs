//! The suite's part about the keys that sign receipts.

use super::{at_once, now, on_each};
use crate::{error::Result, flow::receipt::signer, signing::Signer, store::Store, store::receipts};
use std::sync::Arc;

async fn signing(store: &Store, configured: Option<Signer>) -> Result<String> {
    let mut tx = store.write().await?;
    let signer = signer(&mut tx, configured.as_ref(), now()).await?;
    tx.commit().await;
    Ok(signer.public().id)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_starts_at_once_one_makes_the_key() {
    on_each(async |store| {
        // Why: connections that are open already leave nothing to wait for but each other.
        let open = at_once(8, || {
            let store = Arc::clone(&store);
            async move { Ok(receipts::keys(&mut *store.write().await?).await?.len()) }
        });
        assert_eq!(open.await, [0; 8]);
        let ids = at_once(8, || {
            let store = Arc::clone(&store);
            async move { signing(&store, None).await }
        });
        let ids = ids.await;
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(receipts::keys(&mut *store.read().await?).await?.len(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_key_signs_in_the_place_of_the_one_that_was_made() {
    on_each(async |store| {
        let made = signing(&store, None).await?;
        let own = Signer::make();
        assert_eq!(signing(&store, Some(own.clone())).await?, own.public().id);
        assert_eq!(signing(&store, Some(own.clone())).await?, own.public().id);
        let keys = receipts::keys(&mut *store.read().await?).await?;
        let known: Vec<&str> = keys.iter().map(|key| key.key_id.as_str()).collect();
        assert_eq!(known.len(), 2);
        assert!(known.contains(&made.as_str()) && known.contains(&own.public().id.as_str()));
        assert_eq!(signing(&store, None).await?, made, "and the other way round");
        Ok(())
    })
    .await;
}
