//! Devices in network namespaces of their own: TCP between kernels whose offloads are all on, with
//! this test as the wire. Skipped, saying so, where namespaces cannot be made.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use netdev_linux::{
    Checksum, Ethtool, LinkEvent, LinkMonitor, NetdevError, OperState, PacketSocket, RecvFrame,
    Rtnl, SendFrame, Tap, TapOffloads, VnetHeader,
};

/// Largest frame of a tap with TSO.
const LARGE: usize = 65_550;

const ALL: TapOffloads = TapOffloads { checksum: true, tso: true, uso: true };

/// Runs `test` on a thread in a new network namespace.
fn in_namespace<R: Send + 'static>(test: impl FnOnce() -> R + Send + 'static) -> Option<R> {
    let thread = std::thread::spawn(|| {
        // SAFETY: changes the calling thread only.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            eprintln!("skipped: cannot make a network namespace (not root?)");
            return None;
        }
        Some(test())
    });
    thread.join().expect("the test in the namespace")
}

/// Runs `ip` in the calling thread's namespace.
fn ip(args: &str) {
    let status = Command::new("ip").args(args.split_whitespace()).status().expect("ip runs");
    assert!(status.success(), "ip {args}");
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(10), "timed out: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn names_and_absent_devices() {
    in_namespace(|| {
        let gone = PacketSocket::open("nosuch0").unwrap_err();
        assert!(gone.is_gone(), "{gone}");
        assert_eq!(gone.errno(), Some(libc::ENODEV));
        assert!(matches!(Tap::open("much-too-long-a-name"), Err(NetdevError::BadName(_))));
        ip("link add d0 type veth peer name d1");
        let no_tap = Tap::open("d0").unwrap_err();
        assert_eq!(no_tap.errno(), Some(libc::EINVAL), "{no_tap}");
        let _tap = Tap::open("t0").unwrap();
        assert_eq!(Tap::open("t0").unwrap_err().errno(), Some(libc::EBUSY));
        assert_eq!(Tap::open("n%d").unwrap().name(), "n0");
    });
}

#[test]
fn links_are_described_and_changed() {
    in_namespace(|| {
        let mut rtnl = Rtnl::open().unwrap();
        let tap = Tap::open("t0").unwrap();
        let link = rtnl.link("t0").unwrap();
        assert_eq!((link.kind.as_deref(), link.mtu, link.up), (Some("tun"), 1500, false));
        assert!(link.is_ethernet && !link.loopback);
        rtnl.set_mac("t0", [2, 3, 4, 5, 6, 7]).unwrap();
        rtnl.set_mtu("t0", 9000).unwrap();
        rtnl.set_up("t0", true).unwrap();
        let link = rtnl.link_by_index(link.index).unwrap();
        assert_eq!((link.mac, link.mtu, link.up), ([2, 3, 4, 5, 6, 7], 9000, true));
        assert!(link.running);
        tap.set_carrier(false).unwrap();
        wait("carrier gone", || !rtnl.link("t0").unwrap().running);
        assert_eq!(rtnl.link("t0").unwrap().state, OperState::Down);
        assert!(rtnl.link("t0").unwrap().carrier_changes > link.carrier_changes);

        let too_large = rtnl.set_mtu("t0", 1_000_000).unwrap_err();
        assert_eq!(too_large.errno(), Some(libc::EINVAL), "{too_large}");
        let multicast = rtnl.set_mac("t0", [1, 0, 0, 0, 0, 1]).unwrap_err();
        assert_eq!(multicast.errno(), Some(libc::EADDRNOTAVAIL), "{multicast}");
        let mut names: Vec<String> =
            rtnl.links().unwrap().into_iter().map(|link| link.name).collect();
        names.sort();
        assert!(names.contains(&"lo".to_owned()) && names.contains(&"t0".to_owned()));

        let ethtool = Ethtool::open().unwrap();
        let driver = ethtool.driver("t0").unwrap();
        assert_eq!((driver.driver.as_str(), driver.bus_info.as_str()), ("tun", "tap"));
        let settings = ethtool.link_settings("t0").unwrap();
        assert!(settings.speed_mbps.is_some() && settings.full_duplex == Some(true));
        assert!(ethtool.driver("nosuch0").unwrap_err().is_gone());
        rtnl.delete("t0").unwrap();
        assert!(rtnl.link("t0").unwrap_err().is_gone());
        let mut buffer = [0; 100];
        let error = tap.read(&mut [IoSliceMut::new(&mut buffer)]).unwrap_err();
        assert!(error.is_gone(), "{error}");
    });
}

