//! Packets for tests: made from random bytes, but so that most headers are sound and some are not.

use super::checksum;

/// Draws small choices from random bytes; all zero once they are used up.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn below(&mut self, n: u8) -> u8 {
        self.byte() % n
    }

    /// True once in `n` times.
    fn rarely(&mut self, n: u8) -> bool {
        self.below(n) == 1
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.byte()).collect()
    }
}

/// Makes an Ethernet frame from random bytes.
#[must_use]
pub fn packet(seed: &[u8]) -> Vec<u8> {
    let mut dice = Dice(seed.iter());
    let d = &mut dice;
    let mut p = d.bytes(12);
    for _ in 0..[0, 0, 0, 1, 1, 2, 3][usize::from(d.below(7))] {
        p.extend([[0x81, 0], [0x88, 0xa8]][usize::from(d.below(2))]);
        p.extend(d.bytes(2));
    }
    match d.below(12) {
        0 => {
            p.extend([0, d.below(7)]);
            p.extend([0xaa, 0xaa, 3, 0, 0, if d.rarely(5) { 1 } else { 0 }]);
            p.extend([8, 0]);
            ipv4(d, &mut p);
        }
        1 => {
            p.extend([0x88, 0x47 + d.below(2)]);
            for n in (0..d.below(6)).rev() {
                let bos = u8::from(n == 0 || d.rarely(5));
                p.extend([d.byte(), d.byte(), d.byte() & 0xfe | bos, d.byte()]);
            }
            p.extend(d.bytes(20));
        }
        2 => {
            p.extend(if d.rarely(3) { [0x80, 0x35] } else { [8, 6] });
            let wrong = u8::from(d.rarely(8));
            p.extend([0, 1, 8, 0, 6, 4 + wrong, u8::from(d.rarely(8)), d.below(5)]);
            p.extend(d.bytes(20));
        }
        3 => {
            p.extend([0x89, 0x4f]);
            let (len, mdtype) = [(6, 1), (6, 1), (4, 2), (2, 2), (5, 1)][usize::from(d.below(5))];
            let wrong = if d.rarely(8) { 0x40 } else { 0 };
            p.extend([d.byte() & 0x3f | wrong, d.byte() & 0xc0 | len, mdtype, d.byte()]);
            p.extend(d.bytes(24));
        }
        4..=6 => {
            p.extend([0x86, 0xdd]);
            ipv6(d, &mut p);
        }
        7 => {
            p.extend(d.bytes(2));
            p.extend(d.bytes(30));
        }
        _ => {
            p.extend([8, 0]);
            ipv4(d, &mut p);
        }
    }
    if d.rarely(4) {
        let keep = p.len() * usize::from(d.byte()) / 256;
        p.truncate(keep);
    } else if d.rarely(3) {
        let padding = usize::from(d.below(30));
        p.extend(d.bytes(padding));
    }
    p
}

fn ipv4(d: &mut Dice<'_>, p: &mut Vec<u8>) {
    let options = if d.rarely(4) { usize::from(d.below(10)) * 4 } else { 0 };
    let proto = [6, 6, 17, 17, 1, 2, 132, 47, 58][usize::from(d.below(9))];
    let frag: u16 = [0, 0, 0, 0x4000, 0x2000, 0x2003, 0x0007, 0x8000][usize::from(d.below(8))];
    let ihl = if d.rarely(16) { d.below(16) } else { 5 + (options / 4) as u8 };
    let start = p.len();
    p.extend([0x40 | ihl, d.byte(), 0, 0, d.byte(), d.byte()]);
    p.extend(frag.to_be_bytes());
    p.extend([d.byte(), proto, 0, 0]);
    p.extend(d.bytes(8 + options));
    let (header, pseudo) = (p.len() - start, [&p[start + 12..start + 20], &[0, proto]].concat());
    let l4 = transport(d, proto, &pseudo);
    let lie = if d.rarely(16) { u16::from(d.byte()) } else { 0 };
    let len = (header + l4.len()) as u16 ^ lie;
    p[start + 2..start + 4].copy_from_slice(&len.to_be_bytes());
    let sum = checksum::checksum(&p[start..start + header]);
    p[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
    p.extend(l4);
}

fn ipv6(d: &mut Dice<'_>, p: &mut Vec<u8>) {
    let proto = [6, 17, 58, 58, 132, 59, 1][usize::from(d.below(7))];
    let start = p.len();
    p.extend([0x60 | d.byte() & 15, d.byte(), d.byte(), d.byte(), 0, 0, 0, d.byte()]);
    p.extend(d.bytes(32));
    let mut next_at = start + 6;
    for _ in 0..[0, 0, 0, 1, 2, 3][usize::from(d.below(6))] {
        let kind = [0, 43, 44, 51, 60, 44][usize::from(d.below(6))];
        p[next_at] = kind;
        next_at = p.len();
        let units = d.below(3);
        match kind {
            44 => p.extend([0, 0, 0, [0, 1, 8, 9][usize::from(d.below(4))], 1, 2, 3, 4]),
            51 => {
                p.extend([0, units]);
                p.extend(d.bytes(usize::from(units) * 4 + 6));
            }
            _ => {
                p.extend([0, units]);
                p.extend(d.bytes(usize::from(units) * 8 + 6));
            }
        }
    }
    p[next_at] = proto;
    let pseudo = [&p[start + 8..start + 40], &[0, proto]].concat();
    p.extend(transport(d, proto, &pseudo));
    let lie = if d.rarely(16) { u16::from(d.byte()) } else { 0 };
    let len = (p.len() - start - 40) as u16 ^ lie;
    p[start + 4..start + 6].copy_from_slice(&len.to_be_bytes());
}

fn transport(d: &mut Dice<'_>, proto: u8, pseudo: &[u8]) -> Vec<u8> {
    let mut t = d.bytes(4);
    let sum_at = match proto {
        6 => {
            t.extend(d.bytes(8));
            let options = usize::from(d.below(3)) * 4;
            let doff = if d.rarely(16) { d.below(16) } else { 5 + (options / 4) as u8 };
            t.extend([doff << 4 | d.below(2), d.byte(), d.byte(), d.byte(), 0, 0, 0, 0]);
            t.extend(d.bytes(options));
            16
        }
        17 => {
            t.extend([0, 0, 0, 0]);
            6
        }
        132 => {
            t.extend(d.bytes(8));
            usize::MAX
        }
        58 if !d.rarely(4) => {
            t = vec![135 + d.below(2), u8::from(d.rarely(8)), 0, 0];
            t.extend(d.bytes(20));
            for _ in 0..d.below(4) {
                let units = [1, 1, 1, 1, 2, 0][usize::from(d.below(6))];
                t.extend([1 + d.below(3), units]);
                t.extend(d.bytes(if units == 2 { 14 } else { 6 }));
            }
            2
        }
        _ => {
            t.extend([0; 4]);
            2
        }
    };
    let data = usize::from(d.below(12));
    t.extend(d.bytes(data));
    if proto == 17 {
        let len = t.len() as u16;
        t[4..6].copy_from_slice(&len.to_be_bytes());
    }
    if let Some(field) = t.get_mut(sum_at..sum_at.saturating_add(2)) {
        field.fill(0);
        let whole = if proto == 1 {
            t.clone()
        } else {
            [pseudo, &(t.len() as u16).to_be_bytes(), &t, if t.len() % 2 == 1 { &[0] } else { &[] }]
                .concat()
        };
        let sum = checksum::checksum(&whole);
        t[sum_at..sum_at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    t
}
