//! OpenFlow 1.0 to 1.5 with the Nicira and ONF extensions as types, each with a wire and a text codec.
