"""What is known of the cores in MANIFEST.tsv: its facts as questions to tagcore, and why we and others differ.

A reason that is the id of a check of tagcore validate holds only while that check finds it in the core.
"""
import os
import re

# ---- the column "measured"

# Names of machines there, where ours are others; the third column says which MIPS.
MACHINES = {
    ("loongarch", "L"): "loongarch64", ("ppc64", "L"): "ppc64le", ("riscv", "L"): "riscv64", ("s390", "B"): "s390x",
    ("sparcv9", "B"): "sparc64",
}
MIPS = {"mipsel": "mipsel", "mips64el": "mips64el", "mips64el gnuabi64": "mips64el",
        "mips64el gnuabin32": "mipsn32el", "mipsel gnuabio32": "mipsel"}


def machine(name, arch, order):
    if name == "mips":
        return MIPS[arch]
    if name.isdigit():
        return "EM_" + name
    return MACHINES.get((name, order), name)


# What is not as measured there: {file: {what: reason}}.
MEASURED = {}

# Refused by another check than elf-ident (it is not ELF) or elf-type (it is no core).
REFUSED = {
    # Packed by gzip; what is in there is ELF.
    "fuzz/elfutils/libdwfl-oss-fuzz-46192": "elf-type",
    "fuzz/radare/r2_sigsegv_r_read_le32.core": "elf-ident",
    "fuzz/elfutils/dwfl-core-bugzilla-28720": "elf-phentsize",
}

# ---- the column "peer_expected_facts", by file: what, how to ask, and the answer

NO_FACTS = ("-", "no crash, no hang, bounded memory", "must be refused or degraded without crash",
            "no crash, no hang, bounded memory; refuse or degrade with a message")


def summary(key):
    return lambda c: c.summary[key]


def crash(signal="SIGSEGV", **more):
    rows = [("threads", summary("threads"), 1), ("signal", summary("signal_name"), signal)]
    return rows + [(key, summary(key), want) for key, want in more.items()]


def register(name):
    return lambda c: next(r[name] for r in c.registers[0]["sets"].values() if name in r)


def build_id(start):
    return lambda c: next(m["build_id"] for m in c.modules if int(m["start"], 16) == start)


def path_at(start):
    return lambda c: next(m["path"] for m in c.modules if int(m["start"], 16) == start)


def module(what, start, end, path, found):
    """drgn's ranges end where the file's last segment does, ours on a page."""
    want = {"path": path, "build_id": found, "start": hex(start), "end": hex((end + 4095) & -4096)}
    return (what, lambda c: next({k: m[k] for k in want} for m in c.modules if int(m["start"], 16) == start), want)


def notes(owner, name):
    return lambda c: sum(n["owner"] == owner and n["type_name"] == name for n in c.notes)


def note(name, **want):
    """Members of the first note of that name."""
    return (name, lambda c: next({k: n["content"][k] for k in want} for n in c.notes if n["type_name"] == name), want)


def file_range(i):
    return lambda c: (c.files[i]["start"], c.files[i]["end"], c.files[i]["offset"])


def areas(prot, sizes=lambda m: int(m["end"], 16) - int(m["start"], 16)):
    def ask(c):
        found = [sizes(m) for m in c.maps if m["prot"].startswith(prot)]
        return (len(found), sum(found))
    return ask


def saved_of(start):
    return lambda c: next((m["prot"], m["saved_bytes"]) for m in c.maps if int(m["start"], 16) == start)


def exit_of_validate(core):
    return core.run("validate", core.path)[0]


def peer_maps(core):
    """The areas that rizin lists (oml): each is part of one of ours, of that file's name, and executable like it."""
    text = open(os.path.join(core.cores, core.name + ".expect-peer.txt"), errors="replace").read()
    wrong = []
    lines = re.findall(r"^ *\d+ fd: .* (0x[0-9a-f]+) - (0x[0-9a-f]+) ..(.) .map\.(.*)$", text, re.M)
    for start, last, x, name in lines:
        area = next((m for m in core.maps if int(m["start"], 16) <= int(start, 16) and
                     int(m["end"], 16) > int(last, 16)), None)
        same = area and (area["prot"][2] == x or area["prot"] == "--x" or name.startswith("LOAD"))
        # The paths in two of the cores were changed later; [stack] and LOADn are names by rizin.
        if not same or ("/" in name and os.path.basename(area["name"] or "") != os.path.basename(name)):
            wrong.append((start, last, x, name, area))
    return wrong or len(lines)


