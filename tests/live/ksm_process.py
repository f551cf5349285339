"""A process with known pages that KSM may merge: `ksm_process.py NAME MIB COMMON_MIB`.

It says "ready" once all is filled. For the line "write" it writes to every page that others have as well,
and says "written". At the end of its input it ends.
"""

import mmap
import sys

PAGE = mmap.PAGESIZE
MIB = 1 << 20


def main(name: str, mib: str, common: str) -> None:
    size, shared = int(mib) * MIB, int(common) * MIB
    memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    memory.madvise(mmap.MADV_MERGEABLE)
    for start in range(0, size, PAGE):
        owner = b"everybody" if start < shared else name.encode()
        word = owner + start.to_bytes(8, "little")
        memory[start : start + len(word)] = word
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        if line == "write\n":
            for start in range(0, shared, PAGE):
                memory[start + 64 : start + 64 + len(name)] = name.encode()
            sys.stdout.write("written\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
