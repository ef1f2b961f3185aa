//! The rows' traffic: packet `n` of a row is a function of the seed and `n`.

use crate::acl::Acl;
use crate::explosion::Attack;
use crate::packet::{Addresses, Packet, SHORTEST, TCP, UDP};
use crate::random::Random;
use crate::{masks, pipeline, table};

/// What makes flow `i` differ from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flows {
    /// Source addresses in sequence; the rest of the 5-tuple is random.
    Sequential,
    /// A random 5-tuple, or one for a random rule of the list.
    Random,
    /// Destinations in so many /24 networks.
    Prefixes(u32),
    /// Destinations in so many IPv6 /64 networks.
    Prefixes6(u32),
    /// So many masks, evenly.
    Masks(u32),
    /// Destinations of the pipeline's routes.
    Routed,
    /// A MAC address of its own on each side.
    Macs,
}

/// Frame lengths without the FCS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lengths {
    /// All the same.
    Of(u16),
    /// Seven of 60, four of 590, one of 1,514.
    Imix,
}

const IMIX: [u16; 12] = [60, 590, 60, 60, 590, 60, 1_514, 60, 590, 60, 590, 60];

/// How packets follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    /// The flows in turn, over and over.
    Cycle,
    /// The same, but this share of the packets (of 1,000) begins a flow that never was.
    New(u32),
}

/// Traffic of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Traffic {
    pub(crate) flows: Flows,
    /// How many flows.
    pub(crate) count: u32,
    pub(crate) lengths: Lengths,
    pub(crate) order: Order,
}

/// What the seed and the options give all rows.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) acl: Acl,
    /// Random flows are made for the list's rules.
    pub(crate) matching: bool,
    pub(crate) attack: Attack,
}

/// `net_pcap` replays a short capture from a ring; fewer packets than this would starve the burst.
const FEWEST: u64 = 1_024;

impl Traffic {
    /// Flows in turn, in the shortest frames.
    pub(crate) const fn of(flows: Flows, count: u32) -> Self {
        Self { flows, count, lengths: Lengths::Of(SHORTEST), order: Order::Cycle }
    }

    /// In other frames.
    pub(crate) const fn long(self, lengths: Lengths) -> Self {
        Self { lengths, ..self }
    }

    /// In another order.
    pub(crate) const fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// Packets of a capture that is replayed.
    pub(crate) fn capture(&self, world: &World, side: u8) -> impl Iterator<Item = Packet> {
        let count = u64::from(self.count);
        (0..count.max(FEWEST)).map(move |n| self.flow(world, side, n % count, n))
    }

    /// Packet `n` of an endless stream.
    pub(crate) fn packet(&self, world: &World, n: u64) -> Packet {
        let count = u64::from(self.count);
        let share = if let Order::New(share) = self.order { u64::from(share) } else { 0 };
        // New flows among the packets before this one and before the next.
        let (fresh, then) = (n * share / 1_000, (n + 1) * share / 1_000);
        let flow = if fresh != then { count + fresh } else { (n - fresh) % count };
        self.flow(world, 0, flow, n)
    }

