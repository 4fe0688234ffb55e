-- SPDX-License-Identifier: Apache-2.0
--
-- What saves and metadata updates do with pipelines.

local cjson = require("cjson")
local setup = require("spec.workflow.setup")

local NAME = "repo.p.v1"

local PIPELINE = setup.KPTFILE .. [[
pipeline:
  mutators:
  - image: set-namespace:v0.4.1
    configMap:
      namespace: staging
]]
local FAILING = PIPELINE .. "  - image: no-such-function:v9.9.9\n"
local SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s # named\n  namespace: old\n"

local function env_with(old, annotations)
  local env = setup.open()
  local object = env:revision(NAME, { packageName = "p", workspaceName = "v1",
    lifecycle = "Draft" }, old or { Kptfile = setup.KPTFILE })
  if annotations then
    object.metadata.annotations = annotations
    env:put("packagerevisions", NAME, object, "repo", "p")
  end
  return env, object
end

local function push(files, annotations)
  return env_with(nil, annotations):run("PackageRevisionResources/update",
    cjson.encode({ object = { metadata = { name = NAME } }, resources = files }), { render = "1" })
end

describe("a save", function()
  after_each(setup.clean)

  it("is rendered, and says what its functions said", function()
    local r = push({ Kptfile = PIPELINE, ["s.yaml"] = SERVICE, ["note.txt"] = "kept" })
    assert.is_true(r.ok, r.message)
    local save = r.effects[1]
    assert.equal((SERVICE:gsub("old", "staging")), save.files["s.yaml"])
    assert.equal("kept", save.files["note.txt"])
    assert.equal(PIPELINE, save.files.Kptfile:sub(1, #PIPELINE))
    assert.matches("reason: RenderSuccess", save.files.Kptfile, 1, true)
    local render = cjson.decode(save.render)
    assert.equal("", render.error)
    assert.matches("updated to", render.result.items[1].results[1].message, 1, true)
  end)

  it("shows no function what .krmignore names", function()
    local r = push({ Kptfile = PIPELINE, ["s.yaml"] = SERVICE, [".krmignore"] = "charts/\nv.yaml\n",
      ["charts/values.yaml"] = "replicas: 1\n", ["v.yaml"] = SERVICE })
    assert.is_true(r.ok, r.message)
    local files = r.effects[1].files
    assert.equal((SERVICE:gsub("old", "staging")), files["s.yaml"])
    assert.equal(SERVICE, files["v.yaml"])
    assert.equal("replicas: 1\n", files["charts/values.yaml"])
  end)

  it("whose pipeline fails changes nothing", function()
    local r = push({ Kptfile = FAILING, ["s.yaml"] = SERVICE })
    assert.is_false(r.ok)
    assert.matches('NOT pushed to remote.*Details: fn.render: pkg /:\n\tpkg.render:\n\t'
      .. 'pipeline.run: func eval "%S+/no%-such%-function:v9.9.9" failed: ', r.message)
  end)

  it("whose pipeline fails is kept where the revision asks for it, and still an error", function()
    local r = push({ Kptfile = FAILING, ["s.yaml"] = SERVICE },
      { ["porch.kpt.dev/push-on-render-failure"] = "true" })
    local save = r.effects[1]
    assert.equal(SERVICE, save.files["s.yaml"])
    assert.matches("reason: RenderFailed", save.files.Kptfile, 1, true)
    assert.matches("Package pushed to remote despite render failure", save.failure, 1, true)
    assert.equal(1, cjson.decode(save.render).result.exitCode)
  end)

  it("keeps what was made before the failure where the package asks for it", function()
    local text = FAILING:gsub("name: p # the name\n",
      '%0  annotations:\n    kpt.dev/save-on-render-failure: "true"\n')
    local r = push({ Kptfile = text, ["s.yaml"] = SERVICE },
      { ["porch.kpt.dev/push-on-render-failure"] = "true" })
    assert.equal((SERVICE:gsub("old", "staging")), r.effects[1].files["s.yaml"])
  end)
end)

describe("an update of a draft", function()
  after_each(setup.clean)

  it("fails when its pipeline does", function()
    local env, object = env_with({ Kptfile = FAILING })
    local r = env:run("PackageRevision/update", cjson.encode({ object = object, old = object }),
      { render = "1" })
    assert.is_false(r.ok)
    assert.matches("Internal error occurred: Error rendering package in kpt function pipeline. "
      .. "Package NOT pushed", r.message, 1, true)
  end)
end)
