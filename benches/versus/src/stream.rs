//! A capture without end, written to a named pipe that `net_pcap` reads: as many packets as the
//! switch takes, none of which needs to be stored.
//!
//! The reader waits when the pipe is empty, so a switch that is faster than the writer is measured
//! too slow, never too fast; closing the pipe ends the traffic, and what was sent is known.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use rustix::pipe::fcntl_setpipe_size;

use crate::error::{RunError, Step as _};
use crate::pcap;
use crate::traffic::{Traffic, World};

/// Packets made at once.
const CHUNK: u64 = 512;
/// The largest pipe that the kernel gives by default.
const PIPE_BYTES: usize = 1 << 20;
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
/// How long a reader may rest in the middle of a chunk once the stream is told to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the writer and its owner tell each other.
#[derive(Debug, Default)]
struct Shared {
    end: AtomicBool,
    sent: AtomicU64,
}

/// A running writer; ended on drop.
#[derive(Debug)]
pub(crate) struct Stream {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

impl Stream {
    /// Makes the pipe and begins to write once somebody reads.
    pub(crate) fn start(path: &Path, traffic: Traffic, world: &World) -> Result<Self, RunError> {
        let _ = std::fs::remove_file(path);
        mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)
            .map_err(std::io::Error::from)
            .step(format!("making the pipe {}", path.display()))?;
        let shared = Arc::new(Shared::default());
        let (theirs, path, world) = (Arc::clone(&shared), path.to_owned(), world.clone());
        let writer = std::thread::Builder::new()
            .name("traffic".into())
            .spawn(move || Writer { shared: theirs, path, traffic, world }.run())
            .step("starting the thread that makes the traffic")?;
        Ok(Self { shared, writer: Some(writer) })
    }

    /// Closes the pipe after a whole packet and says how many there were.
    pub(crate) fn end(&mut self) -> u64 {
        self.shared.end.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        self.shared.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.end();
    }
}

struct Writer {
    shared: Arc<Shared>,
    path: PathBuf,
    traffic: Traffic,
    world: World,
}

impl Writer {
    /// A device that is started again reads the capture's header again.
    fn run(&self) {
        let mut next = 0;
        while let Some(mut pipe) = self.open() {
            let mut bytes = pcap::header();
            let mut packets = 0;
            while self.write(&mut pipe, &bytes) {
                self.shared.sent.fetch_add(packets, Ordering::Relaxed);
                if self.ended() {
                    return;
                }
                bytes.clear();
                self.fill(&mut bytes, &mut next);
                packets = CHUNK;
            }
        }
    }

    fn fill(&self, bytes: &mut Vec<u8>, next: &mut u64) {
        for n in *next..*next + CHUNK {
            pcap::append(bytes, &self.traffic.packet(&self.world, n));
        }
        *next += CHUNK;
    }

    fn ended(&self) -> bool {
        self.shared.end.load(Ordering::Relaxed)
    }

    /// Waits for a reader.
    fn open(&self) -> Option<File> {
        let flags = OFlags::NONBLOCK.bits() as i32;
        while !self.ended() {
            if let Ok(pipe) = OpenOptions::new().write(true).custom_flags(flags).open(&self.path) {
                // A smaller pipe only costs speed.
                let _ = fcntl_setpipe_size(&pipe, PIPE_BYTES);
                return Some(pipe);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// False if there is no reader any more, or none that reads.
    fn write(&self, pipe: &mut File, mut bytes: &[u8]) -> bool {
        let mut last = None;
        while !bytes.is_empty() {
            match pipe.write(bytes) {
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    if self.ended() && last.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                        return false;
                    }
                    let _ = poll(&mut [PollFd::new(pipe, PollFlags::OUT)], Some(&TICK));
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::acl::{Acl, Shape};
    use crate::explosion;
    use crate::traffic::{Flows, Order};

    #[test]
    fn a_stream_is_a_capture_that_ends_with_a_whole_packet() {
        let dir = std::env::temp_dir().join(format!("versus-stream-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("pipe");
        let world = World {
            seed: 1,
            acl: Acl::random(1, Shape::Mixed, 1),
            matching: false,
            attack: explosion::Attack::All,
        };
        let traffic = Traffic::of(Flows::Random, 1).order(Order::New(1_000));
        let mut stream = Stream::start(&path, traffic, &world).unwrap();
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            File::open(path).unwrap().read_to_end(&mut all).unwrap();
            all
        });
        while stream.shared.sent.load(Ordering::Relaxed) < 10 * CHUNK {
            std::thread::yield_now();
        }
        let sent = stream.end();
        let all = reader.join().unwrap();
        std::fs::remove_dir_all(dir).unwrap();
        assert_eq!(all.len() as u64, 24 + sent * 76);
        assert_eq!(&all[..24], pcap::header());
    }
}
