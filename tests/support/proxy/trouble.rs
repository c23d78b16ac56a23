//! What can happen to a request and to its answer on the way.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";
const ERROR: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n\
    Content-Length: 21\r\nConnection: close\r\n\r\n{\"error\":\"try later\"}";
const NONSENSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
    Content-Length: 24\r\nConnection: close\r\n\r\n{\"id\":7,\"status\":\"maybe\"}";

/// Some trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// It does not arrive: the connection is reset.
    Reset,
    /// It does not arrive: the connection ends without an answer.
    Lost,
    /// It does not arrive: a machine on the way says 503.
    ErrorBefore,
    /// It does not arrive: 429, with a time to wait.
    TooMany,
    /// It arrives, and the answer comes late.
    Late,
    /// It arrives; the connection ends without an answer.
    AnswerLost,
    /// It arrives; half of the answer comes.
    HalfAnAnswer,
    /// It arrives; what comes back is whole, and cannot be meant.
    Nonsense,
    /// It arrives, and is answered 500.
    ErrorAfter,
    /// It arrives; the answer comes a few bytes at a time.
    Slow,
}

impl Trouble {
    /// Every one.
    pub const ALL: [Trouble; 10] = [
        Trouble::Reset,
        Trouble::Lost,
        Trouble::ErrorBefore,
        Trouble::TooMany,
        Trouble::Late,
        Trouble::AnswerLost,
        Trouble::HalfAnAnswer,
        Trouble::Nonsense,
        Trouble::ErrorAfter,
        Trouble::Slow,
    ];

    /// What is said in place of passing the request on, where it is not passed on.
    pub(super) fn instead(self, slowness: Duration) -> Option<&'static [u8]> {
        match self {
            Trouble::Reset | Trouble::Lost => Some(b""),
            Trouble::ErrorBefore => Some(UNAVAILABLE),
            Trouble::TooMany => Some(TOO_MANY),
            Trouble::Late => {
                thread::park_timeout(slowness);
                None
            }
            Trouble::AnswerLost
            | Trouble::HalfAnAnswer
            | Trouble::Nonsense
            | Trouble::ErrorAfter
            | Trouble::Slow => None,
        }
    }

    /// Gives back what is left of an answer.
    pub(super) fn answer(
        self,
        near: &mut TcpStream,
        answer: &[u8],
        slowness: Duration,
    ) -> io::Result<()> {
        match self {
            Trouble::AnswerLost => Ok(()),
            Trouble::HalfAnAnswer => near.write_all(&answer[..answer.len() / 2]),
            Trouble::Nonsense => near.write_all(NONSENSE),
            Trouble::ErrorAfter => near.write_all(ERROR),
            Trouble::Slow => {
                let pieces = answer.chunks(answer.len().div_ceil(16).max(1));
                for piece in pieces {
                    near.write_all(piece)?;
                    thread::park_timeout(slowness / 16);
                }
                Ok(())
            }
            Trouble::Reset | Trouble::Lost => Ok(()),
            Trouble::ErrorBefore | Trouble::TooMany | Trouble::Late => near.write_all(answer),
        }
    }
}
