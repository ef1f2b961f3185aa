//! [`Megaflow`]: one cached verdict. Its first cache line is what the packet path touches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use smallvec::SmallVec;
use weir_flow::action::{Action, Actions, SlowReasons};
use weir_flow::flow::KEY_WORDS;
use weir_flow::slowpath::{Credit, FlowStats, Translation};
use weir_flow::{DropReason, Flow, PortNo};

use crate::counters::Counter;
use crate::megaflow::mask::{InstalledMask, Key};
use crate::megaflow::ufid::ufid;

/// The action list at a glance, so that the common ones need no second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// One output and nothing else.
    Output(PortNo),
    /// No output.
    Drop(DropReason),
    /// Anything else: run the list.
    Program,
    /// Translate each packet anew.
    Slow,
}

impl Verdict {
    pub(crate) fn of(t: &Translation) -> Self {
        if t.slow != SlowReasons::default() {
            return Self::Slow;
        }
        match &*t.actions {
            [] => Self::Drop(t.drop_reason.unwrap_or(DropReason::OfPipeline)),
            [Action::Drop(reason)] => Self::Drop(*reason),
            [Action::Output(port)] => Self::Output(*port),
            _ => Self::Program,
        }
    }
}

/// The words of a key that a megaflow compares; most look at no more than these many.
pub(crate) type Masked = SmallVec<[u64; 7]>;

/// A cached verdict about all packets that agree with `key` under `mask`. Owned by one thread, which
/// alone writes its counters; others read them.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Megaflow {
    packets: Counter,
    bytes: Counter,
    used_ms: Counter,
    tcp_flags: AtomicU16,
    dead: AtomicBool,
    pub(crate) verdict: Verdict,
    /// The translation's actions.
    pub(crate) actions: Actions,
    /// Shared by all megaflows of a port that have it.
    pub(crate) mask: Arc<InstalledMask>,
    /// The key's words under the mask.
    masked: Masked,
    /// The key's words up to the last that is not zero.
    key: Box<[u64]>,
    pub(crate) in_port: u32,
    /// The subtable that it is in.
    pub(crate) home: u32,
    pub(crate) ufid: u128,
    pub(crate) slow: SlowReasons,
    pub(crate) credit: Arc<dyn Credit>,
    pub(crate) created_ms: u64,
}

impl Megaflow {
    /// A megaflow from a translation; `mask` is the one to install with, `home`
    /// the subtable (see `placement`), `actions` the translation's, perhaps shared.
    pub(crate) fn new(
        key: &Flow,
        mask: Arc<InstalledMask>,
        home: u32,
        actions: Actions,
        t: &Translation,
        now_ms: u64,
    ) -> Self {
        let words = key.words().get(..KEY_WORDS).unwrap_or_default();
        let len = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        Self {
            packets: Counter::default(),
            bytes: Counter::default(),
            used_ms: Counter::default(),
            tcp_flags: AtomicU16::new(0),
            dead: AtomicBool::new(false),
            verdict: Verdict::of(t),
            actions,
            masked: mask.masked(key),
            key: words.get(..len).unwrap_or_default().into(),
            in_port: key.in_port.get(),
            home,
            ufid: ufid(key, &mask.mask),
            mask,
            slow: t.slow,
            credit: Arc::clone(&t.credit),
            created_ms: now_ms,
        }
    }

    /// The same match with another verdict, continuing the counters. Owner only.
    pub(crate) fn with_translation(&self, actions: Actions, t: &Translation) -> Self {
        let mask = Arc::clone(&self.mask);
        let new = Self::new(&self.key(), mask, self.home, actions, t, self.created_ms);
        let stats = self.stats();
        new.packets.set(stats.packets);
        new.bytes.set(stats.bytes);
        new.used_ms.set(stats.used_ms);
        new.tcp_flags.store(stats.tcp_flags, Ordering::Relaxed);
        new
    }

    /// The flow of the packet that caused it.
    pub(crate) fn key(&self) -> Flow {
        let mut key = Flow::ZERO;
        for (word, value) in key.words_mut().iter_mut().zip(&self.key) {
            *word = *value;
        }
        key
    }

    /// The same, as far as it is not zero.
    pub(crate) fn key_words(&self) -> &[u64] {
        &self.key
    }

    /// Does it match packets with this key?
    #[inline(always)]
    pub(crate) fn agrees(&self, key: Key<'_>) -> bool {
        self.mask.agrees(&self.masked, key)
    }

    /// Counts packets. Owner only.
    #[inline(always)]
    pub(crate) fn hit(&self, packets: u64, bytes: u64, tcp_flags: u16, now_ms: u64) {
        self.packets.add(packets);
        self.bytes.add(bytes);
        self.used_ms.set(now_ms);
        let flags = self.tcp_flags.load(Ordering::Relaxed);
        if flags | tcp_flags != flags {
            self.tcp_flags.store(flags | tcp_flags, Ordering::Relaxed);
        }
    }

    /// The counters, from any thread.
    pub(crate) fn stats(&self) -> FlowStats {
        FlowStats {
            packets: self.packets.get(),
            bytes: self.bytes.get(),
            used_ms: self.used_ms.get(),
            tcp_flags: self.tcp_flags.load(Ordering::Relaxed),
        }
    }

    /// Out of the table; caches that still point here must look again. Owner only.
    pub(crate) fn bury(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }
}

/// What `later` has more than `earlier`, to be passed to a [`Credit`].
pub(crate) fn give_credit(credit: &Arc<dyn Credit>, earlier: &FlowStats, later: &FlowStats) {
    let packets = later.packets.saturating_sub(earlier.packets);
    if packets != 0 {
        let bytes = later.bytes.saturating_sub(earlier.bytes);
        credit.credit(packets, bytes, later.used_ms, later.tcp_flags);
    }
}
