//! The facade under loom, which tries every interleaving of a few threads and every reordering that
//! the memory model allows:
//!
//! `RUSTFLAGS='--cfg crossbeam_loom' cargo test -p weir-rcu --release --test loom`
//!
//! `LOOM_MAX_PREEMPTIONS` widens the search (2 here; see loom's documentation).
#![cfg(crossbeam_loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use weir_rcu::{Rcu, collect, pin};

/// Two halves that agree in every value that is published; counts its drops.
struct Value {
    halves: (usize, usize),
    drops: Arc<AtomicUsize>,
    alive: AtomicUsize,
}

impl Value {
    fn new(n: usize, drops: &Arc<AtomicUsize>) -> Self {
        Self { halves: (n, 3 * n), drops: Arc::clone(drops), alive: AtomicUsize::new(1) }
    }

    fn look(&self) -> usize {
        assert_eq!(self.alive.load(Ordering::Relaxed), 1, "read after it was dropped");
        assert_eq!(self.halves.0 * 3, self.halves.1, "torn");
        self.halves.0
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        assert_eq!(self.alive.swap(0, Ordering::Relaxed), 1, "dropped twice");
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(2);
    builder.check(f);
}

#[test]
fn a_reader_sees_whole_values_in_order_and_keeps_them_alive() {
    model(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let cell = Arc::new(Rcu::new(Value::new(1, &drops)));
        let reader = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || {
                let mut guard = pin();
                let first = cell.load(&guard).look();
                guard.quiesce();
                let second = cell.load(&guard).look();
                assert!(first <= second, "went back");
            })
        };
        cell.publish(Value::new(2, &drops));
        collect();
        reader.join().unwrap();
        assert_eq!(cell.load(&pin()).look(), 2);
    });
}

#[test]
fn two_writers_drop_each_value_once() {
    model(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let cell = Arc::new(Rcu::new(Value::new(1, &drops)));
        let writer = {
            let (cell, drops) = (Arc::clone(&cell), Arc::clone(&drops));
            thread::spawn(move || cell.publish(Value::new(2, &drops)))
        };
        cell.publish(Value::new(3, &drops));
        writer.join().unwrap();
        let last = cell.load(&pin()).look();
        assert!(last == 2 || last == 3);
        assert!(drops.load(Ordering::Relaxed) <= 2);
    });
}
