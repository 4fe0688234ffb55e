# SPDX-License-Identifier: Apache-2.0
"""Create by cloning a published revision of a registered repository."""
import lanai
import load
import support


def measure(world, n=100):
    task = {"type": "clone", "clone": {"upstreamRef": {
        "upstreamRef": {"name": f"load.{load.package_name(0)}.w1"}}}}
    return world.measure(lanai.revisions(), n, "POST",
                         support.new_revision("clone-{n}", "w", task), support.JSON_TYPE,
                         first=world.take(n))


def run(bench):
    bench.row("clone", measure(bench.world()), bench.floor_commit())
