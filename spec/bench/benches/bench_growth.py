# SPDX-License-Identifier: Apache-2.0
"""Each operation with 10, 100, 1,000 and 10,000 existing revisions: is it flat? The floor of a
line is its own figure at 10."""
import bench_approve
import bench_clone
import bench_create
import bench_delete
import bench_get
import bench_list
import bench_propose
import bench_resources
import bench_save
import bench_select
import bench_watch

OPERATIONS = {
    "get": bench_get.measure,
    "resources": bench_resources.measure,
    "list json": lambda world: bench_list.measure(world, "json"),
    "list table": lambda world: bench_list.measure(world, "table"),
    "list by package": bench_select.measure,
    "watch": bench_watch.measure,
    "create": bench_create.measure,
    "clone": bench_clone.measure,
    "save": bench_save.measure,
    "propose": bench_propose.propose,
    "approve": lambda world: bench_approve.measure(world)[0],
    "propose-delete": lambda world: bench_propose.propose_delete(world, world.published(50), 50),
    "delete": bench_delete.measure,
}


def run(bench):
    at_ten = {}
    bench.reset()  # nobody else's drafts count
    for n in sorted({10, 100, 1000, bench.size}):
        world = bench.world(n)
        for name, measure in OPERATIONS.items():
            try:
                sample = measure(world)
            except RuntimeError as e:
                print(f"growth: {name} at {n}: {e}")
                continue
            at_ten.setdefault(name, sample)
            bench.row(f"{name} at {n}", sample, at_ten[name],
                      wanted="" if name in ("list json", "list table") else "<= 1.3")
        bench.row(f"register at {n}", world.first_sync * 1e3)
        bench.drop(n)
