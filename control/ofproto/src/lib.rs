//! OpenFlow tables and connections, translation of packets into datapath actions, revalidation.
