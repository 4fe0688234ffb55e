# SPDX-License-Identifier: Apache-2.0
"""LIST of one package of one repository."""
import lanai
import load

PATH = (f"{lanai.revisions()}?fieldSelector=spec.repository%3Dload%2Cspec.packageName%3D"
        f"{load.package_name(0)}")


def measure(world, n=500):
    return world.measure(PATH, n)


def run(bench):
    world = bench.world()
    bench.row("list by repository and package", measure(world),
              bench.floor_get(world, PATH, 500))
