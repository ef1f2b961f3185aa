//! Finds libdpdk with pkg-config, builds the shim, generates the bindings of `ALLOWED`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The functions, types and constants Weir uses of DPDK; nothing else is bound.
const ALLOWED_FUNCTIONS: &[&str] = &[
    // EAL, log, threads.
    "rte_eal_(init|cleanup|has_hugepages|iova_mode|get_runtime_dir)",
    "rte_version",
    "rte_strerror",
    "rte_log_(set_global_level|get_global_level|set_level_pattern|set_level_regexp|dump)",
    "rte_thread_(register|unregister)",
    "rte_lcore_(dump|count|to_socket_id|to_cpu_id)",
    "rte_get_tsc_hz",
    "rte_malloc_dump_stats",
    "rte_memzone_dump",
    // Mempools and mbufs.
    "rte_pktmbuf_(pool_create|free_bulk|clone|copy)",
    "rte_mempool_(free|avail_count|in_use_count|lookup|dump|list_dump)",
    // Devices.
    "rte_dev_(probe|remove|name|bus|bus_info|driver|numa_node|is_probed)",
    "rte_bus_name",
    "rte_driver_name",
    "rte_eth_dev_(start|stop|close|info_get|get_mtu|set_mtu|is_valid_port|socket_id)",
    "rte_eth_dev_(get_port_by_name|get_name_by_port|adjust_nb_rx_tx_desc|default_mac_addr_set)",
    "rte_eth_dev_(set_link_up|set_link_down|callback_register|callback_unregister)",
    "rte_eth_dev_(fw_version_get|is_removed|count_avail)",
    "rte_eth_(promiscuous_enable|promiscuous_disable|promiscuous_get|allmulticast_enable)",
    "rte_eth_(macaddr_get|find_next|iterator_init|iterator_next|iterator_cleanup)",
    "rte_eth_(stats_get|stats_reset|xstats_get|xstats_get_names|xstats_reset)",
    // vhost-user.
    "rte_vhost_driver_(register|unregister|start|callback_register)",
    "rte_vhost_driver_(get_features|set_features|enable_features|disable_features)",
    "rte_vhost_(enqueue_burst|dequeue_burst|rx_queue_count|avail_entries)",
    "rte_vhost_(get_ifname|get_numa_node|get_mtu|get_vring_num|get_negotiated_features)",
    "rte_vhost_(get_vhost_vring|enable_guest_notification|vring_call)",
    // Ours.
    "weir_.*",
];

const ALLOWED_TYPES: &[&str] = &[
    "rte_eth_dev_info",
    "rte_eth_stats",
    "rte_eth_xstat",
    "rte_eth_xstat_name",
    "rte_dev_iterator",
    "rte_ether_addr",
    "rte_eth_event_type",
    "rte_vhost_device_ops",
    "rte_vhost_vring",
    "weir_.*",
];

const ALLOWED_VARS: &[&str] = &[
    "WEIR_.*",
    "RTE_PKTMBUF_HEADROOM",
    "RTE_MEMPOOL_CACHE_MAX_SIZE",
    "RTE_MAX_ETHPORTS",
    "RTE_MAX_LCORE",
    "RTE_ETH_NAME_MAX_LEN",
    "RTE_ETH_XSTATS_NAME_SIZE",
    "RTE_LOG_(EMERG|ALERT|CRIT|ERR|WARNING|NOTICE|INFO|DEBUG)",
    "RTE_VER_(YEAR|MONTH)",
];

/// Kept as sized blobs: packed structures that hold aligned ones, and those whose inside moves
/// between releases (Weir reads mbufs by the offsets of `wrapper.h`).
const OPAQUE_TYPES: &[&str] = &[
    "rte_mbuf",
    "rte_mempool",
    "rte_eth_rxconf",
    "rte_eth_txconf",
    "rte_arp_hdr",
    "rte_arp_ipv4",
    "rte_l2tpv2_combined_msg_hdr",
    "rte_gtp_psc_generic_hdr",
];

fn main() {
    for file in ["build.rs", "wrapper.h", "shim.h", "shim.c"] {
        println!("cargo::rerun-if-changed={file}");
    }

    // Prints the link directives. Dynamic: the distribution's EAL finds its drivers by itself.
    if let Err(error) = pkg_config::Config::new().atleast_version("22.11").probe("libdpdk") {
        eprintln!("libdpdk 22.11 or newer is needed (Debian: apt install libdpdk-dev): {error}");
        std::process::exit(1);
    }
    let cflags = cflags();

    let mut shim = cc::Build::new();
    shim.file("shim.c").define("ALLOW_EXPERIMENTAL_API", None).std("gnu11").warnings(true);
    for flag in &cflags {
        shim.flag(flag);
    }
    // DPDK's headers, not ours, would warn.
    shim.flag_if_supported("-Wno-deprecated-declarations");
    shim.compile("weir_dpdk_shim");

    let mut builder = bindgen::Builder::default()
        .header("wrapper.h")
        .clang_args(&cflags)
        .clang_arg("-DALLOW_EXPERIMENTAL_API")
        .use_core()
        .rust_edition(bindgen::RustEdition::Edition2024)
        .default_enum_style(bindgen::EnumVariation::ModuleConsts)
        .prepend_enum_name(false)
        .derive_default(true)
        .derive_debug(true)
        .layout_tests(true)
        .generate_comments(false)
        .wrap_unsafe_ops(true)
        .blocklist_type("FILE")
        .blocklist_type("_IO_.*")
        .raw_line("pub use libc::FILE;");
    for name in ALLOWED_FUNCTIONS {
        builder = builder.allowlist_function(name);
    }
    for name in ALLOWED_TYPES {
        builder = builder.allowlist_type(name);
    }
    for name in ALLOWED_VARS {
        builder = builder.allowlist_var(name);
    }
    for name in OPAQUE_TYPES {
        builder = builder.opaque_type(name);
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("bindings.rs");
    match builder.generate() {
        Ok(bindings) => {
            if let Err(error) = bindings.write_to_file(&out) {
                eprintln!("cannot write {}: {error}", out.display());
                std::process::exit(1);
            }
        }
        Err(error) => {
            eprintln!("bindgen (is libclang there? Debian: apt install libclang-dev): {error}");
            std::process::exit(1);
        }
    }
}

/// The compiler flags of libdpdk: include paths, `-include rte_config.h`, `-march`.
fn cflags() -> Vec<String> {
    let pkg_config = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let output = match Command::new(&pkg_config).args(["--cflags", "libdpdk"]).output() {
        Ok(output) if output.status.success() => output.stdout,
        other => {
            eprintln!("{pkg_config} --cflags libdpdk: {other:?}");
            std::process::exit(1);
        }
    };
    String::from_utf8_lossy(&output).split_whitespace().map(str::to_owned).collect()
}
