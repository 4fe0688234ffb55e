# SPDX-License-Identifier: Apache-2.0
"""Reading and writing the YAML files of the recorded packages."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../../..")


def run(bench):
    cases = os.environ.get("LANAI_CONFORMANCE") or os.path.join(ROOT, "../shared/conformance")
    real = os.path.join(cases, "corpus/real")
    if not os.path.isdir(real):
        print(f"yaml: no recorded packages in '{real}'")
        return
    build = os.path.dirname(os.environ["LANAI"])
    subprocess.run(["ninja", "-C", build, "probe_yaml"], check=True, stdout=subprocess.DEVNULL)
    files = os.path.join(bench.scratch, "yaml-files")
    with open(files, "w", encoding="utf-8") as out:
        for place, _, names in sorted(os.walk(real)):
            for name in sorted(names):
                if name == "Kptfile" or name.endswith((".yaml", ".yml")):
                    print(os.path.join(place, name), file=out)
    text = subprocess.run(["lua5.4", os.path.join(HERE, "../yaml.lua"),
                           os.path.join(build, "probe"), files, "5"],
                          check=True, capture_output=True, text=True).stdout
    runs = sorted(tuple(map(float, line.split())) for line in text.splitlines())
    read, both, memory = runs[len(runs) // 2]
    note = "per file, one core; floor: what is wanted"
    bench.row("yaml read", read, 80.0, unit="MB/s", wanted=">= 80 MB/s", note=note)
    bench.row("yaml read and write", both, 60.0, unit="MB/s", wanted=">= 60 MB/s", note=note)
    bench.row("yaml memory", memory, 4.0, unit="x text", wanted="<= 4 x the text", note="arena")
