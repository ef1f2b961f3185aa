//! One of the two switches: started, configured and measured by the commands operators use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::error::{RunError, Step as _};
use crate::guest::Guest;
use crate::process::{Daemon, WorkDir, output};
use crate::row::Ports;
use crate::source::{Feed, Sources};
use crate::stream::Stream;

const START_SECONDS: u64 = 30;

/// Where a switch's programs are.
pub(crate) struct Programs {
    name: &'static str,
    vswitchd: PathBuf,
    ovsdb_server: PathBuf,
    ovsdb_tool: PathBuf,
    vsctl: PathBuf,
    ofctl: PathBuf,
    appctl: PathBuf,
    schema: Option<PathBuf>,
}

impl Programs {
    /// `weir` or `ovs`.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Weir's, in one folder.
    pub(crate) fn weir(dir: &Path) -> Self {
        Self {
            name: "weir",
            vswitchd: dir.join("ovs-vswitchd"),
            ovsdb_server: dir.join("ovsdb-server"),
            ovsdb_tool: dir.join("ovsdb-tool"),
            vsctl: dir.join("ovs-vsctl"),
            ofctl: dir.join("ovs-ofctl"),
            appctl: dir.join("ovs-appctl"),
            schema: None,
        }
    }

    /// The distribution's.
    pub(crate) fn debian(vswitchd: &Path) -> Self {
        Self {
            name: "ovs",
            vswitchd: vswitchd.to_owned(),
            ovsdb_server: "/usr/sbin/ovsdb-server".into(),
            ovsdb_tool: "/usr/bin/ovsdb-tool".into(),
            vsctl: "/usr/bin/ovs-vsctl".into(),
            ofctl: "/usr/bin/ovs-ofctl".into(),
            appctl: "/usr/bin/ovs-appctl".into(),
            schema: Some("/usr/share/openvswitch/vswitch.ovsschema".into()),
        }
    }
}

/// A running switch with bridge `br0` and the row's ports and flows.
pub(crate) struct Switch<'a> {
    programs: &'a Programs,
    config: &'static Config,
    dir: PathBuf,
    /// Ports that packets leave by, of those that count.
    sinks: &'static [u32],
    sources: Sources,
    // Dropped in this order: the switch before its database.
    vswitchd: Daemon,
    guest: Option<Guest>,
    _ovsdb: Option<Daemon>,
}

impl<'a> Switch<'a> {
    pub(crate) fn start(
        programs: &'a Programs,
        work: &WorkDir,
        feed: &Feed<'_>,
        config: &'static Config,
        cpu: usize,
    ) -> Result<Self, RunError> {
        let dir = work.path().join(programs.name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).step(format!("creating {}", dir.display()))?;
        let ovsdb = programs.schema.as_ref().map(|s| start_ovsdb(programs, &dir, s)).transpose()?;
        let log = dir.join("vswitchd.out");
        let mut cmd = in_dir(&programs.vswitchd, &dir);
        // With a database server beside it, it is told where; else it serves its own.
        if ovsdb.is_some() {
            cmd.arg(format!("unix:{}", dir.join("db.sock").display()));
        }
        cmd.arg(format!("--log-file={}", dir.join("vswitchd.log").display()));
        cmd.arg(format!("--unixctl={}", dir.join("vswitchd.ctl").display()));
        let mut vswitchd = Daemon::spawn(cmd.arg("-vconsole:off"), &log)?;
        let up = wait(|| dir.join("db.sock").exists() && dir.join("vswitchd.ctl").exists());
        if !up || vswitchd.ended() {
            let program = programs.vswitchd.display().to_string();
            fs::copy(dir.join("vswitchd.log"), work.path().with_extension("log")).ok();
            return Err(RunError::Start { program, seconds: START_SECONDS, log });
        }
        let sinks: &[u32] = if feed.row().ports == Ports::BothWays { &[1, 2] } else { &[2] };
        let sources = feed.open()?;
        let guest = feed.row().ports == Ports::Guest;
        let guest = guest.then(|| Guest::start(&dir)).transpose()?;
        let switch = Self { guest, programs, config, dir, sinks, sources, vswitchd, _ovsdb: ovsdb };
        switch.configure(cpu)?;
        switch.plug(feed)?;
        Ok(switch)
    }

    fn command(&self, program: &Path) -> Command {
        in_dir(program, &self.dir)
    }

    fn vsctl(&self, args: &[&str]) -> Result<String, RunError> {
        let db = format!("--db=unix:{}", self.dir.join("db.sock").display());
        output(self.command(&self.programs.vsctl).args(["--timeout=60", &db]).args(args))
    }

    fn configure(&self, cpu: usize) -> Result<(), RunError> {
        let mask = format!("other_config:pmd-cpu-mask={:#x}", 1u64 << cpu);
        let switch = [
            "other_config:dpdk-init=true",
            &mask,
            "other_config:dpdk-lcore-mask=0x1",
            "other_config:dpdk-extra=--no-pci",
            "other_config:dpdk-socket-mem=2048",
        ];
        self.vsctl(
            &[&["--no-wait", "set", "Open_vSwitch", "."], &switch[..], self.config.settings]
                .concat(),
        )?;
        // Both switches learn 8,192 MAC addresses unless told otherwise.
        let bridge =
            ["datapath_type=netdev", "fail_mode=secure", "other_config:mac-table-size=200000"];
        self.vsctl(&[&["add-br", "br0", "--", "set", "bridge", "br0"], &bridge[..]].concat())?;
        Ok(())
    }

