# SPDX-License-Identifier: Apache-2.0
"""Approve: against a git push of the same commits to the same server; 100 at once."""
import os
import shutil

import lanai
import load


def measure(world, n=20):
    first = world.proposals(n)
    return world.approve(n, first), first


def floor(bench, world, first, n=20):
    """Pushes the commits of these approvals, one by one, to a copy of the repository as it was."""
    copy, clone = "floor", os.path.join(bench.scratch, "clone")
    if not os.path.exists(world.git.path(copy)):
        load.make(world.git.path(copy), world.n)
    lanai.git("clone", "-q", "--bare", world.git.path("load"), clone)
    try:
        tags = [f"new-{first + i}/v1" for i in range(n)]
        # What came before the first of them is there already.
        lanai.git("-C", clone, "push", "-q", "-f", world.git.path(copy),
                  f"{tags[0]}^1:refs/heads/main")
        return bench.floor_git(
            n, "-C", clone, "push", "-q", world.git.url(copy),
            prepare=lambda i: (f"{tags[i]}:refs/heads/main", f"{tags[i]}:refs/tags/{tags[i]}"))
    finally:
        shutil.rmtree(clone)


def many(world, n=100):
    """n approvals in one repository at the same time."""
    first = world.proposals(n)
    return world.approve(n, first, n)


def run(bench):
    for n in sorted({1000, bench.size}):
        world = bench.world(n)
        sample, first = measure(world)
        push = floor(bench, world, first)
        bench.row(f"approve at {n}", sample, push, wanted="<= 1.25", note="floor: git push")
        together = many(world)
        bench.row(f"approve 100 together at {n}", together.seconds * 1e3, push.p50 * 100,
                  wanted="<= 0.25", note="floor: 100 single pushes")
