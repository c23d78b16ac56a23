//! Opens the app in the browser. Reading order: [`app`] is the frame, [`route`] says which
//! [`page`], a page asks the server through [`load`] and [`api`], draws with [`ui`], and speaks
//! through [`text`]. `app` decides nothing about money: what it shows comes from core.

mod api;
mod app;
mod device;
mod form;
mod json;
mod lines;
mod load;
mod page;
mod route;
mod session;
mod text;
mod ui;
mod words;

fn main() {
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    app::open();
}
