//! Telling the customer: core's sentence, in the account's language and zone, enqueued once by its
//! key in the transaction that caused it. It sends nothing and writes no words of its own.

use crate::{
    error::Result,
    store::{
        Tx,
        accounts::Account,
        messages::{self, Channel, Message},
    },
};
use laika_core::{say::Speech, time::Instant, zone::Zone};

/// Enqueues one notice by SMS and by e-mail; nothing for an account that has no contacts.
pub async fn tell(tx: &mut Tx, owner: &Account, key: &str, body: &str, now: Instant) -> Result<()> {
    let contacts = [(Channel::Sms, &owner.phone), (Channel::Email, &owner.email)];
    for (channel, recipient) in contacts.into_iter().filter(|(_, to)| !to.is_empty()) {
        let message = Message {
            key: format!("{key}-{}", channel.name()),
            account_id: Some(owner.id.to_string()),
            channel,
            recipient: recipient.clone(),
            language: owner.language,
            title: channel.title(),
            body: body.to_string(),
            created_at: now,
        };
        messages::enqueue(tx, &message).await?;
    }
    Ok(())
}

/// How things are said to this account.
pub fn speech<'a>(owner: &Account, zone: &'a Zone, now: Instant) -> Speech<'a> {
    Speech { language: owner.language, zone, now }
}
