//! The outbox: what people are told, written in the transaction that caused it and sent later.

use super::{Conn, Tx, set};
use crate::{error::Result, sql};
use laika_core::{api::Language, time::Instant};
use sqlx::{Row, any::AnyRow};

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// To a phone number.
    Sms,
    /// To an e-mail address.
    Email,
}

impl Channel {
    /// Its name in the database and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::Email => "email",
        }
    }

    /// The subject of what is sent this way; an SMS has none.
    pub fn title(self) -> String {
        match self {
            Channel::Sms => String::new(),
            Channel::Email => crate::BRAND.to_string(),
        }
    }

    fn from_name(name: &str) -> Channel {
        if name == "sms" { Channel::Sms } else { Channel::Email }
    }
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Unique: a notice with a key that is there already is not enqueued again.
    pub key: String,
    /// Whose it is, if they have an account.
    pub account_id: Option<String>,
    /// How it travels.
    pub channel: Channel,
    /// Phone number or address.
    pub recipient: String,
    /// The language it is written in.
    pub language: Language,
    /// Subject of an e-mail; empty for an SMS.
    pub title: String,
    /// The text.
    pub body: String,
    /// When it was caused.
    pub created_at: Instant,
}

fn message(row: &AnyRow) -> Result<Message> {
    Ok(Message {
        key: row.try_get(0)?,
        account_id: row.try_get(1)?,
        channel: Channel::from_name(row.try_get::<String, _>(2)?.as_str()),
        recipient: row.try_get(3)?,
        language: Language::from_tag(row.try_get::<String, _>(4)?.as_str()),
        title: row.try_get(5)?,
        body: row.try_get(6)?,
        created_at: Instant::from_micros(row.try_get(7)?),
    })
}

/// Enqueues a message once; whether it is new.
pub async fn enqueue(tx: &mut Tx, message: &Message) -> Result<bool> {
    let done = sql!(
        "INSERT INTO messages
             (key, account_id, channel, recipient, language, title, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (key) DO NOTHING",
        &message.key,
        message.account_id.as_deref(),
        message.channel.name(),
        &message.recipient,
        message.language.tag(),
        &message.title,
        &message.body,
        message.created_at.micros()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What has not been sent yet, oldest first.
pub async fn unsent(conn: &mut Conn) -> Result<Vec<Message>> {
    let rows = sql!(
        "SELECT key, account_id, channel, recipient, language, title, body, created_at
         FROM messages WHERE sent_at IS NULL ORDER BY created_at, key LIMIT 100"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(message).collect()
}

/// Writes down that messages were sent.
pub async fn sent(tx: &mut Tx, keys: &[&str], now: Instant) -> Result<()> {
    let keys: Vec<[&str; 1]> = keys.iter().map(|key| [*key]).collect();
    sql!(
        "UPDATE messages SET sent_at = $1
         WHERE key IN (SELECT r.value->>0 FROM jsonb_each($2) AS r)",
        now.micros(),
        set::of(&keys)?
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The newest messages, for the sandbox's outbox page.
pub async fn newest(conn: &mut Conn) -> Result<Vec<Message>> {
    let rows = sql!(
        "SELECT key, account_id, channel, recipient, language, title, body, created_at
         FROM messages ORDER BY created_at DESC, key DESC LIMIT 100"
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(message).collect()
}
