-- SPDX-License-Identifier: Apache-2.0

local functions = require("spec.lua.fn.functions")

local HEAD = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n"

local function apply(body, data, opts)
  local answer = functions.run("apply-setters", { ["x.yaml"] = HEAD .. body },
    "apiVersion: v1\nkind: ConfigMap\ndata:\n" .. data, opts)
  return (answer.files["x.yaml"] or ""):sub(#HEAD + 1), answer
end

describe("apply-setters", function()
  it("keeps quotes, and types plain scalars by what they say", function()
    assert.equal('a: 3 # kpt-set: ${n}\nb: "3" # kpt-set: ${n}\nc: yes # kpt-set: ${y}\n',
      (apply('a: old # kpt-set: ${n}\nb: "1" # kpt-set: ${n}\nc: no # kpt-set: ${y}\n',
        '  n: "3"\n  y: "yes"\n')))
  end)

  it("derives what is not given, the first name the longest", function()
    assert.equal("a: a-b-x # kpt-set: ${p}-${q}\n",
      (apply("a: a-b-c # kpt-set: ${p}-${q}\n", "  q: x\n")))
    assert.equal("a: 1-c # kpt-set: ${p}-${q}\n",
      (apply("a: a-b-c # kpt-set: ${p}-${q}\n", '  p: "1"\n')))
  end)

  it("names what it cannot derive, and changes nothing then", function()
    local body = "a: 1 # kpt-set: ${r}\nb: xy # kpt-set: ${p}-${q}\n"
    local text, answer = apply(body, "  p: x\n  r: two\n")
    assert.equal(body, text)
    assert.equal("values for setters [${q}] must be provided", answer.error)
    assert.equal(1, #answer.results)
    assert.equal("failed to apply setters: " .. answer.error, answer.results[1].message)
  end)

  it("takes comments only as they must be written", function()
    local body = "# kpt-set: ${p}\na: 1\nb: 2 #kpt-set: ${p}\nc: 3 # kpt-set:${p}\n"
    local text, answer = apply(body, "  p: x\n")
    assert.equal(body, text)
    assert.equal("no matches for input setter(s)", answer.results[1].message)
    text, answer = apply(body, "  p: x\n", { version = "v0.1.1" })
    assert.equal(body, text)
    assert.is_false(answer.ok)
    assert.equal("no matches for the input list of setters", answer.error)
  end)

  it("moves the comment of a list with its style", function()
    local block = "l: # kpt-set: ${l}\n  - x\n  - 'y'\nn: 3\n"
    local flow = "l: [] # kpt-set: ${l}\nn: 3\n"
    local wide = "w:\n  - 1\n"
    assert.equal(wide .. block, (apply(wide .. "l: [a] # kpt-set: ${l}\nn: 3\n",
      "  l: \"[x, 'y']\"\n")))
    assert.equal(wide .. flow, (apply(wide .. block, '  l: ""\n')))
  end)

  it("keeps the elements of a list that has the values, with their comments", function()
    local body = "l: # kpt-set: ${l}\n- a # first\n- b\n"
    local text, answer = apply(body, '  l: "[a, b]"\n')
    assert.equal(body, text)
    assert.equal('set field value to "[a, b]"', answer.results[1].message)
    assert.same({ path = "l" }, answer.results[1].field)
    assert.same("x.yaml", answer.results[1].file.path)
  end)

  it("refuses lists for what is none, and patterns of lists", function()
    local _, answer = apply("l: # kpt-set: ${l}\n- a\n", "  l: b\n")
    assert.equal('input to array setter must be an array of values, but found "b"', answer.error)
    _, answer = apply("l: # kpt-set: x-${l}\n- a\n", "  l: b\n")
    assert.equal('invalid setter pattern for array node: "x-${l}"', answer.error)
  end)

  it("tells of the lists of a map first", function()
    local _, answer = apply("a: 1 # kpt-set: ${p}\nb:\n  c: 1 # kpt-set: ${p}\nl: # kpt-set: ${l}\n"
      .. "- a # kpt-set: ${p}\n", '  p: x\n  l: "[a]"\n')
    local paths = {}
    for i, result in ipairs(answer.results) do
      paths[i] = result.field.path
    end
    assert.same({ "l", "a", "b.c", "l[0]" }, paths)
  end)
end)
