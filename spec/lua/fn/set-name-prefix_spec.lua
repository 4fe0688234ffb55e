-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local function resource(kind, name, more)
  return ("apiVersion: v1\nkind: %s\nmetadata:\n  name: %s\n%s"):format(kind, name, more or "")
end

local LOCAL = "  annotations:\n    config.kubernetes.io/local-config: \"true\"\n"
local CONTEXT = resource("ConfigMap", "kptfile.kpt.dev", LOCAL .. "data:\n  name: shop\n")

local function run(files, data)
  files["context.yaml"] = files["context.yaml"] or CONTEXT
  return functions.run("set-name-prefix", files,
    data and "apiVersion: v1\nkind: ConfigMap\ndata:\n  " .. data .. "\n")
end

describe("set-name-prefix", function()
  it("renames what has the old prefix as a whole part, and what refers to it", function()
    local pod = "spec:\n  volumes:\n  - configMap:\n      name: %s\n"
    local got = run({ ["a.yaml"] = resource("ConfigMap", "packagename"),
      ["b.yaml"] = resource("Pod", "packagename-web", pod:format("packagename")),
      ["c.yaml"] = resource("ConfigMap", "packagenames"),
      ["d.yaml"] = resource("ConfigMap", "packagename-l", LOCAL),
      ["e.yaml"] = resource("ResourceGroup", "packagename") }).files
    assert.equal(resource("ConfigMap", "shop"), got["a.yaml"])
    assert.equal(resource("Pod", "shop-web", pod:format("shop")), got["b.yaml"])
    assert.equal(resource("ConfigMap", "packagenames"), got["c.yaml"])
    assert.equal(resource("ConfigMap", "packagename-l", LOCAL), got["d.yaml"])
    assert.equal(resource("ResourceGroup", "packagename"), got["e.yaml"])
  end)

  it("takes both prefixes from its configuration", function()
    local got = run({ ["a.yaml"] = resource("ConfigMap", "old-x") },
      "prefix: new\n  oldPrefix: old")
    assert.equal(resource("ConfigMap", "new-x"), got.files["a.yaml"])
  end)

  it("needs the package context and a prefix", function()
    assert.is_false(functions.run("set-name-prefix", {}).ok)
    local got = run({ ["context.yaml"] = resource("ConfigMap", "kptfile.kpt.dev", "data: {}\n") })
    assert.equal("`data.prefix` should not be empty", got.error)
  end)

  it("reports a configuration of another kind and changes nothing", function()
    local got = functions.run("set-name-prefix", { ["context.yaml"] = CONTEXT,
      ["a.yaml"] = resource("ConfigMap", "packagename") }, "apiVersion: a/v1\nkind: B\n")
    assert.is_true(got.ok)
    assert.equal("error", got.results[1].severity)
    assert.equal(resource("ConfigMap", "packagename"), got.files["a.yaml"])
  end)
end)
