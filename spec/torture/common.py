# SPDX-License-Identifier: Apache-2.0
"""What the torture programs share: their report, and how a revision looks in git."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lanai  # noqa: E402

lanai.end_cleanly()


class Report:
    """Counts what was checked and collects what was wrong."""

    def __init__(self, name, quiet=False):
        self.name, self.quiet = name, quiet
        self.checks, self.violations = 0, []

    def check(self, good, what):
        self.checks += 1
        if not good:
            self.violations.append(what)
            print(f"{self.name}: VIOLATION: {what}", flush=True)
        return good

    def say(self, text):
        if not self.quiet:
            print(f"{self.name}: {text}", flush=True)

    def end(self, summary=""):
        """Prints the summary; the exit status."""
        print(f"{self.name}: {summary + ', ' if summary else ''}{self.checks} checks, "
              f"{len(self.violations)} violations", flush=True)
        return 1 if self.violations else 0


def tags_of(git, repo, package):
    """Full names of the package's tags in the bare repository."""
    out = lanai.git("-C", git.path(repo), "for-each-ref", "--format=%(refname)",
                    f"refs/tags/{package}/")
    return out.split()


def file_at(git, repo, revision, path):
    """Content of a file, or None."""
    try:
        return lanai.git("-C", git.path(repo), "show", f"{revision}:{path}")
    except RuntimeError:
        return None


def on_main(git, repo, ref):
    try:
        lanai.git("-C", git.path(repo), "merge-base", "--is-ancestor", ref, "refs/heads/main")
        return True
    except RuntimeError:
        return False
