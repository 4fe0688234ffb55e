-- SPDX-License-Identifier: Apache-2.0
-- core/krm/heal.h: comments and order given back, as kpt does it and without its faults; the order
-- of format.
local cjson = require("cjson")
local resources = require("probe_resources")

local DEPLOYMENT = [[
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
]]

-- { old, what came back, healed by kpt's rules, healed by ours }; ours false: as kpt.
local CASES = {
  { "a: 1 # c\n", "a: 1\nb: 3\n", "a: 1 # c\nb: 3\n", false },
  { "a: 1 # c\n", "a: 1 # n\n", "a: 1 # n\n", false },
  { "b: 1\na: 2\nc: 3\n", "a: 2\nb: 1\nx: 9\nc: 3\n", "b: 1\na: 2\nc: 3\nx: 9\n", false },
  { "a: 1 # c\n", "a: 2\n", "a: 2 # c\n", false },
  { "a: 1 # c\n", "z: 1\n", "z: 1\n", false },
  { "a: b # c\n", "a: null\n", "a: null # c\n", false },
  { "# license\n\na: 1\n", "a: 1\n", "# license\n\na: 1\n", false },
  { "a: 1\n\n# end\n", "a: 1\n", "a: 1\n\n# end\n", false },
  { "l:\n- a # ca\n- b # cb\n", "l:\n- a\n- b\n", "l:\n- a # ca\n- b # cb\n", false },
  { "a:\n  # h\n  b: 1\n  # f\n\nc: 1\n", "a:\n  b: 2\nc: 1\n",
    "a:\n  # h\n  b: 2\n  # f\nc: 1\n", false },
  -- lists
  { "l:\n- a # ca\n- b # cb\n", "l:\n- x\n- a\n- b\n", "l:\n- x\n- a\n- b\n",
    "l:\n- x\n- a # ca\n- b # cb\n" },
  { "l:\n- n: a # ca\n- n: b # cb\n", "l:\n- n: b\n- n: a\n", "l:\n- n: b # ca\n- n: a # cb\n",
    "l:\n- n: b # cb\n- n: a\n" },
  { "l:\n- n: a # ca\n", "l:\n- n: z\n- n: a\n", "l:\n- n: z # ca\n- n: a\n",
    "l:\n- n: z\n- n: a # ca\n" },
  { "l:\n- name: a # ca\n- name: b # cb\n", "l:\n- name: b\n- name: a\n",
    "l:\n- name: b # ca\n- name: a # cb\n", "l:\n- name: b # cb\n- name: a # ca\n" },
  { DEPLOYMENT .. "      # about a\n      - name: a\n",
    DEPLOYMENT .. "      - name: zz\n      - name: a\n",
    DEPLOYMENT .. "      # about a\n      - name: zz\n      # about a\n      - name: a\n",
    DEPLOYMENT .. "      - name: zz\n      # about a\n      - name: a\n" },
  { "l:\n- k: x # cx\n  v: 1\n- k: y # cy\n  v: 2\n", "l:\n- k: x\n  v: 5\n- k: y\n  v: 2\n",
    "l:\n- k: x # cx\n  v: 5\n- k: y # cy\n  v: 2\n", false },
  -- texts
  { "a: >\n  x\n  y\n", "a: >\n  x\n  y\n", "a: \"x y\\n\"\n", "a: >\n  x y\n" },
}

describe("heal", function()
  for _, case in ipairs(CASES) do
    it("gives back what fits: " .. case[1]:gsub("\n", " | "):sub(1, 60), function()
      local got, _, message = resources.heal(case[1], case[2], { kpt = true, order = true })
      assert.equal(case[3], got or message)
      got, _, message = resources.heal(case[1], case[2], { order = true })
      assert.equal(case[4] or case[3], got or message)
    end)
  end

  it("puts the comments of a document to the root of an item, as kpt", function()
    assert.equal("# license\na: 1\n",
      (resources.heal("# license\n\na: 1\n", "a: 1\n", { kpt = true, item = true })))
    assert.equal("# license\n\na: 1\n", (resources.heal("# license\n\na: 1\n", "a: 1\n", {})))
  end)

  it("fails in kpt's words when a value changed its kind, and by ours leaves it", function()
    local got, kind, message = resources.heal("x: {b: 1}\n", "x: 5\n", { kpt = true })
    assert.is_nil(got)
    assert.equal("bad-request", kind)
    assert.equal("wrong node kind: expected MappingNode but got ScalarNode: node contents:\n5\n",
      message)
    assert.equal("x: 5\n", (resources.heal("x: {b: 1}\n", "x: 5\n", {})))
  end)

  it("moves the comment above an element's first member above the element, as kpt", function()
    assert.equal("l:\n# h\n- b: 1\n  a: 2\n", (resources.heal("l:\n- b: 1\n  a: 2\n",
      "l:\n- # h\n  b: 1\n  a: 2\n", { kpt = true, order = true, order_only = true })))
  end)

  it("never multiplies a comment that came back elsewhere", function()
    assert.equal("a: 1\n# c\n\nb: 2\n",
      (resources.heal("a: 1\n# c\nb: 2\n", "a: 1\n# c\n\nb: 2\n", {})))
    assert.equal("l:\n- x # c\n- x\n", (resources.heal("l:\n- x # c\n", "l:\n- x\n- x\n", {})))
  end)

  it("keeps numbers of comments in long lists that moved", function()
    local old, new = { "l:" }, { "l:", "- first" }
    for i = 1, 3000 do
      old[#old + 1] = ("- e%d # c%d"):format(i, i)
      if i % 7 ~= 0 then
        new[#new + 1] = ("- e%d"):format(i)
      end
    end
    local got = assert(resources.heal(table.concat(old, "\n") .. "\n",
      table.concat(new, "\n") .. "\n", {}))
    local seen = 0
    for element, comment in got:gmatch("%- e(%d+) # c(%d+)") do
      assert.equal(element, comment)
      seen = seen + 1
    end
    assert.equal(3000 - 3000 // 7, seen)
  end)

  it("leaves every golden document as it is when nothing was lost, twice", function()
    for line in io.lines("spec/core/krm/roundtrip.jsonl") do
      local name, text = table.unpack(cjson.decode(line), 1, 2)
      local o = { wrap_lists = true, unwrap = true }
      local items = resources.read_stream(text, o)
      if items and #items == 1 and not text:find("items:") and not text:find("metadata") then
        local plain = resources.stream(text, o)
        assert.equal(plain, (resources.heal(text, text, { order = true })), name)
        assert.equal(plain, (resources.heal(plain, plain, { order = true })), name)
      end
    end
  end)

  it("has no trouble with 10,000 levels", function()
    local deep = ("- "):rep(9990) .. "a # c\n"
    assert.equal(deep, (resources.heal(deep, ("- "):rep(9990) .. "a\n", { kpt = true })))
    assert.equal(deep, (resources.heal(deep, ("- "):rep(9990) .. "a\n", { order = true })))
  end)
end)

describe("format", function()
  it("orders known fields first and others by name", function()
    assert.equal("apiVersion: v1\nkind: K\nmetadata:\n  name: n\n  labels: {}\nspec:\n"
      .. "  image: i\n  # about a\n  a: 1\n  z: 2\n", (resources.format("spec:\n  z: 2\n"
      .. "  # about a\n  a: 1\n  image: i\nkind: K\nmetadata:\n  labels: {}\n  name: n\n"
      .. "apiVersion: v1\n")))
  end)

  it("sorts containers by name, and nothing when asked to leave it", function()
    local pod = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n"
      .. "      containers:\n      - name: b\n      - name: a\n"
    assert.matches("%- name: a\n.*%- name: b", (resources.format(pod)))
    local left = "kind: X\na: 1\nmetadata:\n  annotations:\n"
      .. "    config.kubernetes.io/formatting: none\n"
    assert.equal(left, (resources.format(left)))
  end)
end)
