# SPDX-License-Identifier: Apache-2.0
"""Deleting published revisions (one push each)."""
import bench_propose
import lanai


def measure(world, n=20):
    first = world.published(n)
    bench_propose.propose_delete(world, first, n)
    return world.measure(f"{lanai.revisions()}/load.new-{{n}}.w", n, "DELETE", first=first)


def run(bench):
    bench.row("delete published", measure(bench.world(1000)))
