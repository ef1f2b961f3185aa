//! DPDK's run time, the Environment Abstraction Layer: started once a process, never stopped.
//!
//! The rules Weir has for it: huge pages when there are any, plain memory otherwise; no CPU is taken
//! or pinned that was not given, and no signal is taken; everything is private to the process (no
//! files, no telemetry socket); the log goes to the `log` crate, target `dpdk`.

use std::ffi::{CStr, CString, c_char};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::eal_args::{EalConfig, Machine, Memory};
use crate::eal_log;
use crate::error::{DpdkError, Errno, c_string};

/// The running EAL.
#[derive(Debug)]
pub struct Eal {
    arguments: Vec<String>,
    memory: Memory,
}

static EAL: OnceLock<Eal> = OnceLock::new();
static STARTING: Mutex<Option<String>> = Mutex::new(None);

impl Eal {
    /// Starts DPDK, or answers the EAL that runs already (whatever its configuration).
    ///
    /// # Errors
    /// Options that cannot be, or DPDK's refusal with what to check. After a refusal only a new
    /// process can try again: DPDK cannot.
    pub fn init(config: &EalConfig) -> Result<&'static Self, DpdkError> {
        let mut failed = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(eal) = EAL.get() {
            return Ok(eal);
        }
        if let Some(reason) = &*failed {
            return Err(DpdkError::EalFailedBefore(reason.clone()));
        }
        let machine = Machine::look(config);
        let memory = config.memory(&machine);
        let arguments = config.arguments(&machine)?;
        log::info!(target: "dpdk", "EAL ARGS: {}", arguments.join(" "));
        if let Memory::Plain { megabytes } = memory {
            log::info!(
                target: "dpdk",
                "no free huge pages: using {megabytes} MB of plain memory, which is slower \
                 (for huge pages: sysctl vm.nr_hugepages=1024)"
            );
        }
        eal_log::install();
        if let Err(error) = start(&arguments) {
            *failed = Some(error.to_string());
            return Err(error);
        }
        remove_empty_runtime_directory();
        Ok(EAL.get_or_init(|| Self { arguments, memory }))
    }

    /// The EAL if it runs.
    #[must_use]
    pub fn get() -> Option<&'static Self> {
        EAL.get()
    }

    /// What it was started with.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Which memory it uses.
    #[must_use]
    pub const fn memory(&self) -> Memory {
        self.memory
    }
}

/// DPDK's version, for instance `DPDK 22.11.11`. Needs no EAL.
#[must_use]
pub fn version() -> String {
    // SAFETY: a plain call.
    let text = unsafe { dpdk_sys::rte_version() };
    // SAFETY: a static string.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// In plain memory DPDK makes a directory for files that Weir tells it not to write; nobody would
/// remove it at the end.
fn remove_empty_runtime_directory() {
    // SAFETY: a plain call; the EAL runs.
    let directory = unsafe { dpdk_sys::rte_eal_get_runtime_dir() };
    if !directory.is_null() {
        // SAFETY: a static string.
        let directory = unsafe { CStr::from_ptr(directory) };
        // Fails, as it should, when something is in it after all.
        let _ = std::fs::remove_dir(directory.to_string_lossy().as_ref());
    }
}

/// Calls `rte_eal_init` with the calling thread's affinity and signals restored afterwards.
fn start(arguments: &[String]) -> Result<(), DpdkError> {
    let owned: Vec<CString> =
        arguments.iter().map(|argument| c_string(argument)).collect::<Result<_, _>>()?;
    // EAL reorders the array it gets, and keeps pointers into the strings.
    let mut argv: Vec<*mut c_char> = owned.into_iter().map(CString::into_raw).collect();
    let argc = i32::try_from(argv.len()).unwrap_or(i32::MAX);
    argv.push(std::ptr::null_mut());

    let thread = ThreadState::save();
    // SAFETY: a valid argument vector that is never freed; one thread at a time, once.
    let result = unsafe { dpdk_sys::rte_eal_init(argc, argv.as_mut_ptr()) };
    let cause = Errno::last();
    thread.restore();
    std::mem::forget(argv);
    if result < 0 {
        return Err(DpdkError::EalInit { cause, remedy: remedy(cause) });
    }
    Ok(())
}

const fn remedy(cause: Errno) -> &'static str {
    match cause.0 {
        libc::ENOMEM => {
            "free memory or huge pages, or ask for less with other_config:dpdk-socket-mem"
        }
        libc::EACCES | libc::EPERM => "run as root, or give access to huge pages and /dev/vfio",
        libc::EINVAL => "check other_config:dpdk-extra and the other dpdk- keys",
        libc::ENOTSUP | libc::ENOEXEC => "this CPU or kernel lacks what libdpdk was built for",
        _ => "the log of target dpdk has the details",
    }
}

/// What `rte_eal_init` changes about the calling thread: EAL pins it and its helper threads inherit
/// its signal mask.
struct ThreadState {
    affinity: libc::cpu_set_t,
    signals: libc::sigset_t,
}

impl ThreadState {
    fn save() -> Self {
        // SAFETY: an all-zero CPU set is the empty one.
        let mut affinity: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: fills the set for the calling thread.
        unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut affinity) };
        // SAFETY: plain data, filled below.
        let mut all: libc::sigset_t = unsafe { std::mem::zeroed() };
        let mut signals = all;
        // SAFETY: fills the set.
        unsafe { libc::sigfillset(&raw mut all) };
        // SAFETY: blocks for the calling thread only; fills the old set.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut signals) };
        Self { affinity, signals }
    }

    fn restore(self) {
        // SAFETY: the set that the calling thread had.
        unsafe {
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const self.affinity)
        };
        // SAFETY: as above.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.signals, std::ptr::null_mut())
        };
    }
}
