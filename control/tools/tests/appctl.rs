//! `ovs-appctl` beside Debian's: the same command lines, the same output and exit codes.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Output};

use weir_runtime::clock::Clock;
use weir_runtime::reactor::PollLoop;
use weir_runtime::unixctl::{Client, Commands, Outcome, Server, register};

const OURS: &str = env!("CARGO_BIN_EXE_ovs-appctl");
const DEBIANS: &str = "/usr/bin/ovs-appctl";

/// Runs `test` beside a daemon whose control socket is given.
fn with_daemon(test: impl FnOnce(&Path, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("d.ctl");
    let mut poll = PollLoop::new(Clock::system()).unwrap();
    let reactor = poll.reactor().clone();
    let path = socket.clone();
    let (ready, wait) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut commands = Commands::<bool>::new();
        register(&mut commands, false);
        commands.add("hello", "[NAME]", 0, 1, |_, args| Outcome::text(args.join(",")));
        commands.add("sulk", "", 0, 0, |_, _| Err("no".into()));
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
    test(dir.path(), &socket);
    let mut client = Client::connect(&socket).unwrap();
    client.transact("stop", &[]).unwrap().unwrap();
    thread.join().unwrap();
}

fn run(program: &str, rundir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    // Some messages begin with the program's name as it was given.
    command.arg0("ovs-appctl").args(args).env("OVS_RUNDIR", rundir).output().unwrap()
}

/// Output with the times of log lines blotted out.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(|line| match line.split_once("Z|") {
        Some((time, rest)) if time.starts_with("20") => format!("TIME|{rest}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn same_as_debians() {
    if !Path::new(DEBIANS).exists() {
        eprintln!("skipped: Debian's openvswitch-common is not installed");
        return;
    }
    with_daemon(|rundir, socket| {
        let socket = socket.to_str().unwrap();
        let cases: &[&[&str]] = &[
            &[],
            &["-t", socket, "version"],
            &["--target", socket, "hello", "a b"],
            &["--tar", socket, "hello", "a", "b"],
            &["-t", socket, "sulk"],
            &["-t", socket, "nosuch"],
            &["-t", socket, "hello", "-x"],
            &["-t", socket, "-T5", "list-commands"],
            &["-t", socket, "vlog/list-pattern"],
            &["-t", socket, "vlog/set", "foo"],
            &["-t", socket, "coverage/read-counter", "nonesuch"],
            &["-t", socket, "coverage/read-counter"],
            &["-t", "nosuch", "version"],
            &["-t", "/nonexistent.ctl", "version"],
            &["version"],
            &["-t"],
            &["--t", "x"],
            &["--foo=3"],
            &["-Z"],
            &["--version=3"],
            &["-vfoo", "version"],
            &["--verbose=foo:bar", "version"],
            &["-T", "0", "version"],
            &["--timeout=foo", "version"],
        ];
        for args in cases {
            let (ours, debians) = (run(OURS, rundir, args), run(DEBIANS, rundir, args));
            assert_eq!(plain(&ours.stdout), plain(&debians.stdout), "{args:?}");
            assert_eq!(plain(&ours.stderr), plain(&debians.stderr), "{args:?}");
            assert_eq!(ours.status.code(), debians.status.code(), "{args:?}");
        }
    });
}

#[test]
fn json_and_timeouts() {
    with_daemon(|rundir, socket| {
        let socket = socket.to_str().unwrap();
        let output = run(OURS, rundir, &["-t", socket, "-f", "json", "hello", "x"]);
        assert_eq!(plain(&output.stdout), r#"{"reply":"x","reply-format":"plain"}"#);
        let output = run(OURS, rundir, &["-t", socket, "-fjson", "--pretty", "hello", "x"]);
        assert_eq!(plain(&output.stdout), "{\n  \"reply\": \"x\",\n  \"reply-format\": \"plain\"}");
        let output = run(OURS, rundir, &["-t", socket, "-fjson", "sulk"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(plain(&output.stderr).starts_with("no\n"));
        let output = run(OURS, rundir, &["-f", "xml", "hello"]);
        assert_eq!(plain(&output.stderr), "ovs-appctl: value xml on -f or --format is invalid");
    });
    // Nobody answers here.
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("mute.ctl");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let output = run(OURS, dir.path(), &["-t", socket.to_str().unwrap(), "-T1", "version"]);
    assert_eq!(output.status.signal(), Some(14));
    let last = plain(&output.stderr);
    assert_eq!(last, "TIME|00001|fatal_signal|WARN|terminating with signal 14 (Alarm clock)");
}
