# SPDX-License-Identifier: Apache-2.0
"""Save of a draft's files with the pipeline set-namespace."""
import json

import lanai
import load
import support

PIPELINE = """pipeline:
  mutators:
    - image: gcr.io/kpt-fn/set-namespace:v0.4.1
      configMap:
        namespace: bench
"""


def measure(world, n=100):
    first = world.drafts(n)
    name = f"load.new-{first}.w"
    body = world.api.files(name)
    files = body["spec"]["resources"]
    files["Kptfile"] = files["Kptfile"].split("\npipeline:")[0].rstrip("\n") + "\n" + PIPELINE
    files["deployment.yaml"] = load.DEPLOYMENT.format(package="new", revision="{n}")
    # Each save is of another package, and so of the state it was created with.
    for member in ("resourceVersion", "uid", "creationTimestamp", "name"):
        body["metadata"].pop(member, None)
    body["metadata"]["name"] = "load.new-{n}.w"
    body["spec"]["packageName"] = "new-{n}"
    text = json.dumps(body).replace(f"new-{first}", "new-{n}")
    return world.measure(f"{lanai.resources()}/load.new-{{n}}.w", n, "PATCH", text,
                         support.MERGE_TYPE, first=first)


def run(bench):
    bench.row("save and render", measure(bench.world()), bench.floor_commit())
