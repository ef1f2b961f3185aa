//! Kernel devices: TCP between two network namespaces through the switch, with the kernel's default
//! offloads.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use rustix::thread::{UnshareFlags, gettid};
use weir_flow::PortNo;
use weir_flow::action::Action;
use weir_flow::packet::checksum;

use super::support::{Rig, always};
use crate::PortConfig;

/// A network namespace of the thread's own; false without the right to have one.
fn unshare() -> bool {
    // SAFETY: a namespace of the network concerns no memory and no file.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }.is_ok()
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}

fn kernel_port(name: &str, kind: &str) -> PortConfig {
    PortConfig { name: name.to_owned(), kind: kind.to_owned(), ..PortConfig::default() }
}

const BYTES: usize = 3 << 20;

fn pattern(i: usize) -> u8 {
    (i * 31 + i / 251) as u8
}

/// Takes `device` into this thread's namespace and reads what comes by TCP.
fn server(tell: mpsc::Sender<i32>, ready: mpsc::Receiver<()>, listening: mpsc::Sender<()>) {
    assert!(unshare());
    tell.send(gettid().as_raw_nonzero().get()).unwrap();
    ready.recv().unwrap();
    ip("addr add 10.99.0.2/24 dev wpeer");
    ip("link set wpeer up");
    let listener = TcpListener::bind("10.99.0.2:5001").unwrap();
    listening.send(()).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut data = Vec::new();
    stream.read_to_end(&mut data).unwrap();
    assert_eq!(data.len(), BYTES);
    assert!(data.iter().enumerate().all(|(i, b)| *b == pattern(i)));
    stream.write_all(b"done").unwrap();
}

/// TCP from a device of `kind` to a tap, each packet also to a dummy port.
fn tcp_passes(kind: &'static str, setup: &'static [&'static str], local: &'static str) {
    let run = move || {
        if !unshare() {
            println!("skipped: no right to make network namespaces");
            return;
        }
        setup.iter().for_each(|arguments| ip(arguments));
        let rig = Rig::new(|flow| {
            let out = if flow.in_port.get() == 20 { 21 } else { 20 };
            always(vec![Action::Output(PortNo(2)), Action::Output(PortNo(out))])
        });
        rig.engine.add_port(PortNo(20), kernel_port("wport", kind)).unwrap();
        rig.engine.add_port(PortNo(21), kernel_port("wpeer", "tap")).unwrap();
        let (tell, told) = mpsc::channel();
        let (go, ready) = mpsc::channel();
        let (listening, listens) = mpsc::channel();
        let peer = std::thread::spawn(move || server(tell, ready, listening));
        let thread = told.recv_timeout(Duration::from_secs(10)).unwrap();
        ip(&format!("link set wpeer netns {thread}"));
        ip(&format!("addr add 10.99.0.1/24 dev {local}"));
        ip(&format!("link set {local} up"));
        go.send(()).unwrap();
        listens.recv_timeout(Duration::from_secs(10)).unwrap();
        let mut stream =
            TcpStream::connect_timeout(&"10.99.0.2:5001".parse().unwrap(), Duration::from_secs(10))
                .unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&(0..BYTES).map(pattern).collect::<Vec<_>>()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"done");
        peer.join().unwrap();

        let status = rig.engine.port_status(PortNo(20)).unwrap();
        assert!(status.link.up && !status.status.is_empty(), "{status:?}");
        let stats = rig.engine.port_stats(PortNo(20)).unwrap();
        assert!(stats.rx_packets > 10 && stats.tx_packets > 10, "{stats:?}");
        // What left by the port without offloads is what a wire would carry.
        let captured = rig.sent(2);
        let tcp: Vec<_> = captured.iter().filter(|p| p[12..14] == [8, 0] && p[23] == 6).collect();
        assert!(tcp.len() > BYTES / 1460, "{}", tcp.len());
        for packet in tcp {
            assert!(packet.len() <= 1514, "{}", packet.len());
            let len = u16::from_be_bytes([packet[16], packet[17]]);
            assert_eq!(checksum::checksum(&packet[14..34]), 0);
            let pseudo =
                checksum::pseudo_header(&packet[26..30], &packet[30..34], 6, u32::from(len) - 20);
            let segment = &packet[34..14 + usize::from(len)];
            assert_eq!(checksum::fold(checksum::add(pseudo, segment)), 0xffff);
        }
        assert!(rig.engine.remove_port(PortNo(20)) && rig.engine.remove_port(PortNo(21)));
    };
    // The namespace is the thread's.
    std::thread::spawn(run).join().unwrap();
}

#[test]
fn tcp_passes_from_an_internal_port() {
    tcp_passes("internal", &[], "wport");
}

#[test]
fn tcp_passes_from_a_system_port() {
    tcp_passes(
        "system",
        &["link add wport type veth peer name whost", "link set wport up"],
        "whost",
    );
}

#[test]
fn ports_whose_device_is_deleted_close() {
    let run = || {
        if !unshare() {
            println!("skipped: no right to make network namespaces");
            return;
        }
        ip("link add wport type veth peer name whost");
        let rig = Rig::new(|_| always(vec![]));
        rig.engine.add_port(PortNo(20), kernel_port("wport", "system")).unwrap();
        rig.engine.add_port(PortNo(21), kernel_port("wtap", "tap")).unwrap();
        assert!(rig.engine.add_port(PortNo(22), kernel_port("wnone", "system")).is_err());
        ip("link set wtap up");
        assert!(rig.engine.port_status(PortNo(21)).unwrap().link.up);
        ip("link del wport");
        ip("link del wtap");
        let start = std::time::Instant::now();
        while rig.engine.ports().len() > 4 {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", rig.engine.ports());
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(rig.engine.port_status(PortNo(20)).is_none());
    };
    std::thread::spawn(run).join().unwrap();
}
