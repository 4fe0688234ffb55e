-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local function map(name, value, more)
  return ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n%sdata:\n  k: %s\n"):format(name,
    more or "", value)
end

local function run(files, config)
  return functions.run("upsert-resource", files, config)
end

describe("upsert-resource", function()
  it("replaces in place and keeps the other documents as they are", function()
    local other = "# mine\n" .. map("b", '"y"   # kept')
    local got = run({ ["d/a.yaml"] = map("a", "x") .. "---\n" .. other }, map("a", "z"))
    assert.equal(map("a", "z") .. "---\n" .. other, got.files["d/a.yaml"])
    assert.same({}, got.results)
  end)

  it("changes nothing when the resource is there already, comments and all", function()
    local text = "# head\n" .. map("a", "z # why")
    assert.equal(text, run({ ["a.yaml"] = text }, map("a", "z")).files["a.yaml"])
  end)

  it("adds to a file of its own, or to the one that is named", function()
    local got = run({ ["a.yaml"] = map("a", "x") }, map("n", "z"))
    assert.equal(map("n", "z"), got.files["configmap_n.yaml"])
    got = run({ ["a.yaml"] = map("a", "x") }, map("n", "z",
      "  annotations:\n    config.kubernetes.io/target-path: sub/n.yaml\n"))
    assert.equal(map("n", "z"), got.files["sub/n.yaml"])
  end)

  it("looks at the file that is named and no other", function()
    local wanted = map("a", "z", "  annotations:\n    config.kubernetes.io/target-path: b.yaml\n")
    local got = run({ ["a.yaml"] = map("a", "x"), ["b.yaml"] = map("a", "y") }, wanted)
    assert.equal(map("a", "x"), got.files["a.yaml"])
    assert.equal(map("a", "z"), got.files["b.yaml"])
  end)

  it("takes lists, leaves functions alone, and tells namespaces apart", function()
    local fn = map("f", "x", "  annotations:\n    config.kubernetes.io/function: y\n")
    local got = run({ ["a.yaml"] = map("a", "x"), ["f.yaml"] = fn },
      "apiVersion: v1\nkind: List\nitems:\n"
      .. "- {apiVersion: v1, kind: ConfigMap, metadata: {name: f}}\n"
      .. "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n    namespace: default\n")
    assert.equal(fn, got.files["f.yaml"])
    assert.equal(map("a", "x"), got.files["a.yaml"])
    assert.truthy(got.files["configmap_f.yaml"])
    assert.truthy(got.files["default/configmap_a.yaml"])
  end)

  it("fails without a resource", function()
    assert.is_false(run({}).ok)
  end)
end)
