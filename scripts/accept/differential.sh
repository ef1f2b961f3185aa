#!/usr/bin/env bash
# At least 10,000 random packets through random tables of Weir and of the installed Open vSwitch: what
# comes out, the counters, the learned flows, and what controllers of OpenFlow 1.0, 1.3 and 1.5 are told
# are the same. The last line says how many packets, tables and differences there were. ROUNDS=1000
# makes it long, SEED=n repeats. Each table starts without megaflows (--flush): revalidation between
# tables has tests of its own.
exec "$(dirname "$0")/../differential/run" --rounds "${ROUNDS:-110}" --seed "${SEED:-1}" --traces 0 --flush
