//! One of the two switches: started, configured and measured by the commands operators use.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::error::{RunError, Step as _};
use crate::guest::Guest;
use crate::process::WorkDir;
use crate::programs::Programs;
use crate::row::Ports;
use crate::running::Running;
use crate::source::{Feed, Sources};
use crate::stream::Stream;

/// A running switch with bridge `br0` and the row's ports and flows.
pub(crate) struct Switch<'a> {
    pub(crate) running: Running<'a>,
    config: &'static Config,
    /// Ports that packets leave by, of those that count.
    sinks: &'static [u32],
    // Dropped in this order: the switch before what it is connected to.
    guest: Option<Guest>,
    sources: Sources,
}

impl<'a> Switch<'a> {
    pub(crate) fn start(
        programs: &'a Programs,
        work: &WorkDir,
        feed: &Feed<'_>,
        config: &'static Config,
        cpu: usize,
    ) -> Result<Self, RunError> {
        let running = Running::start(programs, work)?;
        let sinks: &[u32] = if feed.row().ports == Ports::BothWays { &[1, 2] } else { &[2] };
        let sources = feed.open()?;
        let guest = feed.row().ports == Ports::Guest;
        let guest = guest.then(|| Guest::start(&running.dir)).transpose()?;
        let switch = Self { running, config, sinks, guest, sources };
        switch.configure(cpu)?;
        switch.plug(feed)?;
        Ok(switch)
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
        self.running.vsctl(
            &[&["--no-wait", "set", "Open_vSwitch", "."], &switch[..], self.config.settings]
                .concat(),
        )?;
        // Both switches learn 8,192 MAC addresses unless told otherwise.
        let bridge =
            ["datapath_type=netdev", "fail_mode=secure", "other_config:mac-table-size=200000"];
        self.running
            .vsctl(&[&["add-br", "br0", "--", "set", "bridge", "br0"], &bridge[..]].concat())?;
        for command in self.config.commands {
            self.running.appctl(command)?;
        }
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
        let flows = self.running.dir.join("flows.txt");
        let text = row.table.flows(&feed.world().acl, feed.world().attack);
        fs::write(&flows, text).step("writing the flows")?;
        let flows = flows.display().to_string();
        self.running.ofctl(&["--bundle", "add-flows", &self.target(), &flows])?;
        if let Some(guest) = &self.guest {
            let path = format!("options:vhost-server-path={}", guest.socket.display());
            let settings = ["type=dpdkvhostuserclient", &path, "ofport_request=3"];
            let port = ["add-port", "br0", "guest", "--", "set", "interface", "guest"];
            self.running.vsctl(&[&port[..], &settings[..]].concat())?;
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
        self.running.vsctl(&[&["add-port", "br0", name, "--"], &settings[..]].concat())?;
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
        let text = self.running.ofctl(&["dump-ports", &self.target(), &port.to_string()])?;
        let number = text.split(wanted).nth(1).and_then(|s| s.split(',').next());
        let number = number.and_then(|s| s.trim().parse().ok());
        number.ok_or_else(|| RunError::Output { wanted, command: "ovs-ofctl dump-ports".into() })
    }

    /// The side and its configuration.
    pub(crate) fn names(&self) -> (&'static str, &'static str) {
        (self.running.programs.name, self.config.name)
    }

    /// The bridge's OpenFlow socket.
    pub(crate) fn management(&self) -> PathBuf {
        self.running.dir.join("br0.mgmt")
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
            self.running.vsctl(&["del-port", &format!("source{}", device.port)])?;
        }
        Ok(())
    }

    /// All ports' counters.
    pub(crate) fn dump_ports(&self) -> Result<String, RunError> {
        self.running.ofctl(&["dump-ports", &self.target()])
    }
}

impl Drop for Switch<'_> {
    fn drop(&mut self) {
        if let Some(stream) = &mut self.sources.stream {
            stream.end();
        }
    }
}
