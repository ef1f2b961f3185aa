//! [`OfConn`]: one OpenFlow connection as a state machine. Every buffer is bounded: input is taken
//! only while there is room for replies.

use std::collections::VecDeque;
use std::sync::Arc;

use weir_openflow::frame::{Frame, MAX_MESSAGE};
use weir_openflow::header::{HEADER_LEN, Header};
use weir_openflow::message::encode_for;
use weir_openflow::message::{CodecOptions, decode_frame};
use weir_openflow::messages::async_config::AsyncConfig;
use weir_openflow::messages::error::error_reply;
use weir_openflow::messages::nicira::PacketInFormat;
use weir_openflow::messages::role::Role;
use weir_openflow::multipart::{MultipartAssembler, MultipartWriter};
use weir_openflow::protocol::Protocols;
use weir_openflow::{Decoded, Message, OfVersion, OfpError};

use super::bundle::Bundles;
use super::hello;
use super::limiter::Limiter;
use crate::table::Rule;

/// Bytes of output above which no more requests are read.
pub(super) const OUTPUT_HIGH: usize = 256 << 10;
/// Bytes of output above which asynchronous messages are lost, then the connection.
const OUTPUT_LIMIT: usize = 16 << 20;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnKind {
    /// A controller: gets asynchronous messages by default.
    Primary,
    /// A tool that came to `BRIDGE.mgmt` or the like: gets none unless it asks.
    Service,
}

/// How far a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnStatus {
    /// The hellos are not exchanged yet.
    Negotiating,
    /// In use.
    Open,
    /// To be closed, once the output is sent.
    Closing(String),
}

/// A flow statistics reply that is being sent bit by bit.
#[derive(Debug)]
pub(super) struct FlowDump {
    pub(super) writer: MultipartWriter,
    pub(super) rules: VecDeque<Arc<Rule>>,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct OfConn {
    /// Who is at the other end.
    pub kind: ConnKind,
    status: ConnStatus,
    versions: Vec<OfVersion>,
    version: OfVersion,
    pub(super) protocol: Protocols,
    input: Vec<u8>,
    /// How much of it has been read.
    consumed: usize,
    output: VecDeque<Vec<u8>>,
    output_bytes: usize,
    assembler: MultipartAssembler,
    pub(super) dump: Option<FlowDump>,
    pub(super) role: Role,
    pub(super) async_config: AsyncConfig,
    /// May the connection get asynchronous messages at all?
    pub(super) async_enabled: bool,
    /// Of packets that no flow matches, and of others, if there is a limit.
    pub(super) limiters: Option<[Limiter; 2]>,
    pub(super) miss_send_len: u16,
    pub(super) packet_in_format: PacketInFormat,
    pub(super) controller_id: u16,
    pub(super) bundles: Bundles,
    /// Packets for this controller that found no room.
    pub packet_ins_dropped: u64,
    snooped: Option<VecDeque<Vec<u8>>>,
}

/// Most messages kept for somebody who snoops.
const MAX_SNOOPED: usize = 4096;

impl OfConn {
    /// A new connection; its hello is in the output already.
    #[must_use]
    pub fn new(kind: ConnKind, versions: &[OfVersion]) -> Self {
        let mut conn = Self {
            kind,
            status: ConnStatus::Negotiating,
            versions: versions.to_vec(),
            version: OfVersion::V10,
            protocol: Protocols::NONE,
            input: Vec::new(),
            consumed: 0,
            output: VecDeque::new(),
            output_bytes: 0,
            assembler: MultipartAssembler::default(),
            dump: None,
            role: Role::Equal,
            async_config: AsyncConfig::default(),
            async_enabled: true,
            limiters: None,
            miss_send_len: if kind == ConnKind::Primary { 128 } else { 0 },
            packet_in_format: PacketInFormat::Standard,
            controller_id: 0,
            bundles: Bundles::default(),
            packet_ins_dropped: 0,
            snooped: None,
        };
        conn.queue(hello::offer(versions));
        conn
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> &ConnStatus {
        &self.status
    }

    /// The version agreed on, once it is.
    #[must_use]
    pub fn version(&self) -> Option<OfVersion> {
        (self.status != ConnStatus::Negotiating).then_some(self.version)
    }

    /// The controller's role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Takes the settings of its controller: whether it gets asynchronous messages at all, and how
    /// many packets a second and at once.
    pub fn configure(&mut self, async_enabled: bool, rate_limit: Option<(u32, u32)>) {
        self.async_enabled = async_enabled;
        let same = match (&self.limiters, rate_limit) {
            (Some([limiter, _]), Some((rate, burst))) => limiter.is(rate, burst),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.limiters = rate_limit
                .map(|(rate, burst)| [Limiter::new(rate, burst), Limiter::new(rate, burst)]);
        }
    }

    /// Do packets wait for their turn?
    #[must_use]
    pub fn has_waiting_packets(&self) -> bool {
        self.limiters.iter().flatten().any(Limiter::is_waiting)
    }

    /// Keeps copies of all messages, for [`OfConn::take_snooped`].
    pub fn set_snooping(&mut self, on: bool) {
        self.snooped = on.then(|| self.snooped.take().unwrap_or_default());
    }

    /// Takes the messages that went either way since the last call.
    pub fn take_snooped(&mut self) -> VecDeque<Vec<u8>> {
        self.snooped.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn snoop(&mut self, message: &[u8]) {
        if let Some(list) = &mut self.snooped
            && list.len() < MAX_SNOOPED
        {
            list.push_back(message.to_vec());
        }
    }

    /// Is there room for more input? If not, it must wait in the socket.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !matches!(self.status, ConnStatus::Closing(_))
            && self.input.len() - self.consumed < 2 * MAX_MESSAGE
            && self.output_bytes < OUTPUT_HIGH
            && self.dump.is_none()
    }

    /// Takes bytes from the peer.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.input.drain(..std::mem::take(&mut self.consumed));
        self.input.extend_from_slice(bytes);
    }

