-- SPDX-License-Identifier: Apache-2.0
-- JSON parsing and emission, and the node tree's own operations.
local data = require "probe_data"

local function refuses(text, problem)
  local out, kind, message = data.json(text)
  assert.is_nil(out, "accepted " .. text)
  assert.equal("bad-request", kind)
  if problem then
    assert.matches(problem, message, 1, true)
  end
end

describe("json_parse", function()
  it("keeps member order and number texts", function()
    local text = '{"z":1,"a":[1.0,-0,1e5,0.10,12345678901234567890,-9223372036854775808],"m":{}}'
    assert.equal(text, (data.json(text)))
  end)

  it("accepts blanks everywhere and drops them", function()
    assert.equal('{"a":[1,2],"b":null}', (data.json(' {\t"a" :\r\n[ 1 , 2 ] , "b": null } \n')))
  end)

  it("decodes escapes and surrogate pairs", function()
    assert.equal('"\\"\\\\/\\b\\f\\n\\r\\té😀"',
      (data.json([["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"]])))
    assert.equal('"a\\u0000b"', (data.json([["a\u0000b"]])))
  end)

  it("replaces lone surrogates", function()
    assert.equal('"\u{fffd}x\u{fffd}\u{fffd}"', (data.json([["\ud800x\udc00\ud800"]])))
    assert.equal('"\u{fffd}\u{e9}"', (data.json([["\ud800\u00e9"]])))
  end)

  it("borrows strings without escapes", function()
    assert.is_true(data.json_borrows('"plain text é"'))
    assert.is_false(data.json_borrows([["a\nb"]]))
  end)

  it("finds the end of strings of every length", function()
    for n = 0, 40 do
      local s = ("x"):rep(n)
      assert.equal('["' .. s .. '","é' .. s .. '"]', (data.json('["' .. s .. '","é' .. s .. '"]')))
      refuses('"' .. s .. "\1" .. '"', "control character")
      refuses('"' .. s .. "\31yyyyyyyyyy" .. '"', "control character")
      refuses('"' .. s, "unexpected end")
      assert.equal('"' .. s .. '\\"y"', (data.json('"' .. s .. '\\"y"')))
    end
  end)

  it("refuses what RFC 8259 refuses", function()
    for _, text in ipairs { "", " ", "{", "[", "[1,]", '{"a":1,}', "{,}", '{"a" 1}', "{a:1}", "'a'",
      "01", "-01", "1.", ".5", "+1", "1e", "1e+", "-", "tru", "nul", "falsee", "[1] x", "[1 2]",
      '"\\x"', '"\\u12g4"', '"\\u12"', '"\\', "\u{feff}1", "NaN", "[1}", '{"a":1]', "// x\n1" } do
      refuses(text)
    end
  end)

  it("refuses invalid UTF-8 in values and keys", function()
    for _, bytes in ipairs { "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82" } do
      refuses('["' .. bytes .. '"]', "UTF-8")
      refuses('{"' .. bytes .. '":1}', "UTF-8")
      refuses('["\\n' .. bytes .. '"]', "UTF-8")
    end
  end)

  it("names line and column", function()
    refuses('{\n  "a": 1,\n  "b": x\n}', "line 3, column 8: unexpected character")
  end)

  it("stops at the depth limit", function()
    assert.equal(("["):rep(512) .. ("]"):rep(512), (data.json(("["):rep(512) .. ("]"):rep(512))))
    refuses(("["):rep(513) .. ("]"):rep(513), "nesting is too deep")
    refuses(('{"a":'):rep(513) .. "1" .. ("}"):rep(513), "nesting is too deep")
    refuses(("["):rep(1000000), "nesting is too deep")
  end)

  it("fails instead of passing the arena's limit", function()
    local out, kind, message = data.json("[" .. ("1,"):rep(10000) .. "1]", -1, 20000)
    assert.is_nil(out)
    assert.equal("bad-request", kind)
    assert.matches("too large", message, 1, true)
  end)

  it("reports duplicate members with their path; the last wins", function()
    local text = [[{"spec":{"color":1,"tasks":[{},{"type":"a","type":"b"}],"color":2},"spec2":0}]]
    local out, reports = data.json(text)
    assert.equal('{"spec":{"color":2,"tasks":[{},{"type":"b"}]},"spec2":0}', out)
    assert.equal("spec.tasks[1].type\nspec.color\n", reports)
  end)

  it("finds duplicates in large maps and bounds the reports", function()
    local parts = {}
    for i = 1, 5000 + 100 do
      parts[#parts + 1] = ('"k%d":%d'):format(i % 4900, i)
    end
    local out, reports = data.json("{" .. table.concat(parts, ",") .. "}")
    local _, members = out:gsub(":", "")
    assert.equal(4900, members)
    assert.matches('"k1":4901,', out, 1, true)
    local want = {}
    for i = 1, 100 do
      want[i] = "k" .. i .. "\n"
    end
    assert.equal(table.concat(want), reports)
  end)

  it("takes time in proportion to the size of a map", function()
    local function map_of(n)
      local parts = {}
      for i = 1, n do
        parts[i] = ('"key-%07d":1'):format(i)
      end
      return "{" .. table.concat(parts, ",") .. "}"
    end
    local small, large = map_of(2000), map_of(64000)
    local per_member = data.json_time(small, 32) / (2000 * 32)
    -- Quadratic look-up would cost 32 times as much per member.
    assert.is_true(data.json_time(large, 1) / 64000 < per_member * 10)
  end)
end)

describe("json_emit", function()
  it("escapes what JSON requires and nothing else", function()
    assert.equal([["<>&\u0001\u001f/'"]], (data.json([["<>&\u0001\u001f\/'"]])))
  end)

  it("indents like kubectl", function()
    assert.equal('{\n    "a": [\n        1,\n        {}\n    ],\n    "b": [],\n    "c": {\n'
      .. '        "d": null\n    }\n}', (data.json('{"a":[1,{}],"b":[],"c":{"d":null}}', 4)))
  end)
end)

describe("nodes", function()
  it("compare by value", function()
    assert.is_true(data.equal('{"a":1,"b":[true]}', '{"b":[true],"a":1}'))
    assert.is_true(data.equal("[1, 1.5e1]", "[1.0, 15]"))
    assert.is_false(data.equal("[1,2]", "[2,1]"))
    assert.is_false(data.equal('{"a":1}', '{"a":1,"b":2}'))
    assert.is_false(data.equal('{"a":1,"c":2}', '{"a":1,"b":2}'))
    assert.is_false(data.equal('"1"', "1"))
    assert.is_false(data.equal("12345678901234567890", "12345678901234567891"))
    assert.is_false(data.equal("null", "false"))
  end)

  it("compare large maps in any order", function()
    local a, b = {}, {}
    for i = 1, 100 do
      a[i] = ('"k%d":%d'):format(i, i)
      b[101 - i] = a[i]
    end
    local x, y = "{" .. table.concat(a, ",") .. "}", "{" .. table.concat(b, ",") .. "}"
    assert.is_true(data.equal(x, y))
    assert.is_false(data.equal(x, (y:gsub("99", "98"))))
  end)

  it("are read and changed by dotted paths", function()
    local o = '{"spec":{"git":{"repo":"x"}},"n":1}'
    assert.equal('"x"', data.at(o, "spec.git.repo"))
    assert.is_nil(data.at(o, "spec.oci.repo"))
    assert.is_nil(data.at(o, "n.x"))
    assert.equal('{"spec":{"git":{"repo":"y"}},"n":1}', (data.set_at(o, "spec.git.repo", '"y"')))
    assert.equal('{"spec":{"git":{"repo":"x"}},"n":1,"a":{"b":2}}', (data.set_at(o, "a.b", "2")))
    assert.equal('{"spec":{"git":{}},"n":1}', (data.set_at(o, "spec.git.repo", nil)))
    assert.same({ o, false }, { data.set_at(o, "spec.x.y", nil) })
  end)

  it("copy deeply", function()
    local o = [[{"a":["x\ny",1.50,null,{"k":true}],"b":{}}]]
    assert.equal(o, data.copy(o))
  end)
end)

describe("base64", function()
  it("goes both ways for every length of the last group", function()
    for _, pair in ipairs { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
      { "\0\xff\xfe\x80", "AP/+gA==" } } do
      assert.equal(pair[2], data.base64(pair[1]))
      assert.equal(pair[1], data.base64(pair[2], true))
    end
    assert.equal("foobar", data.base64("Zm9v\n  YmFy\n", true))
  end)

  it("refuses broken text", function()
    for _, text in ipairs { "Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9*" } do
      assert.is_nil(data.base64(text, true), text)
    end
  end)
end)
