//! A controller that adds and deletes flows by the clock, on one OpenFlow 1.3 connection.
//!
//! `ovs-ofctl add-flows` reads its input to the end before it sends anything, so it cannot be paced.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{RunError, Step as _};

const VERSION: u8 = 4;
const HELLO: u8 = 0;
const FLOW_MOD: u8 = 14;
const ADD: u8 = 0;
const DELETE_STRICT: u8 = 4;
/// Flows that are there at a time, and how often a batch goes.
const FLOWS: u64 = 1_000;
const TICK: Duration = Duration::from_millis(10);

/// A running writer; ended on drop.
#[derive(Debug)]
pub(crate) struct FlowMods {
    end: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
}

impl FlowMods {
    /// So many changes a second of `table`.
    pub(crate) fn start(socket: &Path, table: u8, rate: u64) -> Result<Self, RunError> {
        let mut stream = UnixStream::connect(socket).step("connecting to the bridge")?;
        stream.write_all(&[VERSION, HELLO, 0, 8, 0, 0, 0, 0]).step("sending a hello")?;
        stream.set_nonblocking(true).step("setting up the connection")?;
        let end = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&end);
        let writer = std::thread::Builder::new()
            .name("flow-mods".into())
            .spawn(move || write(&mut stream, &theirs, table, rate))
            .step("starting the thread that changes flows")?;
        Ok(Self { end, writer: Some(writer) })
    }
}

impl Drop for FlowMods {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn write(stream: &mut UnixStream, end: &AtomicBool, table: u8, rate: u64) {
    let (since, mut sent) = (Instant::now(), 0);
    let mut replies = [0; 4_096];
    while !end.load(Ordering::Relaxed) {
        let due = (since.elapsed().as_secs_f64() * rate as f64) as u64;
        let batch: Vec<u8> = (sent..due).flat_map(|n| flow_mod(table, n)).collect();
        sent = due;
        if !send(stream, &batch, end) {
            return;
        }
        // Whatever the switch says is of no interest, but must not fill its buffers.
        while matches!(stream.read(&mut replies), Ok(1..)) {}
        std::thread::sleep(TICK);
    }
}

fn send(stream: &mut UnixStream, mut bytes: &[u8], end: &AtomicBool) -> bool {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(e) if e.kind() == ErrorKind::WouldBlock && !end.load(Ordering::Relaxed) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(_) => return false,
        }
    }
    true
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
}
