-- SPDX-License-Identifier: Apache-2.0
--
-- Helper processes for scripts of packages: kept warm, ended when they do not answer, and unable to
-- reach anything. The program is `lanai fn-helper lua`.

local cjson = require("cjson")
local probe = require("probe_programs")
local HOSTILE = require("spec.core.script.hostile")

local LANAI = (os.getenv("LANAI_BUILD") or "build") .. "/lanai"
local SANITIZED = os.getenv("LD_PRELOAD") ~= nil
local MAX_MEMORY = not SANITIZED and 256 << 20 or nil

local function helpers(options)
  options = options or {}
  return probe.helpers({
    argv = { LANAI, "fn-helper", "lua" }, max = options.max or 2,
    max_calls = options.max_calls or 1000, max_memory = MAX_MEMORY, max_output = 64 << 20,
  })
end

local function list(source, items)
  local text = cjson.encode({
    apiVersion = "config.kubernetes.io/v1", kind = "ResourceList", items = items or {},
    functionConfig = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "f" },
      data = { source = source } },
  })
  return (text:gsub('"items":{}', '"items":[]'))
end

-- Exit code, answer, log; of a failure the message of its last result.
local function run(h, source, timeout_ms)
  local code, text, log = h:run(list(source), timeout_ms or 20000)
  if code == nil then
    return nil, text, log
  end
  local answer = cjson.decode(text)
  local results = answer.results or {}
  return code, code == 0 and answer or results[#results].message, log
end

describe("a helper", function()
  local h = helpers()

  teardown(function()
    h = nil
    collectgarbage()
  end)

  it("runs a program over a ResourceList", function()
    local source = [[
      for _, r in ipairs(ctx.resource_list.items) do
        r.data.replicas = r.data.replicas + 1
      end
      print("seen", #ctx.resource_list.items)
      ctx.result({ message = "done", severity = "info" })]]
    local items = { { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "c" },
      data = { replicas = 2 } } }
    local code, text, log = h:run(list(source, items), 20000)
    local answer = cjson.decode(text)
    assert.same({ 0, "seen\t1\n" }, { code, log })
    assert.equal(3, answer.items[1].data.replicas)
    assert.same({ { message = "done", severity = "info" } }, answer.results)
  end)

  it("gives errors as results, with where they were raised", function()
    local code, message, log = run(h, "local x = 1\nerror('bad input')")
    assert.same({ 1, "program:2: bad input" }, { code, message })
    assert.equal("failed to evaluate function: error: function failure\n", log)
  end)

  it("names what is missing in the functionConfig", function()
    local code, text = run(h, "")
    assert.same({ 1, "`source` must not be empty" }, { code, text })
    code, text = h:run('{"kind":"ResourceList","items":[]}', 20000)
    assert.equal(1, code)
    assert.matches("FunctionConfig is missing. Expect `ConfigMap` or `LuaRun`", text, 1, true)
    local _, other = h:run('{"functionConfig":{"kind":"Secret"}}', 20000)
    assert.matches("must be either `ConfigMap` or `LuaRun`, but we got: Secret", other, 1, true)
  end)

  it("says so when it cannot read a request", function()
    local code, text, log = h:run("{", 20000)
    assert.same({ 1, "" }, { code, text })
    assert.matches("failed to read ResourceList input", log)
  end)

  it("is used again, without anything of the last program", function()
    local one = helpers()
    assert.equal(0, (run(one, "leak = 1; ctx.leak = 1")))
    local code, message = run(one, "error(tostring(_ENV.leak) .. tostring(ctx.leak))")
    assert.same({ 1, "program:1: 'leak' is not available to scripts" }, { code, message })
    code, message = run(one, "error(tostring(ctx.leak))")
    assert.same({ 1, "program:1: nil" }, { code, message })
    assert.equal(1, one:started())
  end)

  it("that does not answer in time is killed, and another takes its place", function()
    local one = helpers({ max = 1 })
    local code, kind, message = run(one, "while true do end", 300)
    assert.same({ nil, "timeout" }, { code, kind })
    assert.matches("did not end in time", message)
    assert.equal(0, (run(one, "return")))
    assert.equal(2, one:started())
  end)

  it("ends after so many calls", function()
    local one = helpers({ max_calls = 2 })
    for _ = 1, 5 do
      assert.equal(0, (run(one, "return")))
    end
    assert.equal(3, one:started())
  end)

  it("that is not there is named", function()
    local none = probe.helpers({ argv = { "/nowhere/helper" }, max = 1, max_calls = 1 })
    local code, kind = none:run("{}", 1000)
    assert.same({ nil, "not-found" }, { code, kind })
  end)

  it("that gives no answer is told from one that is slow", function()
    local none = probe.helpers({ argv = { "/bin/true" }, max = 1, max_calls = 1 })
    local code, kind, message = none:run("{}", 5000)
    assert.same({ nil, "unavailable", "'/bin/true' ended without an answer" },
      { code, kind, message })
  end)

  it("has given up its rights before it reads a program", function()
    collectgarbage() -- ends those of other tests
    local pids = {}
    for pid in io.popen("LD_PRELOAD= pgrep -P $PPID -x lanai"):lines() do
      pids[#pids + 1] = pid
    end
    assert.is_true(#pids > 0)
    for _, pid in ipairs(pids) do
      local status = io.open("/proc/" .. pid .. "/status"):read("a")
      assert.matches("NoNewPrivs:%s+1\n", status)
      assert.matches("Seccomp:%s+2\n", status)
      local limits = io.open("/proc/" .. pid .. "/limits"):read("a")
      assert.matches("Max open files%s+0 ", limits)
      assert.matches("Max file size%s+0 ", limits)
      assert.matches("Max core file size%s+0 ", limits)
    end
  end)

  it("costs well under a millisecond", function()
    local ns = h:time(list("return"), 200)
    assert.is_true(ns < (SANITIZED and 20e6 or 1e6), ("%d ns"):format(ns))
  end)
end)

describe("what a program in a helper cannot do:", function()
  local h = helpers()

  teardown(function()
    h = nil
    collectgarbage()
  end)

  for _, case in ipairs(HOSTILE) do
    local name, body, kind = table.unpack(case)
    if not body:find("h.count", 1, true) then
      it(name, function()
        local code, got, message = run(h, body, kind == "timeout" and 250 or 20000)
        if kind == "timeout" then
          assert.is_true(code == nil and got == "timeout", tostring(got))
        elseif kind then
          assert.is_true(code ~= 0, tostring(message))
        else
          assert.equal(0, code)
        end
        assert.equal(0, (run(h, "return"))) -- the next program does not feel it
      end)
    end
  end

  local ABSENT = { "io", "os", "debug", "package", "load", "loadfile", "dofile", "loadstring",
    "collectgarbage", "coroutine", "xpcall" }
  for _, name in ipairs(ABSENT) do
    it(("use %s"):format(name), function()
      local code, message = run(h, ("return %s.x or %s()"):format(name, name))
      assert.equal(1, code)
      assert.matches("not available", message, 1, true)
    end)
  end

  local ESCAPES = {
    { "run bytecode", "\27Lua", "attempt to load a binary chunk" },
    { "make bytecode", "string.dump(function() end)", "attempt to call a nil value" },
    { "load a C library", "require('cjson')", "" },
    { "load a file", "require('/etc/passwd')", "" },
    { "change what all strings can do", "getmetatable('').__index.upper = 1", "" },
    { "give strings another metatable", "setmetatable('', {})", "" },
    { "hide in the metatable of its globals", "setmetatable(_ENV, {})", "protected metatable" },
    { "read that metatable", "error(tostring(getmetatable(_ENV)))", "false" },
    { "give a node another metatable", "setmetatable(ctx.resource_list, {})", "" },
    { "make a finalizer", "setmetatable({}, { __gc = print })", "__gc is not available" },
    { "learn an address", "error(tostring(print))", "program:1: function" },
    { "learn an address through format", "error(('%p'):format(print))", "%p is not available" },
    { "replace the list", "ctx.resource_list = nil; ctx.result = nil; error('end')", "end" },
    { "build a cycle", [[
      local items = ctx.resource_list.items
      items[#items + 1] = { a = { x = 1 } }
      items[1].a.b = items[1]
      error(tostring(items[1].a.b.a.b == nil))]], "true" },
  }
  for _, case in ipairs(ESCAPES) do
    it(case[1], function()
      local code, message = run(h, case[2])
      assert.equal(1, code)
      assert.matches(case[3], message, 1, true)
      assert.equal(0, (run(h, "return")))
    end)
  end

  it("print without end", function()
    local code, _, log = run(h, "for i = 1, 200000 do print(('x'):rep(100)) end")
    assert.equal(0, code)
    assert.is_true(#log <= 1 << 20)
  end)
end)
