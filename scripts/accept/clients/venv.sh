# Sourced: `venv PACKAGE...` puts the programs of a Python environment with these packages first in
# the path. It is kept in the build directory, because installing takes longer than testing.
venv() {
    local dir=${CARGO_TARGET_DIR:-$root/target}/accept-venv
    need python3
    [ -x "$dir/bin/python3" ] || python3 -m venv "$dir" >/dev/null 2>&1 || skip "python3 -m venv does not work"
    if ! outside timeout 300 "$dir/bin/python3" -m pip install -q --disable-pip-version-check "$@" >"$work/pip.txt" 2>&1; then
        skip "pip cannot install $* ($(tail -n 1 "$work/pip.txt"))"
    fi
    PATH=$dir/bin:$PATH
}
