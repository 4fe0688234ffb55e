-- SPDX-License-Identifier: Apache-2.0

local probe = require("probe_script")
local sources = require("spec.core.script.sources")

-- Runs a chunk as the `run` of a workflow; `h` is the table of host functions.
local function run(body, options)
  local text = "return { run = function(h)\n" .. body .. "\nend }"
  local set, _, message = probe.load({ sources.dir({ ["x.lua"] = text }) })
  assert(set, message)
  return set:run("x", options)
end

describe("the sandbox", function()
  after_each(sources.clean)

  it("offers exactly the allow-list", function()
    local offered = {
      "assert", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "rawequal",
      "rawget", "rawlen", "require", "select", "setmetatable", "string", "table", "tonumber",
      "tostring", "type", "utf8",
    }
    for _, name in ipairs(offered) do
      local r = run("return type(" .. name .. ")")
      assert.is_true(r.ok, name)
      assert.is_true(r.result == "function" or r.result == "table", name)
    end
  end)

  it("has no way to files, processes, code from text, bytecode, threads or the debugger", function()
    local names = {
      "_G", "_VERSION", "collectgarbage", "coroutine", "debug", "dofile", "io", "load", "loadfile",
      "loadstring", "os", "package", "print", "rawset", "warn", "xpcall", "module", "unpack",
    }
    for _, name in ipairs(names) do
      local r = run("return " .. name)
      assert.is_false(r.ok, name)
      assert.matches("'" .. name .. "' is not available to scripts", r.message, 1, true)
      assert.equal("internal", r.kind)
    end
  end)

  it("has no string.dump, string.pack, math.random or table functions beyond the list", function()
    for _, name in ipairs({ "string.dump", "string.pack", "string.unpack", "math.random",
      "math.randomseed" }) do
      assert.equal("nil", run("return type(" .. name .. ")").result, name)
    end
  end)

  it("refuses global writes", function()
    local r = run("x = 1")
    assert.matches("assignment to global 'x'", r.message)
  end)

  it("does not reach the environment through a function's upvalue or metatables", function()
    assert.matches("protected metatable", run("setmetatable(_ENV, {})").message)
    assert.is_false(run("return getmetatable(_ENV)").result)
    assert.is_false(run("return getmetatable('')").result)
    assert.matches("protected metatable",
      run("return setmetatable(setmetatable({}, {__metatable = 1}), {})").message)
    assert.is_false(run("return setmetatable('', {})").ok)
    assert.is_false(run("return setmetatable(print or string.rep, {})").ok)
  end)

  it("refuses __gc, also when the metatable has it hidden", function()
    local refused = run("setmetatable({}, {__gc = function() end})")
    assert.matches("__gc is not available", refused.message)
    local r = run([[
      local ran = false
      do
        local mt = {}
        setmetatable({}, mt)
        mt.__gc = function() ran = true end
      end
      for i = 1, 200000 do local t = {i} end
      return ran]])
    assert.is_true(r.ok)
    assert.is_false(r.result)
  end)

  it("refuses bytecode files", function()
    local code = string.dump(function() return { run = function() return 1 end } end)
    local set, kind, message = probe.load({ sources.dir({ ["x.lua"] = code }) })
    assert.is_nil(set)
    assert.equal("invalid", kind)
    assert.matches("attempt to load a binary chunk", message)
  end)

  it("hides addresses", function()
    assert.equal("table", run("return tostring({})").result)
    assert.equal("function", run("return tostring(error)").result)
    assert.equal("table", run("return ('%s'):format({})").result)
    assert.matches("%%p is not available", run("return ('%5p'):format({})").message)
    assert.equal("x", run([[
      return tostring(setmetatable({}, {__tostring = function() return "x" end}))]]).result)
  end)

  it("keeps what is useful", function()
    assert.equal("a-b", run([[return table.concat({"a", "b"}, "-")]]).result)
    assert.equal("1,2,3", run([[local t = {3, 1, 2}; table.sort(t); return table.concat(t, ",")]])
      .result)
    assert.equal("321", run([[local t = {3, 1, 2}
      table.sort(t, function(a, b) return a > b end); return table.concat(t)]]).result)
    assert.equal("ababab", run([[return ("ab"):rep(3)]]).result)
    assert.equal("a|a", run([[return ("a"):rep(2, "|")]]).result)
    assert.equal("caught", run([[return pcall(error, "x") and "" or "caught"]]).result)
    assert.equal("closed", run([[
      local state = "open"
      do local h <close> = setmetatable({}, {__close = function() state = "closed" end}) end
      return state]]).result)
    assert.equal("5 7", run([[local t = {5, 6, 7}; table.remove(t, 2); table.insert(t, 1, "x")
      return table.concat({table.unpack(table.move(t, 2, 3, 1, {}))}, " ")]]).result)
  end)
end)

describe("errors of scripts", function()
  after_each(sources.clean)

  it("keep the kind, message and causes of a raised table", function()
    local r = run([[error({kind = "conflict", message = "taken",
      causes = {{reason = "R", field = "spec.x", message = "m"}}})]])
    assert.equal("conflict", r.kind)
    assert.equal("taken", r.message)
    assert.equal(1, r.n_causes)
    assert.equal("m", r.cause)
    assert.equal("spec.x", r.field)
  end)

  it("are internal with file and line when a text is raised", function()
    local r = run("error('boom')")
    assert.equal("internal", r.kind)
    assert.matches("^Internal error occurred: .*x%.lua:2: boom$", r.message)
  end)

  it("survive strange values", function()
    assert.equal("internal", run("error(nil)").kind)
    assert.equal("internal", run("error(setmetatable({}, {__index = error}))").kind)
    assert.equal("internal", run([[error(setmetatable({}, {__tostring = function()
      while true do end end}))]]).kind)
    assert.equal("internal", run("error({kind = {}, message = function() end, causes = 1})").kind)
    assert.equal("internal", run("error(true)").kind)
  end)
end)

describe("require", function()
  after_each(sources.clean)

  local function run_with(files)
    local set, _, message = probe.load({ sources.dir(files) })
    assert(set, message)
    return set:run("x")
  end

  it("reaches modules of the set, host modules, and nothing else", function()
    local r = run_with({
      ["x.lua"] = [[local a = require("lib.a"); return { run = function()
        return a.value .. type(require("probe").count) .. type(require("lanai.cron")) end }]],
      ["lib/a.lua"] = [[return { value = "a" }]],
    })
    assert.is_true(r.ok, r.message)
    assert.equal("afunctiontable", r.result)
    for _, name in ipairs({ "os", "io", "string", "x", "../x", "/etc/passwd", "cjson", "" }) do
      r = run_with({ ["x.lua"] = ("return { run = function() require(%q) end }"):format(name) })
      assert.is_false(r.ok)
      assert.matches("no module", r.message)
    end
  end)

  it("runs a module once and refuses cycles", function()
    local r = run_with({
      ["x.lua"] = [[return { run = function()
        return rawequal(require("lib.a"), require("lib.a")) end }]],
      ["lib/a.lua"] = "return {}",
    })
    assert.is_true(r.result)
    r = run_with({
      ["x.lua"] = [[require("lib.a")]],
      ["lib/a.lua"] = [[require("lib.b")]],
      ["lib/b.lua"] = [[require("lib.a")]],
    })
    assert.matches("requires itself", r.message)
  end)
end)
