//! [`Exec`]: runs action lists on packets.

use std::sync::Arc;

use weir_dpdk::{Mbuf, Mempool};
use weir_flow::action::{Action, Header, SetHeader, Userspace};
use weir_flow::packet::rewrite::{self, RewriteError};
use weir_flow::packet::{self, Layout, hash};
use weir_flow::slowpath::{Miss, Translation};
use weir_flow::{DropReason, Flow, PortNo};
use weir_rcu::Guard;

use crate::counters::DropCounters;
use crate::exec::buf::Writable;
use crate::exec::meta::PacketMeta;
use crate::exec::tx::TxTable;
use crate::meter::Meters;
use crate::offload;
use crate::slow_path::SharedSlowPath;

/// Recirculations of one packet, OVS's number.
const MAX_RECIRCULATIONS: u8 = 8;
/// Lists within lists (`clone`, `sample`, `check_pkt_len`).
const MAX_NESTING: u8 = 32;
/// Packets that may wait for recirculation at one time.
const RECIRCULATION_QUEUE: usize = 1024;
/// Truncation leaves an Ethernet header.
const ETHERNET_LEN: u32 = 14;

/// The moment and the read-side section of an execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) guard: &'a Guard,
    pub(crate) now_ms: u64,
}

/// A packet that starts anew at the flow tables.
#[derive(Debug)]
pub(crate) struct Recirculated {
    pub(crate) packet: Mbuf,
    pub(crate) meta: PacketMeta,
}

/// One thread's executor. See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Exec {
    pub(crate) tx: TxTable,
    /// Packets waiting for another pass.
    pub(crate) recirculated: Vec<Recirculated>,
    pub(crate) drops: Arc<DropCounters>,
    pub(crate) slow_path: SharedSlowPath,
    pub(crate) meters: Arc<Meters>,
    pub(crate) vlan_limit: usize,
    pool: Mempool,
    random: u64,
}

/// How much of a list is to be run on the packet itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

impl Exec {
    pub(crate) fn new(
        pool: Mempool,
        slow_path: SharedSlowPath,
        meters: Arc<Meters>,
        drops: Arc<DropCounters>,
        vlan_limit: usize,
        seed: u64,
    ) -> Self {
        let offload = offload::Context { pool: pool.clone() };
        Self {
            tx: TxTable::new(offload),
            recirculated: Vec::with_capacity(RECIRCULATION_QUEUE),
            drops,
            slow_path,
            meters,
            vlan_limit,
            pool,
            random: seed | 1,
        }
    }

    /// The packet's flow as it is now.
    pub(crate) fn flow_of(&self, packet: &Mbuf, meta: &PacketMeta) -> packet::Parsed {
        let md = meta.metadata(packet.len() as usize, self.vlan_limit);
        packet::parse(packet.data(), &md)
    }

    /// Asks the slow path what to do with a packet.
    pub(crate) fn translate(&self, packet: &Mbuf, key: &Flow, moment: Moment<'_>) -> Translation {
        let bytes = offload::finished_bytes(packet);
        let miss = Miss { key, packet: &bytes, now_ms: moment.now_ms };
        self.slow_path.translate(moment.guard, &miss)
    }

    /// Sends a packet out, or counts why not.
    #[inline(always)]
    pub(crate) fn output(&mut self, port: PortNo, packet: Mbuf) {
        if self.tx.push(port, packet).is_err() {
            self.drops.add(DropReason::InvalidPort, 1);
        }
    }

    /// Runs a list on a packet, which it uses up.
    pub(crate) fn run(
        &mut self,
        packet: Mbuf,
        meta: PacketMeta,
        actions: &[Action],
        moment: Moment<'_>,
    ) {
        self.run_nested(packet, meta, actions, moment, 0);
    }

