//! Reads datapath actions.

use std::sync::Arc;

use super::PortByName;
use super::attr::{self, Attr};
use super::key_parse::{read_mpls, read_tci};
use super::scan::{Scanner, SyntaxError};
use super::value;
use crate::action::{
    Action, ControllerCookie, HashAlgorithm, Header, PortNo, SampleCookie, SetHeader, SlowReasons,
    Userspace,
};
use crate::drop_reason::DropReason;
use crate::flow::{Flow, eth_type};

/// Most action lists inside each other.
const MAX_DEPTH: usize = 16;

/// Reads an action list. Actions stand apart by commas or white space; `drop` alone is the empty
/// list. With `ports`, an output may be a name. Controller and sample actions have no state but
/// their text.
///
/// # Errors
/// The text has an unknown action or a malformed argument.
pub fn parse_actions(
    text: &str,
    ports: Option<PortByName<'_>>,
) -> Result<Vec<Action>, SyntaxError> {
    let mut s = Scanner::new(text);
    let mut last = s;
    let list = read_list(&mut s, ports, 0, &mut last)
        .ok_or_else(|| SyntaxError(last.rest().to_owned()))?;
    if s.rest().is_empty() { Ok(list) } else { Err(SyntaxError(s.rest().to_owned())) }
}

/// Reads actions up to the end or a closing parenthesis. `last` becomes the place of the last
/// action of the outermost list.
fn read_list<'a>(
    s: &mut Scanner<'a>,
    ports: Option<PortByName<'_>>,
    depth: usize,
    last: &mut Scanner<'a>,
) -> Option<Vec<Action>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut actions = Vec::new();
    loop {
        s.separators();
        if s.rest().is_empty() || s.peek() == Some(')') {
            break;
        }
        if depth == 0 {
            *last = *s;
        }
        let mut nested = |s: &mut Scanner<'a>| {
            let list = read_list(s, ports, depth + 1, last)?;
            s.expect(")")?;
            Some(list)
        };
        actions.push(read_action(s, ports, &mut nested)?);
    }
    // A list that drops is empty.
    if let [Action::Drop(_)] = actions[..] {
        actions.clear();
    }
    Some(actions)
}

fn read_action<'a>(
    s: &mut Scanner<'a>,
    ports: Option<PortByName<'_>>,
    nested: &mut dyn FnMut(&mut Scanner<'a>) -> Option<Vec<Action>>,
) -> Option<Action> {
    if s.peek()?.is_ascii_digit() {
        return Some(Action::Output(PortNo(s.int()?)));
    }
    let before = *s;
    let name = s.word(|c| c.is_ascii_alphanumeric() || c == '_');
    if !s.eat("(") {
        return match name {
            "drop" => Some(Action::Drop(DropReason::OfPipeline)),
            "pop_vlan" => Some(Action::PopVlan),
            _ => {
                *s = before;
                let name = s.word(|c| !c.is_ascii_whitespace() && !matches!(c, ',' | '(' | ')'));
                Some(Action::Output(ports?(name)?))
            }
        };
    }
    let action = match name {
        "set" => return read_set(s),
        "userspace" => return Some(Action::Userspace(read_userspace(s)?)),
        "push_vlan" => return read_push_vlan(s),
        "push_mpls" => return read_push_mpls(s),
        "clone" => return Some(Action::Clone(nested(s)?.into())),
        "pop_mpls" => {
            s.expect("eth_type=")?;
            Action::PopMpls { ethertype: s.int()? }
        }
        "recirc" => Action::Recirc(s.int()?),
        "trunc" => Action::Truncate(s.int()?),
        "meter" => Action::Meter(s.int()?),
        "hash" => {
            let algorithm = if s.eat("l4(") {
                HashAlgorithm::L4
            } else {
                s.expect("sym_l4(")?;
                HashAlgorithm::SymL4
            };
            let basis = s.int()?;
            s.expect(")")?;
            Action::Hash { algorithm, basis }
        }
        "sample" => {
            s.expect("sample=")?;
            let percent: f64 = s.word(|c| c.is_ascii_digit() || c == '.').parse().ok()?;
            s.expect("%,actions(")?;
            if !(0.0..=100.0).contains(&percent) {
                return None;
            }
            let probability = (f64::from(u32::MAX) / 100.0 * percent).round() as u32;
            Action::Sample { probability, actions: nested(s)?.into() }
        }
        "check_pkt_len" => {
            s.expect("size=")?;
            let len = s.int()?;
            s.expect(",gt(")?;
            let greater = nested(s)?.into();
            s.expect(",le(")?;
            let less_equal = nested(s)?.into();
            Action::CheckPktLen { len, greater, less_equal }
        }
        _ => return None,
    };
    s.expect(")")?;
    Some(action)
}

