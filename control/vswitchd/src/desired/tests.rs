//! What is read from a replica that a server filled.

use weir_engine::{Algorithm, AutoLb};
use weir_jsonrpc::{Json, Message};
use weir_ofproto::config::{FailMode, PriorityTags, VlanMode};
use weir_openflow::OfPort;
use weir_ovsdb::replica::{Client, Interest};
use weir_ovsdb::schemas;

use super::{ControllerKind, Desired, Pmds, parse_cpu_mask, parse_int, parse_mac};

/// A UUID that ends in these two digits.
fn uuid(n: &str) -> String {
    format!("00000000-0000-4000-8000-0000000000{n}")
}

/// Reads the state from tables in the form of a monitor's first reply, in which `@NN` stands for a
/// UUID.
fn read(tables: &str) -> Option<Desired> {
    let mut text = String::new();
    let mut parts = tables.split('@');
    text.push_str(parts.next().unwrap());
    for part in parts {
        let (n, rest) = part.split_at(2);
        text.push_str(&uuid(n));
        text.push_str(rest);
    }
    let mut client = Client::new("Open_vSwitch", Interest::Everything);
    client.connected();
    let mut replies = [
        schemas::vswitch().to_json(),
        Json::parse(format!("[false,\"{}\",{text}]", uuid("ff"))).unwrap(),
    ]
    .into_iter();
    for reply in &mut replies {
        let Some(Message::Request { id, .. }) = client.poll_transmit() else { panic!() };
        client.handle(Message::reply(reply, id));
    }
    Desired::read(client.replica().unwrap())
}

/// A switch with one bridge; `switch` and `bridge` are members of their rows.
fn bridge_of(switch: &str, bridge: &str, others: &str) -> Desired {
    read(&format!(
        r#"{{"Open_vSwitch":{{"@01":{{"initial":{{"bridges":["uuid","@02"]{switch}}}}}}},
            "Bridge":{{"@02":{{"initial":{{"name":"br0"{bridge}}}}}}}{others}}}"#
    ))
    .unwrap()
}

fn texts(desired: &Desired) -> Vec<String> {
    desired.complaints.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_database_asks_for_nothing() {
    assert_eq!(read("{}"), None);
    let desired = bridge_of("", "", "");
    assert_eq!(desired.complaints, []);
    let bridge = &desired.bridges[0];
    assert_eq!((bridge.name.as_str(), bridge.fail_mode), ("br0", FailMode::Standalone));
    assert_eq!((bridge.mac_aging_s, bridge.mac_table_size), (300, 8_192));
    assert_eq!(desired.switch.flow_limit, 200_000);
}

#[test]
fn settings_of_the_switch() {
    let config = r#","next_cfg":7,"datapaths":["map",[["netdev",["uuid","@09"]]]],
        "other_config":["map",[["enable-statistics","true"],["flow-limit","5"],["max-idle","1"],
        ["pmd-cpu-mask","0x6"],["pmd-rxq-assign","group"],["pmd-sleep-max","50,3:100"],
        ["stats-update-interval","9000"],["dpdk-init","try"],["smc-enable","maybe"]]]"#;
    let others = r#","Datapath":{"@09":{"initial":{"datapath_version":"x"}}}"#;
    let desired = bridge_of(config, "", others);
    let switch = &desired.switch;
    let Pmds { cpus, tuning } = &switch.pmds;
    assert!(switch.enable_statistics && !tuning.smc);
    assert_eq!((switch.next_cfg, switch.flow_limit, switch.stats_interval_ms), (7, 5, 9_000));
    assert_eq!(*cpus, Some([1, 2].into()));
    assert_eq!(tuning.rxq_assign, Algorithm::Group);
    assert_eq!((tuning.sleep_max_us, tuning.sleep_max_us_of[&3]), (50, 100));
    assert_eq!(switch.datapaths["netdev"].to_string(), uuid("09"));
    assert_eq!(switch.dpdk["init"], "try");
    // What makes no sense is the default, and is said.
    assert_eq!(switch.max_idle_ms, 10_000);
    let said = texts(&desired);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("max-idle=1") && said[1].contains("smc-enable=maybe"), "{said:?}");
}

#[test]
fn settings_of_the_threads_that_make_no_sense() {
    let config = r#","other_config":["map",[["pmd-auto-lb","true"],["pmd-auto-lb-rebal-interval","0"],
        ["pmd-auto-lb-load-threshold","101"],["pmd-auto-lb-improvement-threshold","40"],
        ["pmd-rxq-isolate","false"],["pmd-rxq-assign","best"],
        ["pmd-sleep-max","10001,x:5,3:-1,4:7"],["emc-insert-inv-prob","4294967296"]]]"#;
    let desired = bridge_of(config, "", "");
    let tuning = &desired.switch.pmds.tuning;
    let auto_lb =
        AutoLb { enabled: true, interval_min: 1, load_threshold: 95, improvement_threshold: 40 };
    assert_eq!(tuning.auto_lb, auto_lb);
    assert_eq!((tuning.rxq_assign, tuning.isolates()), (Algorithm::Cycles, true));
    assert_eq!((tuning.sleep_max_us, &tuning.sleep_max_us_of), (10_000, &[(4, 7)].into()));
    assert_eq!(tuning.emc_insert_inv_prob, 100);
    let said = texts(&desired);
    for what in [
        "load-threshold=101",
        "pmd-rxq-isolate can only be",
        "pmd-rxq-assign=best",
        "10001 is too long",
        "x:5 is not",
        "3:-1 is not",
        "inv-prob=4294967296",
    ] {
        assert!(said.iter().any(|text| text.contains(what)), "{what}: {said:?}");
    }
    assert_eq!(said.len(), 7, "{said:?}");
}

