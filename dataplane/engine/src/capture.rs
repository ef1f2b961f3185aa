//! Packet captures of dummy ports: classic pcap files, appended to.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes of a packet that are kept.
const SNAP_LEN: u32 = 1518;

/// An open capture file. A write that fails ends the capture, with one line in the log.
#[derive(Debug)]
pub(crate) struct Capture {
    file: Option<BufWriter<File>>,
    path: String,
}

fn header() -> [u8; 24] {
    let mut header = [0; 24];
    let words: [u32; 6] = [0xa1b2_c3d4, 4 << 16 | 2, 0, 0, SNAP_LEN, 1];
    for (slot, word) in header.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *slot = word.to_le_bytes();
    }
    header
}

impl Capture {
    /// Opens or makes the file, and writes the file header if it is new.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn append(path: &str) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(Path::new(path))?;
        let new = file.metadata()?.len() == 0;
        let mut file = BufWriter::new(file);
        if new {
            file.write_all(&header())?;
            file.flush()?;
        }
        Ok(Self { file: Some(file), path: path.to_owned() })
    }

    /// Adds a packet; written out by [`Capture::flush`].
    pub(crate) fn packet(&mut self, bytes: &[u8]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let kept = bytes.get(..SNAP_LEN as usize).unwrap_or(bytes);
        let mut record = [0; 16];
        let words =
            [now.as_secs() as u32, now.subsec_micros(), kept.len() as u32, bytes.len() as u32];
        for (slot, word) in record.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *slot = word.to_le_bytes();
        }
        self.attempt(|file| {
            file.write_all(&record)?;
            file.write_all(kept)
        });
    }

    /// Writes out what was added.
    pub(crate) fn flush(&mut self) {
        self.attempt(BufWriter::flush);
    }

    fn attempt(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        if let Some(file) = &mut self.file
            && let Err(error) = write(file)
        {
            log::warn!(target: "netdev_dummy", "{}: capture ends: {error}", self.path);
            self.file = None;
        }
    }
}
