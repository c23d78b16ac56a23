//! News from the server: "something of this account changed", never what. One stream for all tabs
//! of a browser, because HTTP/1.1 allows it six connections: the tab that holds a lock listens and
//! tells the others. Without locks or streams a tab asks every 15 seconds.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::{set_interval, window};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, Event, EventSource};

const ADDRESS: &str = "/api/v1/events";
const NAME: &str = "laika.events";
const POLL: Duration = Duration::from_secs(15);

/// Calls `changed` on each change of the account, from now until the page closes.
pub(crate) fn listen(changed: impl Fn() + Clone + 'static) {
    let channel = BroadcastChannel::new(NAME).ok();
    if let Some(channel) = &channel {
        let changed = changed.clone();
        let heard = handler(move |_| changed());
        channel.set_onmessage(Some(&heard));
    }
    let lead = {
        let changed = changed.clone();
        move || open(channel.clone(), changed.clone())
    };
    if !as_leader(lead) {
        set_interval(changed, POLL);
    }
}

/// Opens the stream; the browser itself reconnects it.
fn open(channel: Option<BroadcastChannel>, changed: impl Fn() + Clone + 'static) {
    let Ok(source) = EventSource::new(ADDRESS) else {
        set_interval(changed, POLL);
        return;
    };
    let tell = handler(move |_| {
        changed();
        if let Some(channel) = &channel {
            let _ = channel.post_message(&JsValue::NULL);
        }
    });
    let _ = source.add_event_listener_with_callback("changed", &tell);
    // After a break something may have been missed.
    let _ = source.add_event_listener_with_callback("open", &tell);
}

/// Runs `lead` once this tab holds the browser-wide lock, and keeps the lock until the tab closes.
/// False when the browser has no locks.
fn as_leader(lead: impl Fn() + 'static) -> bool {
    let request = || -> Result<(), JsValue> {
        let locks = Reflect::get(&window().navigator(), &"locks".into())?;
        let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
        let granted = Closure::<dyn Fn() -> Promise>::new(move || {
            lead();
            Promise::new(&mut |_, _| {})
        });
        request.call2(&locks, &NAME.into(), &granted.into_js_value())?;
        Ok(())
    };
    request().is_ok()
}

fn handler(f: impl Fn(Event) + 'static) -> Function {
    Closure::<dyn Fn(Event)>::new(f).into_js_value().unchecked_into()
}
