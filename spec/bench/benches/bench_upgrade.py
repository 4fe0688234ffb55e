# SPDX-License-Identifier: Apache-2.0
"""Upgrade of a package of 1 MB in 100 files: upstream changed resources in half of them, the local
side others in a tenth."""
import lanai
import support

FILES, RESOURCES = 100, 40

RESOURCE = """apiVersion: v1
kind: ConfigMap
metadata:
  name: config-{number}
  labels:
    app: bench # of all
data:
  # what upstream says
  upstream: "{upstream}"
  local: "{local}"
  text: {text}
"""


def resource(number, upstream, local):
    return RESOURCE.format(number=number, upstream=upstream if number % 10 == 0 else 0,
                           local=local if number % 10 == 5 else 0, text="x" * 80)


def files(numbers=range(FILES), upstream=0, local=0):
    return {f"part-{i}.yaml": "---\n".join(resource(i * RESOURCES + j, upstream, local)
                                           for j in range(RESOURCES)) for i in numbers}


def publish(api, name, content):
    api.save(name, content)
    api.propose(name)
    api.approve(name)


def measure(world, n=20):
    api = world.api
    api.create("load", "up", "w1")
    publish(api, "load.up.w1", files())
    api.create("load", "up", "w2", task={"type": "edit", "edit": {
        "sourceRef": {"name": "load.up.w1"}}})
    publish(api, "load.up.w2", files(range(FILES // 2), upstream=1))
    api.create("load", "down", "w1", task={"type": "clone", "clone": {"upstreamRef": {
        "upstreamRef": {"name": "load.up.w1"}}}})
    publish(api, "load.down.w1", files(range(0, FILES, 10), local=1))
    task = {"type": "upgrade", "upgrade": {
        "oldUpstreamRef": {"name": "load.up.w1"}, "newUpstreamRef": {"name": "load.up.w2"},
        "localPackageRevisionRef": {"name": "load.down.w1"}, "strategy": "resource-merge"}}
    return world.measure(lanai.revisions(), n, "POST",
                         support.new_revision("down", "upgrade-{n}", task), support.JSON_TYPE,
                         first=world.take(n))


def run(bench):
    bench.row("upgrade of 1 MB", measure(bench.world()), bench.floor_commit(), wanted="<= 100 ms")
