#!/usr/bin/env python3
"""Runs the command lines of commands.txt with the four pairings of tools and daemons (Debian's, Weir's)
and compares outputs and exit codes with those of Debian's tools on Debian's daemons.

usage: run.py WEIR_BIN [--keep] [--only PAIRING] [--verbose]
WEIR_BIN is where Weir's programs are. Differences are listed with a reason in differences.txt."""

import argparse
import difflib
import fnmatch
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
# Debian's programs are on one path, Weir's in one directory.
DEBIAN = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
TIMEOUT = 20
PAIRINGS = {  # name: (Weir's tools, Weir's daemons)
    "debian-debian": (False, False),
    "debian-weir": (False, True),
    "weir-debian": (True, False),
    "weir-weir": (True, True),
}

# What differs between two runs of the same programs: (pattern, replacement).
NORMALIZE = [
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"(?m)^<time>\|\d+\|", "<time>|"),
    (r"\.\d+\.ctl\b", ".<pid>.ctl"),
    # How many messages a tool sent before this one is its own affair.
    (r"\(xid=0x[0-9a-f]+\)", "(xid=<xid>)"),
    (r"time=[0-9.]+ ms", "time=<ms>"),
    (r"(dump duration : )\d+ms", r"\1<ms>"),
    (r"(?m)^( +)\d+: \(keys (\d+)\)", r"\1<id>: (keys \2)"),
    # Which of two rows is named first depends on their UUIDs.
    (r"First row, with UUID <uuid>, .*?transaction\.  Second row, .*?transaction\.", "<the two rows>"),
    # OVS counts the addresses of dummy devices on with every device of the machine that it looks at.
    (r"aa:55:aa:55:00:(?!00)[0-9a-f]{2}", "<mac>"),
    # It draws the address of a patch port at random.
    (r"(\(patch\d\): addr:)[0-9a-f:]{17}", r"\1<mac>"),
]


class Command:
    def __init__(self, line):
        self.line = line
        self.sort = line.startswith("sort ")
        line = line.removeprefix("sort ")
        self.input = None
        if line.startswith("input "):
            text, line = line.removeprefix("input ").split(" | ", 1)
            self.input = text.replace("\\n", "\n") + "\n"
        # JSON is one word as it stands; the rest is as a shell would have it.
        line, *json = line.split(" [", 1)
        self.words = shlex.split(line) + ["[" + text for text in json]


class Difference:
    def __init__(self, line):
        self.who, self.command, pattern, self.reason = (part.strip() for part in line.split(" | ", 3))
        self.pattern = re.compile(pattern)
        self.used = False

    def applies(self, command, tools, daemons):
        weir = {"tools": tools, "daemons": daemons, "any": tools or daemons}[self.who]
        return weir and fnmatch.fnmatchcase(command, self.command)


def rows(name):
    lines = (HERE / name).read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


class Site:
    """One pairing: a directory, its daemons, its environment."""

    def __init__(self, name, weir_bin, tools, daemons):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"weir-{name}."))
        self.children = []
        self.daemon_path = [weir_bin] if daemons else DEBIAN
        self.tool_path = [weir_bin] if tools else DEBIAN
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("OVS_")}
        self.env |= {k: str(self.dir) for k in ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")}

    def find(self, path, program):
        found = shutil.which(program, path=":".join(path))
        if found is None:
            raise FileNotFoundError(f"there is no {program} in {path}")
        return found

    def start(self):
        debians = self.find(DEBIAN, "ovsdb-tool")
        subprocess.run([debians, "create", self.dir / "conf.db", SCHEMA], env=self.env, check=True, timeout=20)
        quiet = ["--no-chdir", "--pidfile", "--log-file", "-vconsole:off", "-vsyslog:off"]
        self.spawn("ovsdb-server", "conf.db", "--remote=punix:db.sock", *quiet)
        self.wait_for(self.dir / "db.sock")
        init = [self.find(DEBIAN, "ovs-vsctl"), "--no-wait", "--timeout=10", "init"]
        subprocess.run(init, env=self.env, check=True, timeout=20)
        self.spawn("ovs-vswitchd", "--enable-dummy=override", "--disable-system", *quiet)
        self.wait_for(self.dir / "ovs-vswitchd.pid")
        pid = (self.dir / "ovs-vswitchd.pid").read_text().strip()
        self.wait_for(self.dir / f"ovs-vswitchd.{pid}.ctl")
        # Both report themselves in the database before anything is compared.
        wait = [self.find(DEBIAN, "ovs-vsctl"), "--timeout=20", "wait-until", "Open_vSwitch", ".", "cur_cfg=0"]
        subprocess.run(wait, env=self.env, check=True, timeout=30)

    def spawn(self, program, *args):
        command = [program, *args]
        child = subprocess.Popen(
            command, executable=self.find(self.daemon_path, program), cwd=self.dir, env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.dir / f"{program}.err", "w"))
        self.children.append((program, child))

    def wait_for(self, path):
        for _ in range(300):
            if path.exists():
                return
            time.sleep(0.1)
        raise TimeoutError(f"{path} does not appear")

    def run(self, command):
        place = {"{db}": f"unix:{self.dir}/db.sock", "{dir}": str(self.dir)}
        words = list(command.words)
        for key, value in place.items():
            words = [word.replace(key, value) for word in words]
        try:
            done = subprocess.run(
                words, executable=self.find(self.tool_path, words[0]), env=self.env, cwd=self.dir,
                input=command.input or "", capture_output=True, text=True, timeout=TIMEOUT)
            code, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired:
            code, out, err = "timeout", "", ""
        except FileNotFoundError:
            code, out, err = "no such program", "", ""
        lines = [f"exit code {code}"]
        for text, label in ((out, "  "), (err, "! ")):
            text = text.replace(str(self.dir), "<dir>")
            for pattern, replacement in NORMALIZE:
                text = re.sub(pattern, replacement, text)
            part = [label + line for line in text.splitlines()]
            lines += sorted(part) if command.sort else part
        return lines

    def dead(self):
        return [program for program, child in self.children if child.poll() is not None]

    def stop(self, keep):
        for _, child in reversed(self.children):
            child.terminate()
        for _, child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)


