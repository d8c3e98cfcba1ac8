"""What MANIFEST.tsv and SUMMARY.tsv say of each core, against what tagcore says of it.

manifest.py TAGCORE CORES: TAP on standard output.  The facts that are not for a machine to
read, and the reasons why we differ from others, are in manifest_table.py.
"""
import csv
import json
import os
import re
import resource
import subprocess
import sys

import manifest_notes
import manifest_table as table

TAGCORE, CORES = sys.argv[1:]
VIEWS = "summary headers notes threads registers maps modules auxv files tags missing".split()
SECONDS = 60
MEMORY = 256 << 20
LARGE = 64 << 20     # packed ones are unpacked for each command


class Tap:
    n = 0

    @classmethod
    def result(cls, what, wrong):
        """One test: passed when the list @wrong is empty."""
        cls.n += 1
        print("%sok %d - %s" % ("not " if wrong else "", cls.n, what))
        for line in wrong:
            print("# " + str(line)[:300])
        sys.stdout.flush()

    @classmethod
    def test(cls, what, ask, *args):
        """The same of what @ask finds wrong; a view that is not there is wrong, too."""
        try:
            wrong = ask(*args)
        except (KeyError, IndexError, TypeError, StopIteration) as e:
            wrong = [repr(e)]
        cls.result(what, wrong)


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Core:
    """A core as tagcore shows it, each view asked for once."""

    def __init__(self, name):
        self.name = name.removesuffix(".zst")
        self.path = os.path.join(CORES, name)
        self.cores = CORES
        self.trouble = []
        self.views = {}

    def run(self, *args):
        """The exit status and output; what no input may bring about is kept as trouble."""
        try:
            p = subprocess.run([TAGCORE, *args], capture_output=True, timeout=SECONDS, preexec_fn=limits,
                               errors="replace")
        except subprocess.TimeoutExpired:
            self.trouble.append("%s: longer than %d s" % (" ".join(args), SECONDS))
            return 2, ""
        if p.returncode not in (0, 1, 2):
            self.trouble.append("%s: exit %d" % (" ".join(args), p.returncode))
        if p.returncode == 2 and not p.stderr.startswith("tagcore: "):
            self.trouble.append("%s: exit 2 without a message" % " ".join(args))
        return p.returncode, p.stdout

    def view(self, name, *args):
        key = (name, *args)
        if key not in self.views:
            rc, out = self.run("inspect", name, "--json", *args, self.path)
            self.views[key] = json.loads(out) if rc == 0 else None
        return self.views[key]

    def __getattr__(self, name):
        if name not in VIEWS:
            raise AttributeError(name)
        return self.view(name)

    def memory(self, addr, length):
        """The bytes there; a byte that is not in the file is None."""
        rc, out = self.run("inspect", "memory", hex(addr), str(length), self.path)
        got = [b for line in out.splitlines() for b in line[line.index("  "):].split("|")[0].split()]
        return [int(b, 16) if re.fullmatch("[0-9a-f]{2}", b) else None for b in got]

    def findings(self):
        rc, out = self.run("validate", "--json", self.path)
        return json.loads(out)[0]["findings"] if rc < 2 else None