    /// Flow `i`'s packet, the `n`th of all, as `side` sends it.
    fn flow(&self, world: &World, side: u8, i: u64, n: u64) -> Packet {
        let mut r = Random::nth(world.seed, i);
        let (src, dst, ports) = (r.word(), r.word(), r.word());
        let of = |src: u32, dst: u32| Packet {
            addresses: Addresses::V4(src, dst),
            tp_src: (ports >> 16) as u16,
            tp_dst: ports as u16,
            ..Packet::default()
        };
        let within = |network: u32, count: u32| network + ((dst % count) << 8) + (dst >> 24);
        let packet = match self.flows {
            Flows::Sequential => {
                of(0x0a00_0000_u32.wrapping_add(i as u32), 0x0b00_0000 | dst & 0xff_ffff)
            }
            Flows::Random if world.matching => world.acl.matching(&mut r),
            Flows::Random => {
                Packet { proto: if r.below(2) == 0 { TCP } else { UDP }, ..of(src, dst) }
            }
            Flows::Prefixes(count) => of(src, within(table::NETWORK, count)),
            Flows::Prefixes6(count) => {
                let network = table::NETWORK6 + (u128::from(dst % count) << 64);
                let addresses =
                    Addresses::V6(table::NETWORK6 | u128::from(src), network + u128::from(dst));
                Packet { addresses, ..of(0, 0) }
            }
            Flows::Masks(count) => masks::packet(count, world.seed, i),
            Flows::Routed => of(src, within(pipeline::NETWORK, pipeline::NETWORKS)),
            Flows::Macs => {
                let (left, right) = (0x0200_0100_0000 + i, 0x0200_0200_0000 + i);
                let (dl_src, dl_dst) = if side == 0 { (left, right) } else { (right, left) };
                Packet { dl_src, dl_dst, ..of(src, dst) }
            }
        };
        let length = match self.lengths {
            Lengths::Of(length) => length,
            Lengths::Imix => IMIX[(n % 12) as usize],
        };
        Packet { length, ..packet }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::acl::Shape;

    fn world(seed: u64) -> World {
        World {
            seed,
            acl: Acl::random(seed, Shape::Mixed, 100),
            matching: false,
            attack: Attack::All,
        }
    }

    fn frame(packet: Packet) -> Vec<u8> {
        let mut out = Vec::new();
        packet.append(&mut out);
        out
    }

    #[test]
    fn a_capture_has_its_flows_and_repeats_with_its_seed() {
        for flows in [Flows::Sequential, Flows::Random, Flows::Prefixes6(512), Flows::Macs] {
            let traffic = Traffic::of(flows, 2_000);
            let make = |seed| traffic.capture(&world(seed), 0).map(frame).collect::<Vec<_>>();
            assert_eq!(make(1), make(1));
            assert_ne!(make(1), make(2));
            assert_eq!(make(1).into_iter().collect::<HashSet<_>>().len(), 2_000);
        }
        assert_eq!(Traffic::of(Flows::Random, 1).capture(&world(1), 0).count(), 1_024);
    }

    #[test]
    fn a_share_of_the_stream_is_new() {
        for share in [0, 1, 250, 1_000] {
            let traffic = Traffic::of(Flows::Sequential, 100).order(Order::New(share));
            let w = world(1);
            let all: HashSet<_> = (0..10_000).map(|n| frame(traffic.packet(&w, n))).collect();
            let old = if share == 1_000 { 0 } else { 100 };
            assert_eq!(all.len() as u32, old + share * 10);
        }
    }

    #[test]
    fn destinations_stay_in_their_networks() {
        let w = world(1);
        let traffic = Traffic::of(Flows::Prefixes(512), 5_000);
        let networks: HashSet<_> = traffic
            .capture(&w, 0)
            .map(|p| {
                let Addresses::V4(_, dst) = p.addresses else { panic!("IPv4 traffic") };
                (dst - table::NETWORK) >> 8
            })
            .collect();
        assert!(networks.len() > 500 && networks.iter().all(|n| *n < 512));
    }

    #[test]
    fn both_sides_of_learning_speak_of_the_same_addresses() {
        let w = world(1);
        let traffic = Traffic::of(Flows::Macs, 1_000);
        for (a, b) in traffic.capture(&w, 0).zip(traffic.capture(&w, 1)) {
            assert_eq!((a.dl_src, a.dl_dst), (b.dl_dst, b.dl_src));
        }
    }

    #[test]
    fn imix_is_seven_to_four_to_one() {
        let count = |length| IMIX.iter().filter(|l| **l == length).count();
        assert_eq!((count(60), count(590), count(1_514)), (7, 4, 1));
    }
}
