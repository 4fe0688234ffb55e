-- SPDX-License-Identifier: Apache-2.0

local setup = require("spec.workflow.setup")

local VERB = "PackageRevision/clone"
local INTERNAL = "Internal error occurred: "

local CONFIGMAP = [[
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings   # spaces stay
  namespace: example
data:

  color: red
]]

local STAMPED = [[
apiVersion: v1
kind: ConfigMap
metadata: # kpt-merge: example/settings
  name: settings   # spaces stay
  namespace: example
  annotations:
    internal.kpt.dev/upstream-identifier: '|ConfigMap|example|settings'
data:

  color: red
]]

local function clone(upstream)
  return { type = "clone", clone = { upstreamRef = upstream } }
end

local function registered(name)
  return clone({ upstreamRef = { name = name } })
end

describe("clone", function()
  after_each(setup.clean)

  local env

  before_each(function()
    env = setup.open()
    env:put("repositories", "deploy", { metadata = { name = "deploy" },
      spec = { type = "git", deployment = true, git = { repo = "https://x/d.git" } } })
    env:put("repositories", "porch", { metadata = { name = "porch",
      annotations = { ["lanai.dev/compat"] = "kpt" } },
      spec = { type = "git", git = { repo = "https://x/p.git" } } })
    local up = env:revision("repo.up.v1", { packageName = "up", workspaceName = "v1",
      lifecycle = "Published", revision = 1 },
      { Kptfile = setup.KPTFILE, ["cm.yaml"] = CONFIGMAP, ["bin/x"] = "\0\1",
        ["broken.yaml"] = "a: [" })
    up.status = { selfLock = { type = "git", git = { repo = "https://x/y", directory = "up",
      ref = "up/v1", commit = "c0ffee" } } }
    env:put("packagerevisions", "repo.up.v1", up, "repo", "up")
    env:revision("repo.up.main", { packageName = "up", workspaceName = "main", revision = -1,
      lifecycle = "Published" })
  end)

  it("takes the files, names its upstream and stamps what can be stamped", function()
    local r = env:run(VERB, setup.creation("mine", "v1", registered("repo.up.v1")))
    assert.is_true(r.ok, r.message)
    assert.equal("save", setup.types(r))
    local files = r.effects[1].files
    assert.equal(STAMPED, files["cm.yaml"])
    assert.equal("a: [", files["broken.yaml"])
    assert.equal("\0\1", files["bin/x"])
    assert.equal([[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata: # kpt-merge: /mine
  name: mine # the name
  annotations:
    internal.kpt.dev/upstream-identifier: 'kpt.dev|Kptfile|default|mine'
upstream:
  type: git
  git:
    repo: https://x/y.git
    directory: up
    ref: up/v1
upstreamLock:
  type: git
  git:
    repo: https://x/y.git
    directory: up
    ref: up/v1
    commit: c0ffee
info:
  description: d
]], files.Kptfile)
    assert.same(registered("repo.up.v1"), r.effects[1].task)
  end)

  it("writes as kpt does where the Repository asks for it", function()
    local r = env:run(VERB, setup.creation("mine", "v1", registered("repo.up.v1"),
      { repository = "porch" }))
    assert.is_true(r.ok, r.message)
    assert.is_nil(r.effects[1].files.Kptfile:find("the name", 1, true))
    -- one file that cannot be read and kpt stamps none
    assert.equal(CONFIGMAP, r.effects[1].files["cm.yaml"])
  end)

  it("gives deployed packages a context", function()
    local r = env:run(VERB, setup.creation("site/mine", "v1", registered("repo.up.v1"),
      { repository = "deploy" }))
    assert.equal("failed to generate deployment context",
      r.message:match("failed to generate deployment context"))
    env:revision("repo.ok.v1", { packageName = "ok", workspaceName = "v1",
      lifecycle = "Published" })
    r = env:run(VERB, setup.creation("site/mine", "v1", registered("repo.ok.v1"),
      { repository = "deploy" }))
    assert.is_true(r.ok, r.message)
    assert.truthy(r.effects[1].files["package-context.yaml"]:find(
      "data:\n  name: site/mine\n  package-path: site/mine\n", 1, true))
  end)

  it("refuses sources that will not do", function()
    local cases = {
      { registered(""), "upstreamRef.name is required" },
      { registered("repo.up.v9"),
        'failed to fetch package revision "repo.up.v9": cannot find package revision "repo.up.v9"' },
      { registered("repo.up.main"),
        "upstream revision may not be the placeholder package revision repo/repo.up.main" },
      { clone({ oci = { image = "x" } }), "clone from OCI is not implemented" },
      { clone({ type = "git" }),
        "invalid clone source (neither of git, oci, nor upstream were specified)" },
    }
    for _, case in ipairs(cases) do
      local r = env:run(VERB, setup.creation("mine", "v1", case[1]))
      assert.equal("internal", r.kind)
      assert.equal(INTERNAL .. case[2], r.message)
    end
    local r = env:run(VERB, setup.creation("up", "v2", registered("repo.up.v1")))
    assert.equal(INTERNAL .. '`clone` cannot create a new revision for package "up" that already'
      .. ' exists in repo "repo"; make subsequent revisions using `copy`', r.message)
  end)
end)
