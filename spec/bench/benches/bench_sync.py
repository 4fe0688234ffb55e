# SPDX-License-Identifier: Apache-2.0
"""First sync (against git clone --mirror) and sync without a change (against git ls-remote)."""
import os
import shutil
import time

import lanai
import load
import support


def clone_floor(bench, url, n=5):
    target = os.path.join(bench.scratch, "mirror")

    def away(_):
        shutil.rmtree(target, ignore_errors=True)
        return ()
    return bench.floor_git(n, "clone", "-q", "--mirror", url, target, prepare=away)


def no_change(world, n=20):
    """Times from asking for a sync to its recorded end."""
    times = []
    path = f"{lanai.repositories()}/load"
    for i in range(n):
        # Each request is for another past moment, else it counts as done already.
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1000 + i))
        began = time.perf_counter()
        world.api.ask("PATCH", path, {"spec": {"sync": {"runOnceAt": moment}}},
                      {"Content-Type": lanai.MERGE})
        while world.api.ask("GET", path)["status"].get("observedRunOnceAt") != moment:
            if time.perf_counter() - began > 30:
                raise TimeoutError("the sync that was asked for does not happen")
            time.sleep(0.001)
        times.append(time.perf_counter() - began)
    return support.percentiles(times)


def run(bench):
    for n in (1000, 5000):
        world = bench.world(n)
        floor = clone_floor(bench, world.git.url("load"))
        bench.row(f"first sync of {n}", world.first_sync * 1e3, floor, wanted="<= 1.5+0.5 s",
                  note=f"allowed {floor.p50 * 1.5 + 500:.0f} ms; floor: git clone --mirror")
        if n != 1000:
            bench.drop(n)
    world = bench.world(1000)
    floor = bench.floor_git(20, "ls-remote", "-q", world.git.url("load"))
    bench.row("sync without change", no_change(world), floor, wanted="<= 1.5",
              note="floor: git ls-remote")