#[test]
fn settings_of_a_bridge_and_its_controllers() {
    let config = r#","fail_mode":"secure","protocols":"OpenFlow13","flood_vlans":["set",[3,4]],
        "controller":["set",[["uuid","@03"],["uuid","@04"]]],
        "other_config":["map",[["hwaddr","01:00:00:00:00:01"],["datapath-id","0x2a"],
        ["mac-aging-time","1"],["mac-table-size","5000000"],["disable-in-band","true"]]]"#;
    let others = r#","Controller":{
        "@03":{"initial":{"target":"tcp:1.2.3.4","controller_rate_limit":200,"inactivity_probe":0}},
        "@04":{"initial":{"target":"ptcp:6653","enable_async_messages":false}}}"#;
    let desired = bridge_of("", config, others);
    let bridge = &desired.bridges[0];
    assert_eq!((bridge.fail_mode, bridge.protocols.len()), (FailMode::Secure, 1));
    assert_eq!((bridge.datapath_id, bridge.hwaddr), (Some(42), None));
    assert_eq!((bridge.mac_aging_s, bridge.mac_table_size), (15, 1_000_000));
    assert!(bridge.disable_in_band && bridge.flood_vlans == [3, 4].into());
    assert!(texts(&desired)[0].contains("hwaddr=01:00:00:00:00:01"));
    let by = |target: &str| bridge.controllers.iter().find(|c| c.target == target).unwrap();
    let (active, passive) = (by("tcp:1.2.3.4"), by("ptcp:6653"));
    assert_eq!((active.kind, active.rate_limit), (ControllerKind::Primary, Some((200, 50))));
    assert_eq!((active.probe_ms, active.enable_async), (0, true));
    assert_eq!((passive.kind, passive.rate_limit), (ControllerKind::Service, None));
    assert!(!passive.enable_async);
}

#[test]
fn settings_of_ports_and_interfaces() {
    let others = r#","Port":{
        "@05":{"initial":{"name":"p2","tag":9,"interfaces":["uuid","@07"]}},
        "@06":{"initial":{"name":"p1","trunks":["set",[1,2]],"interfaces":["uuid","@08"],
               "other_config":["map",[["priority-tags","frob"]]]}}},
      "Interface":{
        "@07":{"initial":{"name":"p2","type":"dpdk","ofport_request":8,"mtu_request":9000,
               "options":["map",[["n_rxq","2"]]],
               "other_config":["map",[["pmd-rxq-affinity","0:3, 1:0x7,"],["emc-enable","false"]]]}},
        "@08":{"initial":{"name":"p1","ofport":-1,"mac":"frob",
               "other_config":["map",[["pmd-rxq-affinity","0:3,1:x"]]]}}}"#;
    let ports = r#","ports":["set",[["uuid","@05"],["uuid","@06"]]]"#;
    let desired = bridge_of("", ports, others);
    let [p1, p2] = &desired.bridges[0].ports[..] else { panic!() };
    assert_eq!((p1.name.as_str(), p1.vlan.mode, p1.vlan.tag), ("p1", VlanMode::Trunk, 0));
    assert_eq!(p1.vlan.trunks, Some(vec![1, 2]));
    assert_eq!(p1.vlan.priority_tags, PriorityTags::Never);
    assert_eq!((p2.vlan.mode, p2.vlan.tag), (VlanMode::Access, 9));
    let (i1, i2) = (&p1.interfaces[0], &p2.interfaces[0]);
    assert_eq!((i1.kind.as_str(), i1.ofport, i1.mac), ("system", None, None));
    assert_eq!((i2.kind.as_str(), i2.ofport_request), ("dpdk", Some(OfPort(8))));
    assert_eq!((i2.mtu_request, i2.options["n_rxq"].as_str()), (Some(9_000), "2"));
    assert_eq!((&i2.rxq_affinity, i2.emc), (&[(0, 3), (1, 7)].into(), false));
    assert!(i1.rxq_affinity.is_empty() && i1.emc);
    let said = texts(&desired);
    assert!(said.iter().any(|t| t.starts_with("Interface p1: ") && t.contains("1:x")));
    assert!(said.iter().any(|t| t.starts_with("Port p1: ") && t.contains("priority-tags=frob")));
    assert!(said.iter().any(|t| t.starts_with("Interface p1: ") && t.contains("mac=frob")));
}

#[test]
fn cpu_masks_of_any_length() {
    assert_eq!(parse_cpu_mask("0x6"), Some([1, 2].into()));
    assert_eq!(parse_cpu_mask("10000000000000001"), Some([0, 64].into()));
    assert_eq!(parse_cpu_mask("0x"), None);
    assert_eq!(parse_cpu_mask("zz"), None);
    assert_eq!(parse_cpu_mask("0"), Some([].into()));
}

#[test]
fn macs_and_integers() {
    assert_eq!(parse_mac("02:00:00:00:00:0a"), Some([2, 0, 0, 0, 0, 10]));
    assert_eq!(parse_mac("02:00:00:00:00"), None);
    assert_eq!(parse_mac("02:00:00:00:00:0a:1"), None);
    assert_eq!(parse_int("0x10"), Some(16));
    assert_eq!(parse_int("-5"), Some(-5));
    assert_eq!(parse_int("5 apples"), None);
}
