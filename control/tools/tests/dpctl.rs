//! `ovs-dpctl` beside Debian's for what needs no datapath, and against a daemon that answers as
//! ovs-vswitchd does.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use weir_runtime::clock::Clock;
use weir_runtime::pidfile::PidFile;
use weir_runtime::reactor::PollLoop;
use weir_runtime::unixctl::{Client, Commands, Outcome, Server, register};

const OURS: &str = env!("CARGO_BIN_EXE_ovs-dpctl");
const DEBIANS: &str = "/usr/bin/ovs-dpctl";

fn run(program: &str, rundir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    // Some messages begin with the program's name as it was given.
    command.arg0("ovs-dpctl").args(args).env("OVS_RUNDIR", rundir).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn same_as_debians_without_a_datapath() {
    if !Path::new(DEBIANS).exists() {
        eprintln!("skipped: Debian's openvswitch-common is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let cases: &[&[&str]] = &[
        &[],
        &["--help"],
        &["-h"],
        &["help"],
        &["help", "x"],
        &["list-commands"],
        &["--option"],
        &["bogus"],
        &["--bogus"],
        &["-Z"],
        &["-t"],
        &["-t", "x", "show"],
        &["--timeout=0", "show"],
        &["--names=x", "show"],
        &["add-dp"],
        &["del-dp", "x", "y"],
        &["dump-dps", "x"],
        &["dump-flows", "a", "b", "c", "d", "e", "f", "g"],
        &["del-flow"],
        &["get-flow"],
        &["--read-only", "add-dp", "x"],
        &["--read-only", "add-dp"],
        &["--read-only", "flush-conntrack"],
        &["normalize-actions", "1"],
        &["parse-actions"],
        &["parse-actions", "bogus"],
        &["parse-actions", "push_vlan(vid=5,pcp=0),2"],
        &["parse-actions", "1", "2", "clone(1),sample(sample=10%,actions(3))"],
        &["parse-actions", "1", "bogus", "2"],
        &["-smv", "bogus"],
    ];
    for args in cases {
        let (ours, debians) = (run(OURS, dir.path(), args), run(DEBIANS, dir.path(), args));
        assert_eq!(text(&ours.stdout), text(&debians.stdout), "{args:?}");
        assert_eq!(text(&ours.stderr), text(&debians.stderr), "{args:?}");
        assert_eq!(ours.status.code(), debians.status.code(), "{args:?}");
    }
}

#[test]
fn without_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(OURS, dir.path(), &["show"]);
    assert_eq!(output.status.code(), Some(1));
    let want = format!(
        "ovs-dpctl: no datapath, because ovs-vswitchd is not running: cannot read pidfile \
         \"{}/ovs-vswitchd.pid\" (No such file or directory)\n",
        dir.path().display()
    );
    assert!(text(&output.stderr).ends_with(&want), "{output:?}");
}

#[test]
fn hands_commands_to_the_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let pid = std::process::id();
    let _pidfile = PidFile::create(&dir.path().join("ovs-vswitchd.pid"), false).unwrap();
    let socket = dir.path().join(format!("ovs-vswitchd.{pid}.ctl"));
    let mut poll = PollLoop::new(Clock::system()).unwrap();
    let reactor = poll.reactor().clone();
    let path = socket.clone();
    let (ready, wait) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut commands = Commands::<bool>::new();
        register(&mut commands, false);
        commands.add("dpctl/show", "", 0, 9, |_, args| Outcome::text(args.join(" ") + "\n"));
        commands.add("dpctl/dump-flows", "", 0, 9, |_, _| {
            Err("half\novs-vswitchd: datapath not found (Invalid argument)\n".into())
        });
        commands.add("dpctl/del-flows", "", 0, 9, |_, args| Err(args.join(" ")));
        commands.add("stop", "", 0, 0, |stop, _| {
            *stop = true;
            Outcome::empty()
        });
        let mut server = Server::open(path.to_str(), commands, &reactor).unwrap();
        ready.send(()).unwrap();
        let mut stop = false;
        while !stop {
            poll.poll(None).unwrap();
            server.run(&mut stop);
        }
    });
    wait.recv().unwrap();
    let output = run(OURS, dir.path(), &["-s", "-m", "--no-names", "show", "netdev@x"]);
    assert_eq!(text(&output.stdout), "--statistics --more --no-names netdev@x\n");
    let output = run(OURS, dir.path(), &["dump-flows"]);
    assert_eq!(text(&output.stdout), "half\n");
    assert_eq!(text(&output.stderr), "ovs-dpctl: datapath not found (Invalid argument)\n");
    assert_eq!(output.status.code(), Some(1));
    let output = run(OURS, dir.path(), &["del-flows", "sulk"]);
    assert_eq!(text(&output.stderr), "ovs-dpctl: sulk\n");
    let mut client = Client::connect(&socket).unwrap();
    client.transact("stop", &[]).unwrap().unwrap();
    thread.join().unwrap();
}