def read_tsv(name):
    with open(os.path.join(CORES, name), newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def segments(core, kind):
    return [s for s in core.headers["segments"] if s["type"] == kind]


def measured(core, row):
    """What of the column "measured" is not so."""
    text = row["measured"]
    head = re.match(r"ELF(32|64)([LB])E type=(\d+) (\S+) osabi=(\d+); phnum=(\d+)(\(PN_XNUM\))? "
                    r"load=(\d+)\(empty (\d+)\) note=(\d+) memtag=(\d+); NT_PRSTATUS=(\d+)(?: cursig=([\d,]+))?"
                    r"(?: TRUNCATED (\d+)<(\d+))?$", text)
    if not head:
        return ["cannot read: " + text]
    bits, order, kind, machine, osabi, phnum, _, load, empty, note, memtag, threads, cursig, have, want = head.groups()
    h, loads = core.headers, segments(core, "LOAD")
    end = max((s["offset"] + s["filesz"] for s in h["segments"]), default=0)
    got = {
        "class": (h["class"], int(bits)),
        "byte order": (h["byte_order"][0].upper(), order),
        "type": (h["type"], int(kind)),
        "machine": (h["machine"], table.machine(machine, row["arch"], order)),
        "OS ABI": (h["osabi"], int(osabi)),
        "program headers": (h["phnum"], int(phnum)),
        "PT_LOAD": (len(loads), int(load)),
        "empty PT_LOAD": (sum(not s["filesz"] for s in loads), int(empty)),
        "PT_NOTE": (len(segments(core, "NOTE")), int(note)),
        "tag segments": (core.summary["mte_segments"], int(memtag)),
        "NT_PRSTATUS": (sum(n["type"] == 1 and n["owner"] == "CORE" for n in core.notes), int(threads)),
        "signals": ([t["signal"] for t in core.threads], [int(s) for s in cursig.split(",")] if cursig else []),
        "truncated": (core.summary["truncated"], bool(have)),
        "size": (core.summary["size"], int(row["raw_size"])),
    }
    if have:
        got["bytes there"] = (core.summary["size"], int(have))
        got["bytes wanted"] = (end, int(want))
    known = table.MEASURED.get(core.name, {})
    return ["%s: %s, MANIFEST says %s" % (k, a, b) for k, (a, b) in got.items() if (a != b) != (k in known)]


def refusal(core, row):
    """The check that finds why the file is no core, or None where it is one."""
    if core.name in table.REFUSED:
        return table.REFUSED[core.name]
    return "elf-ident" if "not ELF" in row["measured"] else None if " type=4 " in row["measured"] else "elf-type"


def refused(core, ids, why):
    """A file that is no core: exit 2 and a message, and one finding."""
    wrong = [] if ids == {why} else ["validate finds %s, not %s" % (sorted(ids), why)]
    return wrong + ["inspect %s shows something" % v for v in VIEWS if core.view(v) is not None]


def survives(core, size):
    """Every view as text (but of large cores), as JSON, and validate: within the limits, with 0, 1 or 2."""
    for view in VIEWS:
        core.view(view)
        if size < LARGE:
            core.run("inspect", view, core.path)
    core.findings()
    return core.trouble


def facts(core, row):
    expected = table.FACTS.get(row["file"].removesuffix(".zst"))
    if expected is None:
        return [] if row["peer_expected_facts"] in table.NO_FACTS else ["nothing in FACTS for: " +
                                                                        row["peer_expected_facts"]]
    wrong = []
    for what, ask, want in expected:
        try:
            got = ask(core)
            if callable(want):
                want = want(core)
        except (KeyError, IndexError, TypeError, ValueError, StopIteration) as e:
            got = repr(e)
        if got != want:
            wrong.append("%s: %s, not %s" % (what, got, want))
    return wrong


def judged(ids, differences, reasons):
    """
    Each difference needs a reason, each reason a difference; both are by what differs.
    A reason that is the id of a check holds only where validate finds that, too.
    """
    wrong = ["%s, and no reason is known" % d for k, d in differences.items() if k not in reasons]
    wrong += ["no difference in %s any more, the reason was: %s" % (k, r) for k, r in reasons.items()
              if k not in differences]
    return wrong + ["validate does not find %s" % r for k, r in reasons.items()
                    if k in differences and r in table.CHECKS and r not in ids]


def others(core, row, ids):
    """What gdb, eu-stack and LLDB count."""
    s = core.summary
    ours = len(core.threads or [])
    signal = "-" if not s or not s["signal"] else s["signal_name"]
    differences = {}
    for who in "gdb", "eustack", "lldb":
        if row["threads_" + who] and int(row["threads_" + who]) != ours:
            differences["threads_" + who] = "%d threads, %s has %s" % (ours, who, row["threads_" + who])
    if signal != row["signal_gdb"]:
        differences["signal_gdb"] = "signal %s, gdb says %s" % (signal, row["signal_gdb"])
    return judged(ids, differences, table.SUMMARY.get(core.name, {}))


# Each thread's id and program counter, as they print them.
PCS = {"eu-stack": r"^TID (\d+):\n#0 +0x([0-9a-f]+)", "lldb": r"^[* ] thread #\d+: tid = (\d+), 0x([0-9a-f]+)"}


def pcs(core, ids):
    ours = {t["tid"]: int(t["pc"], 16) for t in core.threads if t["pc"]}
    differences = {}
    for who, pattern in PCS.items():
        path = os.path.join(CORES, "%s.expect-%s.txt" % (core.name, who))
        text = open(path, errors="replace").read() if os.path.exists(path) else ""
        for tid, pc in re.findall(pattern, text, re.M):
            if ours.get(int(tid)) != int(pc, 16):
                differences[who, int(tid)] = "thread %s: pc %s, %s says 0x%s" % (tid, ours.get(int(tid)), who, pc)
    return judged(ids, differences, table.PCS.get(core.name, {}))


def modules(core, ids):
    """Build-ids, by where a module begins, against eu-unstrip -n."""
    path = os.path.join(CORES, core.name + ".expect-eu-unstrip.txt")
    if not os.path.exists(path):
        return []
    text = open(path, errors="replace").read()
    theirs = {int(a, 16): b for a, b in re.findall(r"^(0x[0-9a-f]+)\+\S+ ([0-9a-f]{8,})@", text, re.M)}
    ours = {int(m["start"], 16): m["build_id"] for m in core.modules if m["build_id"]}
    differences = {a: "%#x: build-id %s, elfutils says %s" % (a, ours.get(a), theirs.get(a))
                   for a in set(ours) | set(theirs) if ours.get(a) != theirs.get(a)}
    return judged(ids, differences, table.MODULES.get(core.name, {}))


def readelf(core):
    """Segments and notes, as binutils' readelf -hlnW lists them."""
    path = os.path.join(CORES, core.name + ".expect-readelf.txt")
    if not os.path.exists(path):
        return []
    text = open(path, errors="replace").read()
    number = r" +(0x[0-9a-f]+|0)"
    theirs = [(t, *(int(n, 16) for n in rest)) for t, *rest in
              re.findall(r"^ +(LOAD|NOTE)" + 5 * number + r"\b", text, re.M)]
    ours = [(s["type"], s["offset"], int(s["vaddr"], 16), int(s["paddr"], 16), s["filesz"], s["memsz"])
            for s in core.headers["segments"] if s["type"] in ("LOAD", "NOTE")]
    wrong = ["%s, readelf: %s" % (a, b) for a, b in zip(ours, theirs) if a != b]
    wrong += [] if len(ours) == len(theirs) else ["%d segments, readelf: %d" % (len(ours), len(theirs))]
    theirs = [(o, int(n, 16)) for o, n in re.findall(r"^  (\S+) +(0x[0-9a-f]{8})\t", text, re.M)]
    ours = [(n["owner"] or "(NONE)", n["size"]) for n in core.notes]
    wrong += ["note %d %s, readelf: %s" % (i, a, b) for i, (a, b) in enumerate(zip(ours, theirs)) if a != b]
    return wrong + ([] if len(ours) == len(theirs) else ["%d notes, readelf: %d" % (len(ours), len(theirs))])


def elfutils(core, ids):
    """What is in the notes, as eu-readelf -n shows it."""
    path = os.path.join(CORES, core.name + ".expect-eu-readelf-n.txt")
    if not os.path.exists(path):
        return []
    differences = manifest_notes.compare(core.notes, open(path, errors="replace").read())
    return judged(ids, differences, table.NOTES.get(core.name, {}))


def validated(core, findings):
    """Errors and warnings of a real core are those that are known."""
    got = {f["id"] for f in findings if f["severity"] != "info"}
    known = table.FINDINGS.get(core.name, {})
    return ["%s: %s" % (i, next(f["message"] for f in findings if f["id"] == i)) for i in got - set(known)] + \
           ["no %s any more, the reason was: %s" % (i, known[i]) for i in set(known) - got]


def check(row, summary):
    core = Core(row["file"])
    name = core.name
    Tap.test("%s: every view, within %d s and %d MiB" % (name, SECONDS, MEMORY >> 20), survives, core,
             int(row["raw_size"]))
    findings = core.findings() or []
    ids = {f["id"] for f in findings}
    why = refusal(core, row)
    if why:
        Tap.test("%s: is refused" % name, refused, core, ids, why)
    else:
        Tap.test("%s: as measured" % name, measured, core, row)
        Tap.test("%s: facts" % name, facts, core, row)
        Tap.test("%s: build-ids" % name, modules, core, ids)
        Tap.test("%s: program counters" % name, pcs, core, ids)
        if not name.startswith("fuzz/"):
            Tap.test("%s: segments and notes as readelf sees them" % name, readelf, core)
            Tap.test("%s: what is in notes, as elfutils sees it" % name, elfutils, core, ids)
            Tap.test("%s: findings" % name, validated, core, findings)
    if name in summary:
        Tap.test("%s: threads and signal as others see them" % name, others, core, summary[name], ids)


def check_text(row):
    if row["file"] not in table.TEXTS:
        Tap.result(row["file"], [] if row["file"] in table.NOT_IN_A_CORE else ["nothing is known of this file"])
        return
    name, ask = table.TEXTS[row["file"]]
    with open(os.path.join(CORES, row["file"]), errors="replace") as f:
        Tap.test(row["file"], ask, Core(name), f.read())


def stale(names):
    """What the tables say of files that are not there."""
    tables = (table.MEASURED, table.REFUSED, table.FACTS, table.SUMMARY, table.MODULES, table.NOTES, table.PCS, table.FINDINGS,
              table.TEXTS, table.NOT_IN_A_CORE)
    return sorted({k for t in tables for k in t} - names)


def main():
    rows = read_tsv("MANIFEST.tsv")
    summary = {r["file"]: r for r in read_tsv("SUMMARY.tsv")}
    for row in rows:
        if row["role"] == "core":
            check(row, summary)
        else:
            check_text(row)
    Tap.test("the tables name no other files", stale, {r["file"].removesuffix(".zst") for r in rows})
    print("1..%d" % Tap.n)


main()
