//! The consent receipt: signed and kept in the transaction that turns the rule on, so that there is
//! no rule that is on without one. What it says is core's; who signs is the configuration's.

use crate::{
    App,
    error::{Error, Result},
    signing::Signer,
    store::{
        Tx,
        lines::Line,
        receipts::{self, NewKey},
    },
};
use laika_core::{record::ConsentReceipt, time::Instant};

/// Signs the receipt and keeps it.
pub async fn give(tx: &mut Tx, app: &App, line: &Line, receipt: ConsentReceipt) -> Result<()> {
    let signer = signer(tx, app.config.signing_key.as_ref(), app.clock.wall()).await?;
    receipts::put(tx, line, &signer.sign(receipt)).await
}

/// The key that signs: the configured one, otherwise the one in the database, which is made when it
/// is first asked for. Its public half is kept either way.
pub async fn signer(tx: &mut Tx, configured: Option<&Signer>, since: Instant) -> Result<Signer> {
    if let Some(signer) = configured {
        let public = signer.public();
        let new = NewKey { id: &public.id, public: &public.hex(), secret: None };
        receipts::add_key(tx, new, since).await?;
        return Ok(signer.clone());
    }
    if receipts::made_key(tx).await?.is_none() {
        let made = Signer::make();
        let (public, secret) = (made.public(), made.expose_hex());
        let new = NewKey { id: &public.id, public: &public.hex(), secret: Some(&secret) };
        receipts::add_key(tx, new, since).await?;
    }
    // Why read back: where another process made one at the same moment, that one signs.
    let kept = receipts::made_key(tx).await?;
    kept.as_deref()
        .and_then(Signer::from_hex)
        .ok_or_else(|| Error::internal("the database holds no signing key that can be read"))
}