fn read_set(s: &mut Scanner<'_>) -> Option<Action> {
    let name = s.word(|c| c.is_ascii_alphanumeric() || c == '_');
    s.expect("(")?;
    let (mut value, mut mask) = (Flow::ZERO, Flow::ZERO);
    let header = if name == "mpls" {
        read_mpls(s, &mut value, &mut mask)?;
        Header::Mpls
    } else {
        let attr = Attr::by_name(name)?;
        attr.read(s, &mut value, &mut mask)?;
        attr::header_of(attr)?
    };
    s.expect(")")?;
    Some(Action::Set(Box::new(SetHeader { header, value, mask })))
}

fn read_push_vlan(s: &mut Scanner<'_>) -> Option<Action> {
    let mut tpid = eth_type::VLAN_8021Q;
    if s.eat("tpid=") {
        tpid = s.int()?;
        s.expect(",")?;
    }
    let (tci, _) = read_tci(s)?;
    Some(Action::PushVlan { tpid, tci })
}

fn read_push_mpls(s: &mut Scanner<'_>) -> Option<Action> {
    let (mut lse, mut ethertype) = (0, None);
    s.fields(|s, name| {
        let v: u32 = s.int()?;
        let (shift, full) = match name {
            "label" => (12, 0xf_ffff),
            "tc" => (9, 7),
            "ttl" => (0, 0xff),
            "bos" => (8, 1),
            "eth_type" => {
                ethertype = Some(u16::try_from(v).ok()?);
                return Some(());
            }
            _ => return None,
        };
        lse |= v << shift;
        (v <= full).then_some(())
    })?;
    Some(Action::PushMpls { ethertype: ethertype?, lse })
}

fn read_userspace(s: &mut Scanner<'_>) -> Option<Userspace> {
    s.expect("pid=")?;
    s.int::<u32>()?;
    s.expect(",")?;
    let kind = s.word(|c| c.is_ascii_alphanumeric() || c == '_');
    s.expect("(")?;
    let userspace = match kind {
        "slow_path" => {
            let reasons = read_slow_path(s)?;
            s.expect(")")?;
            Userspace::SlowPath(SlowReasons(reasons))
        }
        "controller" => Userspace::Controller(Arc::new(read_controller(s)?)),
        _ => {
            let kind = ["sFlow", "flow_sample", "ipfix"].into_iter().find(|k| *k == kind)?;
            let text = s.word(|c| c != ')').to_owned();
            s.expect(")")?;
            Userspace::Sample(Arc::new(SampleCookie { kind, text, state: Arc::new(()) }))
        }
    };
    s.expect(")")?;
    Some(userspace)
}

/// Reads reasons, with commas as they are written or bars, or their number.
fn read_slow_path(s: &mut Scanner<'_>) -> Option<u8> {
    if s.peek()?.is_ascii_digit() {
        return s.int();
    }
    let mut reasons = 0;
    loop {
        let name = s.word(|c| c.is_ascii_lowercase());
        reasons |= 1 << value::SLOW_PATH.iter().position(|n| *n == name)?;
        if !s.eat(",") && !s.eat("|") {
            return Some(reasons);
        }
    }
}

fn read_controller(s: &mut Scanner<'_>) -> Option<ControllerCookie> {
    let mut c = ControllerCookie {
        reason: 0,
        rule_cookie: 0,
        table_id: 0,
        controller_id: 0,
        max_len: 0,
        dont_send: false,
        continuation: false,
        recirc_id: 0,
        meter_id: None,
        state: Arc::new(()),
    };
    s.fields(|s, name| {
        match name {
            "reason" => c.reason = s.int()?,
            "dont_send" => c.dont_send = s.int::<u8>()? != 0,
            "continuation" => c.continuation = s.int::<u8>()? != 0,
            "recirc_id" => c.recirc_id = s.int()?,
            "rule_cookie" => c.rule_cookie = s.int()?,
            "controller_id" => c.controller_id = s.int()?,
            "max_len" => c.max_len = s.int()?,
            _ => return None,
        }
        Some(())
    })?;
    Some(c)
}