#[test]
fn monitor_tells_of_changes() {
    in_namespace(|| {
        let mut monitor = LinkMonitor::open().unwrap();
        let mut rtnl = Rtnl::open().unwrap();
        let mut events = Vec::new();
        let tap = Tap::open("t0").unwrap();
        rtnl.set_up("t0", true).unwrap();
        let index = rtnl.link("t0").unwrap().index;
        drop(tap);
        wait("gone", || {
            monitor.drain(|event| events.push(event)).unwrap();
            events.contains(&LinkEvent::Gone { index, name: "t0".into() })
        });
        let up =
            |event: &LinkEvent| matches!(event, LinkEvent::Changed(l) if l.name == "t0" && l.up);
        assert!(events.iter().any(up), "{events:?}");
    });
}

#[test]
fn frames_cross_a_tap_in_parts() {
    in_namespace(|| {
        let tap = Tap::open("t0").unwrap();
        let mut buffer = [0_u8; 2000];
        let down = tap.write(&VnetHeader::NONE, &[IoSlice::new(&[0; 60])]).unwrap_err();
        assert!(down.is_down(), "{down}");
        ip("link set t0 up addrgenmode none");
        ip("address add 10.0.0.1/24 dev t0");
        ip("neighbour add 10.0.0.2 lladdr 02:00:00:00:00:02 dev t0");
        while tap.read(&mut [IoSliceMut::new(&mut buffer)]).unwrap().is_some() {}
        let socket = std::net::UdpSocket::bind("10.0.0.1:1000").unwrap();
        socket.send_to(&[0xaa; 100], "10.0.0.2:1000").unwrap();
        let (mut front, mut back) = ([0_u8; 42], [0_u8; 200]);
        let frame = tap
            .read(&mut [IoSliceMut::new(&mut front), IoSliceMut::new(&mut back)])
            .unwrap()
            .expect("a frame");
        assert_eq!((frame.len, frame.filled), (142, false));
        assert!(back[..100].iter().all(|&byte| byte == 0xaa));
        // Without offloads the kernel has filled in the checksum.
        assert!(frame.vnet.unwrap().is_plain());
        assert_eq!(tap.read(&mut [IoSliceMut::new(&mut buffer)]).unwrap(), None);

        // The answer, in two parts.
        let mut answer = front;
        answer[..6].copy_from_slice(&front[6..12]);
        answer[6..12].copy_from_slice(&front[..6]);
        answer[26..30].copy_from_slice(&front[30..34]);
        answer[30..34].copy_from_slice(&front[26..30]);
        // No UDP checksum.
        answer[40..42].fill(0);
        let parts = [IoSlice::new(&answer), IoSlice::new(&back[..100])];
        assert!(tap.write(&VnetHeader::NONE, &parts).unwrap());
        assert_eq!(socket.recv_from(&mut buffer).unwrap().0, 100);

        // A frame that does not fit.
        socket.send_to(&[0xbb; 500], "10.0.0.2:1000").unwrap();
        let frame = tap.read(&mut [IoSliceMut::new(&mut back)]).unwrap().unwrap();
        assert_eq!((frame.len, frame.filled), (200, true));
    });
}

/// A host's end of a wire: a tap in a namespace of its own, whose thread then runs `work`.
fn host<R: Send + 'static>(
    address: &'static str,
    work: impl FnOnce() -> R + Send + 'static,
) -> (std::thread::JoinHandle<Option<R>>, Option<Tap>) {
    let (send, receive) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        in_namespace(move || {
            let mut tap = Tap::open("host0").unwrap();
            let offloads = tap.set_offloads(ALL).unwrap();
            assert!(offloads.checksum && offloads.tso);
            ip("link set host0 up");
            ip(&format!("address add {address}/24 dev host0"));
            send.send(tap).unwrap();
            work()
        })
    });
    (thread, receive.recv().ok())
}

/// How much a sender sends.
const VOLUME: usize = 20 << 20;

fn byte_at(i: usize) -> u8 {
    ((i / 7) ^ i) as u8
}

fn send_all(to: &str) {
    let data: Vec<u8> = (0..VOLUME).map(byte_at).collect();
    let mut stream = None;
    wait("connected", || {
        stream = TcpStream::connect(to).ok();
        stream.is_some()
    });
    stream.unwrap().write_all(&data).unwrap();
}

