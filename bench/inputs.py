"""What benches read and is too large to keep: made, or fetched where somebody says so.

RepeatedSym makes .sym texts of any size out of a real one. ceph_osd() is the recipe for the ELF
file on which most figures of conversion and lookup were taken; it fetches some 530 MB.
"""
import glob
import re
import subprocess
import zlib

ADDRESS, FILE, ORIGIN, COPY = range(4)
SECTIONS = ("FILE", "INLINE_ORIGIN", "FUNC", "PUBLIC", "STACK")
BLOCK_LINES = 20_000


class RepeatedSym:
    """A real .sym text, several times one after the other in one: each copy lies behind the last,
    has files and origins with numbers and names of its own, and its functions are in the namespace
    copyN. As dump-syms writes it: all FILE first, then INLINE_ORIGIN, FUNC, PUBLIC, STACK."""

    def __init__(self, text):
        self.size = len(text.encode())
        self.functions = []  # (address, size, name), whose code no other name shares
        self._blocks = {section: [] for section in SECTIONS}
        self._span = 0
        self._counts = [0, 0, 0, 1]
        self._begin()
        section = "FILE"
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word in ("MODULE", "INFO"):
                continue
            kind = word if word in SECTIONS else "FUNC"
            if kind != section or len(self._lines) >= BLOCK_LINES:
                self._end(section)
                section = kind
            self._lines.append(self._template(word, rest))
        self._end(section)
        self._span = (self._span + 0xFFFF) & ~0xFFFF

    def copies(self, size):
        """How many come nearest to that many bytes."""
        return max(1, round(size / self.size))

    def function(self, copy, number):
        """(address, size, name)"""
        address, size, name = self.functions[number]
        return address + copy * self._span, size, f"copy{copy}::{name}"

    def pieces(self, module, copies):
        """The text, in pieces. `module` is its first line."""
        yield module.encode() + b"\n"
        for section in SECTIONS:
            for copy in range(copies):
                shifts = [n * copy for n in (self._span, *self._counts[1:])]
                for template, values, kinds in self._blocks[section]:
                    yield template % tuple([v + shifts[k] for v, k in zip(values, kinds)])

    def _begin(self):
        self._lines, self._values, self._kinds = [], [], []

    def _end(self, section):
        if self._lines:
            template = ("\n".join(self._lines) + "\n").encode()
            self._blocks[section].append((template, self._values, bytes(self._kinds)))
        self._begin()

    def _put(self, value, kind):
        self._values.append(value)
        self._kinds.append(kind)

    def _address(self, text, size="0"):
        value = int(text, 16)
        self._span = max(self._span, value + int(size, 16) + 1)
        self._put(value, ADDRESS)
        return value

    def _number(self, text, kind):
        value = int(text)
        self._counts[kind] = max(self._counts[kind], value + 1)
        self._put(value, kind)

    def _template(self, word, rest):
        """The line with its numbers taken out, in the order in which they were put."""
        if word in ("FILE", "INLINE_ORIGIN"):
            number, name = rest.split(" ", 1)
            self._number(number, FILE if word == "FILE" else ORIGIN)
            self._put(0, COPY)
            before = "/copy%d" if word == "FILE" else "copy%d::"
            return f"{word} %d {before}{escaped(name)}"
        if word in ("FUNC", "PUBLIC"):
            mark = "m " if rest.startswith("m ") else ""
            address, *numbers, name = rest.removeprefix("m ").split(" ", 3 if word == "FUNC" else 2)
            start = self._address(address, numbers[0] if word == "FUNC" else "0")
            self._put(0, COPY)
            if word == "FUNC" and not mark:
                self.functions.append((start, int(numbers[0], 16), name))
            return f"{word} {mark}%x {' '.join(numbers)} copy%d::{escaped(name)}"
        if word == "INLINE":
            depth, line, file, origin, *ranges = rest.split(" ")
            self._number(file, FILE)
            self._number(origin, ORIGIN)
            for address in ranges[::2]:
                self._address(address)
            return f"INLINE {depth} {line} %d %d" + "".join(f" %x {size}" for size in ranges[1::2])
        if word == "STACK":
            head = "CFI INIT " if rest.startswith("CFI INIT ") else "CFI "
            address, rules = rest.removeprefix(head).split(" ", 1)
            self._address(address)
            return f"STACK {head}%x {escaped(rules)}"
        size, line, file = rest.split(" ")
        self._address(word)
        self._number(file, FILE)
        return f"%x {size} {line} %d"


def escaped(text):
    return text.replace("%", "%%")


def repeated_sym(faultline, elf):
    done = subprocess.run([faultline, "dump-syms", elf], check=True, text=True, capture_output=True)
    return RepeatedSym(done.stdout)


def gzipped(pieces):
    packer = zlib.compressobj(6, wbits=31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def write(path, pieces):
    """How many bytes went there."""
    with open(path, "wb") as file:
        file.writelines(pieces)
        return file.tell()


def ceph_osd(directory):
    """Debian's ceph-osd with its debug file as one ELF file of 655 MB: its path."""
    def run(*command):
        subprocess.run(command, check=True, cwd=directory, stdout=subprocess.DEVNULL)

    run("apt-get", "-q", "download", "ceph-osd", "ceph-osd-dbg")
    for package in glob.glob(f"{directory}/ceph-osd*.deb"):
        run("dpkg-deb", "-x", package, "unpacked")
    program = "unpacked/usr/bin/ceph-osd"
    notes = subprocess.run(["readelf", "-n", program], check=True, text=True, cwd=directory,
                           capture_output=True).stdout
    build_id = re.search(r"Build ID: (\w+)", notes)[1]
    debug = f"unpacked/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    run("eu-unstrip", program, debug, "-o", "whole")
    run("objcopy", "--decompress-debug-sections", "whole", "ceph-osd")
    return f"{directory}/ceph-osd"
