# SPDX-License-Identifier: Apache-2.0
"""LIST of everything as JSON and as Table: throughput, first byte, memory that one list adds."""
import lanai

ACCEPT = {"json": ["-H", "Accept: application/json"], "table": ["-H", "Accept: " + lanai.TABLE]}


def measure(world, form, n=10):
    return world.measure(lanai.revisions(), n, headers=ACCEPT[form])


def added_memory(world, form):
    """Peak of resident memory during one list, above what it was before, in MiB."""
    pid = world.server.process.pid
    with open(f"/proc/{pid}/clear_refs", "w") as f:
        f.write("5")  # the peak starts anew
    before = world.server.memory()["VmRSS"]
    measure(world, form, 1)
    return world.server.memory()["VmHWM"] - before


def run(bench):
    world = bench.world()
    for form in ("json", "table"):
        measure(world, form, 2)
        sample = measure(world, form)
        floor = bench.floor_get(world, lanai.revisions(), 10, ACCEPT[form])
        size = sample.bytes / 10
        bench.row(f"list {world.n} {form}", sample, floor, note=f"{size / 1e6:.1f} MB, first byte "
                  f"{sample.head50:.2f} ms")
        speed, best = size / sample.p50 / 1e3, size / floor.p50 / 1e3
        bench.row(f"list {world.n} {form}, speed", speed, best, unit="MB/s", wanted=">= 150 MB/s",
                  ratio=speed / best)
        bench.row(f"list {world.n} {form}, memory", added_memory(world, form), unit="MiB",
                  wanted="<= 2 MiB")