def merged(ranges):
    """Adjacent ranges as one."""
    out = []
    for start, end in sorted(ranges):
        if out and out[-1][1] == start:
            start = out.pop()[0]
        out.append((start, end))
    return out


def side_by_side(core, prot):
    return merged((int(m["start"], 16), int(m["end"], 16)) for m in core.maps if m["prot"] == prot)


def peer_ranges(core, section):
    """The ranges in a section of chap's output."""
    text = open(os.path.join(core.cores, core.name + ".expect-peer.txt"), errors="replace").read()
    part = re.search(r"^###.*\." + section + r"\n(.*?)(?=^###|\Z)", text, re.M | re.S).group(1)
    return merged((int(a, 16), int(b, 16)) for a, b in re.findall(r"^Range \[(\w+), (\w+)\)", part, re.M))


VDSO = "fdc3e4d463911345fbc6d9cc432e5ebc276e8e03"
NULL_WRITE = crash(fault_address="0x0")
FACTS = {
    "rizin/core-linux-alpha": NULL_WRITE,
    "rizin/core-linux-arm32": NULL_WRITE + [("areas of rizin", peer_maps, 23)],
    "rizin/core-linux-arm64": NULL_WRITE + [("areas of rizin", peer_maps, 17)],
    "rizin/core-linux-hppa": NULL_WRITE,
    "rizin/core-linux-loongarch": NULL_WRITE,
    "rizin/core-linux-m68k": NULL_WRITE,
    "rizin/core-linux-ppc64": NULL_WRITE,
    "rizin/core-linux-riscv64": NULL_WRITE,
    "rizin/core-linux-s390x": NULL_WRITE,
    # The machine with the bias in sp: another program than the others'.
    "rizin/core-linux-sparc64": crash(fault_address="0x1"),
    "rizin/core-linux-x86": NULL_WRITE + [("areas of rizin", peer_maps, 21)],
    "rizin/core-linux-x86_64": NULL_WRITE + [("areas of rizin", peer_maps, 22)],
    "rizin/core-linux-mips32el-bin-ls": crash("SIGTRAP", tool="gdb", command="ls"),
    "rizin/core-linux-mips64le-bin-ls": crash("SIGTRAP", tool="gdb", command="ls"),
    "rizin/core-openbsd-sparc64": [
        ("no note of Linux", lambda c: sorted({n["owner"] for n in c.notes} & {"CORE", "LINUX"}), []),
        ("kind", summary("kind"), "OpenBSD core"), ("not made by Linux", summary("tool"), None),
        ("process", lambda c: (c.summary["pid"], c.summary["command"]), (5370, "sparc64_insn_jmp.bin")),
    ],
    # rizin's 20 segments are these 17 program headers and three of its own.
    "rizin/core.1159": crash() + [("rip", register("rip"), "0x4004c6"), ("rsp", register("rsp"), "0x7ffe70e05950")],
    "rizin/more-than-65535-segments.core": [
        ("kind", summary("kind"), "vmcore"),
        ("program headers", lambda c: (c.headers["phnum"], c.headers["phoff"]), (131070, 8256)),
        ("section header", lambda c: c.headers["shoff"], 7348176),
        ("segments", lambda c: len(c.headers["segments"]), 131070),
        # MANIFEST says one page; it is two, side by side.
        ("place of their bytes", lambda c: {s["offset"] for s in c.headers["segments"]}, {4160, 4160 + 4096}),
    ],
    "rizin/segfault-glibc-aarch64-core": crash(),
    "pystack/segfault.core": crash(si_code=1, fault_address=hex(123456789), pid=75639, uid=0, command="a.out",
                                   args="./a.out ") + [
        note("NT_SIGINFO", si_signo=11, si_errno=0, si_code=1, si_addr=hex(123456789)),
        note("NT_PRPSINFO", state=0, sname="R", zomb=0, nice=0, flag=hex(4212480), uid=0, gid=0, pid=75639, ppid=1,
             pgrp=75639, sid=1, fname="a.out", psargs="./a.out "),
    ],
    "pystack/signal.core": crash("SIGBUS", si_code=0, fault_address=None) + [
        note("NT_SIGINFO", si_signo=7, si_errno=0, si_code=0, si_pid=1, si_uid=0)],
    "pystack/core_with_big_name.core": [
        ("length of the name", lambda c: len(c.summary["command"]), 15),
        ("length of the arguments", lambda c: len(c.summary["args"]), 79),
    ],
    "drgn/crashme.core": [
        module("executable", 0x400000, 0x404010, "/home/osandov/crashme", "99a6524c4df01fbff9b43a6ead3d8e8e6201568b"),
        module("its library", 0x7f6112ca9000, 0x7f6112cad010, "/home/osandov/crashme.so",
               "7bd58f10e741c3c8fbcf2031aa65f830f933d616"),
        module("libc", 0x7f6112aae000, 0x7f6112c9eb70, "/usr/lib64/libc.so.6",
               "77c77fee058b19c6f001cf2cb0371ce3b8341211"),
        module("ld.so", 0x7f6112cb6000, 0x7f6112cec2d8, "/usr/lib64/ld-linux-x86-64.so.2",
               "91dcd0244204201b616bbf59427771b3751736ce"),
        module("vdso", 0x7f6112cb4000, 0x7f6112cb590f, "[vdso]", VDSO),
        ("modules", lambda c: len(c.modules), 5),
    ],
    "drgn/crashme_pie.core": [
        module("executable", 0x557ed343d000, 0x557ed3441018, "/home/osandov/crashme_pie",
               "eb4ad7aaded3815ab133a6d7784a2c95a4e52998"),
        module("its library", 0x7fab2c38a000, 0x7fab2c38e010, "/home/osandov/crashme.so",
               "7bd58f10e741c3c8fbcf2031aa65f830f933d616"),
        module("libc", 0x7fab2c18f000, 0x7fab2c37fb70, "/usr/lib64/libc.so.6",
               "77c77fee058b19c6f001cf2cb0371ce3b8341211"),
        module("ld.so", 0x7fab2c397000, 0x7fab2c3cd2d8, "/usr/lib64/ld-linux-x86-64.so.2",
               "91dcd0244204201b616bbf59427771b3751736ce"),
        ("vdso", build_id(0x7fab2c395000), VDSO),
    ],
    "drgn/crashme_pie_no_headers.core": [
        ("build-ids", lambda c: [m["path"] for m in c.modules if m["build_id"]], ["[vdso]"]),
        module("vdso", 0x7f299f607000, 0x7f299f60890f, "[vdso]", VDSO),
        ("executable", path_at(0x5623363d6000), "/home/osandov/crashme_pie"),
    ],
    "drgn/crashme_static.core": [
        module("executable", 0x400000, 0x4042b8, "/home/osandov/crashme_static",
               "a0b6befad9f0883c52c475ba3cee9c549cd082cf"),
        module("vdso", 0x7fbc73a66000, 0x7fbc73a6790f, "[vdso]", VDSO),
    ],
    "drgn/crashme_static_pie.core": [
        module("executable", 0x7fd981dc9000, 0x7fd981dcd278, "/home/osandov/crashme_static_pie",
               "3e0bc47f80d7e64724e11fc021a251ed0d35bc2c"),
        module("vdso", 0x7fd981dc7000, 0x7fd981dc890f, "[vdso]", VDSO),
        ("thread's name", lambda c: c.threads[0]["name"], "crashme_static_"),
    ],
    "drgn/multithreaded.core": [
        ("threads", lambda c: sorted(t["tid"] for t in c.threads), list(range(2265413, 2265426))),
        ("who crashed", lambda c: [t["tid"] for t in c.threads if t["crashed"]], [2265419]),
        ("its note is the first", lambda c: c.notes[0]["tid"], 2265419),
        ("signals", lambda c: {t["signal"] for t in c.threads}, {3}),
        ("process", lambda c: (c.summary["pid"], c.summary["command"]), (2265413, "segfault_random")),
    ],
    "chap/truncated/core.48555": [("truncated", summary("truncated"), False), ("exit", exit_of_validate, 0)],
    "chap/truncated/core.48555.1M": [("truncated", summary("truncated"), True), ("exit", exit_of_validate, 1)],
    "chap/truncated/core.48555.512K": [
        ("truncated", summary("truncated"), True), ("exit", exit_of_validate, 1),
        ("the main stack's bytes", lambda c: set(c.memory(0x7fffffffe3c0, 64)), {None}),
        ("validate names the area", lambda c: any(f["id"] == "seg-truncated" and "0x7ffffffea000-" in f["message"]
                                                  for f in c.findings()), True),
    ],
    "chap/core.python_5_threads": [
        ("threads", summary("threads"), 5),
        ("inaccessible areas", areas("---"), (0, 0)),
        ("bytes of writable areas", lambda c: areas("rw")(c)[1], 0x23e7000),
        # chap counts 26: it divides adjacent ranges by their use.
        ("writable areas", lambda c: side_by_side(c, "rw-"), lambda c: peer_ranges(c, "list_writable")),
        # The guard pages, and what malloc has reserved.
        ("read-only areas", lambda c: areas("r--")(c)[0], 16),
    ],
    "chap/core.SpinningThreads": [
        ("stack pointers", lambda c: [t["sp"] for t in c.threads],
         ["0x7ffff2fceda0", "0x7ffff6fcfe50", "0x7fffffffd8f0"]),
        ("a thread's stack", saved_of(0x7ffff2fd1000), ("rw-", 0x4000000)),
    ],
    "pyelftools/core_linux64.elf": crash("SIGABRT", pid=23395, uid=1000, command="coredump_self",
                                         args="./coredump_self foo bar 42 ") + [
        note("NT_PRPSINFO", state=0, sname="R", zomb=0, nice=0, flag="0x400600", uid=1000, gid=1000, pid=23395,
             ppid=23187, pgrp=23395, sid=23187, fname="coredump_self", psargs="./coredump_self foo bar 42 "),
        ("files", lambda c: len(c.files), 10),
        ("file 0", lambda c: c.files[0]["name"], "/home/max42/pyelftools/test/coredump_self"),
        ("file 2", file_range(2), ("0x601000", "0x602000", 0x1000)),
        ("file 4", file_range(4), ("0x7fa45956d000", "0x7fa45976d000", 0x1bf000)),
        ("file 9", lambda c: c.files[9]["name"], "/lib/x86_64-linux-gnu/ld-2.23.so"),
    ],
    "pyelftools/core_linux32.elf": crash("SIGABRT", pid=11038, uid=1000, command="coredump",
                                         args="./coredump foo bar 42 ") + [
        note("NT_PRPSINFO", state=0, sname="R", zomb=0, nice=0, flag="0x400600", uid=1000, gid=1000, pid=11038,
             ppid=10442, pgrp=11038, sid=10442, fname="coredump", psargs="./coredump foo bar 42 "),
        ("files", lambda c: len(c.files), 10),
        ("file 0", lambda c: c.files[0]["name"], "/tmp/coredump"),
        ("file 2", file_range(2), ("0x56626000", "0x56627000", 0x1000)),
        ("file 9", file_range(9), ("0xf7f60000", "0xf7f61000", 0x26000)),
    ],
    # That it equals readelf's is asked of every core.
    "pyelftools/core_simple64.elf": crash("SIGABRT"),
    "satyr/null_dereference.core.x86_64": crash(fault_address=None),
    "abrt/coredump": crash(pid=22031, args="sleep 3m ") + [
        ("notes that Linux 3.1 did not write", lambda c: (notes("CORE", "NT_SIGINFO")(c), notes("CORE", "NT_FILE")(c)),
         (0, 0)),
        ("libc", build_id(0x3440600000), "374add1ead31ccb449779bc7ee7877de3377e5ad"),
        ("pc in libc", lambda c: int(c.threads[0]["pc"], 16) - 0x3440600000, 0xbbcd0),
        ("executable", build_id(0x400000), "3ddc2c6ae42f850be69a87632e80e8453a94ae82"),
        ("the stack begins one page below", saved_of(0x7fff4b172000), ("rw-", 0x22000)),
        ("vsyscall", saved_of(0xffffffffff600000), ("r-x", 0)),
        ("the gap in libc", saved_of(0x34407ab000), ("---", 0)),
    ],
    # Symbols would say what runs, and are not in the core.
    "golang-debug/core": [
        ("arguments", summary("args"), "./test "), ("threads", summary("threads"), 5),
        ("signals", lambda c: {t["signal"] for t in c.threads}, {6}),
    ],
    "angr/true-libc.core": [
        ("maker", summary("tool"), "gdb"),
        ("files, though there are none", lambda c: sorted({f["name"] for f in c.files}),
         ["/tmp/foobar/does-not-exist/" + n for n in ("ld-linux-x86-64.so.2", "libc.so.6", "true")]),
    ],
    "lldb-mips/linux-mips64el-gnuabi64.core": crash(),
    "lldb-mips/linux-mips64el-gnuabin32.core": crash(),
    "lldb-mips/linux-mipsel-gnuabio32.core": crash(),
}


