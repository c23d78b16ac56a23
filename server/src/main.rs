//! The binary `laika`: reads the command line, calls the library, chooses the exit code.

use laika_server::{App, api, clock::Clock, config::Config};
use std::process::ExitCode;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Runtime::new().expect("the runtime starts");
    runtime.block_on(async {
        let config = Config::from_env().expect("config");
        let listener = tokio::net::TcpListener::bind(config.listen.bind_to()).await.expect("bind");
        let app = App::open(config, Clock::system()).await.expect("open");
        println!("listening {}", app.config.listen.origin(listener.local_addr().expect("bound")));
        axum::serve(listener, api::router(app)).await.expect("serve");
    });
    ExitCode::SUCCESS
}
