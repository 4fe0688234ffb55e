-- SPDX-License-Identifier: Apache-2.0

local functions = require("spec.lua.fn.functions")
local support = require("spec.lua.support")

local TEXT = "# licence\n\napiVersion: v1 # v\nkind: X\nmetadata: # m\n    name:   x\n"

describe("test functions", function()
  after_each(support.clean)

  it("no-op changes no byte", function()
    assert.equal(TEXT, functions.run("no-op", { ["x.yaml"] = TEXT }).files["x.yaml"])
  end)

  it("drop-comments loses comments", function()
    assert.equal("apiVersion: v1\nkind: X\nl:\n- a\n", support.eval([[
      local items = node.list()
      items[1] = node.parse(value)
      require("fn.drop-comments").run(items)
      return node.emit(items[1])
    ]], "# h\napiVersion: v1 # v\nkind: X\nl: # k\n# e\n- a # a\n# f\n"))
  end)

  it("drop-comments gets them back from the pipeline", function()
    assert.equal(TEXT, functions.run("drop-comments", { ["x.yaml"] = TEXT }).files["x.yaml"])
  end)
end)
