-- SPDX-License-Identifier: Apache-2.0

local setup = require("spec.workflow.setup")

local VERB = "PackageRevision/init"
local INTERNAL = "Internal error occurred: "

local function init(values)
  return { type = "init", init = values }
end

describe("init", function()
  after_each(setup.clean)

  it("makes the three files of the reference tool", function()
    local env = setup.open()
    local r = env:run(VERB, setup.creation("p1", "v1",
      init({ description = "d & <x>", keywords = { "a", "b" }, site = "http://s" })))
    assert.is_true(r.ok, r.message)
    assert.equal("save", setup.types(r))
    assert.same({
      Kptfile = [[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: p1
  annotations:
    config.kubernetes.io/local-config: "true"
info:
  site: http://s
  description: d & <x>
  keywords:
  - a
  - b
]],
      ["README.md"] = [[
# p1

## Description
d &amp; &lt;x&gt;

## Usage

### Fetch the package
`kpt pkg get REPO_URI[.git]/PKG_PATH[@VERSION] p1`
Details: https://kpt.dev/reference/cli/pkg/get/

### View package content
`kpt pkg tree p1`
Details: https://kpt.dev/reference/cli/pkg/tree/

### Apply the package
```
kpt live init p1
kpt live apply p1 --reconcile-timeout=2m --output=table
```
Details: https://kpt.dev/reference/cli/live/
]],
      ["package-context.yaml"] = [[
apiVersion: v1
kind: ConfigMap
metadata:
  name: kptfile.kpt.dev
  annotations:
    config.kubernetes.io/local-config: "true"
data:
  name: example
]],
    }, r.effects[1].files)
    assert.equal("init", r.effects[1].task.type)
    assert.equal("p1", r.effects[1].object.spec.packageName)
  end)

  it("describes a package without a task by its name", function()
    local r = setup.open():run(VERB, setup.creation("a/p1", "v1"))
    assert.is_true(r.ok, r.message)
    assert.same({ type = "init", init = { description = "a/p1 description" } }, r.effects[1].task)
    assert.matches("\n  description: a/p1 description\n", r.effects[1].files.Kptfile, 1, true)
    assert.matches("\n  name: a/p1\n", r.effects[1].files.Kptfile, 1, true)
  end)

  it("writes an empty info when nothing is said", function()
    local req = '{"object":{"metadata":{},"spec":{"packageName":"p","workspaceName":"v1",'
      .. '"repository":"repo","tasks":[{"type":"init","init":{}}]}}}'
    local r = setup.open():run(VERB, req)
    assert.is_true(r.ok, r.message)
    assert.matches("\ninfo: {}\n$", r.effects[1].files.Kptfile)
    assert.matches("## Description\n\n\n## Usage", r.effects[1].files["README.md"], 1, true)
  end)

  it("puts requested metadata and gates into the Kptfile", function()
    local r = setup.open():run(VERB, setup.creation("p", "v1", init({ description = "d" }), {
      packageMetadata = { labels = { l = "1" }, annotations = { a = "2" } },
      readinessGates = { { conditionType = "tested" } },
    }))
    assert.is_true(r.ok, r.message)
    local kptfile = r.effects[1].files.Kptfile
    assert.matches('labels:\n    l: "1"', kptfile, 1, true)
    assert.matches('a: "2"', kptfile, 1, true)
    assert.matches('config.kubernetes.io/local-config: "true"', kptfile, 1, true)
    assert.matches("readinessGates:\n *%- conditionType: tested", kptfile)
  end)

  it("refuses a workspace that is taken", function()
    local env = setup.open()
    env:revision("repo.p.v1", { packageName = "p", workspaceName = "v1", lifecycle = "Draft" })
    local r = env:run(VERB, setup.creation("p", "v1"))
    assert.equal("internal", r.kind)
    assert.equal(INTERNAL .. "package revision workspaceNames must be unique; package revision with"
      .. " name p in repo repo with workspaceName v1 already exists", r.message)
    assert.same({}, r.effects)
  end)

  it("refuses a package that exists", function()
    local env = setup.open()
    env:revision("repo.a.p.v1", { packageName = "a/p", workspaceName = "v1", lifecycle = "Draft" })
    local r = env:run(VERB, setup.creation("a/p", "v2"))
    assert.equal(INTERNAL .. 'package "a/p" already exists in repository "repo"', r.message)
    assert.equal('package "a/p" already exists in repository "repo"', r.causes[1].message)
    assert.is_true(env:run(VERB, setup.creation("p", "v2")).ok) -- same last segment, other path
  end)

  it("refuses nesting in both directions, and only that", function()
    local env = setup.open()
    env:revision("repo.a.b.v1", { packageName = "a/b", workspaceName = "v1", lifecycle = "Draft" })
    local r = env:run(VERB, setup.creation("a/b/c", "v1"))
    assert.equal(INTERNAL .. 'package path "a/b/c" conflicts with existing package "a/b": packages'
      .. " cannot be nested", r.message)
    r = env:run(VERB, setup.creation("a", "v1"))
    assert.equal(INTERNAL .. 'package path "a" conflicts with existing package "a/b": packages'
      .. " cannot be nested", r.message)
    for _, package in ipairs({ "a/bc", "ab", "a/a", "b", "a/c/b" }) do
      assert.is_true(env:run(VERB, setup.creation(package, "v1")).ok, package)
    end
  end)

  it("looks at as much whatever the repository holds", function()
    local env = setup.open()
    for i = 1, 300 do
      env:revision(("repo.x%d.v1"):format(i),
        { packageName = "x" .. i, workspaceName = "v1", lifecycle = "Draft" })
    end
    local r = env:run(VERB, setup.creation("a/b/c", "v1"))
    assert.is_true(r.ok, r.message)
    table.sort(r.reads)
    assert.same({ "packagerevisions/ns/repo.a.b.c.*", "packagerevisions/ns/repo.a.b.c.v1@0",
      "packages/ns/repo.a.b.c@0", "packages/ns/repo.a.b@0", "packages/ns/repo.a@0",
      "repositories/ns/repo@2" }, r.reads)
  end)

  it("refuses a subpackage and a task without content", function()
    local env = setup.open()
    local r = env:run(VERB, setup.creation("p", "v1", init({ subpackage = "s" })))
    assert.equal("invalid", r.kind)
    assert.equal("spec.tasks[0].init.subpackage", r.causes[1].field)
    r = env:run(VERB, setup.creation("p", "v1", { type = "init" }))
    assert.equal(INTERNAL .. 'init not set for task of type "init"', r.message)
  end)

  it("refuses names that make no object name", function()
    local r = setup.open():run(VERB, setup.creation("P", "v1"))
    assert.equal("internal", r.kind)
    assert.matches("^Internal error occurred: failed to create packagerevision: package revision"
      .. " kubernetes resource name invalid:\n", r.message)
  end)
end)