    /// The next bytes to send.
    #[must_use]
    pub fn output(&self) -> Option<&[u8]> {
        self.output.front().map(Vec::as_slice)
    }

    /// Bytes waiting to be sent.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.output_bytes
    }

    /// Forgets the first `n` bytes of [`OfConn::output`], which were sent.
    pub fn sent(&mut self, n: usize) {
        let Some(front) = self.output.front_mut() else { return };
        let n = n.min(front.len());
        self.output_bytes -= n;
        if n == front.len() {
            self.output.pop_front();
        } else {
            front.drain(..n);
        }
    }

    /// Sends an echo request, to find out whether the peer is there.
    pub fn probe(&mut self) {
        self.send(0, &Message::EchoRequest(Vec::new()));
    }

    /// Ends the connection after the output is sent.
    pub fn close(&mut self, why: &str) {
        if !matches!(self.status, ConnStatus::Closing(_)) {
            self.status = ConnStatus::Closing(why.to_owned());
        }
    }

    pub(super) fn queue(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        if self.output_bytes + bytes.len() > OUTPUT_LIMIT {
            self.close("too much output is waiting");
            return;
        }
        if self.snooped.is_some() {
            let mut rest = bytes.as_slice();
            while let Some(len) = Header::parse(rest).map(|h| usize::from(h.length)) {
                let Some((message, more)) = rest.split_at_checked(len.max(HEADER_LEN)) else {
                    break;
                };
                self.snoop(message);
                rest = more;
            }
        }
        self.output_bytes += bytes.len();
        self.output.push_back(bytes);
    }

    /// Sends a message in the connection's version and format. One that the version does not have
    /// is not sent.
    pub(super) fn send(&mut self, xid: u32, message: &Message) {
        if let Ok(bytes) = encode_for(self.protocol, xid, message) {
            self.queue(bytes);
        }
    }

    /// Answers a request with an error.
    pub(super) fn error(&mut self, error: OfpError, request: &[u8]) {
        self.queue(error_reply(error, request));
    }

