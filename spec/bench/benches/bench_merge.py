# SPDX-License-Identifier: Apache-2.0
"""Three-way merges of packages in which every file was changed on both sides."""
import os
import subprocess

import support

HERE = os.path.dirname(os.path.abspath(__file__))


def run(bench):
    build = os.path.dirname(os.environ["LANAI"])
    subprocess.run(["ninja", "-C", build, "probe_merge"], check=True, stdout=subprocess.DEVNULL)
    for size, limit, runs in ((100_000, 12.0, 40), (1_000_000, 100.0, 10)):
        out = subprocess.run(["lua5.4", os.path.join(HERE, "../merge.lua"),
                              os.path.join(build, "probe"), str(size), str(runs)],
                             check=True, capture_output=True, text=True).stdout
        for mode in ("lanai", "kpt"):
            times = [float(line.split()[1]) / 1e3 for line in out.splitlines()
                     if line.split()[0] == mode]
            bench.row(f"merge {size // 1000} KB, {mode}", support.percentiles(times), limit,
                      wanted=f"<= {limit:.0f} ms", note="processor time; floor: what is wanted")