    fn run_nested(
        &mut self,
        mut packet: Mbuf,
        mut meta: PacketMeta,
        actions: &[Action],
        moment: Moment<'_>,
        depth: u8,
    ) {
        let mut layout = None;
        let mut rest = actions.iter();
        while let Some(action) = rest.next() {
            let last = rest.as_slice().is_empty();
            let next = match action {
                Action::Output(port) if last && meta.cut == 0 => {
                    return self.output(*port, packet);
                }
                Action::Output(port) => self.output_copy(*port, &packet, &mut meta),
                Action::Recirc(id) if last => return self.recirculate(packet, meta, *id),
                Action::Recirc(id) => {
                    if let Some(copy) = self.copy_of(&packet) {
                        self.recirculate(copy, meta, *id);
                    }
                    Next::Go
                }
                Action::Set(set) => self.set(&mut packet, &mut meta, &mut layout, set),
                Action::PushVlan { tpid, tci } => self.reshape(&mut packet, &mut layout, |p, l| {
                    rewrite::push_vlan(p, l, *tpid, *tci)
                }),
                Action::PopVlan => {
                    self.reshape(&mut packet, &mut layout, |p, l| rewrite::pop_vlan(p, l))
                }
                Action::PushMpls { ethertype, lse } => {
                    self.reshape(&mut packet, &mut layout, |p, l| {
                        rewrite::push_mpls(p, l, *ethertype, *lse)
                    })
                }
                Action::PopMpls { ethertype } => self
                    .reshape(&mut packet, &mut layout, |p, l| rewrite::pop_mpls(p, l, *ethertype)),
                Action::Userspace(whom) => {
                    self.userspace(whom, &packet, &mut meta, moment, depth);
                    Next::Go
                }
                Action::Hash { algorithm, basis } => {
                    let flow = self.flow_of(&packet, &meta).flow;
                    meta.dp_hash = hash::dp_hash(&flow, *algorithm, *basis);
                    Next::Go
                }
                Action::Truncate(len) => {
                    let kept = (*len).max(ETHERNET_LEN);
                    meta.cut = packet.len().saturating_sub(kept);
                    Next::Go
                }
                Action::Sample { probability, actions } => {
                    if self.chance(*probability) {
                        self.run_copy(&packet, meta, actions, moment, depth);
                    }
                    Next::Go
                }
                Action::Clone(actions) if last => {
                    return self.descend(packet, meta, actions, moment, depth);
                }
                Action::Clone(actions) => {
                    self.run_copy(&packet, meta, actions, moment, depth);
                    Next::Go
                }
                Action::CheckPktLen { len, greater, less_equal } => {
                    let list = if packet.len() > u32::from(*len) { greater } else { less_equal };
                    if last {
                        return self.descend(packet, meta, list, moment, depth);
                    }
                    self.run_copy(&packet, meta, list, moment, depth);
                    Next::Go
                }
                Action::Meter(id) => self.meter(*id, &packet, moment),
                Action::Drop(reason) => self.dropped(*reason),
            };
            if next == Next::Stop {
                return;
            }
        }
    }

    fn dropped(&self, reason: DropReason) -> Next {
        self.drops.add(reason, 1);
        Next::Stop
    }

    /// A second owner of the packet's bytes.
    fn copy_of(&self, packet: &Mbuf) -> Option<Mbuf> {
        let copy = packet.clone_shared(&self.pool);
        if copy.is_none() {
            self.drops.add(DropReason::NoBuffer, 1);
        }
        copy
    }

    fn output_copy(&mut self, port: PortNo, packet: &Mbuf, meta: &mut PacketMeta) -> Next {
        // Asked first, so that no copy is made for nobody.
        if !self.tx.has(port) {
            self.drops.add(DropReason::InvalidPort, 1);
        } else if let Some(mut copy) = self.copy_of(packet) {
            if meta.cut != 0 {
                let left = copy.len().saturating_sub(meta.cut);
                copy.truncate(left);
                // What is left is no whole packet any more: no checksum, no segments.
                copy.clear_offloads();
            }
            self.output(port, copy);
        }
        meta.cut = 0;
        Next::Go
    }

    fn recirculate(&mut self, packet: Mbuf, mut meta: PacketMeta, recirc_id: u32) {
        if meta.passes >= MAX_RECIRCULATIONS || self.recirculated.len() >= RECIRCULATION_QUEUE {
            self.drops.add(DropReason::RecircError, 1);
            return;
        }
        meta.passes += 1;
        meta.recirc_id = recirc_id;
        self.recirculated.push(Recirculated { packet, meta });
    }

