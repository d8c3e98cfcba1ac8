"""What others saw in a core, against inspect registers --json.

inspect-registers.py MACHINE REGISTERS.json THREADS.json EXPECTATION...
Expectations are files NAME.expect-gdb.txt ("info registers"), .expect-eu-readelf-n.txt
or .expect-peer.txt ("NAME = 0x...").  Prints what differs; exits 1 if anything does,
and 3 if none of them has a register.
"""
import json
import re
import sys

# Other people's names of our registers: everywhere, then by machine.
ALIASES = {
    "": {"cpsr": ["cpsr", "pstate"], "spsr": ["cpsr"], "rflags": ["eflags"], "fs.base": ["fs_base"],
         "gs.base": ["gs_base"], "nip": ["pc"], "orig_gpr3": ["orig_r3"], "oeax": ["orig_eax"]},
    "aarch64": {"lr": ["x30"], "fp": ["x29"], "tmp": [], "zr": [], "wzr": [], "xzr": [], "pauth_dmask": ["data_mask"], "pauth_cmask": ["insn_mask"]},
    "arm": {"sb": ["r9"], "sl": ["r10"], "fp": ["r11"], "ip": ["r12"], "r13": ["sp"], "r14": ["lr"], "r15": ["pc"]},
    "m68k": {"a6": ["fp"], "a7": ["sp"]},
    "mips": {"bad": ["badvaddr"], "sr": ["status"], "fsr": ["fcsr"], "restart": []},
    "parisc": {"flags": ["psw"], "rp": ["r2"], "dp": ["r27"], "ret0": ["r28"], "ret1": ["r29"],
               "mpsfu_high": ["cr27"], "mpsfu_low": ["cr28"], "mpsfu_ovflo": ["cr29"], "pad": ["cr30"]},
    "riscv": {"fp": ["s0"]},
    "s390": {"pc": ["pswa"], **{"a%d" % i: ["acr%d" % i] for i in range(16)}},
    "sparc": {"o6": ["sp"], "i6": ["fp"]},
    # elfutils 0.188 (backends/alpha_corenote.c) leaves pc out and gives its name to the next one, which is the thread's pointer.
    "alpha": {"s6": ["fp"], "pc": [], "unique": []},
}
# Seen as registers, but not: columns and parts of siginfo; or composed by gdb.
NOT_REGISTERS = re.compile(r"^(sig\w*|pid|ppid|pgrp|sid|[cus]+time|fpvalid|cursig|info\..*|cc|spr0|k[0-7]|fpe\d|fpsr)$")


def number(text):
    return int(text, 16) if text.startswith("0x") else int(text)


def gdb(text):
    text = text[max(text.rfind("AT_NULL"), 0):]
    names = None
    for line in text.split("\n"):
        words = line.split()
        if names and words and (words[0].startswith("R") or re.fullmatch("[0-9a-f]{8,}", words[0])):
            values = words[1:] if words[0].startswith("R") else words
            yield from zip(names, (number("0x" + v) for v in values))
            names = None
        elif len(words) >= 2 and words[0][0].isalpha() and re.fullmatch("0x[0-9a-f]+", words[1]):
            yield words[0], number(words[1])
        elif words and all(re.fullmatch("[a-z][a-z0-9]*", w) for w in words):
            names = words


def eu_readelf(text):
    found = re.search(r"\bPRSTATUS\n(.*?)\n  [A-Z]", text, re.S)
    lines = found.group(1) if found else ""
    for name, value in re.findall(r"([a-z][\w.]*):\s+(-?\d+|0x[0-9a-f]+)(?![\w.])", lines):
        yield name, number(value)


def peer(text):
    for name, value in re.findall(r"^(\w+) = (0x[0-9a-f]+)$", text, re.M):
        yield name, number(value)


PARSERS = {"gdb": gdb, "eu-readelf-n": eu_readelf, "peer": peer}


def is_wrong(kind, name, got, want):
    if kind == "peer" and name == "pstate":
        return False    # rizin does not read it
    if name == "rflags":
        want &= 0xffffffff  # elfutils shows what an old kernel left above
    # elfutils prints general registers with the sign.
    return want not in (got, got - (1 << 64), got - (1 << 32))


def compare(first, machine, kind, text):
    """The number of registers compared, and what is wrong with them."""
    aliases = dict(ALIASES[""])
    for prefix, more in ALIASES.items():
        if prefix and machine.startswith(prefix):
            aliases.update(more)
    seen, bad = 0, []
    for name, want in PARSERS[kind](text):
        if NOT_REGISTERS.match(name) or aliases.get(name) == []:
            continue
        ours = [n for n in aliases.get(name, [name]) if n in first]
        if not ours:
            bad.append("no register %s (%s)" % (name, kind))
            continue
        seen += 1
        if is_wrong(kind, name, first[ours[0]], want):
            bad.append("%s: %#x, %s says %#x" % (name, first[ours[0]], kind, want))
    return seen, bad


def compare_threads(threads, text):
    tids = [int(pid) for pid in re.findall(r"^    pid: (\d+), ppid", text, re.M)]
    fname = re.search(r"^    fname: (.*), psargs:", text, re.M)
    bad = []
    if tids and [t["tid"] for t in threads] != tids:
        bad.append("threads %s, elfutils says %s" % ([t["tid"] for t in threads], tids))
    if fname and threads[0]["name"] != fname.group(1):
        bad.append("name %s, elfutils says %s" % (threads[0]["name"], fname.group(1)))
    return bad


def main(machine, registers, threads, *expectations):
    sets = json.load(open(registers))
    if not sets:
        return 3
    first = {}
    for regs in sets[0]["sets"].values():
        for name, value in regs.items():
            first.setdefault(name, int(value, 16))
    seen, bad = 0, []
    for path in expectations:
        kind = re.search(r"\.expect-([\w-]+)\.txt$", path).group(1)
        text = open(path, errors="replace").read()
        n, wrong = compare(first, machine, kind, text)
        seen += n
        bad += wrong
        if kind == "eu-readelf-n":
            bad += compare_threads(json.load(open(threads)), text)
    print("\n".join(bad + ["%d registers compared" % seen]))
    return 1 if bad else 0 if seen else 3


sys.exit(main(*sys.argv[1:]))
