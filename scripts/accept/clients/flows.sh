# Sourced: do the flows that a controller installed show in Weir's and in Debian's ovs-ofctl?

# flows_show BRIDGE PATTERN [OPTION...]
flows_show() {
    local bridge=$1 pattern=$2 tool out
    shift 2
    for tool in "$(command -v ovs-ofctl)" /usr/bin/ovs-ofctl; do
        [ -x "$tool" ] || continue
        out=$(timeout 10 "$tool" "$@" dump-flows "$bridge") || fail "$tool dump-flows: exit code $?"
        grep -qE "$pattern" <<<"$out" || fail "$tool shows no flow with '$pattern': $out"
        say "$tool: $(grep -cE "$pattern" <<<"$out") flows"
    done
}
