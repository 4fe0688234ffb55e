-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local function run(text, keys)
  return functions.run("delete-annotations", { ["a.yaml"] = text },
    keys and "apiVersion: v1\nkind: ConfigMap\ndata:\n  annotationKeys: \"" .. keys .. "\"\n")
end

local MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\n"

describe("delete-annotations", function()
  it("takes away annotations, and the map that they leave empty", function()
    local got = run(MAP .. "  annotations:\n    a: x\n    b: y\n", " a,b ")
    assert.equal(MAP, got.files["a.yaml"])
    assert.same({ "The provided annotations were deleted from 1 resource(s)",
      "Annonation: [a] removed from resource: [m]", "Annonation: [b] removed from resource: [m]" },
      { got.results[1].message, got.results[2].message, got.results[3].message })
    assert.same({ path = "a.yaml" }, got.results[2].file)
  end)

  it("leaves blanks after a comma in the name, and what is no resource", function()
    local text = MAP .. "  annotations:\n    b: y\n---\nmetadata:\n  annotations:\n    a: x\n"
    local got = run(text, "a, b")
    assert.equal(text, got.files["a.yaml"])
    assert.equal("None of the resources had the provided annotations to delete",
      got.results[1].message)
  end)

  it("fails without names", function()
    local message = "annotationKeys was not provided as part of the config or paramters to the "
      .. "function"
    for _, keys in ipairs({ "", "  " }) do
      local got = run(MAP, keys)
      assert.is_false(got.ok)
      assert.equal(message, got.error)
      assert.same({ severity = "error", message = message }, got.results[1])
    end
  end)
end)
