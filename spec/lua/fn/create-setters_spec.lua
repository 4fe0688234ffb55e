-- SPDX-License-Identifier: Apache-2.0

local functions = require("spec.lua.fn.functions")

local HEAD = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n"

local function create(body, data)
  local answer = functions.run("create-setters", { ["x.yaml"] = HEAD .. body },
    "apiVersion: v1\nkind: ConfigMap\ndata: {" .. data .. "}\n")
  return (answer.files["x.yaml"] or ""):sub(#HEAD + 1), answer
end

describe("create-setters", function()
  it("prefers long values and goes from left to right", function()
    assert.equal("a: nginx-dev-dev2 # kpt-set: ${i}-${e}-${e}2\n",
      (create("a: nginx-dev-dev2\n", "e: dev, i: nginx, ng: ngin")))
  end)

  it("overwrites a comment, and says what it did", function()
    local text, answer = create("a: dev # old\n", "e: dev")
    assert.equal("a: dev # kpt-set: ${e}\n", text)
    assert.equal('Added line comment "kpt-set: ${e}" for field with value "dev"',
      answer.results[1].message)
    assert.equal("a", answer.results[1].field.path)
    assert.equal(text, (create(text, "e: dev")))
  end)

  it("knows lists in any order", function()
    local text, answer = create("l:\n- b\n- a\nf: [b, a]\ne: []\n", 'l: "[a, b]", n: "[]"')
    assert.equal("l: # kpt-set: ${l}\n- b\n- a\nf: # kpt-set: ${l}\n- b\n- a\n"
      .. "e: [] # kpt-set: ${n}\n", text)
    assert.equal('Added line comment "kpt-set: ${l}" for field with value "[a b]"',
      answer.results[1].message)
  end)

  it("leaves texts of several lines alone", function()
    local body = "t: |\n  dev\n"
    local text, answer = create(body, "e: dev")
    assert.equal(body, text)
    assert.equal("no matches for the input list of setters", answer.error)
    assert.equal("failed to create setters: " .. answer.error, answer.results[1].message)
  end)

  it("refuses a configuration that says nothing", function()
    local _, answer = create("a: b\n", "")
    assert.equal("config map cannot be empty", answer.error)
    _, answer = create("a: b\n", 'e: ""')
    assert.equal("parsing error", answer.error)
  end)
end)
