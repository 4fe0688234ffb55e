-- SPDX-License-Identifier: Apache-2.0
-- Edits of YAML text: only the lines of the value change.
local data = require "probe_data"

local KPTFILE = [[
# Copyright header
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: x   # the name
  labels:
    app: web # keep
    # about tier
    tier: "back"

info:
  readinessGates:
    - conditionType: A # first
    # about B
    - conditionType: B
  description: |
    hello

    there

pipeline: {mutators: [{image: a}]} # flow
status:
# end
]]

local function split(path)
  local keys = {}
  for key in path:gmatch("[^ ]+") do
    keys[#keys + 1] = key
  end
  return keys
end

local function set(text, path, json)
  local got, kind, message = data.yaml_edit(text, split(path), json)
  assert.is_string(got, tostring(kind) .. ": " .. tostring(message))
  return got
end

-- Sets a value in the Kptfile and expects one plain replacement in its text.
local function changes(path, json, from, to)
  local at, stop = KPTFILE:find(from, 1, true)
  assert.is_number(at, "the text has no " .. from)
  assert.equal(KPTFILE:sub(1, at - 1) .. to .. KPTFILE:sub(stop + 1), set(KPTFILE, path, json))
end

describe("yaml_edit_set", function()
  it("replaces scalars and keeps the comment behind them", function()
    changes("metadata name", '"y"', "name: x   # the name", 'name: "y"   # the name')
    changes("metadata name", '"yy"', "name: x ", "name: yy ")
    changes("metadata labels tier", '"front"', '"back"', "front")
    changes("info description", '"x"', "|\n    hello\n\n    there\n", "x\n")
    changes("metadata name", '"a\\nb\\n"', "name: x   # the name",
      "name: |   # the name\n    a\n    b")
  end)

  it("leaves the text alone when the value is there already", function()
    assert.equal(KPTFILE, set(KPTFILE, "metadata labels tier", '"back"'))
    assert.equal(KPTFILE, set(KPTFILE, "metadata labels", '{"tier":"back","app":"web"}'))
    assert.equal(KPTFILE, set(KPTFILE, "metadata annotations", nil))
    assert.equal(KPTFILE, set(KPTFILE, "metadata annotations x", nil))
  end)

  it("adds members at the end of their map", function()
    changes("metadata labels new", '"yes"', 'tier: "back"\n', 'tier: "back"\n    new: "yes"\n')
    changes("metadata annotations a.b/c", '"1"', 'tier: "back"\n',
      'tier: "back"\n  annotations:\n    a.b/c: "1"\n')
    changes("inventory name", '"i"', "status:\n", "status:\ninventory:\n  name: i\n")
  end)

  it("changes single members of a map that is set whole", function()
    changes("metadata labels", '{"app":"db","new":"1"}',
      'app: web # keep\n    # about tier\n    tier: "back"\n',
      'app: db # keep\n    new: "1"\n')
  end)

  it("keeps the elements of lists that stay, and the list's indentation", function()
    changes("info readinessGates", '[{"conditionType":"B"},{"conditionType":"C"}]',
      "    - conditionType: A # first\n    # about B\n    - conditionType: B\n",
      "    # about B\n    - conditionType: B\n    - conditionType: C\n")
    changes("info readinessGates", '[{"conditionType":"D"},{"conditionType":"A"},'
      .. '{"conditionType":"M"},{"conditionType":"B"}]',
      "    - conditionType: A # first\n",
      "    - conditionType: D\n    - conditionType: A # first\n    - conditionType: M\n")
    changes("status conditions", '[{"type":"R","status":"True"}]', "status:\n",
      'status:\n  conditions:\n    - type: R\n      status: "True"\n')
  end)

  it("edits elements with the same type in place", function()
    local text = "status:\n  conditions:\n  - type: Ready # c1\n    status: \"False\" # c2\n"
      .. "    reason: Old\n  - type: Other\n    status: Unknown\n"
    assert.equal("status:\n  conditions:\n  - type: Ready # c1\n    status: \"True\" # c2\n"
      .. "    message: m\n  - type: Other\n    status: Unknown\n",
      set(text, "status conditions", '[{"type":"Ready","status":"True","message":"m"},'
        .. '{"type":"Other","status":"Unknown"}]'))
  end)

  it("deletes members with their lines", function()
    changes("metadata labels app", nil, "    app: web # keep\n", "")
    changes("metadata labels", nil,
      '  labels:\n    app: web # keep\n    # about tier\n    tier: "back"\n', "")
    changes("info readinessGates", nil, "  readinessGates:\n    - conditionType: A # first\n"
      .. "    # about B\n    - conditionType: B\n", "")
    changes("status", nil, "status:\n", "")
    assert.equal("a: {}\n", set("a:\n  b: 1\n", "a b", nil))
    assert.equal("{}\n", set("a: 1\n", "a", nil))
  end)

  it("moves the next member up when the first one behind a dash goes", function()
    assert.equal("l:\n- name: yy # c\n  b: 2\n",
      data.yaml_edit_values("l:\n- a: 1\n  name: yy # c\n  b: 2\n", '{"l":[{"name":"yy","b":2}]}'))
  end)

  it("edits flow collections inside their line", function()
    changes("pipeline validators", '[{"image":"b","tag":"1"}]', "[{image: a}]}",
      '[{image: a}], validators: [{image: b, tag: "1"}]}')
    changes("pipeline mutators", "[]", "[{image: a}]", "[]")
    assert.equal("{a: 5, b: 2} # c\n", set("{a: 1, b: 2} # c\n", "a", "5"))
    assert.equal("{b: 2} # c\n", set("{a: 1, b: 2} # c\n", "a", nil))
    assert.equal("x: {}\n", set("x: {a: 1}\n", "x a", nil))
    assert.equal("x:\n  a: 1\n", set("x: {}\n", "x a", "1"))
    assert.equal("x: {a: 1, b: c}\n", set("x: {a: 1, b}\n", "x b", '"c"'))
  end)

  it("keeps JSON files JSON", function()
    local got = set('{\n  "a": {"b": 1},\n  "l": ["x"]\n}\n', "a c", '"y"')
    assert.equal('{\n  "a": {"b": 1, "c":"y"},\n  "l": ["x"]\n}\n', got)
    assert.equal('{"a":2}', (data.json((set('{"a": 1}', "a", "2")))))
  end)

  it("fills empty values", function()
    assert.equal("a: # c\n  b: 1\nd: 2\n", set("a: # c\nd: 2\n", "a b", "1"))
    assert.equal("a:\n  b: 1 # c\n", set("a:\n  b: # c\n", "a b", "1"))
    assert.equal("a: ~\nb:\n  c: 1\n", set("a: ~\nb: null\n", "b c", "1"))
  end)

  it("changes the kind of a value", function()
    assert.equal("a: x # c\n# k\nb: 1\n", set("a: # c\n# k\n- 1\n- 2\nb: 1\n", "a", '"x"'))
    assert.equal("a: # c\n- 1\nb: 1\n", set("a: x # c\nb: 1\n", "a", "[1]"))
    assert.equal("a:\n  k: v\nb: 1\n", set("a:\n- 1\n- 2\nb: 1\n", "a", '{"k":"v"}'))
    assert.equal("a: 1\n", set("a: 'x\n  y'\n", "a", "1"))
    assert.equal("- a: 1\n  b: 2\n- 2\n", data.yaml_edit_values("- 1\n- 2\n", '[{"a":1,"b":2},2]'))
  end)

  it("keeps a last line without line feed", function()
    assert.equal("a: 1\nb: 2", set("a: 1", "b", "2"))
    assert.equal("a: 2", set("a: 1", "a", "2"))
    assert.equal("a:\n- 1\n- 2", set("a:\n- 1", "a", "[1,2]"))
    assert.equal("a: 1\nb:\n  c: 2", set("a: 1\nb:\n  - 1", "b", '{"c":2}'))
  end)

  it("keeps CR LF", function()
    assert.equal("a: 1 # c\r\nb:\r\n  c: 2\r\n", set("a: 1 # c\r\n", "b c", "2"))
    assert.equal("a: 2 # c\r\nb: 3\r\n", set("a: 1 # c\r\nb: 3\r\n", "a", "2"))
    assert.equal("b: 3\r\n", set("a: 1 # c\r\nb: 3\r\n", "a", nil))
    assert.equal("a: |-\r\n  x\r\n  y\r\n", set("a: 1\r\n", "a", '"x\\ny"'))
  end)

  it("makes a document where there is none", function()
    assert.equal("a:\n  b: 1\n", set("", "a b", "1"))
    assert.equal("# c\na: 1\n", set("# c\n", "a", "1"))
    assert.equal("# c\na: 1\n", set("# c", "a", "1"))
    assert.equal("---\na: 1\n", set("---\n", "a", "1"))
  end)

  it("touches only the first document", function()
    assert.equal("a: 2\n--- # x\nb: [ 1 ]\n", set("a: 1\n--- # x\nb: [ 1 ]\n", "a", "2"))
    assert.equal("---\na: 1\nc: 3\n---\nb: 1\n", set("---\na: 1\n---\nb: 1\n", "c", "3"))
  end)

  it("never changes an anchor through its alias", function()
    assert.equal("a: &x {k: 1}\nb:\n  k: 2\n", set("a: &x {k: 1}\nb: *x\n", "b k", "2"))
    assert.equal("a: &x\n  k: 1\nb:\n  <<: *x\n  k: 2\n",
      set("a: &x\n  k: 1\nb:\n  <<: *x\n", "b k", "2"))
    assert.equal("a: &x\n  k: 1\nb:\n  <<: *x\n  j: 1\n  m: 2\n",
      set("a: &x\n  k: 1\nb:\n  <<: *x\n  j: 1\n", "b m", "2"))
  end)

  it("writes the document anew when splicing would change something else", function()
    assert.equal("b:\n  k: 1\n", set("a: &x {k: 1} # c\nb: *x\n", "a", nil))
    assert.equal("a: 2\n", set("? a\n: 1\n", "a", "2"))
  end)

  it("refuses blocked paths and broken text", function()
    for text, path in pairs { ["a: x\n"] = "a b", ["[1]\n"] = "a", ["a: [\n"] = "a" } do
      local got, kind = data.yaml_edit(text, split(path), "1")
      assert.is_nil(got)
      assert.equal("bad-request", kind)
    end
  end)

  it("gives what was asked for, whatever the layout", function()
    local texts = { KPTFILE, KPTFILE:gsub("\n", "\r\n"), (KPTFILE:gsub("\n$", "")),
      "metadata: {name: x, labels: {app: web}}\nstatus: &s {conditions: []}\nx: *s\n",
      "? metadata\n: name: x\n  labels:\n      app: web\ninfo: # i\n    readinessGates:\n"
      .. "    - conditionType: A\n", "--- {metadata: {name: x}}\n", "" }
    local edits = {
      { "metadata labels", '{"b":"1","app":"yes"}' }, { "metadata labels app", "null" },
      { "metadata annotations k", '"a: b"' }, { "info readinessGates", '[{"conditionType":"C"}]' },
      { "status conditions", '[{"type":"A","message":"l1\\n\\nl2\\n"}]' }, { "metadata name", "7" },
      { "status", "[[1,[2]],{}]" },
    }
    for _, text in ipairs(texts) do
      local tree = data.yaml(text)
      tree = tree == "null" and "{}" or tree
      for _, e in ipairs(edits) do
        text = set(text, e[1], e[2])
        tree = data.set_at(tree, e[1]:gsub(" ", "."), e[2])
        assert.is_true(data.equal(tree, (data.yaml(text))), text)
      end
    end
  end)

  it("gives the first list of a Kptfile kpt's indentation, of other kinds kyaml's", function()
    assert.equal("kind: Kptfile\nstatus:\n  conditions:\n    - type: A\n",
      set("kind: Kptfile\n", "status conditions", '[{"type":"A"}]'))
    assert.equal("kind: Pod\nstatus:\n  conditions:\n  - type: A\n",
      set("kind: Pod\n", "status conditions", '[{"type":"A"}]'))
  end)
end)
