# SPDX-License-Identifier: Apache-2.0
"""Create by init: against one durable commit."""


def measure(world, n=200):
    return world.create(n, world.take(n))


def run(bench):
    bench.row("create", measure(bench.world()), bench.floor_commit(), wanted="<= 5")
