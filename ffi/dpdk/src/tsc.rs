//! The time stamp counter: the clock of cycle counts.

use std::sync::OnceLock;

/// Cycles since some moment in the past; monotonic on one CPU, and on machines with an invariant TSC
/// across CPUs.
#[inline(always)]
#[must_use]
pub fn rdtsc() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: every x86-64 CPU has the instruction.
        unsafe { core::arch::x86_64::_rdtsc() }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let ticks: u64;
        // SAFETY: reads the virtual counter, which Linux lets user space do; touches nothing else.
        unsafe {
            core::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack));
        }
        ticks
    }
}

/// Cycles a second, as DPDK measured it at start; without an EAL measured here once (10 ms).
#[must_use]
pub fn tsc_hz() -> u64 {
    static HZ: OnceLock<u64> = OnceLock::new();
    *HZ.get_or_init(|| {
        // SAFETY: reads a variable that rte_eal_init sets; zero before.
        let hz = unsafe { dpdk_sys::rte_get_tsc_hz() };
        if hz != 0 { hz } else { measure_hz() }
    })
}

fn measure_hz() -> u64 {
    let (from, start) = (std::time::Instant::now(), rdtsc());
    std::thread::sleep(std::time::Duration::from_millis(10));
    let (cycles, took) = (rdtsc() - start, from.elapsed().as_nanos());
    u64::try_from(u128::from(cycles) * 1_000_000_000 / took.max(1)).unwrap_or(u64::MAX)
}
