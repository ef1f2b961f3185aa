//! The normal pipeline: an ordinary VLAN-aware learning switch.

use std::sync::Arc;

use weir_flow::Mask;
use weir_flow::flow::{Flow, VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK, Vlan, eth_type};
use weir_openflow::OfPort;
use weir_protocols::mac_learning::{Sighting, Station};

use super::credit::CreditEntry;
use super::ctx::Ctx;
use super::trace::NodeKind;
use super::vlan;
use crate::config::{PriorityTags, VlanMode};
use crate::view::{BundleId, BundleView};

/// Where spanning tree frames go.
pub const STP_ADDRESS: [u8; 6] = [0x01, 0x80, 0xc2, 0, 0, 0];

/// The VLAN tags of a packet on their way from one bundle to another.
#[derive(Clone, Copy, Debug, Default)]
struct Tags([Tag; 2]);

#[derive(Clone, Copy, Debug, Default)]
struct Tag {
    tpid: u16,
    vid: u16,
    /// In its place in a TCI.
    pcp: u16,
}

impl Tags {
    /// The tags that are there: a TCI without its presence bit is none, and ends them.
    fn of(flow: &Flow) -> Self {
        let mut tags = Self::default();
        for (t, v) in tags.0.iter_mut().zip(&flow.vlans) {
            let (tpid, tci) = (v.tpid.get(), v.tci.get());
            if !is_vlan(tpid) || tci & VLAN_CFI == 0 {
                break;
            }
            *t = Tag { tpid, vid: tci & VLAN_VID_MASK, pcp: tci & VLAN_PCP_MASK };
        }
        tags
    }

    fn put(&self, flow: &mut Flow, priority: PriorityTags) {
        for (i, (v, t)) in flow.vlans.iter_mut().zip(&self.0).enumerate() {
            let tci = t.vid | t.pcp;
            let tagged = tci != 0 || (i == 0 && priority == PriorityTags::Always);
            let tpid = if t.tpid == 0 { eth_type::VLAN_8021Q } else { t.tpid };
            *v = if tagged { vlan::tag(tpid, tci | VLAN_CFI) } else { Vlan::default() };
        }
    }

    fn pop(&self) -> Self {
        Self([self.0[1], Tag::default()])
    }

    fn push(&self, tag: Tag) -> Self {
        Self([tag, self.0[0]])
    }

    fn with_vid(&self, vid: u16) -> Self {
        let outer = self.0[0];
        let tpid = if outer.tpid == 0 { eth_type::VLAN_8021Q } else { outer.tpid };
        Self([Tag { tpid, vid, pcp: outer.pcp }, self.0[1]])
    }

    /// From what a bundle's frames carry to what they mean inside the bridge.
    fn into_bridge(self, bundle: &BundleView) -> Self {
        match bundle.mode {
            VlanMode::Access => Self([self.with_vid(bundle.vlan).0[0], Tag::default()]),
            VlanMode::Trunk => self,
            VlanMode::NativeTagged | VlanMode::NativeUntagged if self.0[0].vid == 0 => {
                self.with_vid(bundle.vlan)
            }
            VlanMode::NativeTagged | VlanMode::NativeUntagged => self,
            VlanMode::Dot1qTunnel => {
                self.push(Tag { tpid: bundle.qinq_ethtype, vid: bundle.vlan, pcp: 0 })
            }
        }
    }

    /// The other way. `pcp` is the packet's priority.
    fn out_of_bridge(self, bundle: &BundleView, pcp: u16) -> Self {
        let mut tags = match bundle.mode {
            VlanMode::Access => Self::default(),
            VlanMode::NativeUntagged if self.0[0].vid == bundle.vlan => self.pop(),
            VlanMode::Trunk | VlanMode::NativeTagged | VlanMode::NativeUntagged => self,
            VlanMode::Dot1qTunnel => self.pop(),
        };
        if bundle.priority_tags != PriorityTags::Never {
            tags.0[0].pcp = pcp;
        }
        tags
    }
}

