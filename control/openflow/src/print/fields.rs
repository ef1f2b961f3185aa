//! Lists of fields, shortened: `reg0...reg15`, `eth_{src,dst}`, `tun_{id,ipv6_{src,dst}}`.

use weir_flow::FieldId;

/// The names, in order, with what they share told once.
pub(super) fn list<'a>(fields: impl Iterator<Item = &'a FieldId>) -> String {
    let names: Vec<String> = fields.map(|f| name(*f)).collect();
    let names = runs(&names);
    let parts: Vec<&str> = names.iter().map(String::as_str).collect();
    group(&parts).join(" ")
}

/// The name Open vSwitch gives a field here; of a few it is what is otherwise the other name.
fn name(id: FieldId) -> String {
    let field = id.field();
    let other = ["eth_src", "eth_dst", "eth_type", "ip_src", "ip_dst", "ip_frag"];
    if other.contains(&field.alias.as_str()) { field.alias.clone() } else { field.name.clone() }
}

/// The part before a trailing number, and the number.
fn numbered(name: &str) -> Option<(&str, u32)> {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (stem, n) = name.split_at(name.len() - digits);
    n.parse().ok().map(|n| (stem, n))
}

/// Names numbered one after the other become one, `first...last`.
fn runs(names: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = names;
    while let Some((first, tail)) = rest.split_first() {
        let mut len = 1;
        if let Some((stem, n)) = numbered(first) {
            let next = |i: &usize| {
                tail.get(*i)
                    .and_then(|t| numbered(t))
                    .is_some_and(|(s, m)| s == stem && usize::try_from(m - n.min(m)) == Ok(i + 1))
            };
            len += (0..).take_while(next).count();
        }
        if len == 1 {
            out.push(first.clone());
        } else {
            let last = &rest[len - 1];
            // Within a group the stem is told again, without what the group shares.
            out.push(format!("{first}...{last}"));
        }
        rest = &rest[len..];
    }
    out
}

/// Neighbours with the same text before their first `_` become one.
fn group(names: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = names;
    while let Some((first, tail)) = rest.split_first() {
        let prefix = first.split_once('_').map(|(p, _)| p);
        let same = |n: &&&str| n.split_once('_').map(|(p, _)| p) == prefix;
        let len = if prefix.is_some() { 1 + tail.iter().take_while(same).count() } else { 1 };
        match prefix {
            Some(p) if len > 1 => {
                let inner: Vec<String> = rest[..len].iter().map(|n| strip(n, p)).collect();
                let inner: Vec<&str> = inner.iter().map(String::as_str).collect();
                out.push(format!("{p}_{{{}}}", group(&inner).join(",")));
            }
            _ => out.push((*first).to_owned()),
        }
        rest = &rest[len..];
    }
    out
}

/// A name, or both ends of a run, without the prefix and its `_`.
fn strip(name: &str, prefix: &str) -> String {
    let one =
        |n: &str| n.strip_prefix(prefix).and_then(|n| n.strip_prefix('_')).unwrap_or(n).to_owned();
    match name.split_once("...") {
        Some((a, b)) => format!("{}...{}", one(a), one(b)),
        None => one(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let names = runs(&names);
        group(&names.iter().map(String::as_str).collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn names_are_shortened_as_ovs_does() {
        assert_eq!(
            text(&["in_port", "in_port_oxm", "reg0", "reg1", "reg2", "eth_type"]),
            "in_{port,port_oxm} reg0...reg2 eth_type"
        );
        assert_eq!(
            text(&["tun_id", "tun_ipv6_src", "tun_ipv6_dst", "tun_metadata0", "tun_metadata1"]),
            "tun_{id,ipv6_{src,dst},metadata0...metadata1}"
        );
        assert_eq!(
            text(&["nsh_si", "nsh_c1", "nsh_c2", "nsh_c3", "nsh_c4", "nsh_ttl"]),
            "nsh_{si,c1...c4,ttl}"
        );
    }
}
