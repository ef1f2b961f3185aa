//! `ovsdb-server` as a process: how it starts, what it leaves behind, who may talk to it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use weir_jsonrpc::{Json, array, object};
use weir_ovsdb::database::Database;
use weir_ovsdb::{file, schemas};
use weir_runtime::jsonrpc;
use weir_runtime::unixctl::Client;

/// A directory in which one server runs at a time.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::new(schemas::vswitch());
        file::create(&dir.path().join("conf.db"), &database, None, 0).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let program = program.as_ref();
        let mut command = Command::new(program);
        // Some messages begin with the program's name as it was given.
        command.arg0(program.file_name().unwrap());
        for variable in ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"] {
            command.env(variable, self.dir.path());
        }
        command.current_dir(self.dir.path());
        command
    }

    fn server(&self, args: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_ovsdb-server")).args(args).output().unwrap()
    }

    fn start(&self, args: &[&str]) -> Running<'_> {
        let mut all =
            vec!["--detach", "--pidfile", "--log-file", "-vconsole:off", "--remote=punix:db.sock"];
        all.extend(args);
        let output = self.server(&all);
        assert!(output.status.success(), "{output:?}");
        Running { place: self }
    }

    fn pid(&self) -> Option<u32> {
        std::fs::read_to_string(self.path("ovsdb-server.pid")).ok()?.trim().parse().ok()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("ovsdb-server.log")).unwrap_or_default()
    }

    /// Waits for something that another process does.
    fn until<T>(&self, what: &str, mut f: impl FnMut() -> Option<T>) -> T {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(result) = f() {
                return result;
            }
            assert!(Instant::now() < give_up, "{what} did not happen; log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A detached server, which ends when this is dropped.
struct Running<'a> {
    place: &'a Place,
}

impl Running<'_> {
    fn control(&self, command: &str, args: &[&str]) -> Result<Json, String> {
        let pid = self.place.pid().ok_or("no pid file")?;
        let socket = self.place.path(&format!("ovsdb-server.{pid}.ctl"));
        let mut client = Client::connect(&socket).map_err(|error| error.to_string())?;
        let args: Vec<String> = args.iter().map(|&arg| arg.into()).collect();
        client.transact(command, &args).map_err(|error| error.to_string())?
    }

    fn connect(&self) -> jsonrpc::Client {
        let target = format!("unix:{}", self.place.path("db.sock").display());
        jsonrpc::Client::connect(&target, None).unwrap()
    }

    fn insert_bridge(&self, client: &mut jsonrpc::Client, name: &str) -> Json {
        let insert = object! {
            "op" => "insert", "table" => "QoS", "row" => object! { "type" => name },
        };
        client.transact("transact", vec!["Open_vSwitch".into(), insert]).unwrap().unwrap()
    }

    fn qos_types(&self) -> String {
        let select = object! {
            "op" => "select", "table" => "QoS", "where" => array![], "columns" => array!["type"],
        };
        let params = vec!["Open_vSwitch".into(), select];
        self.connect().transact("transact", params).unwrap().unwrap().to_string()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.control("exit", &[]);
    }
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("/bin/kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn detaches_serves_and_cleans_up() {
    let place = Place::new();
    let running = place.start(&[]);
    let pid = place.pid().unwrap();
    assert_eq!(
        running.control("version", &[]).unwrap().as_str().unwrap().lines().next(),
        Some("ovsdb-server (Open vSwitch) 3.7.0")
    );
    let dbs = running.connect().transact("list_dbs", vec![]).unwrap().unwrap();
    assert_eq!(dbs, array!["Open_vSwitch", "_Server"]);
    assert_eq!(running.control("ovsdb-server/list-remotes", &[]), Ok(Json::str("punix:db.sock\n")));
    let again = place.server(&["--detach", "--pidfile"]);
    assert_eq!(again.status.code(), Some(1));
    let pidfile = place.path("ovsdb-server.pid");
    assert_eq!(
        text(&again.stderr),
        format!("ovsdb-server: {}: already running as pid {pid}, aborting\n", pidfile.display())
    );
    running.control("exit", &[]).unwrap();
    place.until("the end", || (!pidfile.exists()).then_some(()));
    assert!(!place.path("db.sock").exists());
    assert!(!place.path(&format!("ovsdb-server.{pid}.ctl")).exists());
    assert!(place.log().contains("|ovsdb_server|INFO|ovsdb-server (Open vSwitch) 3.7.0\n"));
}

#[test]
fn texts_of_unixctl_errors() {
    let place = Place::new();
    let running = place.start(&[]);
    for (command, arg, answer) in [
        ("add-remote", "db:a,b", "\"db:a,b\": invalid syntax\n"),
        ("remove-remote", "x", "no such remote\n"),
        ("remove-db", "x", "Failed to find the database.\n"),
        ("remove-db", "_Server", "Cannot remove reserved database.\n"),
        ("compact", "_Server", "cannot compact built-in databases\n"),
        ("compact", "x", "not a valid database name\n"),
        ("get-db-storage-status", "x", "Failed to find the database.\n"),
        (
            "add-db",
            "/nonexistent",
            "I/O error: /nonexistent: open failed (No such file or directory)\n",
        ),
    ] {
        let command = format!("ovsdb-server/{command}");
        assert_eq!(running.control(&command, &[arg]), Err(answer.into()), "{command}");
    }
    assert_eq!(
        running.control("ovsdb-server/get-db-storage-status", &["Open_vSwitch"]),
        Ok(Json::str("status: ok\n"))
    );
    assert_eq!(running.control("ovsdb-server/compact", &[]), Ok(Json::str("")));
}

#[test]
fn what_cannot_start_says_why() {
    let place = Place::new();
    for (args, message) in [
        (
            &["--detach", "/nonexistent"][..],
            "ovsdb-server: I/O error: /nonexistent: open failed (No such file or directory)\n",
        ),
        (
            &["--pidfile=/nonexistent/foo", "--no-dbs"],
            "ovsdb-server: /nonexistent/foo.tmp: create failed (No such file or directory)\n",
        ),
        (&["--no-dbs", "--run=exit 7"], "ovsdb-server: exit 7: child exited, exit status 7\n"),
        (
            &["--no-dbs", "--run=kill -9 $$"],
            "ovsdb-server: kill -9 $$: child exited, killed (Killed)\n",
        ),
        (&["--nosuch"], "ovsdb-server: unrecognized option '--nosuch'\n"),
    ] {
        let output = place.server(args);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), message.into()));
    }
    let output = place.server(&["--no-dbs", "--run=true"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn a_crash_is_survived_with_a_monitor() {
    let place = Place::new();
    let running = place.start(&["--monitor"]);
    let mut client = running.connect();
    running.insert_bridge(&mut client, "kept");
    let first = place.pid().unwrap();
    signal(first, "ABRT");
    let second = place.until("a restart", || {
        place.pid().filter(|&pid| pid != first && running.control("version", &[]).is_ok())
    });
    assert_ne!(first, second);
    assert!(place.log().contains(&format!(
        "|daemon_unix(monitor)|ERR|1 crashes: pid {first} died, killed (Aborted)"
    )));
    assert_eq!(running.qos_types(), r#"[{"rows":[{"type":"kept"}]}]"#);
    // A signal that is meant to end it is no crash.
    signal(second, "TERM");
    place.until("the monitor's end", || {
        place
            .log()
            .contains(&format!("pid {second} died, killed (Terminated), exiting"))
            .then_some(())
    });
    assert!(!place.path("ovsdb-server.pid").exists());
}

#[test]
fn debians_clients_are_served() {
    if !Path::new("/usr/bin/ovs-vsctl").exists() {
        eprintln!("skipped: Debian's openvswitch-switch is not installed");
        return;
    }
    let place = Place::new();
    let _running = place.start(&["--remote=db:Open_vSwitch,Open_vSwitch,manager_options"]);
    let run = |program: &str, args: &str| {
        let output = place.command(program).args(args.split(' ')).output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let ok = |stdout: &str| (Some(0), stdout.to_owned(), String::new());
    assert_eq!(run("ovs-vsctl", "--no-wait init"), ok(""));
    assert_eq!(run("ovs-vsctl", "--no-wait add-br br0 -- add-port br0 p0 tag=7"), ok(""));
    assert_eq!(run("ovs-vsctl", "list-ports br0"), ok("p0\n"));
    assert_eq!(run("ovs-vsctl", "get Port p0 tag"), ok("7\n"));
    assert_eq!(run("ovsdb-client", "list-dbs"), ok("Open_vSwitch\n_Server\n"));
    assert_eq!(
        run("ovsdb-client", "dump Open_vSwitch Port name tag"),
        ok("Port table\nname tag\n---- ---\nbr0  []\np0   7\n")
    );
    assert_eq!(
        run("ovs-appctl", "-t ovsdb-server ovsdb-server/list-dbs").1,
        "Open_vSwitch\n_Server\n"
    );
    let missing = run("ovs-vsctl", "--no-wait del-port nosuch");
    assert_eq!(missing, (Some(1), String::new(), "ovs-vsctl: no port named nosuch\n".into()));
}
