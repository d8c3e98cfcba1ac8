"""Goes through a program of riscv64 in QEMU's user mode, which writes no cores of it, and makes them.

stack-riscv.py QEMU PROGRAM START EVERY TAGCORE FILE [GDB]
From address START until that function returns; at every EVERYth instruction, a core is made by
what QEMU's debug stub reports, and the backtrace of it, with FILE for the program, is compared with
what was called.  With GDB also its own at some of them, which may not have more.  Prints what
differs and how many were compared; exits 1 if anything does.
"""
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

LIMIT = 60.0
STUB = 'stub'
CORE = 'core'
PAGE = 4096
STACK = 64 << 10
RA, SP, PC = 1, 2, 32


class Remote:
    """The debug stub: GDB manual, "Remote Protocol"."""

    def __init__(self, qemu, program):
        if os.path.exists(STUB):
            os.unlink(STUB)
        self.buf = b''
        self.qemu = subprocess.Popen([qemu, '-g', STUB, program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.stub = socket.socket(socket.AF_UNIX)
        self.stub.settimeout(LIMIT)
        end = time.monotonic() + LIMIT
        while self.stub.connect_ex(STUB):
            if time.monotonic() > end or self.qemu.poll() is not None:
                raise EOFError('there is no stub')
            time.sleep(0.02)

    def close(self):
        self.stub.close()
        self.qemu.kill()
        self.qemu.wait()

    def answer(self):
        while True:
            first = self.buf.find(b'$')
            last = self.buf.find(b'#', first + 1)
            if first >= 0 and last >= 0 and len(self.buf) >= last + 3:
                out, self.buf = self.buf[first + 1:last], self.buf[last + 3:]
                self.stub.sendall(b'+')
                return out
            more = self.stub.recv(65536)
            if not more:
                raise EOFError('the stub is gone')
            self.buf += more

    def ask(self, text):
        raw = text.encode()
        self.stub.sendall(b'$%s#%02x' % (raw, sum(raw) & 255))
        return self.answer()

    def regs(self):
        return struct.unpack('<33Q', bytes.fromhex(self.ask('g').decode())[:264])

    def read(self, addr, n):
        out = b''
        while len(out) < n:
            got = self.ask('m%x,%x' % (addr + len(out), min(2000, n - len(out))))
            if not got or got.startswith(b'E'):
                break
            out += bytes.fromhex(got.decode())
        return out

    def auxv(self):
        out = self.ask('qXfer:auxv:read::0,1000')[1:]
        return re.sub(rb'}(.)', lambda m: bytes([m.group(1)[0] ^ 0x20]), out, flags=re.DOTALL)

    def run_to(self, addr):
        self.ask('Z0,%x,2' % addr)
        self.ask('c')
        self.ask('z0,%x,2' % addr)
        if self.regs()[PC] != addr:
            raise EOFError('the program does not get there')


def areas_of(program):
    with open(program, 'rb') as f:
        raw = f.read()
    off, = struct.unpack_from('<Q', raw, 32)
    n, = struct.unpack_from('<H', raw, 56)
    for i in range(n):
        kind, flags, _, addr, _, _, size, _ = struct.unpack_from('<IIQQQQQQ', raw, off + 56 * i)
        if kind == 1:
            yield addr // PAGE * PAGE, -(-(addr + size) // PAGE) * PAGE, flags


def note(kind, desc):
    return struct.pack('<III8s', 5, len(desc), kind, b'CORE') + desc + b'\0' * (-len(desc) % 4)


class Core:
    """Written whole once; then the stack in use and the registers anew: struct elf_prstatus has them at 112."""

    def __init__(self, remote, program):
        self.remote = remote
        self.root = remote.regs()[SP]
        self.low = (self.root - STACK) // PAGE * PAGE
        top = self.root // PAGE * PAGE + PAGE
        while remote.read(top, 8):
            top += PAGE
        areas = list(areas_of(program)) + [(self.low, top, 6)]
        status = bytearray(376)
        struct.pack_into('<i', status, 32, 4242)
        notes = note(1, bytes(status)) + note(6, remote.auxv())
        notes_at = 64 + 56 * (len(areas) + 1)
        self.regs_at = notes_at + 20 + 112
        at = -(-(notes_at + len(notes)) // PAGE) * PAGE
        headers = struct.pack('<IIQQQQQQ', 4, 4, notes_at, 0, 0, len(notes), 0, 4)
        self.file = open(CORE, 'w+b')
        for start, end, flags in areas:
            headers += struct.pack('<IIQQQQQQ', 1, flags, at, start, 0, end - start, end - start, PAGE)
            self.file.seek(at)
            self.file.write(remote.read(start, end - start).ljust(end - start, b'\0'))
            self.stack_at = at
            at += end - start
        self.file.seek(0)
        self.file.write(b'\x7fELF\2\1\1'.ljust(16, b'\0') + struct.pack(
            '<HHIQQQIHHHHHH', 4, 243, 1, 0, 64, 0, 5, 64, 56, len(areas) + 1, 0, 0, 0) + headers + notes)

    def save(self, regs):
        start = regs[SP] - 512
        self.file.seek(self.stack_at + start - self.low)
        self.file.write(self.remote.read(start, self.root + 256 - start))
        self.file.seek(self.regs_at)
        self.file.write(struct.pack('<32Q', regs[PC], *regs[1:32]))
        self.file.flush()


def frames(command):
    """Of the last backtrace in what it prints: gdb shows the first frame before it is asked."""
    out = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         timeout=LIMIT, check=False).stdout.decode()
    out = out[max(out.rfind('\n#0 '), 0):]
    return [int(m.group(1), 16) for m in re.finditer(r'^#\d+ +(0x[0-9a-f]+)', out, re.M)]


def agreeing(got, want):
    n = 0
    while n < min(len(got), len(want)) and got[n] == want[n]:
        n += 1
    return n


def kind_of(word):
    """Is it a call or a return, and of how many bytes?"""
    if word & 3 == 3:
        return word & 0xfff in (0xef, 0xe7), word == 0x8067, 4
    word &= 0xffff
    return word & 0xf07f == 0x9002 and word >> 7 & 31 != 0, word == 0x8082, 2


class Steps:
    def __init__(self, tagcore, view, gdb):
        self.tagcore, self.view, self.gdb = tagcore, view, gdb
        self.compared = self.bad = 0

    def compare(self, want):
        got = frames([self.tagcore, 'stack', '--exe', self.view, CORE])
        n = agreeing(got, want)
        if n < len(want):
            what = 'wrong' if n < len(got) else 'incomplete'
            print('at %#x: %s: %d of %d frames' % (want[0], what, n, len(want)))
            self.bad += 1
        if self.gdb and self.compared % 10 == 0:
            its = frames([self.gdb, '-nx', '-batch', '-ex', 'file ' + self.view, '-ex', 'core ' + CORE, '-ex', 'bt'])
            if agreeing(its, want) > n:
                print('at %#x: gdb has %d frames, ours %d' % (want[0], agreeing(its, want), n))
                self.bad += 1
        self.compared += 1

    def run(self, remote, core, every):
        regs = remote.regs()
        calls = [(regs[RA], regs[SP])]
        i = 0
        while calls:
            if i % every == 0:
                core.save(regs)
                self.compare([regs[PC]] + [ret for ret, _ in reversed(calls)])
            i += 1
            is_call, is_return, size = kind_of(int.from_bytes(remote.read(regs[PC], 4), 'little'))
            if is_call:
                calls.append((regs[PC] + size, regs[SP]))
            remote.ask('s')
            regs = remote.regs()
            if is_return and calls.pop() != (regs[PC], regs[SP]):
                raise EOFError('it returns to elsewhere')


def main():
    qemu, program, start, every, tagcore, view = sys.argv[1:7]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    steps = Steps(tagcore, view, sys.argv[7] if len(sys.argv) > 7 else None)
    remote = Remote(qemu, program)
    try:
        remote.run_to(int(start, 16))
        steps.run(remote, Core(remote, program), int(every))
    finally:
        remote.close()
    print('%d compared' % steps.compared)
    return 1 if steps.bad or not steps.compared else 0


sys.exit(main())
