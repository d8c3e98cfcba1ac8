"""What eu-readelf -n shows in the notes of a core, against tagcore inspect notes --json."""
import re

TIMES = ("utime", "stime", "cutime", "cstime")
NUMBERS = "cursig pid ppid pgrp sid state zomb nice flag uid gid si_signo si_errno si_code".split()
# elfutils' names of what we call otherwise
NAMES = {"info.si_signo": "si_signo", "info.si_errno": "si_errno", "info.si_code": "si_code",
         "fault address": "si_addr", "sender PID": "si_pid", "sender UID": "si_uid"}


def number(text):
    return int(text, 16) if text.startswith("0x") else int(text)


def ours(value):
    return number(value) if isinstance(value, str) and re.fullmatch("-?(0x[0-9a-f]+|[0-9]+)", value) else value


def fields(text):
    """The members of PRSTATUS, PRPSINFO or SIGINFO, by our names."""
    texts = re.search(r"^ *fname: (.*), psargs: (.*)$", text, re.M)
    if texts:
        yield "fname", texts.group(1)
        yield "psargs", texts.group(2)
    for name, value in re.findall(r"([a-z][\w. ]*[A-Za-z]): (-?[\w.]+)", text):
        name = NAMES.get(name, name)
        if name in TIMES or name == "sname":
            yield name, value
        elif name in NUMBERS or name in NAMES.values():
            yield name, number(value)


def of_struct(content, text):
    for name, want in fields(text):
        got = content.get(name) if name in TIMES + ("sname", "fname", "psargs") else ours(content.get(name))
        if got != want:
            yield name, "%s %r, elfutils says %r" % (name, got, want)


def of_auxv(content, text):
    entries = [e for e in content["entries"] if e["type"]]
    lines = [line.split()[:2] for line in text.strip("\n").split("\n") if line.strip() != "NULL"]
    if len(entries) != len(lines):
        yield "entries", "%d entries, elfutils has %d" % (len(entries), len(lines))
    for e, (name, *value) in zip(entries, lines):
        name = name.rstrip(":")
        if name not in (str(e["type"]), (e["name"] or "").removeprefix("AT_")):
            yield name, "entry %s (%d), elfutils says %s" % (e["name"], e["type"], name)
        # It shows no value of what it does not know, when that is 0; and sizes with a sign.
        elif (number(value[0]) if value else 0) not in (ours(e["value"]), ours(e["value"]) - (1 << 64)):
            yield name, "%s is %s, elfutils says %s" % (e["name"], e["value"], value)


def of_file(content, text):
    lines = re.findall(r"^ +(\w+)-(\w+) (\w+) \d+ +(.*)$", text, re.M)
    theirs = [(int(a, 16), int(b, 16), int(o, 16), n) for a, b, o, n in lines]
    got = [(int(f["start"], 16), int(f["end"], 16), f["offset"], f["name"]) for f in content["files"]]
    for a, b in zip(got, theirs):
        if a != b:
            yield "file", "%s, elfutils says %s" % (a, b)
    if len(got) != len(theirs):
        yield "files", "%d files, elfutils has %d" % (len(got), len(theirs))


KINDS = {"PRSTATUS": of_struct, "PRPSINFO": of_struct, "SIGINFO": of_struct, "AUXV": of_auxv, "FILE": of_file}


def compare(notes, text):
    """{what differs: how}, of the kinds of notes above; those of a kind come in the same order."""
    blocks = re.findall(r"^  \S+ +\d+  (\w+)\n((?:    .*\n)*)", text, re.M)
    differences = {}
    for kind, compare_one in KINDS.items():
        mine = [n for n in notes if n["type_name"] == "NT_" + kind]
        theirs = [t for k, t in blocks if k == kind]
        if len(mine) != len(theirs):
            differences[kind] = "%d notes %s, elfutils has %d" % (len(mine), kind, len(theirs))
        for n, t in zip(mine, theirs):
            for what, how in compare_one(n["content"], t):
                differences.setdefault(kind + " " + what, how)
    return differences
