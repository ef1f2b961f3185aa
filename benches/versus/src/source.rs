//! The row's sources, as devices of the side that runs.

use std::path::{Path, PathBuf};

use crate::error::RunError;
use crate::pcap;
use crate::row::{Ports, Row, Source};
use crate::stream::Stream;
use crate::traffic::World;
use crate::wire::Wire;

/// A row's traffic, ready for every side.
#[derive(Debug)]
pub(crate) struct Feed<'a> {
    row: &'a Row,
    world: &'a World,
    dir: PathBuf,
}

/// The sources of one side while it runs.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) devices: Vec<Device>,
    /// What writes to them, if they do not have it all.
    pub(crate) stream: Option<Stream>,
    /// What an attack comes by.
    _wire: Option<Wire>,
}

/// One device.
#[derive(Debug)]
pub(crate) struct Device {
    /// The port's number.
    pub(crate) port: u32,
    /// In `--vdev` form.
    pub(crate) arguments: String,
}

/// Where an attack comes from.
pub(crate) const ATTACKER: u32 = 4;

impl<'a> Feed<'a> {
    /// Writes the captures.
    pub(crate) fn new(row: &'a Row, world: &'a World, dir: &Path) -> Result<Self, RunError> {
        let feed = Self { row, world, dir: dir.to_owned() };
        if row.source == Source::Ring {
            for side in 0..feed.sides() {
                pcap::write(&feed.file(side), row.traffic.capture(world, side))?;
            }
        }
        Ok(feed)
    }

    fn sides(&self) -> u8 {
        if self.row.ports == Ports::BothWays { 2 } else { 1 }
    }

    fn file(&self, side: u8) -> PathBuf {
        self.dir.join(format!("{}-{side}.pcap", self.row.name))
    }

    /// The row.
    pub(crate) fn row(&self) -> &Row {
        self.row
    }

    /// What the rows share.
    pub(crate) fn world(&self) -> &World {
        self.world
    }

    /// Devices for one side.
    pub(crate) fn open(&self) -> Result<Sources, RunError> {
        let file = self.file(0);
        let piped = self.row.source == Source::Pipe;
        let stream =
            piped.then(|| Stream::start(&file, self.row.traffic, self.world)).transpose()?;
        let replayed = if piped { "" } else { ",infinite_rx=1" };
        let device = |side: u8| Device {
            port: 1 + u32::from(side),
            arguments: format!("net_pcap{side},rx_pcap={}{replayed}", self.file(side).display()),
        };
        let mut devices: Vec<_> = (0..self.sides()).map(device).collect();
        let wire = (self.row.ports == Ports::Attacked).then(Wire::new).transpose()?;
        if wire.is_some() {
            devices.push(Device { port: ATTACKER, arguments: Wire::device() });
        }
        Ok(Sources { devices, stream, _wire: wire })
    }
}

impl Drop for Feed<'_> {
    fn drop(&mut self) {
        // Captures of long frames are large, and `/tmp` may be memory.
        for side in 0..self.sides() {
            let _ = std::fs::remove_file(self.file(side));
        }
    }
}
