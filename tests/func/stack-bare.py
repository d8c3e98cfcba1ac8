"""Makes of a core one as embedded systems and debug stubs write it: registers and memory, and not a word of files.

stack-bare.py CORE OUT [PART]...
Of the notes only PRSTATUS is left.  What else is taken from it, or done to it, for each PART:
  code      segments that were mapped from files and cannot be written to, as if they were in flash
  START-END that range of addresses (hexadecimal)
  flags     no segment can be executed: the system protects no memory
  one       segments beside each other are one, so that nothing begins where a file does
  +ADDR     the byte there is another
"""
import struct
import sys

PT_LOAD, PT_NOTE, NT_PRSTATUS = 1, 4, 1
PF_X, PF_W = 1, 2


class Elf:
    def __init__(self, raw):
        self.wide = raw[4] == 2
        self.end = '<' if raw[5] == 1 else '>'
        self.raw = raw
        self.head = self.end + ('HHIQQQIHHHHHH' if self.wide else 'HHIIIIIHHHHHH')
        self.phdr = self.end + ('IIQQQQQQ' if self.wide else 'IIIIIIII')
        self.ehdr = list(struct.unpack_from(self.head, raw, 16))
        self.segments = [self.segment(i) for i in range(self.ehdr[9])]

    def segment(self, i):
        v = struct.unpack_from(self.phdr, self.raw, self.ehdr[4] + i * struct.calcsize(self.phdr))
        kind, flags, off, addr, _, filesz, memsz, _ = v if self.wide else (v[0], v[6], *v[1:6], v[7])
        return {'kind': kind, 'flags': flags, 'addr': addr, 'memsz': memsz, 'data': bytearray(self.raw[off:off + filesz])}

    def notes(self):
        for s in self.segments:
            at = 0
            while s['kind'] == PT_NOTE and at + 12 <= len(s['data']):
                name, desc, kind = struct.unpack_from(self.end + 'III', s['data'], at)
                start = at + 12 + -(-name // 4) * 4
                yield kind, bytes(s['data'][at + 12:at + 12 + name]), bytes(s['data'][start:start + desc])
                at = start + -(-desc // 4) * 4

    def write(self, path, notes, loads):
        desc = b''.join(struct.pack(self.end + 'III', 5, len(d), kind) + b'CORE'.ljust(8, b'\0') + d + b'\0' * (-len(d) % 4)
                        for kind, d in notes)
        parts = [{'kind': PT_NOTE, 'flags': 0, 'addr': 0, 'memsz': 0, 'data': desc}] + loads
        at = 16 + struct.calcsize(self.head) + len(parts) * struct.calcsize(self.phdr)
        headers = body = b''
        for p in parts:
            v = (p['addr'], p['addr'] if p['kind'] == PT_LOAD else 0, len(p['data']), p['memsz'])
            if self.wide:
                headers += struct.pack(self.phdr, p['kind'], p['flags'], at + len(body), *v, 1)
            else:
                headers += struct.pack(self.phdr, p['kind'], at + len(body), *v, p['flags'], 1)
            body += p['data']
        self.ehdr[4] = 16 + struct.calcsize(self.head)
        self.ehdr[5] = 0
        self.ehdr[9:13] = len(parts), 0, 0, 0
        with open(path, 'wb') as f:
            f.write(self.raw[:16] + struct.pack(self.head, *self.ehdr) + headers + body)


def files_of(elf):
    """Ranges of addresses that NT_FILE has."""
    for kind, _, desc in elf.notes():
        if kind != 0x46494c45:
            continue
        word = elf.end + ('Q' if elf.wide else 'I')
        v = [x[0] for x in struct.iter_unpack(word, desc[:len(desc) // struct.calcsize(word) * struct.calcsize(word)])]
        for i in range(v[0]):
            yield v[2 + 3 * i], v[3 + 3 * i]


def without(loads, start, end):
    out = []
    for s in loads:
        last = s['addr'] + s['memsz']
        for lo, hi in ((s['addr'], min(start, last)), (max(end, s['addr']), last)):
            if lo < hi:
                out.append(dict(s, addr=lo, memsz=hi - lo, data=s['data'][lo - s['addr']:hi - s['addr']]))
    return out


def joined(loads):
    out = []
    for s in loads:
        last = out[-1] if out else None
        if last and last['addr'] + last['memsz'] == s['addr'] and len(last['data']) == last['memsz']:
            last['memsz'] += s['memsz']
            last['data'] += s['data']
        else:
            out.append(s)
    return out


def main():
    with open(sys.argv[1], 'rb') as f:
        elf = Elf(f.read())
    files = list(files_of(elf))
    loads = sorted((s for s in elf.segments if s['kind'] == PT_LOAD and s['data']), key=lambda s: s['addr'])
    for part in sys.argv[3:]:
        if part == 'code':
            loads = [s for s in loads if s['flags'] & PF_W or not any(a <= s['addr'] < b for a, b in files)]
        elif part == 'flags':
            for s in loads:
                s['flags'] = 6
        elif part == 'one':
            loads = joined(loads)
        elif part.startswith('+'):
            at = int(part, 16)
            for s in loads:
                if s['addr'] <= at < s['addr'] + len(s['data']):
                    s['data'][at - s['addr']] ^= 0xff
        else:
            loads = without(loads, *(int(x, 16) for x in part.split('-')))
    elf.write(sys.argv[2], [(k, d) for k, owner, d in elf.notes() if k == NT_PRSTATUS and owner == b'CORE\0'], loads)


main()
