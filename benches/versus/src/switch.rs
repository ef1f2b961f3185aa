//! One of the two switches: started, configured and measured by the commands operators use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::{RunError, Step as _};
use crate::process::{Daemon, WorkDir, output};
use crate::report::Sample;
use crate::row::{Ports, Row};
use crate::source::{Feed, Sources};
use crate::traffic::Order;

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
    dir: PathBuf,
    /// Ports that packets leave by, of those that count.
    sinks: &'static [u32],
    sources: Sources,
    // Dropped in this order: the switch before its database.
    vswitchd: Daemon,
    _ovsdb: Option<Daemon>,
}

impl<'a> Switch<'a> {
    pub(crate) fn start(
        programs: &'a Programs,
        work: &WorkDir,
        feed: &Feed<'_>,
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
        let switch = Self { programs, dir, sinks, sources, vswitchd, _ovsdb: ovsdb };
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
        self.vsctl(&[&["--no-wait", "set", "Open_vSwitch", "."], &switch[..]].concat())?;
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
            Ports::OneWay => &[2],
            Ports::TwoSinks => &[2, 3],
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
        for (i, device) in self.sources.devices.iter().enumerate() {
            self.add_port(&format!("source{i}"), 1 + i as u32, device)?;
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
        format!("unix:{}", self.dir.join("br0.mgmt").display())
    }

    /// Packets that have left, and when they were counted.
    fn sent(&self) -> Result<(u64, Instant), RunError> {
        let mut sum = 0;
        for port in self.sinks {
            let mut cmd = self.command(&self.programs.ofctl);
            let text = output(cmd.args(["dump-ports", &self.target(), &port.to_string()]))?;
            let number = text.split("tx pkts=").nth(1).and_then(|s| s.split(',').next());
            let number: Option<u64> = number.and_then(|s| s.trim().parse().ok());
            let command = "ovs-ofctl dump-ports".to_owned();
            sum += number.ok_or(RunError::Output { wanted: "tx pkts=", command })?;
        }
        Ok((sum, Instant::now()))
    }

    fn appctl(&self, args: &[&str]) -> Result<String, RunError> {
        let ctl = self.dir.join("vswitchd.ctl");
        output(self.command(&self.programs.appctl).arg("-t").arg(ctl).args(args))
    }

    /// Packets a second at the sink, and cycles a packet as the switch counts them.
    pub(crate) fn measure(
        &self,
        row: &Row,
        warm_up: Duration,
        window: Duration,
    ) -> Result<Sample, RunError> {
        std::thread::sleep(warm_up);
        if let (Some(stream), Order::Attack(rate)) = (&self.sources.stream, row.traffic.order) {
            stream.attack(rate);
            std::thread::sleep(warm_up);
        }
        self.appctl(&["dpif-netdev/pmd-stats-clear"])?;
        let (n0, t0) = self.sent()?;
        std::thread::sleep(window);
        let (n1, t1) = self.sent()?;
        let text = self.appctl(&["dpif-netdev/pmd-perf-show"])?;
        let rate = (n1 - n0) as f64 / t1.duration_since(t0).as_secs_f64();
        Ok(Sample { rate, cycles: cycles_a_packet(&text) })
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

/// `  Rx packets:  123  (456 Kpps, 169 cycles/pkt)` of pmd-perf-show.
fn cycles_a_packet(text: &str) -> Option<f64> {
    let line = text.lines().find(|l| l.trim_start().starts_with("Rx packets:"))?;
    let before = line.split(" cycles/pkt").next()?;
    before.rsplit(' ').next()?.trim_start_matches('(').parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_read_from_the_peers_own_text() {
        let text = "  Rx packets:             49182560  (13968 Kpps, 151 cycles/pkt)\n";
        assert_eq!(cycles_a_packet(text), Some(151.0));
    }
}
