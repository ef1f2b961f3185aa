//! `OFPT_PORT_MOD`: a controller changes a port's configuration.

use crate::frame::Frame;
use crate::messages::port::{PortFeatures, config, pull_port};
use crate::ofp_errors::OfpError;
use crate::ofp_port::OfPort;
use crate::props::{self, Prop, PropType};
use crate::raw::Raw;
use crate::wire::{Put, Reader};

/// `OFPT_PORT_MOD`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortMod {
    /// Which port.
    pub port_no: OfPort,
    /// Its Ethernet address, so that the wrong port is not changed.
    pub hw_addr: [u8; 6],
    /// The new bits of [`config`], within `mask`.
    pub config: u32,
    /// Which bits to change.
    pub mask: u32,
    /// What to advertise; none leaves it as it is.
    pub advertise: PortFeatures,
}

const ETHERNET_PROP: u16 = 0;

impl PortMod {
    pub(crate) fn decode(f: &Frame<'_>, loose: bool) -> Result<Self, OfpError> {
        let mut r = Reader::new(f.body, OfpError::OFPBRC_BAD_LEN);
        if f.raw == Raw::Ofpt10PortMod {
            let port_no = OfPort(r.u16()?);
            let hw_addr = r.array()?;
            let (config, mask) = (r.u32()? & config::ALL_10, r.u32()? & config::ALL_10);
            let advertise = PortFeatures::from_ofp10(r.u32()?);
            return Ok(Self { port_no, hw_addr, config: config & mask, mask, advertise });
        }
        let port_no = pull_port(&mut r)?;
        r.skip(4)?;
        let hw_addr = r.array()?;
        r.skip(2)?;
        let (config, mask) = (r.u32()? & config::ALL_11, r.u32()? & config::ALL_11);
        let advertise = if f.raw == Raw::Ofpt11PortMod {
            PortFeatures::from_ofp11(r.u32()?)
        } else {
            advertise_property(r.rest(), loose)?
        };
        Ok(Self { port_no, hw_addr, config: config & mask, mask, advertise })
    }

    pub(crate) fn encode(&self, raw: Raw, out: &mut Vec<u8>) {
        if raw == Raw::Ofpt10PortMod {
            out.put_u16(self.port_no.0);
            out.extend_from_slice(&self.hw_addr);
            out.put_u32(self.config & config::ALL_10);
            out.put_u32(self.mask & config::ALL_10);
            out.put_u32(self.advertise.to_ofp10());
            out.put_zeros(4);
            return;
        }
        out.put_u32(self.port_no.to_ofp11());
        out.put_zeros(4);
        out.extend_from_slice(&self.hw_addr);
        out.put_zeros(2);
        out.put_u32(self.config & config::ALL_11);
        out.put_u32(self.mask & config::ALL_11);
        if raw == Raw::Ofpt11PortMod {
            out.put_u32(self.advertise.0);
            out.put_zeros(4);
        } else if self.advertise.0 != 0 {
            props::put_u32(out, ETHERNET_PROP, self.advertise.0);
        }
    }
}

fn advertise_property(bytes: &[u8], loose: bool) -> Result<PortFeatures, OfpError> {
    let mut r = Reader::new(bytes, OfpError::OFPBPC_BAD_LEN);
    let mut advertise = PortFeatures::default();
    while !r.is_empty() {
        let prop = Prop::pull(&mut r)?;
        match prop.kind {
            PropType::Standard(ETHERNET_PROP) => {
                advertise = PortFeatures::from_ofp11(prop.u32()?);
            }
            _ if loose => {}
            _ => return Err(prop.unknown()),
        }
    }
    Ok(advertise)
}