    fn set(
        &mut self,
        packet: &mut Mbuf,
        meta: &mut PacketMeta,
        layout: &mut Option<Layout>,
        set: &SetHeader,
    ) -> Next {
        let blend = |old: &mut u32, value: u32, mask: u32| *old = *old & !mask | value & mask;
        match set.header {
            Header::SkbPriority => {
                let mask = set.mask.skb_priority.get();
                blend(&mut meta.skb_priority, set.value.skb_priority.get(), mask);
                Next::Go
            }
            Header::PktMark => {
                blend(&mut meta.pkt_mark, set.value.pkt_mark.get(), set.mask.pkt_mark.get());
                Next::Go
            }
            _ => {
                let checksum = offload::l4_checksum(packet);
                self.reshape(packet, layout, |p, l| {
                    rewrite::set(packet::PacketBuf::data_mut(p), l, set, checksum)
                })
            }
        }
    }

    /// Changes a packet's bytes, after copying them if others read them.
    #[inline(always)]
    fn reshape(
        &self,
        packet: &mut Mbuf,
        layout: &mut Option<Layout>,
        change: impl FnOnce(&mut Writable<'_>, &mut Layout) -> Result<(), RewriteError>,
    ) -> Next {
        let layout = layout.get_or_insert_with(|| offload::layout_of(packet));
        let Some(mut writable) = Writable::new(packet, &self.pool) else {
            return self.dropped(DropReason::NoBuffer);
        };
        match change(&mut writable, layout) {
            Ok(()) => Next::Go,
            Err(error) => self.dropped(error.drop_reason()),
        }
    }

    fn userspace(
        &mut self,
        whom: &Userspace,
        packet: &Mbuf,
        meta: &mut PacketMeta,
        moment: Moment<'_>,
        depth: u8,
    ) {
        let key = self.flow_of(packet, meta).flow;
        if let Userspace::SlowPath(_) = whom {
            let Some(copy) = self.copy_of(packet) else {
                return;
            };
            let translation = self.translate(packet, &key, moment);
            return self.descend(copy, *meta, &translation.actions, moment, depth);
        }
        let bytes = offload::finished_bytes(packet);
        let left = bytes.len().saturating_sub(meta.cut as usize);
        let bytes = bytes.get(..left).unwrap_or_default();
        let taken = match whom {
            Userspace::Controller(cookie) => self.slow_path.packet_in(cookie, &key, bytes),
            Userspace::Sample(cookie) => self.slow_path.sample(cookie, &key, bytes),
            Userspace::SlowPath(_) => Ok(()),
        };
        if taken.is_err() {
            self.drops.add(DropReason::UserspaceAction, 1);
        }
        meta.cut = 0;
    }

    fn meter(&self, id: u32, packet: &Mbuf, moment: Moment<'_>) -> Next {
        if self.meters.admits(moment.guard, id, packet.len(), moment.now_ms) {
            Next::Go
        } else {
            self.dropped(DropReason::Meter)
        }
    }

    fn run_copy(
        &mut self,
        packet: &Mbuf,
        meta: PacketMeta,
        actions: &[Action],
        moment: Moment<'_>,
        depth: u8,
    ) {
        if let Some(copy) = self.copy_of(packet) {
            self.descend(copy, meta, actions, moment, depth);
        }
    }

    fn descend(
        &mut self,
        packet: Mbuf,
        meta: PacketMeta,
        actions: &[Action],
        moment: Moment<'_>,
        depth: u8,
    ) {
        if depth >= MAX_NESTING {
            self.drops.add(DropReason::RecursionTooDeep, 1);
            return;
        }
        self.run_nested(packet, meta, actions, moment, depth + 1);
    }

    /// True with a chance of `probability` / 2^32.
    pub(crate) fn chance(&mut self, probability: u32) -> bool {
        // xorshift64: statistics, no secrets.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        probability == u32::MAX || ((self.random >> 32) as u32) < probability
    }
}
