-- SPDX-License-Identifier: Apache-2.0
-- YAML text into trees that know what is written: comments, styles, places, errors.
local cjson = require "cjson"
local probe = require "probe_yaml"

local function read(text)
  local json, kind, message = probe.read(text)
  assert.is_string(json, tostring(kind) .. ": " .. tostring(message))
  return cjson.decode(json)
end

-- Comments of a text as "path kind text", sorted. K is the key at the path, V its value.
local function comments(text)
  local out = {}
  local function note(where, node)
    for _, kind in ipairs { "head", "line", "foot" } do
      if node[kind] then
        out[#out + 1] = where .. " " .. kind .. " " .. node[kind]:gsub("\n", "|")
      end
    end
  end
  local function walk(path, node)
    note("V" .. path, node)
    for i, child in ipairs(node.content or {}) do
      if node.kind == "sequence" then
        walk(path .. "/" .. i, child)
      elseif i % 2 == 0 then
        local key = node.content[i - 1]
        note("K" .. path .. "/" .. key.value, key)
        walk(path .. "/" .. key.value, child)
      end
    end
  end
  for _, document in ipairs(read(text)) do
    note("D", document)
    walk("", document.content[1])
  end
  table.sort(out)
  return out
end

describe("yaml_read", function()
  -- `|` is a line feed; yaml.md §6.7.
  for text, want in pairs {
    ["# a||k: 1"] = { "D head # a" },
    ["# a||# b|k: 1"] = { "D head # a", "K/k head # b" },
    ["---|# a||k: 1"] = { "K/k head # a|" },
    ["k: 1|# a|j: 2"] = { "K/j head # a" },
    ["x: 0|k: 1|# a||j: 2"] = { "K/k foot # a" },
    ["k: 1||# a|j: 2"] = { "K/j head # a" },
    ["k: 1||# a||j: 2"] = { "K/j head # a|" },
    ["x: 0|k: 1|# a|# b||# c||# d|j: 2"] = { "K/j head # c||# d", "K/k foot # a|# b" },
    ["k: # a|  j: 1"] = { "K/k line # a" },
    ["k:|# a|  j: 1"] = { "K/k/j head # a" },
    ["k:|  j: 1|  # a|m: 2"] = { "K/k/j foot # a" },
    ["k:|  j: 1|# a|m: 2"] = { "K/m head # a" },
    ["x: 0|k:|- 1|# b||m: 1"] = { "V/k/1 foot # b" },
    ["k:|  - 1|  # b|m: 1"] = { "V/k/1 foot # b" },
    ["# a|- k: 1"] = { "V/1 head # a" },
    ["- # a|  k: 1"] = { "K/1/k head # a" },
    ["- k: 1|  # a|- k: 2"] = { "K/1/k foot # a" },
    ["- k: 1|# a|- k: 2"] = { "V/2 head # a" },
    ["k: [1, 2] # a"] = { "V/k line # a" },
    ["k: [|  # a|  1,|  2, # b|  # c|]"] =
      { "V/k/1 head # a", "V/k/2 foot # c", "V/k/2 line # b" },
    ["k: {|  a: 1|  # b|}"] = { "K/k/a foot # b" },
    ["k: &x # a|  j: 1"] = { "K/k/j line # a" },
    ["k:|# a"] = { "D foot # a" },
    ["k: 1|...|# a"] = { "D foot # a" },
    ["# only"] = {},
  } do
    it("gives comments to the nodes of " .. text, function()
      assert.same(want, comments((text:gsub("|", "\n")) .. "\n"))
      assert.same(want, comments((text:gsub("|", "\r\n")) .. "\r\n"))
    end)
  end

  it("gives a comment behind a block scalar's header to the scalar", function()
    assert.same({ "V/k line # a" }, comments("k: | # a\n  text\nj: 1\n"))
    assert.same({ "V/k line # ü" }, comments("k: é # ü\n"))
  end)

  it("knows styles, tags, anchors and aliases", function()
    local map = read("a: &x !t 'b'\nc: *x\nd: >\n  e\nf: {}\n!!str 1: \"\"\n")[1].content[1]
    local function at(i)
      local n = map.content[i]
      return { n.kind, n.style, n.tag, n.anchor, n.value }
    end
    assert.same({ "scalar", "single-quoted", "!t", "x", "b" }, at(2))
    assert.same({ "alias", nil, nil, nil, "x" }, at(4))
    assert.same({ "scalar", "folded", "!!str", nil, "e\n" }, at(6))
    assert.same({ "mapping", "flow", "!!map" }, at(8))
    assert.same({ "scalar", nil, "!!str", nil, "1" }, at(9))
  end)

  it("counts places in bytes", function()
    local text = "\u{feff}é: \"ü\" # ö\r\nb: [ä, {c: d}]\r\n"
    local function texts(node, out)
      if node.kind == "scalar" then
        out[#out + 1] = text:sub(node.from + 1, node.to)
      end
      for _, child in ipairs(node.content or {}) do
        texts(child, out)
      end
      return out
    end
    assert.same({ "é", '"ü"', "b", "ä", "c", "d" }, texts(read(text)[1], {}))
  end)

  it("keeps documents apart", function()
    local docs = read("a: &x 1\n---\n# c\n---\nb\n...\n")
    assert.equal(3, #docs)
    assert.same({ false, true, true }, { docs[1].marked, docs[2].marked, docs[3].marked })
    local _, _, message = probe.read("a: &x 1\n---\nb: *x\n")
    assert.equal("yaml: unknown anchor 'x' referenced", message)
  end)

  it("names document, line and column of a mistake, and gives the documents before it", function()
    local text = "a: 1\n---\nb: 1\n---\nc:\n  - [1\nd: 2\n"
    local json, kind, message, where, before = probe.read(text)
    assert.is_nil(json)
    assert.equal("bad-request", kind)
    assert.equal("yaml: line 5: did not find expected ',' or ']'", message)
    assert.equal(message .. " (document 3, line 7, column 2)", where)
    assert.equal(2, before)
  end)

  it("refuses what the peer refuses", function()
    for text, want in pairs {
      ["..."] = "did not find expected node content",
      ["%YAML 1.2\n---\na"] = "found incompatible YAML document",
      ["[a?b]"] = "did not find expected ',' or ']'",
      ["a: \"\\/\""] = "found unknown escape character",
      ["a: b: c"] = "mapping values are not allowed in this context",
      ["a: 'x"] = "found unexpected end of stream",
      ["a: *"] = "did not find expected alphabetic or numeric character",
      ["a:\n  b\n\tc"] = "found a tab character that violates indentation",
      ["a: |\n \t\n  b"] = "found a tab character where an indentation space is expected",
      ["a: \xff"] = "invalid leading UTF-8 octet",
      ["a: \xc3"] = "incomplete UTF-8 octet sequence",
      ["a: \xed\xa0\x80"] = "invalid Unicode character",
      ["a: \127"] = "control characters are not allowed",
      ["!<x a"] = "did not find the expected '>'",
      ["- a\n? b"] = "did not find expected '-' indicator",
    } do
      local json, _, message = probe.read(text)
      assert.is_nil(json, text)
      assert.equal(want, (message:gsub("^yaml: ", ""):gsub("^line %d+: ", "")), text)
    end
  end)

  it("accepts what the peer accepts and libyaml does not", function()
    assert.equal("x'y", read([[a: "x\'y"]])[1].content[1].content[2].value)
    assert.equal("a:", read("{a:, b: 1}")[1].content[1].content[1].value)
    assert.same({ "K/b head # x||# y" }, comments("a: 1\n\n# x\n\t\n# y\nb: 1\n"))
  end)
end)

describe("yaml tokens", function()
  local function same(text)
    assert.equal(probe.oracle(text), probe.tokens(text), text)
  end

  it("are libyaml's", function()
    for _, text in ipairs {
      "a: 1\nb:\n- c\n-  d: e\n   f: |+\n    g\n\n\n  # h\nq: >-\n  a\n  b\n\n   c\n",
      "[a, {b: c, d}, ? e : f, \"g\\x41\\\n  h\", 'i''j\n\n k']\n", "? a\n: b\n? [c]\n: - d\n",
      "%TAG !e! tag:x,1:\n---\n!e!a &b c\n...\n--- !<y> d\n--- |2-\n   x\n", "a: b\n\n  c\n d\n",
      "&a b: *a\n", "", "# c\n", "a:\r\n  - b\r\n", "- - - a\n    - b\n  - c\n-\n  - d\n",
    } do
      same(text)
    end
  end)

  local cases = os.getenv("LANAI_CONFORMANCE")
  cases = cases and cases ~= "" and cases or "../shared/conformance"
  local index = io.open(cases .. "/corpus/expected/roundtrip.tsv")
  if not index then
    pending("are libyaml's in recorded files: no corpus in '" .. cases .. "'")
    return
  end
  local paths = {}
  for line in index:lines() do
    paths[#paths + 1] = line:match("^([^\t]+)\t")
  end
  index:close()

  it("are libyaml's in recorded files, and their places nest", function()
    for i = 2, #paths do
      local f = assert(io.open(cases .. "/corpus/real/" .. paths[i], "rb"))
      local text = f:read("a")
      f:close()
      if not text:find("[\128-\255]") then
        assert.equal(probe.oracle(text), probe.tokens(text), paths[i])
      end
      assert.is_nil(probe.spans(text), paths[i])
    end
  end)
end)

describe("hostile YAML", function()
  -- Refuses or reads within the time (of builds without sanitizers) and memory.
  local slow = (os.getenv("ASAN_OPTIONS") or "") ~= "" and 20 or 1

  local function cheap(text, message, ms)
    local result = table.pack(probe.read_cost(text, 1))
    local spent = result[result.n - 1]
    assert.equal(message, result.n > 2 and result[3] or nil)
    assert.is_true(spent < ms * 1e6 * slow, spent / 1e6 .. " ms")
  end

  it("is refused at once when it is too deep", function()
    local deep = "yaml: exceeded max depth of 10000"
    cheap(("["):rep(100000), deep, 100)
    cheap(("- "):rep(100000), deep, 100)
    cheap(("{a: "):rep(100000), deep, 100)
  end)

  it("costs what its size says", function()
    cheap(("["):rep(9000) .. ("1,"):rep(100000) .. ("]"):rep(9000), nil, 500)
    cheap(("# comment\n"):rep(200000) .. "a: 1\n", nil, 300)
    cheap(("- "):rep(5000) .. "a\n" .. ("     # c\n    # d\n"):rep(50000), nil, 500)
    cheap("a: " .. ("x"):rep(64 << 20), nil, 3000)
    cheap("a: \"" .. ("x\\n"):rep(1 << 20) .. "\"", nil, 500)
    local anchors = {}
    for i = 1, 50000 do
      anchors[i] = ("- &a%d x\n- *a%d\n"):format(i, i)
    end
    cheap(table.concat(anchors), nil, 1000)
  end)

  it("is not expanded while it is read", function()
    local lines = { "a0: &a0 " .. ("x"):rep(1000) }
    for i = 1, 20 do
      lines[i + 1] = ("a%d: &a%d [%s*a%d]"):format(i, i, ("*a%d, "):format(i - 1):rep(9), i - 1)
    end
    cheap(table.concat(lines, "\n"), nil, 100)
    local data = require "probe_data"
    local from = os.clock()
    local json, _, message = data.yaml(table.concat(lines, "\n"))
    assert.is_nil(json)
    assert.equal("yaml: document contains excessive aliasing", message)
    assert.is_true(os.clock() - from < 0.1 * slow)
  end)

  it("takes memory in proportion to files", function()
    local text = ("metadata:\n  name: some-name\n  labels:\n    app: web\nspec:\n- a: 1\n"):rep(1)
    local list = "items:\n"
    for _ = 1, 2000 do
      list = list .. "- " .. text:gsub("\n(.)", "\n  %1")
    end
    local _, bytes = probe.read_cost(list, 1)
    assert.is_true(bytes < 16 * #list, bytes / #list)
  end)
end)

describe("yaml_edit_tree", function()
  it("leaves what stays, applies comments, styles and order", function()
    for _, case in ipairs {
      { "a: 1   # x\n\nb: 2\n", "a: 1 # y\nb: 2\n", "a: 1 # y\n\nb: 2\n" },
      { "a: 1\n\n# old\nb:   2\n", "a: 1\n# new\nb: 2\n", "a: 1\n\n# new\nb:   2\n" },
      { "a: 1\n\n# old\nb:   2\n", "a: 1\nb: 2\n", "a: 1\n\nb:   2\n" },
      { "a:   1\nc: 3\n", "a: 1\nb: 2\nc: 3\n", "a:   1\nb: 2\nc: 3\n" },
      { "a: 1\n\n# about b\nb:\n  c: 1\n\nd:  4\n", "a: 1\nd: 4\n", "a: 1\n\nd:  4\n" },
      { "l:\n  -  x # one\n  # two\n  -  y\n", "l:\n- x # one\n- z\n# two\n- y\n",
        "l:\n  -  x # one\n  - z\n  # two\n  -  y\n" },
      { "a: 'x'\nb:  1\n", "a: \"x\"\nb: 1\n", "a: \"x\"\nb:  1\n" },
      { "a: |\n  x\nb:  1\n", "a: | # c\n  x\nb: 1\n", "a: | # c\n  x\nb:  1\n" },
      { "? a\n: 1\nb:  1\n", "a: 1\nb: 2\n", "? a\n: 1\nb: 2\n" },
      { "a: [1,\n  2 ]\n", "a: [1, 3]\n", "a: [1,\n  3 ]\n" },
      { "{\n  \"a\": \"x\",\n  \"b\": [\"c\",\n  \"d\"]}\n", "{a: y, b: [c, e]}\n",
        "{\n  \"a\": \"y\",\n  \"b\": [\"c\",\n  \"e\"]}\n" },
      { "a: 1\nl:\n  - # c\n    n: 1", "a: 2\nl:\n  - # c\n    n: 1",
        "a: 2\nl:\n  - # c\n    n: 1" },
      { "a: 1\nb:  2\na:  3", "a: 4\nb: 2\na: 3", "a: 4\nb:  2\na:  3" },
    } do
      assert.equal(case[3], (probe.edit(case[1], case[2])))
    end
  end)

  it("edits UTF-16 as UTF-8, and keys that are not written", function()
    local text = "\xff\xfea\0:\0 \0001\0\n\0b\0:\0 \0002\0\n\0"
    assert.equal("a: 3\nb: 2\n", (probe.edit(text, "a: 3\nb: 2\n")))
    assert.equal(text, (probe.edit(text, "a: 1\nb: 2\n")))
    assert.equal("null: 1\n", (probe.edit("x: 1\n", "?\n: 1\n")))
  end)

  it("gives back an equal text byte for byte", function()
    for _, text in ipairs { "a:   1 # x\n\n\nb: {c: 1,\n  d}\n", "# only\n? a\n: - b\n",
      "--- \nx\n" } do
      assert.equal(text, (probe.edit(text, text)))
    end
  end)
end)

describe("trees of 10,000 levels", function()
  local list = ("- "):rep(9990)
  local flow, close = ("{a: "):rep(9990), ("}"):rep(9990)

  it("are copied and compared", function()
    for _, text in ipairs { list .. "x # c\n", "a: " .. ("["):rep(9990) .. "x" .. ("]"):rep(9990)
      .. "\n", "a: " .. flow .. "x" .. close .. "\n" } do
      local got, equal, still = probe.copy(text)
      assert.equal(text, got)
      assert.is_true(equal)
      assert.is_false(still)
    end
  end)

  it("are edited", function()
    assert.equal(list .. "y # c\n", (probe.edit(list .. "x # c\n", list .. "y # c\n")))
    local text = "z: 1 # one\na: " .. flow .. "x" .. close .. "\n"
    local want = "z: 1 # one\na: " .. flow .. "y" .. close .. "\n"
    assert.equal(want, (probe.edit(text, want)))
    local other = text:gsub("1", "2", 1)
    assert.equal(other, (probe.edit(text, other)))
  end)
end)
