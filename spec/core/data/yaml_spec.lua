-- SPDX-License-Identifier: Apache-2.0
-- YAML into nodes (as sigs.k8s.io/yaml) and nodes into YAML (as kyaml).
local data = require "probe_data"

local function parses(text, want)
  local got, kind, message = data.yaml(text)
  assert.equal(want, got, message or kind)
end

local function refuses(text, problem)
  local got, kind, message = data.yaml(text)
  assert.is_nil(got, "accepted " .. text:sub(1, 80))
  assert.equal("bad-request", kind)
  assert.matches(problem, message, 1, true)
end

describe("yaml_parse", function()
  it("resolves plain scalars by YAML 1.1", function()
    for text, want in pairs {
      ["yes"] = "true", ["on"] = "true", ["Y"] = "true", ["True"] = "true", ["no"] = "false",
      ["OFF"] = "false", ["n"] = "false", ["~"] = "null", ["Null"] = "null", [""] = "null",
      ["yEs"] = '"yEs"', ["nope"] = '"nope"',
      ["1"] = "1", ["-1"] = "-1", ["+1"] = "1", ["0x1F"] = "31", ["0b101"] = "5", ["0o17"] = "15",
      ["017"] = "15", ["08"] = "8", ["1_000"] = "1000", ["-0x10"] = "-16", ["0"] = "0",
      ["9223372036854775807"] = "9223372036854775807",
      ["18446744073709551615"] = "18446744073709551615",
      ["0xffffffffffffffff"] = "18446744073709551615",
      ["123456789012345678901234567890"] = "123456789012345678901234567890",
      ["1.0"] = "1.0", ["1.50"] = "1.50", [".5"] = "0.5", ["-.5"] = "-0.5", ["1."] = "1",
      ["1e3"] = "1e3", ["1.e3"] = "1e3", ["01.5"] = "1.5", ["+1.5e-3"] = "1.5e-3",
      ["1_0.5"] = "10.5",
      ["1.2.3"] = '"1.2.3"', ["1e400"] = '"1e400"', ["0x"] = '"0x"', ["-"] = '[null]',
      ["1:30"] = '"1:30"', ["_1"] = '"_1"', ["."] = '"."', ["1e"] = '"1e"', ["+"] = '"+"',
      ["2001-01-01"] = '"2001-01-01"', ["2001-01-01T00:00:00Z"] = '"2001-01-01T00:00:00Z"',
      ['"1"'] = '"1"', ["'yes'"] = '"yes"', ["'it''s'"] = '"it\'s"', ['"\\u00e9\\n"'] = '"é\\n"',
    } do
      local got = data.yaml("a: " .. text .. "\n")
      local root = data.yaml("- " .. text .. "\n")
      if text ~= "-" then
        assert.equal('{"a":' .. want .. "}", got, text)
      end
      assert.equal("[" .. want .. "]", root, text)
    end
  end)

  it("obeys tags", function()
    parses("[!!str 1, !!int '2', !!float 3, !!bool 'yes', !!null '', !foo 1, ! 1, !!binary aGk=]",
      '["1",2,3,true,null,"1",1,"hi"]')
    refuses("a: !!int x", "cannot decode `x` as a !!int")
    refuses("a: !!binary '*'", "invalid base64")
  end)

  it("has no infinity", function()
    refuses("a: .inf", "no JSON form")
    refuses("a: -.Inf", "no JSON form")
    refuses("a: .NaN", "no JSON form")
  end)

  it("makes strings of scalar keys", function()
    parses("1: a\nyes: b\n0x10: c\n1.5: d\n'x': e",
      '{"1":"a","true":"b","16":"c","1.5":"d","x":"e"}')
    refuses("? [a]\n: b", "a map key must be a scalar")
    refuses("~: b", "a map key must not be null")
  end)

  it("reads block scalars and flow", function()
    parses("a: |\n  x\n\n  y\nb: >-\n  x\n  y\nc: |+\n  z\n\nd: {e: [1, {f: }], g}",
      '{"a":"x\\n\\ny\\n","b":"x y","c":"z\\n\\n","d":{"e":[1,{"f":null}],"g":null}}')
  end)

  it("accepts JSON with its escapes", function()
    parses([[{"a": "x\/y\u00e9\n"}]], [[{"a":"x/yé\n"}]])
  end)

  it("accepts CR LF and a byte order mark", function()
    parses("\u{feff}a: 1\r\nb:\r\n- x\r\nc: |\r\n  l1\r\n  l2\r\n",
      '{"a":1,"b":["x"],"c":"l1\\nl2\\n"}')
    assert.equal("x y", (data.yaml_span("\u{feff}é: ü\r\nb: x y\r\n", "b")))
  end)

  it("expands aliases into copies", function()
    parses("a: &x {k: [v]}\nb: *x\nc: [*x, &y s, *y]",
      '{"a":{"k":["v"]},"b":{"k":["v"]},"c":[{"k":["v"]},"s","s"]}')
    refuses("a: *x", "unknown anchor 'x' referenced")
    refuses("a: &x [*x]", "contains itself")
    refuses("b: *x\na: &x 1", "unknown anchor")
    assert.is_nil((data.yaml_all("a: &x 1\n---\nb: *x\n")))
  end)

  it("merges with <<; explicit keys and earlier maps win", function()
    parses("x: &x {a: 1, b: 1}\nv: &v {b: 2, c: 2}\nz:\n  <<: [*x, *v]\n  a: 0\nw: {c: 3, <<: *v}",
      '{"x":{"a":1,"b":1},"v":{"b":2,"c":2},"z":{"a":0,"b":1,"c":2},"w":{"c":3,"b":2}}')
    parses("'<<': 1", '{"<<":1}')
    refuses("a:\n  <<: 1", "map merge requires map")
  end)

  it("bounds what aliases make", function()
    local lines, above = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" }, "a0"
    for i = 1, 9 do
      lines[#lines + 1] = ("a%d: &a%d [%s*%s]"):format(i, i, ("*" .. above .. ", "):rep(9), above)
      above = "a" .. i
    end
    refuses(table.concat(lines, "\n"), "excessive aliasing")
    local open, close = ("["):rep(300), ("]"):rep(300)
    refuses("a: &a " .. open .. close .. "\nb: " .. open .. "*a" .. close, "nesting is too deep")
  end)

  it("stops at the depth limit", function()
    assert.is_string((data.yaml(("["):rep(512) .. ("]"):rep(512))))
    refuses(("["):rep(513) .. ("]"):rep(513), "exceeded max depth of 512")
    refuses(("["):rep(100000), "exceeded max depth of 512")
  end)

  it("refuses duplicate keys or reports them", function()
    refuses("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n",
      'line 5: mapping key "c" already defined at line 3')
    local got, reports = data.yaml("a: 1\nb:\n- c: 1\n  c: 2\na: 3\n", true)
    assert.equal('{"a":3,"b":[{"c":2}]}', got)
    assert.equal("b[0].c\na\n", reports)
  end)

  it("says what is broken, and where, as the peer does", function()
    refuses("a: 1\nb: [1\nc: 2\n", "yaml: line 1: did not find expected ',' or ']'")
    refuses("a:\n\t- b", "yaml: line 2: found character that cannot start any token")
    refuses("a: \xff", "yaml: invalid leading UTF-8 octet")
    refuses("a: \1", "control characters are not allowed")
  end)

  it("takes the first document, or all", function()
    parses("# only a comment\n", "null")
    parses("", "null")
    parses("---\na: 1\n---\n[broken", '{"a":1}')
    assert.equal('[{"a":1},null,"b"]', (data.yaml_all("a: 1\n---\n---\nb\n...\n")))
    assert.equal("[]", (data.yaml_all("")))
    assert.is_nil((data.yaml_all("a: 1\n---\n[broken")))
  end)

  it("knows where values stand", function()
    local text = "é: ü\nm:\n  k: {x: 'a b' , z: [1,2]} # c\n  l:\n  - p: |\n      t\n\n  q: yes\n"
    assert.equal("'a b'", (data.yaml_span(text, "m.k.x")))
    assert.equal("[1,2]", (data.yaml_span(text, "m.k.z")))
    assert.equal("{x: 'a b' , z: [1,2]}", (data.yaml_span(text, "m.k")))
    assert.equal("- p: |\n      t", (data.yaml_span(text, "m.l")))
    assert.same({ "yes", "yes" }, { data.yaml_span(text, "m.q") })
  end)
end)

describe("yaml_emit", function()
  local function emits(json, want)
    assert.equal(want, data.yaml_emit(json))
    assert.is_true(data.equal(json, (data.yaml(want))), want)
  end

  it("writes compact block style", function()
    emits('{"a":{"b":[1,{"c":2,"d":[3]},[4,[5]]]},"e":[],"f":{},"g":null,"h":true,"i":1.50}',
      "a:\n  b:\n  - 1\n  - c: 2\n    d:\n    - 3\n  - - 4\n    - - 5\n"
      .. "e: []\nf: {}\ng: null\nh: true\ni: 1.50\n")
    emits("[]", "[]\n")
    emits('"x"', "x\n")
    emits('["a\\nb"]', "- |-\n  a\n  b\n")
  end)

  it("quotes what would not be a string", function()
    for _, text in ipairs { "yes", "no", "on", "off", "y", "N", "true", "False", "null", "~", "",
      "1", "-1", "0x1f", "1.5", ".5", "1e3", "1_000", "08", ".inf", ".nan", "2001-01-01",
      "2001-01-01 10:00:00", "1:30", "<<" } do
      emits('["' .. text .. '"]', '- "' .. text .. '"\n')
    end
  end)

  it("leaves other strings plain", function()
    for _, text in ipairs { "x", "a:b", "a#b", ":a", "-a", "a'b", "a,b", "1.2.3", "v1", "a b", "é",
      "a]b", "=", "0.0.0.0/0", "-a-", "http://x/y?z#k", "yess", "日本" } do
      emits('["' .. text .. '"]', "- " .. text .. "\n")
    end
  end)

  it("single-quotes indicators and edges", function()
    for _, text in ipairs { "a: b", "a:", "- a", "-", "?", "a #b", "[a]", "{a", "#a", "'a", " a",
      "a ", "@a", "%a", "`a", "*a", "&a", "!a", "|a", ">a", "---", "... x", ",a", "? b" } do
      emits('["' .. text .. '"]', "- '" .. text:gsub("'", "''") .. "'\n")
    end
  end)

  it("double-quotes special characters", function()
    emits([=[["a\tb"]]=], [[- "a\tb"]] .. "\n")
    emits([=[["\u0001\u007f\u0085\u2028\ufeff\r"]]=], [[- "\x01\x7F\N\L\uFEFF\r"]] .. "\n")
    emits([=[["😀"]]=], [[- "\U0001F600"]] .. "\n")
    emits([=[["a \nb"]]=], [[- "a \nb"]] .. "\n")
    emits([=[["\tx\ny\\\""]]=], [[- "\tx\ny\\\""]] .. "\n")
  end)

  it("writes lines as literals with the right header", function()
    emits([[{"a":"x\ny\n"}]], "a: |\n  x\n  y\n")
    emits([[{"a":"x\ny"}]], "a: |-\n  x\n  y\n")
    emits([[{"a":"x\n\n","b":1}]], "a: |+\n  x\n\nb: 1\n")
    emits([[{"a":"\n"}]], "a: |2+\n\n")
    emits([[{"a":"  x\n y"}]], "a: |2-\n    x\n   y\n")
    emits([[{"a":{"b":["x\n# y\n"]}}]], "a:\n  b:\n  - |\n    x\n    # y\n")
  end)

  it("quotes keys by the same rules", function()
    emits([[{"1":1,"yes":1,"a: b":1,"x\ny":1,"":1}]],
      '"1": 1\n"yes": 1\n\'a: b\': 1\n? |-\n  x\n  y\n: 1\n"": 1\n')
    local long = ("k"):rep(200)
    emits('{"' .. long .. '":{"a":[1]}}', "? " .. long .. "\n: a:\n  - 1\n")
  end)
end)
