//! The vocabulary of the switch: field table, flow key, mask, packet parsing and rewriting, datapath actions, the SlowPath trait.
