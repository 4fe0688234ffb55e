# SPDX-License-Identifier: Apache-2.0
"""Resident memory: idle, with everything stored, after reading everything."""
import lanai


def run(bench):
    with lanai.Server() as server:
        found = server.memory()
        bench.row("memory idle", found["VmRSS"], 25.0, unit="MiB", wanted="<= 25 MiB",
                  note=f"of it anonymous {found['RssAnon']:.1f}; floor: 25 MiB")
    world = bench.world()
    found = world.server.memory()
    bench.row(f"memory, {world.n} revisions", found["VmRSS"], 64.0, unit="MiB",
              wanted="<= 64 MiB", note=f"of it anonymous {found['RssAnon']:.1f}; floor: 64 MiB")
    world.measure(lanai.revisions(), 5)
    found = world.server.memory()
    bench.row(f"memory, {world.n}, after lists", found["VmRSS"], 64.0, unit="MiB",
              wanted="<= 64 MiB", note=f"of it anonymous {found['RssAnon']:.1f}; floor: 64 MiB")
