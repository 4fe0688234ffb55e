# SPDX-License-Identifier: Apache-2.0
"""Makes bare repositories with many tagged package revisions, in the layout that an approval
leaves: one commit per revision on main and the tag PACKAGE/vN on it. One `git fast-import`, so
10,000 revisions take seconds.

    python3 spec/bench/load.py DIR.git COUNT [REVISIONS-PER-PACKAGE]
"""
import json
import subprocess
import sys

KPTFILE = """apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: {package}
  annotations:
    config.kubernetes.io/local-config: "true"
info:
  description: sample package {package}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {package} # kept as it is
spec:
  replicas: {revision}
  selector:
    matchLabels:
      app: {package}
  template:
    metadata:
      labels:
        app: {package}
    spec:
      containers:
        - name: main
          image: registry.example.com/{package}:1.{revision}
"""


def package_name(i):
    return f"load-{i:05d}"


def commit(out, mark, package, revision, parent):
    note = json.dumps({"package": package, "workspaceName": f"w{revision}",
                       "revision": str(revision)}, separators=(",", ":"))
    message = f"Approving package revision {package}/{revision}\n\nkpt:{note}\n"
    out.append(f"commit refs/heads/main\nmark :{mark}\n"
               f"committer Load <load@example.com> {1700000000 + mark} +0000\n"
               f"data {len(message)}\n{message}")
    if parent:
        out.append(f"from :{parent}\n")
    for path, text in (("Kptfile", KPTFILE), ("deployment.yaml", DEPLOYMENT)):
        text = text.format(package=package, revision=revision)
        out.append(f"M 100644 inline {package}/{path}\ndata {len(text)}\n{text}\n")
    out.append(f"reset refs/tags/{package}/v{revision}\nfrom :{mark}\n\n")


def stream(count, per_package):
    out, done = [], 0
    packages = (count + per_package - 1) // per_package
    for revision in range(1, per_package + 1):
        for i in range(packages):
            if done < count:
                commit(out, done + 1, package_name(i), revision, done)
                done += 1
    return "".join(out)


def make(path, count, per_package=10):
    """A bare repository at path with `count` tagged revisions."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
    subprocess.run(["git", "-C", path, "fast-import", "--quiet"], check=True,
                   input=stream(count, per_package).encode())
    subprocess.run(["git", "-C", path, "pack-refs", "--all"], check=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    make(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 10)
