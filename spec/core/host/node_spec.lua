-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.core.host.support")

local REQ = '{"object":{"metadata":{"name":"n","labels":{"b":"2","a":"1"}},"list":[1,2.5,"x",true,'
  .. 'null,{"k":"v"}],"big":9223372036854775807,"none":null,"empty":{},"void":[]}}'

-- The result of a body that sees `o`, the object of the request, and `lanai`.
local function eval(body)
  local r = support.run("local o = req.object\n" .. body, REQ)
  return r.result, r
end

local function value(expression)
  local result, r = eval("return { v = " .. expression .. " }")
  assert.is_true(r.ok, r.message)
  return result.v
end

local function message(body)
  local _, r = eval(body)
  assert.is_false(r.ok)
  assert.equal("internal", r.kind)
  return r.message
end

describe("nodes in Lua", function()
  after_each(support.clean)

  it("read as plain values", function()
    assert.equal("n", value("o.metadata.name"))
    assert.equal("integer", value("math.type(o.list[1])"))
    assert.equal(2.5, value("o.list[2]"))
    assert.equal(true, value("o.list[4]"))
    assert.equal("9223372036854775807", value("tostring(o.big)"))
    assert.equal("nil nil nil nil", value(
      "table.concat({type(o.missing), type(o.none), type(o.list[5]), type(o.list[7])}, ' ')"))
    assert.equal("nil", value("type(o.metadata[1])"))
    assert.equal("nil", value("type(o.list.x)"))
    assert.equal("v", value("o.list[6].k"))
  end)

  it("have lengths", function()
    assert.equal("6 2 0 0", value("table.concat({#o.list, #o.metadata.labels, #o.empty, #o.void},"
      .. " ' ')"))
  end)

  it("iterate in document order and with lanai.sorted_pairs in key order", function()
    assert.equal("b2a1", (eval([[
      local out = ""
      for k, v in pairs(o.metadata.labels) do out = out .. k .. v end
      return { v = out }]])).v)
    assert.equal("a1b2", (eval([[
      local out = ""
      for k, v in lanai.sorted_pairs(o.metadata.labels) do out = out .. k .. v end
      return { v = out }]])).v)
    assert.equal("1=1,2=2.5,3=x,4=true,5=null,6=map,", (eval([[
      local out = ""
      for i, v in pairs(o.list) do out = out .. i .. "=" .. tostring(v) .. "," end
      return { v = out }]])).v)
    assert.equal(4, (eval([[
      local n = 0
      for _ in ipairs(o.list) do n = n + 1 end
      return { v = n }]])).v)
  end)

  it("are read-only when the script did not make them", function()
    assert.matches("read%-only", message("o.x = 1"))
    assert.matches("read%-only", message("o.metadata.labels.a = nil"))
    assert.matches("read%-only", message("table.insert(o.list, 1)"))
    assert.matches("read%-only", message("req.object = nil"))
  end)

  it("can be copied and changed", function()
    local result = eval([[
      local c = lanai.copy(o)
      c.metadata.labels.b = nil
      c.metadata.labels.c = "3"
      c.list[7] = "end"
      c.list[6] = nil == nil and lanai.map({ z = lanai.list() }) or nil
      c.big, c.list[2] = nil, 1.5
      c.none = lanai.null
      return c]])
    assert.same({ a = "1", c = "3" }, result.metadata.labels)
    assert.equal("end", result.list[7])
    assert.same({ z = {} }, result.list[6])
    assert.equal(1.5, result.list[2])
    assert.is_nil(result.big)
  end)

  it("work with table.insert, table.remove and table.concat", function()
    local result = eval([[
      local l = lanai.list({ "a", "c" })
      table.insert(l, 2, "b")
      table.insert(l, "d")
      table.remove(l, 1)
      return { v = table.concat(l, "") }]])
    assert.equal("bcd", result.v)
  end)

  it("keep no hole and no strange key", function()
    assert.matches("hole", message("local l = lanai.list({1, 2, 3}); l[2] = nil"))
    assert.matches("out of range", message("local l = lanai.list(); l[2] = 1"))
    assert.matches("expected", message("local m = lanai.map(); m[1] = 1"))
    assert.matches("list has holes", message("return { v = { [1] = 1, [3] = 3 } }"))
    assert.matches("neither a list nor a map", message("return { v = { 1, a = 2 } }"))
    assert.matches("cannot be a key", message("return { v = { [true] = 2 } }"))
    assert.matches("say lanai.list{} or lanai.map{}", message("return { v = {} }"), 1, true)
  end)

  it("take only what has a JSON form", function()
    assert.matches("a function has no JSON form", message("return { v = function() end }"))
    assert.matches("not UTF%-8", message([[return { v = "\xff" }]]))
    assert.matches("no JSON form", message("return { v = 1/0 }"))
    assert.matches("no JSON form", message("return { v = 0/0 }"))
  end)

  it("are copied when they are put somewhere, so there are no cycles", function()
    local result = eval([[
      local m = lanai.map({ a = 1 })
      m.self = m
      m.a = 2
      return m]])
    assert.same({ a = 2, self = { a = 1 } }, result)
    assert.matches("nested too deeply", message("local t = {} t.t = t return t"))
    assert.matches("nested too deeply", message([[
      local m = lanai.map({ a = 1 })
      for _ = 1, 600 do local n = lanai.map(); n.m = m; m = n end]]))
  end)

  it("end a run that builds too much of them", function()
    local _, r = eval([[
      local t = { 1, 2 }
      for _ = 1, 30 do t = { t, t } end
      return { v = t }]])
    assert.equal("too-large", r.kind)
    _, r = eval([[
      local m = lanai.map({ a = ("x"):rep(100000) })
      for i = 1, 100000 do m["k" .. i] = m.a end]])
    assert.equal("too-large", r.kind)
    _, r = eval([[
      local m = lanai.map({ a = 1 })
      for i = 1, 40 do m["k" .. i] = m end]])
    assert.is_true(r.kind == "too-large" or r.message:find("too many parts") ~= nil, r.message)
  end)

  it("compare by content with lanai.equal", function()
    assert.equal(true, value("lanai.equal(o.metadata.labels, { a = '1', b = '2' })"))
    assert.equal(false, value("lanai.equal(o.metadata.labels, { a = '1' })"))
    assert.equal(true, value("lanai.is_list(o.void) and lanai.is_map(o.empty)"))
  end)

  it("hide their metatable and do not take foreign handles", function()
    assert.equal(false, value("getmetatable(o)"))
    assert.is_false(select(2, eval("return { v = setmetatable(o, {}) }")).ok)
    assert.is_false(select(2, eval("local d = ctx.draft(); return { v = d }")).ok)
  end)
end)

