//! Where the person is: one value per page, over the browser's own history. The same words stand
//! in the address bar, in the navigation and in the titles.
//!
//! Why not `leptos_router`: measured once on the same bare app of three pages (opt-level z, fat
//! LTO, wasm-opt -Oz, brotli 11), this way is 34.8 KB in all, with leptos_router 0.8.17 it is
//! 78.1 KB. 43 KB is a quarter of the whole budget, for nested routes and loaders we do not use.

use leptos::prelude::*;
use std::cell::OnceCell;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The line: data left, next recharge, today.
    Home,
    /// What Laika is, before signing in.
    Welcome,
    /// Sign in.
    SignIn,
    /// Register and confirm the contacts.
    Register,
    /// The newcomer's checklist.
    Guide,
    /// The auto-recharge rule.
    Rule,
    /// Recharges, and looks that did not charge.
    History,
    /// Payment methods.
    Payment,
    /// Language, time zone, log out.
    Me,
    /// What the sandbox would have sent by SMS and e-mail.
    Outbox,
    /// An address that is none of ours.
    NotFound,
}

const PATHS: [(Route, &str); 10] = [
    (Route::Home, "/"),
    (Route::Welcome, "/welcome"),
    (Route::SignIn, "/sign-in"),
    (Route::Register, "/register"),
    (Route::Guide, "/guide"),
    (Route::Rule, "/rule"),
    (Route::History, "/history"),
    (Route::Payment, "/payment"),
    (Route::Me, "/me"),
    (Route::Outbox, "/sandbox/outbox"),
];

impl Route {
    /// The address of the page.
    pub(crate) fn path(self) -> &'static str {
        PATHS.iter().find(|(route, _)| *route == self).map_or("/", |(_, path)| path)
    }

    fn parse(path: &str) -> Route {
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        PATHS.iter().find(|(_, p)| *p == path).map_or(Route::NotFound, |(route, _)| *route)
    }

    fn current() -> Route {
        Route::parse(&window().location().pathname().unwrap_or_default())
    }

    /// Whether only a signed-in person sees it.
    pub(crate) fn needs_account(self) -> bool {
        matches!(
            self,
            Route::Home | Route::Guide | Route::Rule | Route::History | Route::Payment | Route::Me
        )
    }
}

/// The current page, and whether the person has moved since the app opened: after the first move
/// each new heading takes the focus, so that a screen reader reads where one is.
#[derive(Clone, Copy)]
pub(crate) struct Router {
    current: RwSignal<Route>,
    moved: RwSignal<bool>,
}

impl Router {
    /// Starts listening to the back button and to links of our own.
    fn start() -> Router {
        let router =
            Router { current: RwSignal::new(Route::current()), moved: RwSignal::new(false) };
        listen("popstate", move |_| router.arrive(Route::current()));
        listen("click", move |event| {
            if let Some(path) = own_link(&event) {
                event.prevent_default();
                router.push(&path);
            }
        });
        router
    }

    /// The page to show; tracked.
    pub(crate) fn get(self) -> Route {
        self.current.get()
    }

    /// The page at this moment.
    pub(crate) fn current(self) -> Route {
        self.current.get_untracked()
    }

    /// Whether a heading should take the focus.
    pub(crate) fn moved(self) -> bool {
        self.moved.get_untracked()
    }

    /// Goes to a page in place of the current one: the back button skips it.
    pub(crate) fn replace(self, route: Route) {
        if let Ok(history) = window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(route.path()));
        }
        self.arrive(route);
    }

    fn push(self, path: &str) {
        if let Ok(history) = window().history() {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some(path));
        }
        self.arrive(Route::current());
    }

    fn arrive(self, route: Route) {
        self.moved.set(true);
        window().scroll_to_with_x_and_y(0.0, 0.0);
        self.current.set(route);
    }
}

thread_local! {
    static ROUTER: OnceCell<Router> = const { OnceCell::new() };
}

/// The router of the app. First called by `app`, so that it lives as long as the app.
pub(crate) fn router() -> Router {
    ROUTER.with(|router| *router.get_or_init(Router::start))
}

/// The value of one query parameter, such as what the payment provider sends back.
pub(crate) fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    let pairs = search.strip_prefix('?')?.split('&');
    pairs.filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == name).map(|(_, v)| v.into())
}

/// Takes the query out of the address, so that a reload does not repeat it.
pub(crate) fn forget_query() {
    let path = window().location().pathname().unwrap_or_default();
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    }
}

/// The path of the link that a plain click hit, if it is a page of ours.
fn own_link(event: &web_sys::Event) -> Option<String> {
    let click = event.dyn_ref::<web_sys::MouseEvent>()?;
    let plain = click.button() == 0
        && !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key())
        && !click.default_prevented();
    let link = click.target()?.dyn_into::<web_sys::Element>().ok()?.closest("a[href]").ok()??;
    let href = link.get_attribute("href")?;
    let leaves = link.has_attribute("target") || link.has_attribute("download");
    let ours = href.starts_with('/') && !leaves;
    (plain && ours).then_some(href)
}

/// Listens to a window event for as long as the page lives.
pub(crate) fn listen(name: &str, handler: impl Fn(web_sys::Event) + 'static) {
    let closure = Closure::<dyn Fn(web_sys::Event)>::new(handler);
    let _ = window().add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    // Why: it listens for as long as the page lives.
    closure.forget();
}
