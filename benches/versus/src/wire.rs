//! A wire into the switch: a pair of veths, one end a DPDK device, frames written to the other.

use std::io::IoSlice;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use netdev_linux::{MAX_FRAMES, PacketSocket, SendFrame, VnetHeader};

use crate::error::{RunError, Step as _};
use crate::pace::{Made, Pace, TICK};
use crate::packet::Packet;
use crate::process::output;

/// The switch's end, and ours.
const NEAR: &str = "versus-switch";
const FAR: &str = "versus-attack";
/// Frames that the device's ring holds, of 2 KiB each.
const RING: u64 = 4_096;

/// The pair; removed on drop.
#[derive(Debug)]
pub(crate) struct Wire(());

fn ip(arguments: &[&str]) -> Result<(), RunError> {
    output(Command::new("ip").args(arguments)).map(drop)
}

impl Wire {
    /// Lays it.
    pub(crate) fn new() -> Result<Self, RunError> {
        ip(&["link", "add", NEAR, "type", "veth", "peer", "name", FAR])?;
        let wire = Self(());
        for end in [NEAR, FAR] {
            ip(&["link", "set", end, "up"])?;
        }
        Ok(wire)
    }

    /// The switch's end, in `--vdev` form.
    pub(crate) fn device() -> String {
        format!("net_af_packet0,iface={NEAR},framecnt={RING}")
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = ip(&["link", "delete", NEAR]);
    }
}

/// Writes `rate` packets a second, the `n`th of which is `packet(n)`, until `end`.
pub(crate) fn write(
    rate: u64,
    packet: impl Fn(u64) -> Packet,
    end: &AtomicBool,
) -> Result<Made, RunError> {
    let mut socket = PacketSocket::open(FAR).step("opening the wire")?;
    let mut pace = Pace::new(rate);
    let mut frames = vec![Vec::new(); MAX_FRAMES];
    while !end.load(Ordering::Relaxed) {
        // More than the ring holds would be lost before the switch sees it.
        let mut due = pace.due(RING / 2);
        while due > 0 {
            let batch = due.min(MAX_FRAMES as u64);
            for (frame, n) in frames.iter_mut().zip(pace.count()..pace.count() + batch) {
                frame.clear();
                packet(n).append(frame);
            }
            let slices: Vec<_> = frames.iter().map(|f| [IoSlice::new(f)]).collect();
            let sends = slices.iter().map(|s| SendFrame { buffers: s, vnet: VnetHeader::NONE });
            let sends: Vec<_> = sends.take(batch as usize).collect();
            let sent = socket.send_batch(&sends).step("writing to the wire")? as u64;
            pace.done(sent);
            due -= sent;
            if sent == 0 {
                break;
            }
        }
        std::thread::sleep(TICK);
    }
    Ok(pace.made())
}
