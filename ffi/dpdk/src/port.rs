//! Finding, probing and removing the DPDK port behind a device.

use std::ffi::CStr;
use std::sync::{Mutex, PoisonError};

use dpdk_sys::{rte_dev_iterator, rte_device};

use crate::devargs::{Devargs, Kind};
use crate::devinfo::raw_info;
use crate::eal_log;
use crate::error::{DpdkError, Errno, c_string};
use crate::mempool::Mempool;

/// The port behind a device and its queues; detached when the last of them goes.
#[derive(Debug)]
pub(crate) struct Port {
    id: u16,
    name: String,
    /// Whether this process's [`EthDev::attach`] probed it, so that it is removed at the end.
    probed: bool,
    /// Kept until the rings that use it are gone.
    pool: Mutex<Option<Mempool>>,
}

/// Ports that have an owner; also keeps one attach or detach from crossing another.
static OWNED: Mutex<Vec<u16>> = Mutex::new(Vec::new());

impl Port {
    /// Finds the port that `devargs` names, probing the device if it is not there yet.
    pub(crate) fn attach(devargs: &Devargs) -> Result<Self, DpdkError> {
        let mut owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, probed) = match find(devargs)? {
            Some(id) => (id, false),
            None => (probe(devargs)?, true),
        };
        if owned.contains(&id) {
            return Err(DpdkError::InUse(devargs.as_str().to_owned()));
        }
        owned.push(id);
        let name = port_name(id).unwrap_or_else(|| devargs.as_str().to_owned());
        Ok(Self { id, name, probed, pool: Mutex::new(None) })
    }

    pub(crate) const fn id(&self) -> u16 {
        self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Keeps the pool that receive rings are filled from, for as long as they may use it.
    pub(crate) fn keep_pool(&self, pool: &Mempool) {
        *self.pool.lock().unwrap_or_else(PoisonError::into_inner) = Some(pool.clone());
    }
}

/// The port's name at DPDK.
fn port_name(id: u16) -> Option<String> {
    let mut name = [0_u8; dpdk_sys::RTE_ETH_NAME_MAX_LEN as usize];
    // SAFETY: room for the longest name.
    let error = unsafe { dpdk_sys::rte_eth_dev_get_name_by_port(id, name.as_mut_ptr().cast()) };
    let name = CStr::from_bytes_until_nul(&name).ok()?;
    (error == 0).then(|| name.to_string_lossy().into_owned())
}

/// The port that `devargs` names, if its device was probed.
fn find(devargs: &Devargs) -> Result<Option<u16>, DpdkError> {
    if let Some(name) = devargs.port_name() {
        let name = c_string(name)?;
        let mut id = 0;
        // SAFETY: reads a string and fills a variable.
        let error = unsafe { dpdk_sys::rte_eth_dev_get_port_by_name(name.as_ptr(), &raw mut id) };
        return Ok((error == 0).then_some(id));
    }
    let text = c_string(devargs.as_str())?;
    let mut iterator = rte_dev_iterator::default();
    // SAFETY: the iterator and the text outlive the iteration.
    if unsafe { dpdk_sys::rte_eth_iterator_init(&raw mut iterator, text.as_ptr()) } != 0 {
        return Ok(None);
    }
    // SAFETY: initialised just above.
    let id = unsafe { dpdk_sys::rte_eth_iterator_next(&raw mut iterator) };
    if u32::from(id) >= dpdk_sys::RTE_MAX_ETHPORTS {
        // At its end the iterator has freed what it holds.
        return Ok(None);
    }
    // SAFETY: initialised, and not at its end.
    unsafe { dpdk_sys::rte_eth_iterator_cleanup(&raw mut iterator) };
    Ok(Some(id))
}

/// Makes DPDK probe the device; answers its port.
fn probe(devargs: &Devargs) -> Result<u16, DpdkError> {
    let failed = |cause: String| DpdkError::Attach {
        devargs: devargs.as_str().to_owned(),
        cause,
        remedy: devargs.remedy(),
    };
    if let Kind::Mac(_) = devargs.kind() {
        return Err(failed(Errno(libc::ENODEV).to_string()));
    }
    let text = c_string(devargs.as_str())?;
    let (error, said) = eal_log::listening(|| {
        // SAFETY: reads the string.
        unsafe { dpdk_sys::rte_dev_probe(text.as_ptr()) }
    });
    if error != 0 {
        return Err(failed(said.unwrap_or_else(|| Errno::from_return(error).to_string())));
    }
    find(devargs)?.ok_or_else(|| DpdkError::NoPort(devargs.as_str().to_owned()))
}

/// The device of a port, for comparing and removing.
fn device_of(id: u16) -> *mut rte_device {
    raw_info(id, "").map_or(std::ptr::null_mut(), |info| info.device)
}

/// Whether the device still has ports.
fn has_ports(device: *mut rte_device) -> bool {
    let mut id = 0;
    loop {
        // SAFETY: a plain search.
        let found = unsafe { dpdk_sys::rte_eth_find_next(id) };
        if u32::from(found) >= dpdk_sys::RTE_MAX_ETHPORTS {
            return false;
        }
        if device_of(found) == device {
            return true;
        }
        id = found + 1;
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let mut owned = OWNED.lock().unwrap_or_else(PoisonError::into_inner);
        let device = device_of(self.id);
        let log_failure = |what: &str, error: i32| {
            if error != 0 {
                let cause = Errno::from_return(error);
                log::warn!(target: "dpdk", "{}: {what} failed: {cause}", self.name);
            }
        };
        // SAFETY: neither the device handle nor any queue is left. Stopping twice is harmless.
        log_failure("stopping", unsafe { dpdk_sys::rte_eth_dev_stop(self.id) });
        if self.probed {
            // SAFETY: stopped.
            log_failure("closing", unsafe { dpdk_sys::rte_eth_dev_close(self.id) });
            // Other ports of the same device would lose it.
            if !device.is_null() && !has_ports(device) {
                // SAFETY: a device this process probed, with no port left.
                log_failure("removing", unsafe { dpdk_sys::rte_dev_remove(device) });
            }
        }
        owned.retain(|&id| id != self.id);
        log::info!(target: "dpdk", "Device '{}' has been detached", self.name);
    }
}