    /// Sinks, flows, sources, in this order, so that no packet meets a switch that is not ready.
    fn plug(&self, feed: &Feed<'_>) -> Result<(), RunError> {
        let row = feed.row();
        let sinks: &[u32] = match row.ports {
            Ports::OneWay | Ports::Guest => &[2],
            Ports::Attacked => &[2, 3],
            Ports::BothWays => &[],
        };
        for port in sinks {
            self.add_port(&format!("sink{port}"), *port, &format!("net_null{port},no-rx=1"))?;
        }
        let flows = self.dir.join("flows.txt");
        let text = row.table.flows(&feed.world().acl, feed.world().attack);
        fs::write(&flows, text).step("writing the flows")?;
        let mut ofctl = self.command(&self.programs.ofctl);
        output(ofctl.args(["--bundle", "add-flows", &self.target()]).arg(&flows))?;
        if let Some(guest) = &self.guest {
            let path = format!("options:vhost-server-path={}", guest.socket.display());
            let settings = ["type=dpdkvhostuserclient", &path, "ofport_request=3"];
            let port = ["add-port", "br0", "guest", "--", "set", "interface", "guest"];
            self.vsctl(&[&port[..], &settings[..]].concat())?;
            // Until both have met, packets for the guest are dropped.
            std::thread::sleep(Duration::from_secs(2));
        }
        for device in &self.sources.devices {
            self.add_port(&format!("source{}", device.port), device.port, &device.arguments)?;
        }
        Ok(())
    }

    fn add_port(&self, name: &str, number: u32, devargs: &str) -> Result<(), RunError> {
        let devargs = format!("options:dpdk-devargs={devargs}");
        let number = format!("ofport_request={number}");
        let settings = ["set", "interface", name, "type=dpdk", &devargs, &number];
        self.vsctl(&[&["add-port", "br0", name, "--"], &settings[..]].concat())?;
        Ok(())
    }

    fn target(&self) -> String {
        format!("unix:{}", self.management().display())
    }

    /// Packets that have left, and when they were counted.
    pub(crate) fn sent(&self) -> Result<(u64, Instant), RunError> {
        let mut sum = 0;
        for port in self.sinks {
            sum += self.counter(*port, "tx pkts=")?;
        }
        Ok((sum, Instant::now()))
    }

    /// What one port counts.
    pub(crate) fn counter(&self, port: u32, wanted: &'static str) -> Result<u64, RunError> {
        let mut cmd = self.command(&self.programs.ofctl);
        let text = output(cmd.args(["dump-ports", &self.target(), &port.to_string()]))?;
        let number = text.split(wanted).nth(1).and_then(|s| s.split(',').next());
        let number = number.and_then(|s| s.trim().parse().ok());
        number.ok_or_else(|| RunError::Output { wanted, command: "ovs-ofctl dump-ports".into() })
    }

    pub(crate) fn appctl(&self, args: &[&str]) -> Result<String, RunError> {
        let ctl = self.dir.join("vswitchd.ctl");
        output(self.command(&self.programs.appctl).arg("-t").arg(ctl).args(args))
    }

    /// The side and its configuration.
    pub(crate) fn names(&self) -> (&'static str, &'static str) {
        (self.programs.name, self.config.name)
    }

    /// The bridge's OpenFlow socket.
    pub(crate) fn management(&self) -> PathBuf {
        self.dir.join("br0.mgmt")
    }

    /// Ends it, and says how many packets it wrote.
    pub(crate) fn end_stream(&mut self) -> Option<u64> {
        self.sources.stream.as_mut().map(Stream::end)
    }

    /// Removes the sources that the switch polls; what a pipe still holds is read first.
    pub(crate) fn unplug(&self) -> Result<(), RunError> {
        if self.sources.stream.is_some() {
            std::thread::sleep(Duration::from_secs(1));
        }
        for device in &self.sources.devices {
            self.vsctl(&["del-port", &format!("source{}", device.port)])?;
        }
        Ok(())
    }

    /// All ports' counters.
    pub(crate) fn dump_ports(&self) -> Result<String, RunError> {
        output(self.command(&self.programs.ofctl).args(["dump-ports", &self.target()]))
    }
}

impl Drop for Switch<'_> {
    fn drop(&mut self) {
        // Ask first, so that devices are closed; `Daemon` ends what does not listen.
        if let Some(stream) = &mut self.sources.stream {
            stream.end();
        }
        let _ = self.appctl(&["exit"]);
        wait(|| self.vswitchd.ended());
    }
}

fn start_ovsdb(programs: &Programs, dir: &Path, schema: &Path) -> Result<Daemon, RunError> {
    let (db, sock) = (dir.join("conf.db"), dir.join("db.sock"));
    output(in_dir(&programs.ovsdb_tool, dir).arg("create").arg(&db).arg(schema))?;
    let mut cmd = in_dir(&programs.ovsdb_server, dir);
    cmd.arg(&db).arg(format!("--remote=punix:{}", sock.display()));
    cmd.arg(format!("--unixctl={}", dir.join("ovsdb.ctl").display()));
    let daemon = Daemon::spawn(cmd.arg("-vconsole:off"), &dir.join("ovsdb.out"))?;
    if wait(|| sock.exists()) {
        return Ok(daemon);
    }
    let program = programs.ovsdb_server.display().to_string();
    Err(RunError::Start { program, seconds: START_SECONDS, log: dir.join("ovsdb.out") })
}

fn in_dir(program: &Path, dir: &Path) -> Command {
    let mut cmd = Command::new(program);
    for var in ["OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR"] {
        cmd.env(var, dir);
    }
    cmd
}

fn wait(mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(START_SECONDS);
    while Instant::now() < end {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}
