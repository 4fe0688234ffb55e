# SPDX-License-Identifier: Apache-2.0
"""The floor of writes itself, for the record."""


def run(bench):
    bench.row("commit: SQLite, 2 KiB, durable", bench.floor_commit(1000), note="the floor of writes")
