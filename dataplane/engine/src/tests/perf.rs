//! What threads measure of their iterations.

use weir_flow::PortNo;
use weir_flow::action::Action;

use super::support::{Rig, always, udp};
use crate::{PerfLog, Tuning};

#[test]
fn iterations_are_measured_while_that_is_asked_for() {
    let rig = Rig::new(|_| always(vec![Action::Output(PortNo(2))]));
    let engine = &rig.engine;
    let core = engine.pmd_snapshots().first().and_then(|pmd| pmd.core).unwrap();
    let send = |n| (0..n).for_each(|_| rig.receive(1, &udp(1, 2, 3, 4, &[])));
    send(3);
    assert_eq!(engine.perf(core).unwrap().iterations, 0);
    engine.tune(&Tuning { perf_metrics: true, ..Tuning::default() });
    engine.set_perf_log(PerfLog { on: true, us: 0, ..PerfLog::default() });
    send(20);
    engine.tune(&Tuning::default());
    send(2);
    let perf = engine.perf(core).unwrap();
    // The last iteration may have ended after measuring did.
    assert!((19..=20).contains(&perf.total.packets), "{perf:?}");
    assert!(perf.iterations >= 19 && perf.busy_cycles > 0 && perf.busy_cycles <= perf.total.cycles);
    let (iterations, milliseconds) = engine.perf_rows(core, 10, 5).unwrap();
    assert_eq!(iterations.len(), 10);
    assert!(iterations.windows(2).all(|two| two[0].number == two[1].number + 1));
    assert!(milliseconds.iter().all(|row| row.iterations > 0));
    assert!(engine.perf(77).is_none());
    // They go into the log.
    engine.run();
    assert!(engine.perf_log().on);
}