# ---- companions of cores: files of /proc of the same process

def proc_maps(core, text):
    """Each line is an area of the core; the kernel had moved the stack's begin by its guard gap."""
    wrong = []
    ours = {(int(m["start"], 16), int(m["end"], 16), m["prot"]) for m in core.maps}
    for start, end, prot, name in re.findall(r"^(\w+)-(\w+) (...)p \S+ \S+ \S+ *(.*)$", text, re.M):
        gap = 4096 if name == "[stack]" else 0
        if (int(start, 16) - gap, int(end, 16), prot) not in ours:
            wrong.append("no area %s-%s %s" % (start, end, prot))
    return wrong


def proc_pid(core, text):
    return [] if core.summary["pid"] == int(text) else ["pid %s, not %s" % (core.summary["pid"], text)]


def proc_cmdline(core, text):
    got = core.summary["args"].split()
    return [] if got == text.replace("\0", " ").split() else ["arguments %s, not %r" % (got, text)]


def core_backtrace(core, text):
    """The build-ids of the backtrace's modules."""
    ours = {m["build_id"] for m in core.modules}
    return ["no module %s" % i for i in re.findall(r"^([0-9a-f]{40}) ", text, re.M) if i not in ours]


def reason(core, text):
    return [] if core.summary["signal_name"] in text or str(core.summary["signal"]) in text else [text]


