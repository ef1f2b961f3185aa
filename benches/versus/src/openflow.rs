//! A controller that adds and deletes flows by the clock, on one OpenFlow 1.3 connection, and knows
//! that the switch took them: it reads all replies, and a barrier's is the last.
//!
//! `ovs-ofctl add-flows` reads its input to the end before it sends anything, so it cannot be paced.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{RunError, Step as _};
use crate::pace::{Made, Pace, TICK};

const VERSION: u8 = 4;
const HELLO: u8 = 0;
const ERROR: u8 = 1;
const ECHO_REQUEST: u8 = 2;
const ECHO_REPLY: u8 = 3;
const FLOW_MOD: u8 = 14;
const BARRIER_REQUEST: u8 = 20;
const BARRIER_REPLY: u8 = 21;
const HEADER: usize = 8;
const ADD: u8 = 0;
const DELETE_STRICT: u8 = 4;
/// Flows that are there at a time.
const FLOWS: u64 = 1_000;
/// How long the switch may take nothing, or owe the barrier's reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes `rate` changes a second of `table` until `end`; what was made is what the switch confirmed.
pub(crate) fn change(
    socket: &Path,
    table: u8,
    rate: u64,
    end: &AtomicBool,
) -> Result<Made, RunError> {
    let stream = UnixStream::connect(socket).step("connecting to the bridge")?;
    let mut connection = Connection::new(stream)?;
    let mut pace = Pace::new(rate);
    while !end.load(Ordering::Relaxed) {
        let due = pace.due(rate);
        let changes = pace.count()..pace.count() + due;
        connection.send(&changes.flat_map(|n| flow_mod(table, n)).collect::<Vec<_>>())?;
        pace.done(due);
        connection.hear()?;
        std::thread::sleep(TICK);
    }
    connection.barrier()?;
    Ok(pace.made())
}

/// One side of an OpenFlow connection.
struct Connection {
    stream: UnixStream,
    /// What was read of messages that are not complete yet.
    input: Vec<u8>,
}

impl Connection {
    fn new(stream: UnixStream) -> Result<Self, RunError> {
        stream.set_nonblocking(true).step("setting up the connection")?;
        let mut connection = Self { stream, input: Vec::new() };
        connection.send(&[VERSION, HELLO, 0, HEADER as u8, 0, 0, 0, 0])?;
        Ok(connection)
    }

    /// Writes all, and listens meanwhile, so that neither side waits for the other.
    fn send(&mut self, mut bytes: &[u8]) -> Result<(), RunError> {
        let mut last = Instant::now();
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(n) => {
                    bytes = bytes.get(n..).unwrap_or_default();
                    last = Instant::now();
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock && last.elapsed() < PATIENCE => {
                    self.hear()?;
                    std::thread::sleep(TICK);
                }
                Err(e) => return Err(e).step("sending to the bridge"),
            }
        }
        Ok(())
    }

    /// Reads what is there. Was a barrier's reply among it? An error is one, whatever it is about.
    fn hear(&mut self) -> Result<bool, RunError> {
        let mut part = [0; 4_096];
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => {
                    let closed = std::io::Error::from(ErrorKind::UnexpectedEof);
                    return Err(closed).step("listening to the bridge");
                }
                Ok(n) => self.input.extend_from_slice(part.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e).step("listening to the bridge"),
            }
        }
        let mut done = false;
        while let Some(message) = self.message() {
            match message.get(1) {
                Some(&ERROR) => {
                    let number = |i: usize| message.get(i..i + 2).map_or(0, be16);
                    return Err(RunError::OpenFlow { kind: number(8), code: number(10) });
                }
                Some(&ECHO_REQUEST) => {
                    let reply = [&[VERSION, ECHO_REPLY][..], message.get(2..).unwrap_or_default()];
                    self.send(&reply.concat())?;
                }
                Some(&BARRIER_REPLY) => done = true,
                _ => {}
            }
        }
        Ok(done)
    }

    /// The next complete message that was read.
    fn message(&mut self) -> Option<Vec<u8>> {
        let length = usize::from(be16(self.input.get(2..4)?)).max(HEADER);
        (self.input.len() >= length).then(|| self.input.drain(..length).collect())
    }

    /// Returns once everything that was sent is done.
    fn barrier(&mut self) -> Result<(), RunError> {
        self.send(&[VERSION, BARRIER_REQUEST, 0, HEADER as u8, 0xff, 0xff, 0xff, 0xff])?;
        let since = Instant::now();
        while !self.hear()? {
            if since.elapsed() > PATIENCE {
                let late = std::io::Error::from(ErrorKind::TimedOut);
                return Err(late).step("waiting for the barrier's reply");
            }
            std::thread::sleep(TICK);
        }
        Ok(())
    }
}

fn be16(bytes: &[u8]) -> u16 {
    bytes.iter().take(2).fold(0, |n, b| n << 8 | u16::from(*b))
}

/// The `n`th change: so many flows are added, then deleted, over and over.
fn flow_mod(table: u8, n: u64) -> Vec<u8> {
    let command = if (n / FLOWS).is_multiple_of(2) { ADD } else { DELETE_STRICT };
    let mut m = vec![VERSION, FLOW_MOD, 0, 72];
    m.extend((n as u32).to_be_bytes());
    m.extend([0; 16]); // cookie and its mask
    m.extend([table, command, 0, 0, 0, 0, 0x80, 0]); // no timeouts, the default priority
    m.extend([0xff; 12]); // no buffer, any port, any group
    m.extend([0; 4]); // no flags
    // An IPv4 destination that the row's traffic does not have; no instructions: drop.
    m.extend([0, 1, 0, 18]);
    m.extend([0x80, 0, 10, 2, 8, 0]);
    m.extend([0x80, 0, 24, 4]);
    m.extend((0xac10_0000 + (n % FLOWS) as u32).to_be_bytes());
    m.extend([0; 6]);
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_as_long_as_it_says_and_undone_later() {
        for n in [0, 999, 1_000, 2_000] {
            let m = flow_mod(5, n);
            assert_eq!(m.len(), 72);
            assert_eq!((m[24], m[25]), (5, if n == 1_000 { DELETE_STRICT } else { ADD }));
        }
        assert_eq!(flow_mod(0, 7)[48..], flow_mod(0, 1_007)[48..]);
    }

    /// What a bridge's replies make of a barrier.
    fn replies(bytes: &[u8]) -> (Result<(), RunError>, Vec<u8>) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(bytes).unwrap();
        let outcome = Connection::new(ours).and_then(|mut c| c.barrier());
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).unwrap();
        (outcome, said)
    }

    #[test]
    fn echoes_are_answered_and_a_barrier_ends() {
        let hello = [VERSION, HELLO, 0, 8, 0, 0, 0, 1];
        let echo = [VERSION, ECHO_REQUEST, 0, 9, 0, 0, 0, 2, 77];
        let barrier = [VERSION, BARRIER_REPLY, 0, 8, 255, 255, 255, 255];
        let (outcome, said) = replies(&[&hello[..], &echo, &barrier].concat());
        assert!(outcome.is_ok());
        assert!(said.ends_with(&[VERSION, ECHO_REPLY, 0, 9, 0, 0, 0, 2, 77]));
    }

    #[test]
    fn an_error_fails_the_row() {
        let (outcome, _) = replies(&[VERSION, ERROR, 0, 12, 0, 0, 0, 7, 0, 5, 0, 2]);
        assert!(matches!(outcome, Err(RunError::OpenFlow { kind: 5, code: 2 })));
    }
}
