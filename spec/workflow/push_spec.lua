-- SPDX-License-Identifier: Apache-2.0

local cjson = require("cjson")
local setup = require("spec.workflow.setup")

local VERB = "PackageRevisionResources/update"
local INTERNAL = "Internal error occurred: "
local NAME = "repo.p.v1"

local function push(lifecycle, files, old)
  local env = setup.open()
  env:revision(NAME, { packageName = "p", workspaceName = "v1", lifecycle = lifecycle },
    old or { Kptfile = setup.KPTFILE, ["gone.yaml"] = "a: b\n" })
  return env:run(VERB, '{"object":{"metadata":{"name":"' .. NAME .. '"}},"resources":'
    .. (files and cjson.encode(files) or "{}") .. "}")
end

describe("push", function()
  after_each(setup.clean)

  it("replaces the whole file set, byte for byte", function()
    local files = { Kptfile = setup.KPTFILE .. "# more\n", ["a/x.yaml"] = "a:   1 # odd\n",
      ["script.sh"] = "#!/bin/sh\n", ["empty.txt"] = "" }
    local r = push("Draft", files)
    assert.is_true(r.ok, r.message)
    assert.equal("save", setup.types(r))
    assert.same(files, r.effects[1].files)
    assert.equal(NAME, r.effects[1].object.metadata.name)
    assert.is_nil(r.effects[1].task)
    assert.equal(2, #r.reads)
  end)

  it("is for drafts only", function()
    for _, lifecycle in ipairs({ "Proposed", "Published", "DeletionProposed" }) do
      local r = push(lifecycle, { Kptfile = setup.KPTFILE })
      assert.equal(INTERNAL .. ('cannot update a package revision with lifecycle value "%s";'
        .. " package must be Draft"):format(lifecycle), r.message)
      assert.equal("internal", r.kind)
    end
  end)

  it("needs a root Kptfile", function()
    local text = INTERNAL .. "package must contain Kptfile at root: file does not exist"
    assert.equal(text, push("Draft", { ["a/Kptfile"] = setup.KPTFILE }).message)
    assert.equal(text, push("Draft").message)
  end)

  it("refuses files that are not the YAML they say they are", function()
    local r = push("Draft", { Kptfile = setup.KPTFILE, ["b.yaml"] = "a: [" })
    assert.matches("^Internal error occurred: failed to heal resources: b%.yaml: ", r.message)
    assert.is_true(push("Draft", { Kptfile = setup.KPTFILE, ["b.txt"] = "a: [" }).ok)
  end)

  it("lets broken YAML stay that was there before", function()
    local files = { Kptfile = setup.KPTFILE, ["b.yaml"] = "a: [" }
    assert.is_true(push("Draft", files, files).ok)
  end)

  it("refuses paths that leave the package or clash", function()
    for _, path in ipairs({ "../x", "/x", "a//b", "a/./b", "", "a/../../b", ".git/config",
      "Kptfile/x" }) do
      local r = push("Draft", { Kptfile = setup.KPTFILE, [path] = "x" })
      assert.is_false(r.ok, path)
      assert.equal("invalid", r.kind, path)
    end
  end)
end)
