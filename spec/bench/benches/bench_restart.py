# SPDX-License-Identifier: Apache-2.0
"""From the start of the process to the first answer, with everything stored."""
import time

import lanai
import load
import support


def once(world, clean):
    server = world.server
    server.end() if clean else server.kill()
    world.api.close()
    began = time.perf_counter()
    server.start(wait=False)
    while True:
        client = server.client(timeout=30)
        try:
            status, _ = client.request("GET", f"{lanai.revisions()}/load.{load.package_name(0)}.w1")
            if status == 200:
                return time.perf_counter() - began
        except OSError:
            pass  # it does not listen yet
        finally:
            client.close()
        if time.perf_counter() - began > 60:
            raise TimeoutError("no answer after the start: " + server.tail())
        time.sleep(0.002)


def run(bench):
    world = bench.world()
    for clean, name in ((True, "restart"), (False, "restart after kill -9")):
        bench.row(f"{name}, {world.n} revisions", support.percentiles(
            [once(world, clean) for _ in range(5)]), 1000.0, wanted="<= 1 s", note="floor: 1 s")
