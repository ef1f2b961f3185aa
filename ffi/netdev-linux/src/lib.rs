//! Safe access to Linux network devices: taps and packet sockets with virtio-net headers, rtnetlink, ethtool.
