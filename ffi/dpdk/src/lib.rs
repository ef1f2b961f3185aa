//! Safe owners of DPDK objects: EAL, mempools, mbuf batches, Ethernet devices, vhost.