describe("text helpers", function()
  after_each(support.clean)

  it("parse and write YAML and JSON", function()
    assert.equal("b", (eval([[return { v = require("lanai.yaml").parse("a: b").a }]])).v)
    assert.equal(2, (eval([[
      return { v = #require("lanai.yaml").parse_all("a: b\n---\nc: d\n") }]])).v)
    assert.equal("a: b\n", (eval([[return { v = require("lanai.yaml").emit({ a = "b" }) }]])).v)
    assert.equal('{"a":[1]}', (eval([[return { v = require("lanai.json").emit({ a = {1} }) }]])).v)
    assert.equal("x", (eval([[return { v = require("lanai.json").parse('{"a":"x"}').a }]])).v)
  end)

  it("return nil and an error for broken text", function()
    assert.equal("bad-request", (eval([[
      local n, err = require("lanai.yaml").parse("a: [")
      return { v = n == nil and err.kind }]])).v)
    assert.equal("bad-request", (eval([[
      local n, err = require("lanai.json").parse("{")
      return { v = n == nil and err.kind }]])).v)
  end)

  it("give messages by id and refuse unknown ids", function()
    assert.equal('package "p" already exists in repository "r"',
      value("lanai.message('create-package-exists', 'p', 'r')"))
    assert.matches("no message 'nonsense'", message("lanai.message('nonsense')"))
    assert.is_false(select(2, eval("lanai.message('create-package-exists', 'p')")).ok)
  end)

  it("know names and paths", function()
    assert.equal("r.a.b.v1", value("require('lanai.krm').name('r', 'a/b', 'v1')"))
    assert.equal(true, value("require('lanai.krm').check_name('r', 'a/b', 'v1')"))
    assert.matches("kubernetes resource name invalid",
      value("select(2, require('lanai.krm').check_name('r', 'A', 'v1')).message"))
    assert.equal("nil", value("type(require('lanai.krm').path_fault('a/b.yaml'))"))
    assert.equal("string", value("type(require('lanai.krm').path_fault('../b'))"))
  end)

  it("split and look up", function()
    assert.equal("a||b", value("table.concat(lanai.split('a..b', '.'), '|')"))
    assert.equal("n", value("lanai.at(o, 'metadata.name')"))
    assert.equal("nil", value("type(lanai.at(o, 'metadata.name.x.y'))"))
    assert.equal("nil", value("type(lanai.at(nil, 'a'))"))
  end)
end)
