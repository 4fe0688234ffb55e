-- SPDX-License-Identifier: Apache-2.0

local functions = require("spec.lua.fn.functions")

local function list(files)
  local messages = {}
  for i, result in ipairs(functions.run("list-setters", files).results) do
    messages[i] = result.message
  end
  return messages
end

describe("list-setters", function()
  it("counts fields, and takes the type of the most telling one", function()
    assert.same({ "Name: a, Value: x, Type: str, Count: 1",
      "Name: n, Value: 3, Type: int, Count: 2" }, list({ ["x.yaml"] = "apiVersion: v1\nkind: X\n"
        .. "metadata:\n  name: x-3 # kpt-set: ${a}-${n}\n"
        .. "spec: 3 # kpt-set: ${n}\n" }))
  end)

  it("prefers the values of the pipeline", function()
    assert.same({ "Name: l, Value: [z, \"a\"], Type: array, Count: 1" }, list({
      Kptfile = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\npipeline:\n"
        .. "  mutators:\n  - image: apply-setters\n    configMap:\n      l: '[z, \"a\"]'\n",
      ["x.yaml"] = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\nl: # kpt-set: ${l}\n- b\n",
    }))
  end)

  it("says when there are none", function()
    assert.same({ "no setters found" },
      list({ ["x.yaml"] = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n" }))
  end)
end)
