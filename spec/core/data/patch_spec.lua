-- SPDX-License-Identifier: Apache-2.0
-- RFC 7386 and RFC 6902, with the examples of their appendices.
local data = require "probe_data"

describe("patch_merge", function()
  it("follows the examples of RFC 7386", function()
    for _, c in ipairs {
      { '{"a":"b"}', '{"a":"c"}', '{"a":"c"}' },
      { '{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}' },
      { '{"a":"b"}', '{"a":null}', "{}" },
      { '{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}' },
      { '{"a":["b"]}', '{"a":"c"}', '{"a":"c"}' },
      { '{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}' },
      { '{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}' },
      { '{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}' },
      { '["a","b"]', '["c","d"]', '["c","d"]' },
      { '{"a":"b"}', '["c"]', '["c"]' },
      { '{"a":"foo"}', "null", "null" },
      { '{"a":"foo"}', '"bar"', '"bar"' },
      { '{"e":null}', '{"a":1}', '{"e":null,"a":1}' },
      { "[1,2]", '{"a":"b","c":null}', '{"a":"b"}' },
      { "{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}' },
    } do
      assert.equal(c[3], data.merge(c[1], c[2]))
    end
  end)

  it("merges large maps", function()
    local t, p, want = {}, {}, {}
    for i = 1, 100 do
      t[i] = ('"k%d":%d'):format(i, i)
      p[i] = ('"k%d":%s'):format(i + 50, i % 2 == 0 and "null" or i)
    end
    for i = 1, 50 do
      want[i] = t[i]
    end
    for i = 1, 99, 2 do
      want[#want + 1] = p[i]
    end
    assert.equal("{" .. table.concat(want, ",") .. "}",
      data.merge("{" .. table.concat(t, ",") .. "}", "{" .. table.concat(p, ",") .. "}"))
  end)
end)

describe("patch_json", function()
  local function applies(target, ops, want)
    local got, kind, message = data.json_patch(target, ops)
    assert.equal(want, got, message or kind)
  end

  local function refuses(target, ops, kind)
    local got, got_kind, message = data.json_patch(target, ops)
    assert.is_nil(got)
    assert.equal(kind or "invalid", got_kind)
    if not kind then
      assert.equal("the server rejected our request due to an error in our request", message)
    else
      assert.matches("^error decoding patch: ", message)
    end
  end

  it("adds members and items", function()
    applies('{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux"}]',
      '{"foo":"bar","baz":"qux"}')
    applies('{"foo":["bar","baz"]}', '[{"op":"add","path":"/foo/1","value":"qux"}]',
      '{"foo":["bar","qux","baz"]}')
    applies('{"foo":["bar"]}', '[{"op":"add","path":"/foo/-","value":["abc","def"]}]',
      '{"foo":["bar",["abc","def"]]}')
    applies('{"foo":[]}', '[{"op":"add","path":"/foo/0","value":null}]', '{"foo":[null]}')
    applies('{"a":1}', '[{"op":"add","path":"/a","value":{"b":2}}]', '{"a":{"b":2}}')
    applies('{"a":1}', '[{"op":"add","path":"","value":[2]}]', "[2]")
    applies("{}", '[{"op":"add","path":"/","value":2}]', '{"":2}')
  end)

  it("refuses places that are not there", function()
    refuses('{"foo":"bar"}', '[{"op":"add","path":"/baz/bat","value":"qux"}]')
    refuses("[1]", '[{"op":"add","path":"/2","value":0}]')
    refuses("[1]", '[{"op":"add","path":"/01","value":0}]')
    refuses("[1]", '[{"op":"add","path":"/-1","value":0}]')
    refuses("[1]", '[{"op":"add","path":"/x","value":0}]')
    refuses("[1]", '[{"op":"remove","path":"/-"}]')
    refuses("[1]", '[{"op":"remove","path":"/1"}]')
    refuses("{}", '[{"op":"remove","path":"/a"}]')
    refuses("{}", '[{"op":"remove","path":""}]')
    refuses("{}", '[{"op":"replace","path":"/a/b","value":1}]')
    refuses('{"a":[]}', '[{"op":"replace","path":"/a/0","value":1}]')
    refuses('{"a":[1]}', '[{"op":"replace","path":"/a/-","value":1}]')
    refuses('{"a":1}', '[{"op":"replace","path":"/a/b","value":1}]')
    refuses("{}", '[{"op":"copy","from":"/a","path":"/b"}]')
    refuses('{"a":1}', '[{"op":"add","path":"/a/b","value":1}]')
    refuses("{}", '[{"op":"add","path":"/a~2","value":1}]')
  end)

  it("removes and replaces", function()
    applies('{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}')
    applies('{"foo":["bar","qux","baz"]}', '[{"op":"remove","path":"/foo/1"}]',
      '{"foo":["bar","baz"]}')
    applies('{"a":[1,2]}', '[{"op":"replace","path":"/a/1","value":{"x":3}}]',
      '{"a":[1,{"x":3}]}')
    applies('{"a":1}', '[{"op":"replace","path":"","value":7}]', "7")
    applies("{}", '[{"op":"replace","path":"/a","value":1}]', '{"a":1}')
  end)

  it("moves, but not into a child", function()
    applies('{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
      '[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]',
      '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}')
    applies('{"foo":["all","grass","cows","eat"]}',
      '[{"op":"move","from":"/foo/1","path":"/foo/3"}]',
      '{"foo":["all","cows","eat","grass"]}')
    applies('{"a":1}', '[{"op":"move","from":"/a","path":"/a"}]', '{"a":1}')
    applies('{"a":{"b":1},"ab":2}', '[{"op":"move","from":"/a","path":"/ab"}]', '{"ab":{"b":1}}')
    refuses('{"a":{"b":1}}', '[{"op":"move","from":"/a","path":"/a/c"}]')
    refuses('{"a":{"b":1}}', '[{"op":"move","from":"","path":"/a"}]')
  end)

  it("copies so that later changes touch one place only", function()
    applies('{"a":{"x":1}}',
      '[{"op":"copy","from":"/a","path":"/b"},{"op":"replace","path":"/b/x","value":2}]',
      '{"a":{"x":1},"b":{"x":2}}')
    applies('{"l":[]}', [[[{"op":"add","path":"/v","value":{"n":[]}},
      {"op":"add","path":"/v/n/-","value":1}]
    ]], '{"l":[],"v":{"n":[1]}}')
  end)

  it("tests by value", function()
    applies('{"a":{"x":1,"y":[2.0]}}', '[{"op":"test","path":"/a","value":{"y":[2],"x":1}}]',
      '{"a":{"x":1,"y":[2.0]}}')
    applies('{"a":null}', '[{"op":"test","path":"/a","value":null}]', '{"a":null}')
    refuses('{"a":1}', '[{"op":"test","path":"/a","value":"1"}]')
    refuses("{}", '[{"op":"test","path":"/a","value":null}]')
  end)

  it("decodes ~0 and ~1 in that order", function()
    applies('{"/":9,"~1":10}',
      '[{"op":"test","path":"/~01","value":10},{"op":"remove","path":"/~1"}]',
      '{"~1":10}')
  end)

  it("does all or nothing", function()
    refuses('{"a":1}', '[{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}]')
  end)

  it("calls patches that are no lists of objects bad requests", function()
    refuses("{}", '{"op":"add"}', "bad-request")
    refuses("{}", "[1]", "bad-request")
  end)

  it("refuses malformed operations like those that do not fit", function()
    refuses("{}", '[{"path":"/a","value":1}]')
    refuses("{}", '[{"op":"add","value":1}]')
    refuses("{}", '[{"op":"add","path":"a","value":1}]')
    refuses("{}", '[{"op":"add","path":"/a"}]')
    refuses("{}", '[{"op":"move","path":"/a"}]')
    refuses("{}", '[{"op":"spam","path":"/a","value":1}]')
  end)

  it("bounds operations, copies and depth", function()
    local op = '{"op":"test","path":"","value":{}},'
    local _, kind = data.json_patch("{}", "[" .. op:rep(10000) .. op:sub(1, -2) .. "]")
    assert.equal("too-large", kind)
    assert.equal("{}", (data.json_patch("{}", "[" .. op:rep(9999) .. op:sub(1, -2) .. "]")))
    local double = '{"op":"copy","from":"","path":"/a"},{"op":"copy","from":"","path":"/b"},'
    _, kind = data.json_patch('{"x":1}', "[" .. double:rep(40):sub(1, -2) .. "]")
    assert.equal("too-large", kind)
    local deep = ("["):rep(500) .. ("]"):rep(500)
    refuses('{"a":{"b":' .. deep .. "}}",
      '[{"op":"add","path":"/a/b' .. ("/0"):rep(499) .. '/-","value":' .. deep .. "}]")
  end)
end)
