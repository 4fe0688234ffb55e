# SPDX-License-Identifier: Apache-2.0
"""Runs the benches (spec/bench/run builds and calls this)."""
import argparse
import importlib
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "benches"), HERE, os.path.join(HERE, "../lib")]
import support  # noqa: E402

# In this order: the worlds grow, and what asks for a fresh server comes last.
NAMES = ["commit", "get", "resources", "list", "select", "watch", "create", "clone", "upgrade",
         "save", "propose", "approve", "delete", "sync", "merge", "yaml", "restart", "memory", "growth"]


def show(number):
    if number is None:
        return "-"
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def show_row(row):
    ratio = "-" if row.get("ratio") is None else f"{row['ratio']:.2f}"
    print(f"{row['name']:<34} {show(row.get('p50')):>8} {show(row.get('p99')):>8} "
          f"{row['unit']:<5} {show(row.get('floor')):>8} {ratio:>7}  {row.get('wanted', ''):<9} "
          f"{row.get('note', '')}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="spec/bench/run")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--json", metavar="FILE", help="write the rows there too")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--size", type=int, default=10000, help="revisions of the big system")
    parser.add_argument("--tools", default="build/bench/bench", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.list:
        print("\n".join(NAMES))
        return 0
    unknown = [n for n in args.names if n not in NAMES]
    if unknown:
        parser.error(f"no bench is named {unknown[0]}; there are: {' '.join(NAMES)}")
    support.lanai.end_cleanly()
    bench = support.Bench(args.tools, args.size, show_row)
    print(f"{'name':<34} {'p50':>8} {'p99':>8} {'':<5} {'floor':>8} {'ratio':>7}  wanted")
    failed = []
    try:
        for name in [n for n in NAMES if not args.names or n in args.names]:
            try:
                importlib.import_module(f"bench_{name}").run(bench)
            except Exception as e:  # one bench that cannot run leaves the others their turn
                failed.append(name)
                bench.reset()
                print(f"{name}: {type(e).__name__}: {e}", file=sys.stderr)
    finally:
        bench.close()
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                       "cpus": os.cpu_count(), "failed": failed, "rows": bench.rows}, f, indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
