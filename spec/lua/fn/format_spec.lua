-- SPDX-License-Identifier: Apache-2.0
local eval = require("probe_eval")
local functions = require("spec.lua.fn.functions")

local function run(text)
  return functions.run("format", { ["a.yaml"] = text }).files["a.yaml"]
end

describe("format", function()
  it("orders known names first, others by name, with their comments", function()
    assert.equal("# of the api\napiVersion: v1\nkind: X\nmetadata:\n  name: n # n\n"
      .. "  labels: {a: 1, b: 2}\n# of other\nother: 1\nzeta:\n- name: q\n  y: 1\n",
      run("zeta:\n- y: 1\n  name: q\n# of other\nother: 1\nkind: X\n# of the api\napiVersion: v1\n"
      .. "metadata:\n  labels: {b: 2, a: 1}\n  name: n # n\n"))
  end)

  it("sorts containers of workloads by name", function()
    local function deployment(list, api)
      return ("apiVersion: %s\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  template:\n"
        .. "    spec:\n      containers:\n%s"):format(api or "apps/v1", list)
    end
    local a, b = "      - name: a # first\n", "      - name: b\n"
    assert.equal(deployment(a .. b), run(deployment(b .. a)))
    assert.equal(deployment(b .. a, "x/v1"), run(deployment(b .. a, "x/v1")))
  end)

  it("leaves a resource alone that asks for it, and one that is in order", function()
    local text = "kind: X\napiVersion: v1\nmetadata:\n  annotations:\n"
      .. "    config.kubernetes.io/formatting: none\n  name: n\n"
    assert.equal(text, run(text))
    text = "apiVersion: v1\nkind: X\nmetadata:\n    name:   n\n"
    assert.equal(text, run(text))
  end)

  it("indents lists below their key when all is written anew", function()
    local text = "z:\n- 1\napiVersion: v1\nkind: X\nmetadata:\n  name: n\n"
    local got = eval.run({ { "a.yaml", text } }, { image = "format", kpt = true })
    assert.equal("apiVersion: v1\nkind: X\nmetadata:\n  name: n\nz:\n  - 1\n", got.files[1][2])
  end)
end)