TEXTS = {
    "abrt/proc.maps": ("abrt/coredump.zst", proc_maps),
    "abrt/proc.pid": ("abrt/coredump.zst", proc_pid),
    "abrt/proc.cmdline": ("abrt/coredump.zst", proc_cmdline),
    "abrt/proc.core_backtrace": ("abrt/coredump.zst", core_backtrace),
    "abrt/proc.reason": ("abrt/coredump.zst", reason),
}
NOT_IN_A_CORE = {
    "abrt/proc.limits": "no note has limits",
    "abrt/proc.environ": "it is on the stack, but no view shows it",
    "abrt/proc.open_fds": "no note has open files",
    "abrt/proc.dso_list": "Linux 3.1 wrote no FILE note: there are no names",
}

# ---- where others see something else: threads and signal (SUMMARY.tsv)

GDB_MACHINE = {"threads_gdb": "quirk-gdb-machine", "signal_gdb": "quirk-gdb-machine"}
LLDB_MACHINE = {"threads_lldb": "quirk-lldb-machine"}
EU_MACHINE = {"threads_eustack": "quirk-elfutils-machine"}
GDB_NOTES = {"threads_gdb": "quirk-gdb-notes", "signal_gdb": "quirk-gdb-notes"}
LLDB_NOTES = {"threads_lldb": "quirk-lldb-notes"}
NOT_LINUX = "a core of OpenBSD: its notes are shown, but not taken for threads"
SUMMARY = {
    "rizin/core-linux-alpha": GDB_MACHINE | LLDB_MACHINE | EU_MACHINE,
    "rizin/core-linux-arm64": LLDB_NOTES,
    "rizin/core-linux-hppa": LLDB_MACHINE | EU_MACHINE,
    "rizin/core-linux-loongarch": GDB_MACHINE | LLDB_MACHINE | EU_MACHINE,
    "rizin/core-linux-m68k": GDB_MACHINE | LLDB_MACHINE,
    "rizin/core-linux-sparc64": GDB_MACHINE | LLDB_MACHINE,
    "rizin/core-linux-x86_64": GDB_NOTES | LLDB_NOTES,
    "rizin/core-linux-mips32el-bin-ls": LLDB_MACHINE | EU_MACHINE,
    "rizin/core-linux-mips64le-bin-ls": LLDB_MACHINE | EU_MACHINE,
    # gdb reads OpenBSD's notes.
    "rizin/core-openbsd-sparc64": {"threads_gdb": NOT_LINUX},
    "rizin/segfault-glibc-aarch64-core": LLDB_NOTES,
    "fuzz/elfutils/seed-163355-crash-51ef1bcb1fbd741ff5fde645079625a8ed871225": GDB_NOTES | LLDB_NOTES,
    "fuzz/elfutils/seed-4aea60-poc1": GDB_NOTES | LLDB_NOTES,
    "fuzz/elfutils/dwfl-core-bugzilla-28660": GDB_NOTES | LLDB_NOTES,
}

