"""A disk that forgets. Reads the tapes of disk_tape.cpp, and knows for each moment
what a power cut would have left of the files.

The disk that is played: what a sync covered is kept. Of what came later each
sector of 512 bytes has, on its own, any of the contents it had since; sizes and
names (of one directory, in their order, as with a file system that keeps a log)
are as at any moment since. A sync of a file says nothing about its name: that
needs one of its directory.
"""
import mmap
import os
import struct
import subprocess
from pathlib import Path

from harness import BINARY, Proxy

LIBRARY = os.environ.get("TURNOUT_DISK_TAPE", str(Path(BINARY).parent / "disk_tape.so"))
OPENED, CREATED, WRITTEN, TRUNCATED, SYNC_BEGUN, SYNCED, UNLINKED, RENAMED, SENT = range(1, 10)
HEAD = struct.Struct("<IIQQ")
SECTOR = 512


def read_tape(path):
    """The tape's records in their order: (kind, node, value, data)."""
    if not path.exists() or path.stat().st_size == 0:
        return  # killed before it began
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as tape:
        used, = struct.unpack_from("<Q", tape, 0)
        at = 8
        while at < used:
            kind, size, node, value = HEAD.unpack_from(tape, at)
            at += HEAD.size
            yield kind, node, value, tape[at:at + size]
            at += (size + 7) // 8 * 8