fn receive_all(at: &str) {
    let (mut stream, _) = TcpListener::bind(at).unwrap().accept().unwrap();
    let mut data = Vec::new();
    stream.read_to_end(&mut data).unwrap();
    assert_eq!(data.len(), VOLUME);
    assert!(data.iter().enumerate().all(|(i, &byte)| byte == byte_at(i)));
}

/// Reads a frame from `from` into `buffer`.
fn read(from: &Tap, buffer: &mut [u8]) -> Option<(usize, VnetHeader)> {
    let frame = from.read(&mut [IoSliceMut::new(buffer)]).unwrap()?;
    Some((frame.len, frame.vnet.unwrap()))
}

#[test]
fn tcp_between_taps_keeps_segmentation() {
    let (a, tap_a) = host("10.0.0.1", || send_all("10.0.0.2:5001"));
    let (b, tap_b) = host("10.0.0.2", || receive_all("10.0.0.2:5001"));
    let (Some(tap_a), Some(tap_b)) = (tap_a, tap_b) else {
        return;
    };
    let mut buffer = vec![0; LARGE];
    let (mut super_packets, mut partial) = (0, 0);
    while !b.is_finished() {
        let mut idle = true;
        for (from, to) in [(&tap_a, &tap_b), (&tap_b, &tap_a)] {
            while let Some((len, vnet)) = read(from, &mut buffer) {
                idle = false;
                vnet.check(len).unwrap();
                super_packets += u32::from(vnet.gso.is_some() && len > 1514);
                partial += u32::from(matches!(vnet.checksum, Checksum::Partial { .. }));
                to.write(&vnet, &[IoSlice::new(&buffer[..len])]).unwrap();
            }
        }
        if idle {
            std::thread::yield_now();
        }
    }
    a.join().unwrap();
    b.join().unwrap();
    assert!(super_packets > 0 && partial > super_packets, "{super_packets} {partial}");
}

