# SPDX-License-Identifier: Apache-2.0
"""GET of one revision: against a bare TLS GET of the same bytes."""
import lanai
import load


def measure(world, n=2000):
    return world.measure(f"{lanai.revisions()}/load.{load.package_name(0)}.w1", n)


def run(bench):
    world = bench.world()
    floor = bench.floor_get(world, f"{lanai.revisions()}/load.{load.package_name(0)}.w1", 2000)
    bench.row("get", measure(world), floor, wanted="<= 3")