impl Ctx<'_> {
    /// The `NORMAL` output.
    pub(super) fn normal(&mut self) {
        self.wc.0.dl_src = [0xff; 6];
        self.wc.0.dl_dst = [0xff; 6];
        let tci = self.wc.0.vlans[0].tci.get() | VLAN_VID_MASK | VLAN_CFI;
        self.wc.0.vlans[0].tci = tci.into();
        // A priority tag may stay or go by its priority.
        if self.flow.vlans[0].tci.get() & (VLAN_CFI | VLAN_VID_MASK) == VLAN_CFI {
            self.wc.0.vlans[0].tci = u16::MAX.into();
        }

        let bridge = self.bridge;
        let in_port = self.in_port();
        let input = bridge.ports.get(&in_port).and_then(|p| bridge.bundle(p.bundle?));
        // Packets of controllers come from no port: they are not learned from and may go anywhere.
        let nowhere = matches!(in_port, OfPort::NONE | OfPort::CONTROLLER);
        if input.is_none() && !nowhere {
            self.note(NodeKind::Warning, || "no input bundle, dropping".to_owned());
            return;
        }
        let untagged = self.flow.vlans[0].tci.get() & VLAN_CFI == 0;
        if is_vlan(self.flow.dl_type.get()) && untagged {
            self.note(NodeKind::Error, || {
                format!(
                    "dropping packet with partial VLAN tag received on port {}",
                    input.map_or("", |b| b.name.as_str())
                )
            });
            return;
        }
        let mut tags = Tags::of(&self.flow);
        self.examine_inner_tag();
        if let Some(input) = input {
            if !self.vid_is_valid(tags.0[0].vid, input) {
                self.note(NodeKind::Warning, || {
                    "disallowed VLAN VID for this input port, dropping".to_owned()
                });
                return;
            }
            if input.mode == VlanMode::Dot1qTunnel {
                // There may be no room for the innermost tag.
                vlan::examine(&self.flow, &mut self.wc);
            }
            tags = tags.into_bridge(input);
            if !bridge.forward_bpdu && is_reserved(self.flow.dl_dst) {
                self.note(NodeKind::Detail, || {
                    "packet has reserved destination MAC, dropping".to_owned()
                });
                return;
            }
            self.learn_source(input, tags.0[0].vid);
        }
        self.forward(input, tags);
    }

    /// An inner tag that is all zero vanishes, and one with a VID keeps packets from access ports: of
    /// another one, a single bit tells that it is not so.
    fn examine_inner_tag(&mut self) {
        if self.flow.n_vlans() < 2 {
            return;
        }
        let tci = self.flow.vlans[1].tci.get();
        let some = |of: u16| if tci & of == 0 { of } else { tci & of & (tci & of).wrapping_neg() };
        let mut bits = some(VLAN_VID_MASK);
        if tci & VLAN_VID_MASK == 0 {
            bits |= some(VLAN_PCP_MASK);
        }
        let old = self.wc.0.vlans[1].tci.get();
        self.wc.0.vlans[1].tci = (old | bits | VLAN_CFI).into();
    }

    fn vid_is_valid(&mut self, vid: u16, input: &BundleView) -> bool {
        let name = &input.name;
        match input.mode {
            VlanMode::Access if vid != 0 => {
                self.note(NodeKind::Error, || {
                    format!(
                        "dropping VLAN {vid} tagged packet received on port {name} configured as \
                         VLAN {} access port",
                        input.vlan
                    )
                });
                false
            }
            VlanMode::Access => true,
            VlanMode::NativeTagged | VlanMode::NativeUntagged if vid == 0 => true,
            VlanMode::Trunk | VlanMode::NativeTagged | VlanMode::NativeUntagged => {
                let ok = input.trunks_vlan(vid);
                if !ok {
                    self.note(NodeKind::Error, || {
                        format!(
                            "dropping VLAN {vid} packet received on port {name} not configured \
                             for trunking VLAN {vid}"
                        )
                    });
                }
                ok
            }
            VlanMode::Dot1qTunnel => {
                let ok = input.cvlans.as_ref().is_none_or(|c| c.has(vid));
                if !ok {
                    self.note(NodeKind::Error, || {
                        format!(
                            "dropping VLAN {vid} packet received on dot1q-tunnel port {name} that \
                             excludes this VLAN"
                        )
                    });
                }
                ok
            }
        }
    }

    fn learn_source(&mut self, input: &BundleView, vlan: u16) {
        let seen = Sighting {
            station: Station { vlan, mac: self.flow.dl_src },
            port: input.id,
            bond: input.members.len() > 1,
            gratuitous_arp: is_gratuitous_arp(&self.flow, &mut self.wc),
        };
        let shared = &self.bridge.shared;
        if self.env.teaches() && shared.see_station(&seen, self.env.now_ms) {
            let mac = weir_openflow::value_text::address::format_mac(seen.station.mac);
            let name = &input.name;
            self.note(NodeKind::Detail, || {
                format!("learned that {mac} is on port {name} in VLAN {vlan}")
            });
        }
        self.credits.push(CreditEntry::Mac { bridge: Arc::clone(&self.bridge.shared), seen });
    }

    fn forward(&mut self, input: Option<&BundleView>, tags: Tags) {
        let bridge = self.bridge;
        let station = Station { vlan: tags.0[0].vid, mac: self.flow.dl_dst };
        match bridge.shared.locate(station) {
            Some(id) => {
                let Some(output) = bridge.bundle(id) else {
                    self.note(NodeKind::Warning, || "learned port is unknown, dropping".to_owned());
                    return;
                };
                if input.is_some_and(|i| i.id == output.id) {
                    self.note(NodeKind::Detail, || {
                        "learned port is input port, dropping".to_owned()
                    });
                } else if is_isolated(input, output) {
                    self.note(NodeKind::Detail, || {
                        "learned port is a protected port, dropping".to_owned()
                    });
                } else {
                    self.note(NodeKind::Detail, || "forwarding to learned port".to_owned());
                    self.output_bundle(output, tags);
                }
            }
            None => {
                self.note(NodeKind::Detail, || {
                    "no learned MAC for destination, flooding".to_owned()
                });
                let [outer, inner] = tags.0;
                for output in &bridge.bundles {
                    let back = input.is_some_and(|i| i.id == output.id);
                    if !back
                        && output.includes_vlans(outer.vid, inner.vid)
                        && output.floodable
                        && !is_isolated(input, output)
                    {
                        self.output_bundle(output, tags);
                    }
                }
            }
        }
    }

    fn output_bundle(&mut self, output: &BundleView, tags: Tags) {
        let Some(port) = output.members.first() else { return };
        let old = self.flow.vlans;
        if output.priority_tags != PriorityTags::Never {
            vlan::examine(&self.flow, &mut self.wc);
        }
        let pcp = old[0].tci.get() & VLAN_PCP_MASK;
        tags.out_of_bridge(output, pcp).put(&mut self.flow, output.priority_tags);
        self.output_port(*port, false, false);
        self.flow.vlans = old;
    }
}