/// Moves frames between a packet socket and a tap until `stop`; answers super-packets each way.
fn pump(wire: &mut PacketSocket, tap: &Tap, stop: impl Fn() -> bool) -> (u32, u32) {
    let mut memory = vec![vec![0_u8; LARGE]; 8];
    let mut large = vec![0; LARGE];
    let (mut to_tap, mut to_wire) = (0, 0);
    while !stop() {
        let mut idle = true;
        let mut parts: Vec<[IoSliceMut<'_>; 2]> = memory
            .iter_mut()
            .map(|m| {
                let (a, b) = m.split_at_mut(1000);
                [IoSliceMut::new(a), IoSliceMut::new(b)]
            })
            .collect();
        let mut frames: Vec<_> = parts.iter_mut().map(|p| RecvFrame::new(p)).collect();
        let n = wire.recv_batch(&mut frames).unwrap();
        for frame in &frames[..n] {
            idle = false;
            assert!(!frame.truncated && frame.vlan.is_none());
            let vnet = frame.vnet.unwrap();
            to_tap += u32::from(vnet.gso.is_some());
            let front = frame.len.min(1000);
            let parts = [
                IoSlice::new(&frame.buffers[0][..front]),
                IoSlice::new(&frame.buffers[1][..frame.len - front]),
            ];
            tap.write(&vnet, &parts).unwrap();
        }
        if let Some((len, vnet)) = read(tap, &mut large) {
            idle = false;
            to_wire += u32::from(vnet.gso.is_some());
            let parts =
                [IoSlice::new(&large[..100.min(len)]), IoSlice::new(&large[100.min(len)..len])];
            wire.send_batch(&[SendFrame { buffers: &parts, vnet }]).unwrap();
        }
        if idle {
            std::thread::yield_now();
        }
    }
    (to_tap, to_wire)
}

#[test]
fn tcp_between_a_veth_and_a_tap_keeps_segmentation() {
    let (b, tap) = host("10.0.0.2", || {
        receive_all("10.0.0.2:5001");
        send_all("10.0.0.1:5002");
    });
    let Some(tap) = tap else {
        return;
    };
    in_namespace(move || {
        // The host's end of the veth lives in a namespace of its own, made by a thread.
        ip("link add wire0 type veth peer name host0");
        let (done, over) = mpsc::channel::<()>();
        let (ready, is_ready) = mpsc::channel();
        let (finished, is_finished) = mpsc::channel();
        let a = std::thread::spawn(move || {
            // SAFETY: changes the calling thread only.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
            // SAFETY: a plain call.
            ready.send(unsafe { libc::gettid() }).unwrap();
            over.recv().unwrap();
            ip("link set host0 up");
            ip("address add 10.0.0.1/24 dev host0");
            send_all("10.0.0.2:5001");
            receive_all("10.0.0.1:5002");
            finished.send(()).unwrap();
            // The veth goes with the namespace.
            over.recv().unwrap();
        });
        let tid = is_ready.recv().unwrap();
        ip(&format!("link set host0 netns {tid}"));
        ip("link set wire0 up addrgenmode none");
        let mut wire = PacketSocket::open("wire0").unwrap();
        done.send(()).unwrap();
        let (to_tap, to_wire) = pump(&mut wire, &tap, || is_finished.try_recv().is_ok());
        b.join().unwrap();
        assert!(to_tap > 0 && to_wire > 0, "{to_tap} {to_wire}");
        let stats = Rtnl::open().unwrap().link("wire0").unwrap().stats;
        assert!(stats.rx_bytes as usize > VOLUME && stats.tx_bytes as usize > VOLUME);
        done.send(()).unwrap();
        a.join().unwrap();
    });
}

#[test]
fn packet_socket_restores_tags_and_notices_the_end() {
    in_namespace(|| {
        ip("link add wire0 type veth peer name peer0");
        ip("link set wire0 up addrgenmode none");
        ip("link set peer0 up addrgenmode none");
        let mut wire = PacketSocket::open("wire0").unwrap();
        wire.set_receive_buffer(1 << 20).unwrap();
        let mut peer = PacketSocket::open("peer0").unwrap();
        let mut rtnl = Rtnl::open().unwrap();
        assert_eq!(wire.index(), rtnl.link("wire0").unwrap().index);

        let mut tagged = vec![0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x81, 0, 0xa0, 5, 8, 0];
        tagged.resize(80, 0x55);
        let parts = [IoSlice::new(&tagged)];
        let frame = SendFrame { buffers: &parts, vnet: VnetHeader::NONE };
        assert_eq!(peer.send_batch(&[frame; 3]).unwrap(), 3);
        let mut memory = [[0_u8; 100]; 4];
        let mut parts: Vec<_> = memory.iter_mut().map(|m| [IoSliceMut::new(m)]).collect();
        let mut frames: Vec<_> = parts.iter_mut().map(|p| RecvFrame::new(p)).collect();
        let mut n = 0;
        wait("frames", || {
            n += wire.recv_batch(&mut frames[n..]).unwrap();
            n == 3
        });
        for frame in &frames[..3] {
            let mut bytes = frame.buffers[0][..frame.len].to_vec();
            if let Some(tag) = frame.vlan {
                bytes.splice(12..12, tag.to_bytes());
            }
            assert_eq!(bytes, tagged);
        }
        // What the socket sent itself, it does not see.
        assert_eq!(peer.recv_batch(&mut frames).unwrap(), 0);
        let mut small = [0_u8; 20];
        assert_eq!(peer.send_batch(&[frame]).unwrap(), 1);
        let mut parts = [IoSliceMut::new(&mut small)];
        let mut one = [RecvFrame::new(&mut parts)];
        wait("a frame", || wire.recv_batch(&mut one).unwrap() == 1);
        assert!(one[0].truncated && one[0].len == 20);

        let large = vec![0; 3000];
        let too_large = [IoSlice::new(&large)];
        let error = peer
            .send_batch(&[SendFrame { buffers: &too_large, vnet: VnetHeader::NONE }])
            .unwrap_err();
        assert_eq!(error.errno(), Some(libc::EMSGSIZE), "{error}");

        rtnl.set_up("wire0", false).unwrap();
        let down = wire.recv_batch(&mut frames).unwrap_err();
        assert!(down.is_down() && !down.is_gone() && wire.exists(), "{down}");
        rtnl.set_up("wire0", true).unwrap();
        assert_eq!(wire.recv_batch(&mut frames).unwrap(), 0);
        rtnl.delete("wire0").unwrap();
        let gone = wire.recv_batch(&mut frames).unwrap_err();
        assert!(gone.is_gone() && !wire.exists(), "{gone}");
        let gone = wire.send_batch(&[frame]).unwrap_err();
        assert!(gone.is_gone(), "{gone}");
    });
}

#[test]
fn counters_count() {
    in_namespace(|| {
        let tap = Tap::open("t0").unwrap();
        ip("link set t0 up addrgenmode none");
        for _ in 0..100 {
            assert!(tap.write(&VnetHeader::NONE, &[IoSlice::new(&[0xff; 64])]).unwrap());
        }
        let stats = Rtnl::open().unwrap().link("t0").unwrap().stats;
        assert_eq!((stats.rx_packets, stats.rx_bytes), (100, 6400));
    });
}
