# SPDX-License-Identifier: Apache-2.0
"""Propose and propose-delete: against one durable commit."""


def propose(world, n=200):
    return world.propose(n, world.drafts(n))


def propose_delete(world, first, n):
    return world.patch("load.new-{n}.w", "DeletionProposed", n, first)


def run(bench):
    world = bench.world()
    bench.row("propose", propose(world), bench.floor_commit(), wanted="<= 5")
    n = 50
    bench.row("propose-delete", propose_delete(world, world.published(n), n))
