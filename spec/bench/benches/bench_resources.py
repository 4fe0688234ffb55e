# SPDX-License-Identifier: Apache-2.0
"""GET of the files of one published revision."""
import lanai
import load

PATH = f"{lanai.resources()}/load.{load.package_name(0)}.w1"


def measure(world, n=1000):
    return world.measure(PATH, n)


def run(bench):
    world = bench.world()
    bench.row("resources", measure(world), bench.floor_get(world, PATH, 1000), wanted="<= 3")
