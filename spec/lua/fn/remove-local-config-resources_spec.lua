-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local function resource(name, value)
  return ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n  annotations:\n"
    .. "    config.kubernetes.io/local-config: %s\n"):format(name, value)
end

describe("remove-local-config-resources", function()
  it("removes what says true in any case, and nothing else", function()
    local got = functions.run("remove-local-config-resources", {
      ["a.yaml"] = resource("a", "'TRUE'"),
      ["b.yaml"] = resource("b", "'yes'") .. "---\n" .. resource("c", "\"true\""),
    })
    assert.is_true(got.ok)
    assert.is_nil(got.files["a.yaml"])
    assert.equal(resource("b", "'yes'"), got.files["b.yaml"])
    assert.same({ "Number of resources pruned: 2", "Resource name: [a]", "Resource name: [c]" },
      { got.results[1].message, got.results[2].message, got.results[3].message })
    assert.same({ path = "b.yaml" }, got.results[3].file)
  end)

  it("warns when there is none", function()
    local got = functions.run("remove-local-config-resources", { ["b.yaml"] = resource("b", "''") })
    assert.same({ { severity = "warning",
      message = "Found no resources to prune with the local config annotation" } }, got.results)
  end)
end)
