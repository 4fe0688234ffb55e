# SPDX-License-Identifier: Apache-2.0
"""Opening a watch: until the first event of the initial ones, each on a new connection."""
import lanai

PATH = f"{lanai.revisions()}?watch=true&timeoutSeconds=5"


def measure(world, n=50):
    return world.measure(PATH, n, watch=True)


def run(bench):
    sample = measure(bench.world())
    bench.row("watch: first event", sample, note=f"headers {sample.head50:.2f} ms")
