-- SPDX-License-Identifier: Apache-2.0
-- core/data/yaml_write.c: trees into text. What kpt writes is in spec/core/krm/roundtrip.jsonl and
-- the conformance cases; here is what we write right where its writer moves or changes things, and
-- values of programs.
local resources = require("probe_resources")

-- { text, by the peer's rules, by ours }
local CASES = {
  { "a: # c\n  [x]\nb: 1\n", "a: [x]\nb: 1 # c\n", "a: [x] # c\nb: 1\n" },
  { "a: # c\n  {x: 1}\nb:\n  d: 1\n", "a: {x: 1}\nb: # c\n  d: 1\n",
    "a: {x: 1} # c\nb:\n  d: 1\n" },
  { "a: # c\n  \"x\" # d\nb: 1\n", "a: \"x\" # d\nb: 1 # c\n", "# c\na: \"x\" # d\nb: 1\n" },
  { "a:\n  # c\n  x\n", "a: x\n# c\n", "# c\na: x\n" },
  { "a: &x # c\n  - 1\n", "a: &x\n- 1 # c\n", "a: &x\n- 1 # c\n" },
  { "a: >\n  x\n    y\n  z\n", "a: >\n  x\n\n    y\n  z\n\n", "a: >\n  x\n    y\n  z\n" },
  { "a: {b, c: 1}\n", "a: {b: '', c: 1}\n", "a: {b: null, c: 1}\n" },
  { "a: |+\n  x\n\n# end\n", "a: |+\n  x\n\n\n# end\n", "a: |+\n  x\n\n# end\n" },
}

describe("yaml_write", function()
  for _, case in ipairs(CASES) do
    it("has the peer's faults only on demand: " .. case[1]:gsub("\n", " | "), function()
      assert.equal(case[2], (resources.rewrite_yaml(case[1], { defects = true })))
      local ours = resources.rewrite_yaml(case[1], {})
      assert.equal(case[3], ours)
      assert.equal(case[3], (resources.rewrite_yaml(ours, {})))
    end)
  end

  it("writes bare words and times as they stood, and those of programs with quotes", function()
    local text = "a: yes\nb: 2001-01-01\nc: 1:30\nd: \"no\"\n2001-01-01: x\n"
    assert.equal(text, (resources.rewrite_yaml(text, {})))
    assert.equal('a: "yes"\nb: "2001-01-01"\nc: "1:30"\n"on": x\n', (resources.write_values(
      '{"a":"yes","b":"2001-01-01","c":"1:30","on":"x"}', {})))
  end)

  it("indents lists as told", function()
    local text = "a:\n- b:\n  - 1\n  - - 2\n"
    assert.equal("a:\n  - b:\n      - 1\n      - - 2\n",
      (resources.rewrite_yaml(text, { wide = true })))
    assert.equal("a:\n    - b:\n        - 1\n        - - 2\n",
      (resources.rewrite_yaml(text, { wide = true, four = true })))
  end)

  it("writes bytes that are no text as base64, wrapped when long", function()
    assert.equal("a: !!binary gIGC\n",
      (resources.write_values('{"a":{"$binary":"gIGC"}}', {})))
    local long = ("kJCQ"):rep(30)
    assert.equal("a: !!binary |\n  " .. long:sub(1, 70) .. "\n  " .. long:sub(71) .. "\n",
      (resources.write_values('{"a":{"$binary":"' .. long .. '"}}', {})))
  end)

  it("orders keys of programs naturally", function()
    assert.equal("a2: 1\na10: 1\nb: 1\n", (resources.write_values('{"b":1,"a10":1,"a2":1}',
      { sort = true })))
  end)

  it("puts no second comment line into a block text", function()
    local text = "k:\n ! # a\n|  # b\n ! x\n"
    assert.equal("# a\nk: | # b\n  ! x\n", (resources.rewrite_yaml(text, {})))
    -- a plain text of several lines becomes a literal
    assert.equal("# a\n&x |- # d\n  b\n  c\n", (resources.rewrite_yaml("&x # a\nb\n\nc # d\n", {})))
  end)

  it("takes linear time for deep, wide and long trees", function()
    local deep = ("- "):rep(9990) .. "x\n"
    assert.equal(deep, (resources.rewrite_yaml(deep, {})))
    local flow = ("["):rep(4000) .. "x" .. ("]"):rep(4000) .. "\n"
    assert.equal(flow, (resources.rewrite_yaml(flow, {})))
    local lines = {}
    for i = 1, 100000 do
      lines[i] = "# c" .. i .. "\nk" .. i .. ": " .. i .. " # l\n"
    end
    local text = table.concat(lines)
    assert.equal(text, (resources.rewrite_yaml(text, { defects = true })))
    local folded = "a: >\n  " .. ("x\n\n  "):rep(100000) .. "y\n"
    local started = os.clock()
    assert(resources.rewrite_yaml(folded, { defects = true }))
    assert.is_true(os.clock() - started < 5)
  end)
end)

describe("yaml_same", function()
  it("sees values, styles, comments, order and anchors", function()
    local text = "a: &x 1 # c\nl: [1, 'b']\n"
    assert.is_true(resources.same(text, text))
    for _, other in ipairs { "a: &x 2 # c\nl: [1, 'b']\n", "a: &x 1\nl: [1, 'b']\n",
      "a: &y 1 # c\nl: [1, 'b']\n", "a: &x 1 # c\nl: [1, b]\n", "l: [1, 'b']\na: &x 1 # c\n",
      "a: &x 1 # c\nl:\n- 1\n- 'b'\n", "# h\n\na: &x 1 # c\nl: [1, 'b']\n" } do
      assert.is_false(resources.same(text, other), other)
    end
  end)
end)

describe("yaml_is_11_word", function()
  it("is what an old reader takes for something else than a string", function()
    for _, text in ipairs { "yes", "1", "0777", "~", "a: b", "- a", "#a", "[x]", "{}", "on" } do
      assert.is_true(resources.is_11_word(text), text)
    end
    for _, text in ipairs { "", "x", "a b", "1.2.3", "a\n- b", "a: b: c", "[x", "'1'" } do
      assert.is_false(resources.is_11_word(text), text)
    end
  end)
end)
