#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Boot a guest in QEMU, pass on what its command prints and how it ends; scripts/vm prepares what is booted.

The guest's agent (guest/agent.c) sends frames over a virtio-serial port; the kernel's console goes to a file, in which
splats are looked for. QEMU dies with this process, whatever ends it.
"""

import argparse
import ctypes
import functools
import os
import select
import signal
import socket
import subprocess
import sys
import time

# The checkout is somebody's: nothing is left beside the sources.
sys.dont_write_bytecode = True

from splat import find_splat  # noqa: E402

# Who started this; in a container it may be process 1.
PARENT = os.getppid()
QEMU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "qemu")
EXIT_TIMED_OUT = 124
EXIT_GUEST_DIED = 70
EXIT_SPLAT = 71
# The agent's last line on the console (guest/agent.c).
ENDED = "lab: the command has ended"
CONSOLE_GRACE_S = 5
# A kernel that has oopsed may never end its command.
OOPS_GRACE_S = 20
TAIL_LINES = 40
# All that TCG knows, but for what makes kernel and libraries copy and clear byte by byte: fast on processors, but QEMU
# takes as long for a byte as for a word (200 MiB of tmpfs: 0.6 s of CPU for 1.9).
TCG_CPU = "max,-erms,-fsrm,-fzrm,-fsrs,-fsrc"


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--kernel", required=True, help="the kernel's image")
    p.add_argument("--initrd", required=True)
    p.add_argument("--accel", choices=["kvm", "tcg", "mttcg", "icount"], required=True)
    p.add_argument("--smp", type=int, required=True)
    p.add_argument("--mem", type=int, required=True, help="MiB")
    p.add_argument("--append", default="", help="more of the kernel's command line")
    p.add_argument("--timeout", type=float, required=True, help="seconds; 0 is no limit")
    p.add_argument("--console", required=True, help="the file that takes the console")
    p.add_argument("--shell", action="store_true", help="an interactive shell on this terminal")
    return p.parse_args()


def qemu_command(a):
    accel = {
        "kvm": ["-accel", "kvm", "-cpu", "host", "-smp", str(a.smp)],
        # One host thread for all processors. With one each (mttcg), guests died now and then with "Oops: int3", seen
        # with QEMU 7.2 and 10.0, once at boot without our module: most likely a processor ran a translation of an
        # instruction that another one had just patched. A processor that spins gives way, so
        # little is lost on two cores.
        "tcg": ["-accel", "tcg,thread=single", "-cpu", TCG_CPU, "-smp", str(a.smp)],
        "mttcg": ["-accel", "tcg,thread=multi", "-cpu", TCG_CPU, "-smp", str(a.smp)],
        "icount": ["-accel", "tcg", "-icount", "shift=0,sleep=off", "-cpu", "max", "-smp", "1"],
    }[a.accel]
    # Four levels of page tables: with five a kernel with KASAN, interrupted while it patches itself for them, reports
    # a wild access (seen at boot on busy hosts), and some addresses lie below those that tests look for in records.
    # On a busy host the first ticks come late, which a kernel on hardware takes for a broken timer (no_timer_check).
    # Quiet until the guest's init turns the console up: a serial port is slow without KVM.
    cmdline = "console=ttyS0 no_timer_check loglevel=5 panic=-1 oops=continue rdinit=/init net.ifnames=0 "
    if a.accel != "kvm":
        # Without KVM a kernel that traces every function of its own is slow, not stuck: what takes 20 s is no lockup.
        cmdline += "watchdog_thresh=60 "
    cmdline += f"no5lvl {a.append}"
    return [
        QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "q35,usb=off,smbus=off,vmport=off", *accel, "-m", str(a.mem),
        "-kernel", a.kernel, "-initrd", a.initrd, "-append", cmdline.strip(),
        "-object", "rng-random,id=entropy,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=entropy",
        "-chardev", f"file,id=console,path={a.console}", "-serial", "chardev:console",
        "-device", "virtio-serial-pci",
    ]  # fmt: skip


def die_with(parent):
    """In the child: be killed when the parent is, however it ends (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    # It may have ended before.
    if os.getppid() != parent:
        os._exit(1)


class Guest:
    """A running QEMU with the agent's port at its other end."""

    def __init__(self, a):
        self.console_path = a.console
        open(a.console, "wb").close()
        self.port, theirs = socket.socketpair()
        command = qemu_command(a) + [
            "-chardev", f"socket,id=lab,fd={theirs.fileno()}",
            "-device", "virtserialport,chardev=lab,name=lab",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            preexec_fn=functools.partial(die_with, os.getpid()),
        )
        theirs.close()

    def console(self):
        with open(self.console_path, "rb") as f:
            return f.read().decode("utf-8", "replace").replace("\r", "")

    def await_console(self):
        """Wait until the console shows that the command has ended: then it shows every message before that, too."""
        end = time.monotonic() + CONSOLE_GRACE_S
        while ENDED not in self.console() and time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Frames:
    """Takes the agent's stream apart: frames of one byte of kind, four of length, and the bytes."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data
        at = 0
        while len(self.buffer) - at >= 5:
            length = int.from_bytes(self.buffer[at + 1 : at + 5], "little")
            if len(self.buffer) - at - 5 < length:
                break
            yield chr(self.buffer[at]), bytes(self.buffer[at + 5 : at + 5 + length])
            at += 5 + length
        del self.buffer[:at]


def write_all(fd, data):
    """Like a pipe's writer: nobody reading any more is an ordinary end."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            select.select([], [fd], [])


def run(guest, timeout):
    """Pass the guest's output on until its command ends; returns the exit status, or None when the guest died."""
    frames = Frames()
    deadline = time.monotonic() + timeout if timeout else None
    console_seen = 0
    while True:
        wait = 1.0
        now = time.monotonic()
        if deadline is not None:
            if now >= deadline:
                return EXIT_TIMED_OUT
            wait = min(wait, deadline - now)
        ready, _, _ = select.select([guest.port], [], [], wait)
        if ready:
            data = guest.port.recv(1 << 16)
            if not data:
                return None
            for kind, payload in frames.feed(data):
                if kind == "x":
                    return payload[0]
                write_all(1 if kind == "o" else 2, payload)
            continue
        if guest.process.poll() is not None:
            return None
        size = os.path.getsize(guest.console_path)
        if size != console_seen:
            console_seen = size
            if find_splat(guest.console(), fatal=True):
                soon = time.monotonic() + OOPS_GRACE_S
                deadline = soon if deadline is None else min(deadline, soon)


def report(guest, status):
    """What the console says about this run outranks what the command says."""
    console = guest.console()
    if splat := find_splat(console):
        print(f"vm: the guest's kernel complained (the command's status: {status}):\n{splat}", file=sys.stderr)
        return EXIT_SPLAT
    if status is None:
        stderr = guest.process.stderr.read().decode("utf-8", "replace")
        tail = "\n".join(console.splitlines()[-TAIL_LINES:])
        print(f"vm: the guest died; the end of its console:\n{tail}\n{stderr}", file=sys.stderr)
        return EXIT_GUEST_DIED
    if status == EXIT_TIMED_OUT and ENDED not in console:
        print("vm: the time limit has passed (--timeout)", file=sys.stderr)
    return status


def main():
    a = arguments()
    if a.shell:
        die_with(PARENT)  # which execvp keeps
        os.execv(QEMU, qemu_command(a) + [
            "-chardev", "stdio,id=tty,signal=off", "-device", "virtconsole,chardev=tty",
        ])  # fmt: skip
    for s in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda n, _: sys.exit(128 + n))
    guest = Guest(a)
    try:
        status = run(guest, a.timeout)
        if status is not None:
            guest.await_console()
        guest.kill()
        sys.exit(report(guest, status))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(128 + signal.SIGPIPE)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    finally:
        guest.kill()


if __name__ == "__main__":
    main()