# ---- build-ids that elfutils (eu-unstrip -n) finds and we do not, or the other way round, by address
INSIDE = "the vdso is in the gap that ld.so leaves between its segments, where elfutils does not look"
TWICE = "the file's first page is mapped twice; elfutils shows the second, which is saved, and we the first"
GIVEN = "the core has no header of it; elfutils was given the executable"
MODULES = {
    "rizin/core-linux-arm64": {0x7f8bf29000: INSIDE},
    "pystack/segfault.core": {0x400000: TWICE, 0x600000: TWICE},
    "pystack/signal.core": {0x400000: TWICE, 0x600000: TWICE},
    "pystack/core_with_big_name.core": {0x400000: TWICE, 0x600000: TWICE},
    "pyelftools/core_simple64.elf": {0x400000: TWICE, 0x401000: TWICE},
    "drgn/multithreaded.core": {0x400000: TWICE, 0x600000: TWICE},
    "drgn/crashme_pie_no_headers.core": {0x5623363d6000: GIVEN},
    "chap/core.SpinningThreads": {0x7ffff7ffa000: INSIDE},
    "chap/core.34218": {0x7ffff7ffa000: INSIDE},
    "chap/core.26368": {0x7ffff7ffa000: INSIDE},
    "angr/true-libc.core": {0x7ffff7ffb000: INSIDE},
}