/// May no packet go from one to the other because both are protected?
fn is_isolated(input: Option<&BundleView>, output: &BundleView) -> bool {
    output.protected && input.is_some_and(|i| i.protected)
}

fn is_vlan(dl_type: u16) -> bool {
    matches!(dl_type, eth_type::VLAN_8021Q | eth_type::VLAN_8021AD)
}

/// An ARP packet that tells everybody its sender's address.
fn is_gratuitous_arp(flow: &Flow, wc: &mut Mask) -> bool {
    if flow.dl_type.get() != eth_type::ARP {
        return false;
    }
    wc.0.dl_dst = [0xff; 6];
    if flow.dl_dst != [0xff; 6] {
        return false;
    }
    wc.0.nw_proto = 0xff;
    match flow.nw_proto {
        2 => true,
        1 => {
            wc.0.nw_src = u32::MAX.into();
            wc.0.nw_dst = u32::MAX.into();
            flow.nw_src == flow.nw_dst
        }
        _ => false,
    }
}

/// Destinations that bridges do not forward (ovs-vswitchd.conf.db(5), `forward-bpdu`).
fn is_reserved(mac: [u8; 6]) -> bool {
    match mac {
        [0x01, 0x80, 0xc2, 0, 0, low] => low < 0x10,
        [0x00, 0xe0, 0x2b, 0, 0, low] => matches!(low, 0 | 4 | 6),
        [0x01, 0x00, 0x0c, 0xcc, 0xcc, low] => matches!(low, 0xcc | 0xcd),
        [0x01, 0x00, 0x0c, 0xcd, 0xcd, 0xcd] | [0x01, 0x00, 0x0c, 0, 0, 0] => true,
        _ => false,
    }
}

/// The bundle that a port's packets are learned on. For `fdb/add`.
#[must_use]
pub fn bundle_of(bridge: &crate::view::BridgeView, port: OfPort) -> Option<BundleId> {
    bridge.ports.get(&port)?.bundle
}