def run_pairing(name, weir_bin, commands, keep):
    site = Site(name, weir_bin, *PAIRINGS[name])
    results = []
    try:
        site.start()
        for command in commands:
            result = site.run(command)
            if dead := site.dead():
                result.append(f"DIED: {', '.join(dead)}")
            results.append(result)
            if dead:
                break
    except (OSError, TimeoutError, subprocess.SubprocessError) as error:
        print(f"{name}: {error}")
    finally:
        site.stop(keep)
    if keep:
        print(f"{name}: kept {site.dir}")
    return results + [["not run"]] * (len(commands) - len(results))


def compare(command, want, got, differences, tools, daemons):
    """What differs, unexplained, as lines of a diff; and the reasons that were needed."""
    if want == got:
        return [], []
    hidden = [d for d in differences if d.applies(command.line, tools, daemons)]

    def visible(lines):
        kept = []
        for line in lines:
            rest = line
            for difference in hidden:
                rest = difference.pattern.sub("", rest)
            if rest == line or rest.strip(" !"):
                kept.append(rest)
        return sorted(kept) if command.sort else kept

    reasons = []
    for difference in hidden:
        if any(difference.pattern.search(line) for line in want + got):
            difference.used = True
            reasons.append(difference.reason)
    diff = list(difflib.unified_diff(visible(want), visible(got), lineterm="", n=1))[2:]
    return diff, reasons


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weir_bin")
    parser.add_argument("--keep", action="store_true", help="keep the directories with the logs")
    parser.add_argument("--only", choices=list(PAIRINGS)[1:], help="one pairing beside the reference")
    parser.add_argument("--verbose", action="store_true", help="show what Debian's programs say, too")
    options = parser.parse_args()
    commands = [Command(line) for line in rows("commands.txt")]
    differences = [Difference(line) for line in rows("differences.txt")]
    reference = run_pairing("debian-debian", options.weir_bin, commands, options.keep)
    if options.verbose:
        for command, lines in zip(commands, reference):
            print(f"$ {command.line}", *lines, sep="\n")
    bad = 0
    for name in [options.only] if options.only else list(PAIRINGS)[1:]:
        results = run_pairing(name, options.weir_bin, commands, options.keep)
        counts = {"same": 0, "explained": 0, "known": 0, "different": 0}
        for command, want, got in zip(commands, reference, results):
            diff, reasons = compare(command, want, got, differences, *PAIRINGS[name])
            if diff:
                counts["different"] += 1
                print(f"{name}: $ {command.line}", *("    " + line for line in diff), sep="\n")
            elif any(reason.startswith("KNOWN:") for reason in reasons):
                counts["known"] += 1
            else:
                counts["explained" if reasons else "same"] += 1
        bad += counts["different"]
        print(f"{name}: {len(commands)} commands: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    if not options.only:
        for difference in differences:
            if not difference.used:
                bad += 1
                print(f"differences.txt: nothing needs: {difference.who} | {difference.command} | {difference.pattern.pattern}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
