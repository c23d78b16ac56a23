//! A PostgreSQL server that is reached by TCP and by TLS only, as one on another machine is.
//!
//! Its certificate is good for `localhost` and signed by a root of the tests' own; both are files
//! beside this one, so that no program is needed to make them.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Database, Server, own};

const CERTIFICATE: &str = include_str!("tls/server.pem");
const KEY: &str = include_str!("tls/server.key");
const ROOT: &str = include_str!("tls/root.pem");
const OTHER_ROOT: &str = include_str!("tls/other.pem");
/// Who may come: from our own folder for the tests' questions, otherwise by TLS only.
const DOOR: &str = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";

/// A database of a test's own, on a server of its own.
#[derive(Debug)]
pub struct TlsDatabase {
    /// It, as the tests ask it.
    pub database: Database,
    port: u16,
}

impl TlsDatabase {
    /// A new and empty one.
    pub fn new() -> Self {
        let mut server = Server::empty("pgtls");
        server.init();
        for (name, text) in
            [("pg_hba.conf", DOOR), ("server.crt", CERTIFICATE), ("server.key", KEY)]
        {
            let path = PathBuf::from(server.data()).join(name);
            std::fs::write(&path, text).expect("a file of the server's");
            // PostgreSQL takes no key that others can read.
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is there");
            own(path.to_str().expect("a plain path"));
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let port = port.expect("a free port").port();
        server.more = format!("-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on");
        server.env.push(("PGPORT", port.to_string()));
        server.begin();
        Self { database: Database::of(Arc::new(server)), port }
    }

    /// What `DATABASE_URL` takes, by a name of the host and with these parameters.
    pub fn url(&self, host: &str, parameters: &str) -> String {
        format!("postgres://postgres@{host}:{}/{}{parameters}", self.port, self.database.name)
    }

    /// The root that signed its certificate, as a file in a folder; and one that did not.
    pub fn roots(&self) -> [PathBuf; 2] {
        let folder = &self.database.server.folder;
        [folder.write("root.pem", ROOT), folder.write("other.pem", OTHER_ROOT)]
    }
}

impl Default for TlsDatabase {
    fn default() -> Self {
        Self::new()
    }
}