    /// Takes the next whole message out of the input and decodes it. Hellos and undecodable
    /// messages are dealt with here.
    pub(super) fn next_request(&mut self, now_ms: u64) -> Option<(Decoded, Vec<u8>)> {
        while self.output_bytes < OUTPUT_HIGH && self.dump.is_none() {
            if matches!(self.status, ConnStatus::Closing(_)) {
                return None;
            }
            let bytes = self.next_frame()?;
            if self.status == ConnStatus::Negotiating {
                self.negotiate(&bytes);
                continue;
            }
            match self.decode(&bytes, now_ms) {
                Ok(Some(decoded)) => return Some((decoded, bytes)),
                Ok(None) => {}
                Err(e) => {
                    log::info!(target: "ofp_connection", "answering a bad request: {e}");
                    self.error(e, &bytes);
                }
            }
        }
        None
    }

    fn next_frame(&mut self) -> Option<Vec<u8>> {
        let rest = self.input.get(self.consumed..)?;
        let len = usize::from(Header::parse(rest)?.length);
        if len < HEADER_LEN {
            self.close(&format!("received too-short ofp_header ({len} bytes)"));
            return None;
        }
        let bytes = rest.get(..len)?.to_vec();
        self.consumed += len;
        self.snoop(&bytes);
        Some(bytes)
    }

    fn negotiate(&mut self, bytes: &[u8]) {
        let decoded =
            Frame::parse_headers(bytes).and_then(|f| decode_frame(&f, CodecOptions::default()));
        let Ok(Decoded { message: Message::Hello(peer), .. }) = decoded else {
            self.close("expected OFPT_HELLO first");
            return;
        };
        match hello::agree(&self.versions, &peer) {
            Some(version) => {
                self.version = version;
                self.protocol = match version {
                    OfVersion::V10 => Protocols::OF10_STD,
                    v => Protocols::of_version(v).first().unwrap_or(Protocols::OF10_STD),
                };
                self.async_config = AsyncConfig::default_of(version);
                self.status = ConnStatus::Open;
            }
            None => {
                let text = hello::mismatch(&self.versions, &peer);
                log::warn!(target: "ofp_connection", "{text}");
                self.queue(hello_failed(bytes, &text));
                self.close("version negotiation failed");
            }
        }
    }

    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        now_ms: u64,
    ) -> Result<Option<Decoded>, OfpError> {
        let header = Header::parse(bytes).ok_or(OfpError::OFPBRC_BAD_LEN)?;
        if header.version != self.version.wire() {
            return Err(OfpError::OFPBRC_BAD_VERSION);
        }
        let table_id = self.protocol.intersects(Protocols::TID);
        let options = CodecOptions { table_id, ..CodecOptions::default() };
        let frame = Frame::parse(bytes)?;
        if !frame.raw.row().channel.is_multipart_request() {
            return decode_frame(&frame, options).map(Some);
        }
        let Some(joined) = self.assembler.part(&frame, now_ms)? else { return Ok(None) };
        decode_frame(&joined.frame(), options).map(Some)
    }

    /// Sends more of a long reply, as much as there is room for.
    pub(super) fn continue_dump(&mut self, now_ms: u64) {
        let Some(mut dump) = self.dump.take() else { return };
        while self.output_bytes < OUTPUT_HIGH {
            for _ in 0..64 {
                let Some(rule) = dump.rules.pop_front() else {
                    if let Ok(bytes) = dump.writer.finish() {
                        self.queue(bytes);
                    }
                    return;
                };
                super::stats::put_flow(&mut dump.writer, &rule, now_ms);
            }
            self.queue(dump.writer.take_finished());
        }
        self.dump = Some(dump);
    }

    /// Drops multipart requests and bundles whose next part does not come.
    pub(super) fn expire(&mut self, now_ms: u64) {
        let _ = self.assembler.expire(now_ms);
        for (xid, opened) in self.bundles.expire(now_ms) {
            if let Ok(bytes) = encode_for(self.protocol, xid, &opened) {
                self.error(OfpError::OFPBFC_TIMEOUT, &bytes);
            }
        }
    }
}

/// The error that a peer without a common version gets.
fn hello_failed(request: &[u8], text: &str) -> Vec<u8> {
    let mut bytes = error_reply(OfpError::OFPHFC_INCOMPATIBLE, request);
    // The data of this error is a text, not the request.
    bytes.truncate(12);
    bytes.extend_from_slice(text.as_bytes());
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    if let Some(at) = bytes.get_mut(2..4) {
        at.copy_from_slice(&len.to_be_bytes());
    }
    bytes
}