# ---- a thread's program counter, where eu-stack or LLDB says otherwise: {file: {(who, thread): reason}}
PCS = {}

# ---- what is in the notes, where elfutils (eu-readelf -n) says otherwise
MIPS_SIGINFO = dict.fromkeys(("SIGINFO si_errno", "SIGINFO si_code", "SIGINFO si_pid", "SIGINFO si_uid"),
                             "on MIPS si_code stands before si_errno, which elfutils 0.188 does not know")
MIPS_FILE = {"FILE files": "elfutils 0.188 does not know MIPS, and takes the numbers of FILE for those of 64 bits"}
NOTES = {
    "rizin/core-linux-mips32el-bin-ls": MIPS_SIGINFO,
    "rizin/core-linux-mips64le-bin-ls": MIPS_SIGINFO,
    "lldb-mips/linux-mips64el-gnuabi64.core": MIPS_SIGINFO,
    "lldb-mips/linux-mips64el-gnuabin32.core": MIPS_SIGINFO | MIPS_FILE,
    "lldb-mips/linux-mipsel-gnuabio32.core": MIPS_SIGINFO | MIPS_FILE,
}

# ---- errors and warnings of validate, and why they are right
CHECKS = ("quirk-gdb-machine", "quirk-gdb-notes", "quirk-lldb-machine", "quirk-lldb-notes",
          "quirk-elfutils-machine", "elf-ident", "elf-type", "elf-phentsize")
EDITED = "paths in its FILE note were made shorter after it was written, and the rest of the note filled with zeros"
OLD_GDB = "gdb wrote neither a segment nor an entry of FILE for unchanged code"
NO_SEGMENT = "gdb writes no segment for unchanged text"
CUT = "the file is cut off"
FINDINGS = {
    "rizin/core-linux-arm64": {"note-owner": EDITED, "quirk-lldb-notes": EDITED},
    "rizin/core-linux-x86_64": dict.fromkeys(("note-malformed", "note-owner", "note-padding", "quirk-gdb-notes",
                                              "quirk-lldb-notes"), EDITED),
    "rizin/segfault-glibc-aarch64-core": {"note-owner": EDITED, "quirk-lldb-notes": EDITED},
    "rizin/core-linux-mips32el-bin-ls": {"file-range": NO_SEGMENT},
    "rizin/core-linux-mips64le-bin-ls": {"file-range": NO_SEGMENT},
    "rizin/core-openbsd-sparc64": {"seg-align": "OpenBSD does not begin its segments on a page of the file"},
    "rizin/more-than-65535-segments.core": {"note-none": "qemu's notes were left out"},
    "chap/truncated/core.48555.1M": {"seg-truncated": CUT},
    "chap/truncated/core.48555.512K": {"seg-truncated": CUT},
    "chap/core.python_5_threads": {"auxv-address": OLD_GDB, "thread-pc": OLD_GDB},
    "chap/core.SpinningThreads": {"auxv-address": OLD_GDB, "thread-pc": OLD_GDB},
    "chap/core.3522": {"auxv-address": OLD_GDB},
}
