-- SPDX-License-Identifier: Apache-2.0

local functions = require("spec.lua.fn.functions")

local TEXT = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n"

local function sleep(seconds, opts)
  return functions.run("sleep", { ["x.yaml"] = TEXT },
    "apiVersion: v1\nkind: ConfigMap\ndata:\n  seconds: \"" .. seconds .. "\"\n", opts)
end

describe("sleep", function()
  it("takes its time", function()
    local answer = sleep("0.05")
    assert.is_true(answer.ok)
    assert.equal(TEXT, answer.files["x.yaml"])
    assert.is_true(answer.ns >= 50000000, answer.ns)
  end)

  it("is ended by its deadline", function()
    local answer = sleep("30", { deadline_ms = 50 })
    assert.is_false(answer.ok)
    assert.is_true(answer.ns < 10000000000, answer.ns)
  end)

  it("refuses what is no time", function()
    for _, text in ipairs({ "x", "-1", "601", "nan" }) do
      assert.equal("seconds must be a number from 0 to 600, but got " .. text, sleep(text).error)
    end
  end)
end)