class File:
    def __init__(self, content=b""):
        self.durable = bytearray(content)
        self.pending = []  # (offset, bytes), or (new size, None), since `done`
        self.done = 0      # how many are durable
        self.begun = {}    # sync: how many it covers

    def sync_begun(self, number):
        self.begun[number] = self.done + len(self.pending)

    def synced(self, number):
        count = max(0, self.begun.pop(number) - self.done)
        for each in self.pending[:count]:
            apply(self.durable, *each)
        del self.pending[:count]
        self.done += count

    def after_cut(self, dice):
        content, share = bytearray(self.durable), dice.choice((0, 0, 0.5, 0.9, 1))
        sectors = {}
        for each in self.pending:
            if each[1] is None:
                self.settle(content, sectors, dice, share)
                sectors = {}
                if dice.random() < share:
                    apply(content, *each)
                continue
            for sector in range(each[0] // SECTOR, (each[0] + len(each[1]) - 1) // SECTOR + 1):
                sectors.setdefault(sector, []).append(each)
        self.settle(content, sectors, dice, share)
        return content

    @staticmethod
    def settle(content, sectors, dice, share):
        """Each sector has the first few, all or none of its writes."""
        end = max((offset + len(data) for writes in sectors.values() for offset, data in writes), default=0)
        if end > len(content) and dice.random() < share / 2:
            content.extend(bytes(end - len(content)))  # the size came through, perhaps nothing else
        for sector, writes in sectors.items():
            kept = dice.randint(1, len(writes)) if dice.random() < share else 0
            first, last = sector * SECTOR, (sector + 1) * SECTOR
            for offset, data in writes[:kept]:
                begin, end = max(first, offset), min(last, offset + len(data))
                apply(content, begin, data[begin - offset:end - offset])


def apply(content, offset, data):
    if data is None:
        if offset < len(content):
            del content[offset:]
        else:
            content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


class Directory:
    """The names in one directory."""

    def __init__(self):
        self.pending = []  # ("link", name, file), ("unlink", name), ("rename", old, new)
        self.done = 0
        self.begun = {}

    sync_begun = File.sync_begun

    def synced(self, number, names):
        count = max(0, self.begun.pop(number) - self.done)
        for each in self.pending[:count]:
            self.apply(names, *each)
        del self.pending[:count]
        self.done += count

    @staticmethod
    def apply(names, what, name, other=None):
        if what == "link":
            names[name] = other
        elif what == "unlink":
            names.pop(name, None)
        elif name in names:
            names[other] = names.pop(name)

    def after_cut(self, names, dice):
        for each in self.pending[:dice.choice((0, len(self.pending), dice.randint(0, len(self.pending))))]:
            self.apply(names, *each)


class Disk:
    """The files below `root`, all of them durable; then what a tape says happened to them."""

    def __init__(self, root):
        self.root = Path(root)
        self.names = {str(each.relative_to(root)): File(each.read_bytes())
                      for each in self.root.rglob("*") if each.is_file() and not each.name.endswith("-shm")}
        self.now = dict(self.names)  # names as the process sees them
        self.nodes, self.directories = {}, {}
        self.syncs = 0

    def directory_of(self, name):
        return self.directories.setdefault(str(Path(name).parent), Directory())

    def play(self, kind, node, value, data):
        if kind in (OPENED, CREATED):
            name = data.decode()
            if value:  # a directory
                self.nodes[node] = self.directories.setdefault(name, Directory())
            elif kind == OPENED and name in self.now:
                self.nodes[node] = self.now[name]
            else:
                self.nodes[node] = self.now[name] = File()
                self.directory_of(name).pending.append(("link", name, self.nodes[node]))
        elif kind == WRITTEN:
            self.nodes[node].pending.append((value, data))
        elif kind == TRUNCATED:
            self.nodes[node].pending.append((value, None))
        elif kind == SYNC_BEGUN:
            self.nodes[node].sync_begun(value)
        elif kind == SYNCED:
            self.syncs += 1
            synced = self.nodes[node]
            synced.synced(value, self.names) if isinstance(synced, Directory) else synced.synced(value)
        elif kind == UNLINKED:
            self.now.pop(data.decode(), None)
            self.directory_of(data.decode()).pending.append(("unlink", data.decode()))
        elif kind == RENAMED:
            old, new = data.decode().split("\n")
            self.now[new] = self.now.pop(old, None) or File()
            self.directory_of(old).pending.append(("rename", old, new))

    def lost(self):
        """How many writes are not durable."""
        return sum(len(each.pending) for each in self.nodes.values() if isinstance(each, File))

    def cut(self, dice):
        """The power goes. The files become what is left of them."""
        if dice is None:
            return self.write(self.root, self.durable())
        names = dict(self.names)
        for each in self.directories.values():
            each.after_cut(names, dice)
        self.write(self.root, {name: file.after_cut(dice) for name, file in names.items()})

    def durable(self):
        """{name: content} of all that no power cut can take."""
        return {name: file.durable for name, file in self.names.items()}

    @staticmethod
    def write(root, files):
        for each in Path(root).rglob("*"):
            if each.is_file() and str(each.relative_to(root)) not in files:
                each.unlink()
        for name, content in files.items():
            path = Path(root) / name
            if not path.exists():
                path.touch(0o600)
            if path.read_bytes() != content:
                path.write_bytes(content)


class RecordedProxy(Proxy):
    """A proxy whose disk writes (keys and journal) and TCP sends are on a tape."""

    def spawn(self, prefix=(), lies="", fail_sync=0):
        root = Path(os.path.realpath(self.directory)) / "var"
        self.tape = self.directory / "tape"
        self.tape.unlink(missing_ok=True)
        self.disk = Disk(root)
        plain = self.environment  # of other commands: they must not record over this tape
        self.environment = {**plain, "TURNOUT_TAPE": str(self.tape), "TURNOUT_TAPE_DIRECTORY": str(root),
                            "TURNOUT_TAPE_LIES": lies, "TURNOUT_TAPE_FAIL_SYNC": str(fail_sync), "LD_PRELOAD": preload(LIBRARY)}
        try:
            super().spawn(prefix)
        finally:
            self.environment = plain

    def power_cut(self, dice):
        """Kills the proxy, and takes from its files what a power cut may take: with dice None all it may.

        Returns how many writes were not durable.
        """
        self.kill()
        for each in read_tape(self.tape):
            self.disk.play(*each)
        lost = self.disk.lost()
        self.disk.cut(dice)
        return lost


def preload(library):
    """With a sanitizer its runtime has to come first."""
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    runtime = [line.split()[2] for line in linked.splitlines() if "libasan" in line]
    return ":".join([*runtime, library])
