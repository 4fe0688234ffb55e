-- SPDX-License-Identifier: Apache-2.0

local host = require("probe_host")
local support = require("spec.core.host.support")

local function revision(env, name, package, more)
  local spec = { packageName = package, workspaceName = "v1", lifecycle = "Draft" }
  for k, v in pairs(more or {}) do
    spec[k] = v
  end
  return env:revision(name, spec)
end

describe("ctx", function()
  after_each(support.clean)

  it("tells who asks, what for and when", function()
    local r = support.run([[return { user = ctx.user.name, group = ctx.user.groups[1],
      verb = ctx.verb, now = ctx.now(), ids = { ctx.id(), ctx.id() }, dry = ctx.dry_run,
      render = ctx.has("render"), caps = ctx.has("capabilities"), n = req.object.n,
      same = ctx.req.object.n, config = ctx.config.size }]], '{"object":{"n":5}}', nil,
      { now = "77", dry_run = "yes", config = '{"size":3}' })
    assert.is_true(r.ok, r.message)
    assert.same({ user = "alice", group = "system:authenticated", verb = "Probe/x", now = 77,
      ids = { "run-1", "run-2" }, dry = true, render = false, caps = true, n = 5, same = 5,
      config = 3 }, r.result)
  end)

  it("fails with a kind, and frames internal errors", function()
    local r = support.run([[return ctx.fail("conflict", "no", {
      { reason = "R", field = "f", message = "m" } })]])
    assert.same({ "conflict", "no" }, { r.kind, r.message })
    assert.same({ { reason = "R", field = "f", message = "m" } }, r.causes)
    r = support.run([[return ctx.fail("internal", "boom")]])
    assert.equal("Internal error occurred: boom", r.message)
    assert.same({ { message = "boom" } }, r.causes)
    assert.matches("no such error kind", support.run([[return ctx.fail("odd", "x")]]).message)
  end)

  it("logs with fields", function()
    local r = support.run([[
      ctx.log.debug("plain")
      ctx.log.debug({ "text", a = 1, b = "x", c = true })]])
    assert.is_true(r.ok, r.message)
  end)

  describe("reads", function()
    it("give objects or nil and are recorded with their number", function()
      local rv
      local r = support.run([[
        local o = ctx.get("packagerevisions", "repo.p.v1")
        local again = ctx.get("packagerevisions", o)
        return { name = o.spec.packageName, again = again.metadata.name,
          missing = ctx.get("packagerevisions", "repo.q.v1") == nil }]], "{}", function(env)
        revision(env, "repo.p.v1", "p")
        rv = env:put("packagerevisions", "repo.p.v1", { metadata = { name = "repo.p.v1" },
          spec = { packageName = "p" } })
      end)
      assert.same({ name = "p", again = "repo.p.v1", missing = true }, r.result)
      assert.same({ "packagerevisions/ns/repo.p.v1@" .. rv, "packagerevisions/ns/repo.q.v1@0" },
        r.reads)
    end)

    it("list by fields, prefix, content and number", function()
      local r = support.run([[
        local function names(...)
          local out = {}
          for i, o in ipairs(ctx.list("packagerevisions", ...)) do out[i] = o.metadata.name end
          return table.concat(out, " ")
        end
        return {
          all = names(),
          package = names({ ["spec.repository"] = "repo", ["spec.packageName"] = "p" }),
          other = names({ ["spec.lifecycle"] = "Published" }),
          both = names({ ["spec.packageName"] = "p", ["spec.lifecycle"] = "Published" }),
          prefix = names(nil, { prefix = "repo.q." }),
          limited = names({}, { limit = 1 }),
          containing = names(nil, { containing = '"tier"' }),
          referring = names(nil, { referring = "repo.p.v2" }),
          none_refers = names(nil, { referring = "repo.p.v" }),
          none = names({ ["spec.repository"] = "other" }),
        }]], "{}", function(env)
        revision(env, "repo.p.v1", "p")
        revision(env, "repo.p.v2", "p", { lifecycle = "Published" })
        revision(env, "repo.q.v1", "q", { lifecycle = "Published", tier = "tier" })
        revision(env, "repo.qq.v1", "qq", { tasks = { { type = "clone",
          clone = { upstreamRef = { upstreamRef = { name = "repo.p.v2" } } } } } })
      end)
      assert.is_true(r.ok, r.message)
      assert.same({ all = "repo.p.v1 repo.p.v2 repo.q.v1 repo.qq.v1",
        package = "repo.p.v1 repo.p.v2", other = "repo.p.v2 repo.q.v1", both = "repo.p.v2",
        prefix = "repo.q.v1", limited = "repo.p.v1", containing = "repo.q.v1",
        referring = "repo.qq.v1", none_refers = "", none = "" },
        r.result)
    end)

    it("stay in the namespace of the request", function()
      local r = support.run([[return { n = #ctx.list("packagerevisions"),
        got = ctx.get("packagerevisions", "repo.p.v1") == nil }]], "{}", function(env)
        revision(env, "repo.p.v1", "p")
      end, { ns = "elsewhere" })
      assert.same({ n = 0, got = true }, r.result)
    end)

    it("do not reach Secrets, unknown kinds or virtual ones", function()
      assert.matches("may not read secrets", support.run("ctx.get('secrets', 'x')").message)
      assert.matches("may not read secrets", support.run("ctx.list('secrets')").message)
      assert.matches("no kind 'nonsense'", support.run("ctx.get('nonsense', 'x')").message)
      assert.matches("no kind", support.run("ctx.get('tokenreviews', 'x')").message)
    end)

    it("refuse wrong arguments", function()
      for _, call in ipairs({ "ctx.get()", "ctx.get('packagerevisions')",
        "ctx.get('packagerevisions', {})", "ctx.list('packagerevisions', 5)",
        "ctx.list('packagerevisions', nil, { limit = 0 })", "ctx.get('packagerevisions', '')",
        "ctx.list('packagerevisions', nil, { limit = 'x' })" }) do
        assert.equal("internal", support.run(call).kind, call)
      end
    end)
  end)

  describe("effects", function()
    it("are recorded in order with copies", function()
      local r = support.run([[
        local o = lanai.copy(req.object)
        ctx.apply(o)
        o.metadata.labels = { changed = "later" }
        ctx.transition(o, "Proposed")
        ctx.publish(o)
        ctx.remove({ metadata = { name = "t" } })
        ctx.event(o, "Why", "text", { warning = true })
        local d = ctx.draft()
        d:set("Kptfile", "one")
        ctx.save(o, d, { task = { type = "init" } })
        d:set("Kptfile", "two")]], '{"object":{"metadata":{"name":"n"}}}')
      assert.is_true(r.ok, r.message)
      local e = r.effects
      assert.is_nil(e[1].object.metadata.labels)
      assert.equal("Proposed", e[2].text)
      assert.equal("later", e[3].object.metadata.labels.changed)
      assert.equal("t", e[4].object.metadata.name)
      assert.same({ "event", "Why", "text", true },
        { e[5].type, e[5].reason, e[5].text, e[5].warning })
      assert.same({ Kptfile = "one" }, e[6].files)
      assert.same({ type = "init" }, e[6].task)
    end)

    it("of a run that fails are nothing", function()
      for _, ending in ipairs({ "return ctx.fail('conflict', 'x')", "error('x')",
        "while true do pcall(ctx.now) end" }) do
        local r = support.run("ctx.remove({ metadata = { name = 't' } })\n" .. ending)
        assert.is_false(r.ok)
        assert.same({}, r.effects)
      end
    end)

    it("refuse what is no object or no draft", function()
      for _, call in ipairs({ "ctx.apply()", "ctx.apply('x')", "ctx.apply({1})",
        "ctx.transition({a = 1})", "ctx.save({a = 1}, {})", "ctx.event({a = 1}, 'r')" }) do
        assert.equal("internal", support.run(call).kind, call)
      end
    end)
  end)

  it("offers only what the workflow lists in its effects", function()
    local sources = require("spec.core.script.sources")
    local setup = require("spec.workflow.setup")
    local names = { "get", "list", "package", "draft", "save", "transition", "publish", "apply",
      "remove", "event" }
    local body = "local out = {} for _, n in ipairs({'" .. table.concat(names, "','")
      .. "'}) do if ctx[n] then out[#out + 1] = n end end return { v = table.concat(out, ' ') }"
    local function offered(effects)
      local list = effects == "none" and "" or '"' .. effects .. '"'
      local env = setup.open({ sources.dir({ ["y.lua"] = ("-- @api 1\n-- @name y\n"
        .. "-- @version 1.0.0\n-- @on Probe/y\n-- @effects %s\nreturn { api = 1, name = 'y',"
        .. " version = '1.0.0', summary = 's', on = { 'Probe/y' }, effects = { %s },"
        .. " run = function(ctx) %s end }"):format(effects, list, body) }) })
      return env:run("Probe/y", "{}").result.v
    end
    assert.equal("", offered("none"))
    assert.equal("get list package", offered("read"))
    assert.equal("draft save", offered("draft"))
    assert.equal("transition publish", offered("publish"))
    assert.equal("apply remove event", offered("objects"))
  end)
end)

describe("phases", function()
  after_each(support.clean)

  -- Calls every registered function of ctx in every phase; whether it may be called there is told
  -- by the absence of the phase error (missing arguments are another error).
  it("are those that each function is registered with", function()
    local calls, expected = {}, {}
    for _, f in ipairs(host.functions()) do
      if f.class == "ctx" or f.class == "ctx.log" then
        local full = f.class .. "." .. f.name
        calls[#calls + 1] = full
        expected[full] = {}
        for _, phase in ipairs(f.phases) do
          expected[full][phase] = true
        end
      end
    end
    local try = "local function try(ctx, phase) local out = lanai.map()\n"
    for _, full in ipairs(calls) do
      try = try .. ("do local ok, e = pcall(%s) out[%q] = not (not ok and type(e) == 'string'"
        .. " and e:find('not available in', 1, true)) end\n"):format(full, full)
    end
    try = try .. "return out end\n"
    local env = support.open({ x = [[
      check = (function() ]] .. try .. [[
        return function(ctx) local seen = try(ctx)
          return nil, { kind = "conflict", message = require("lanai.json").emit(seen) } end
      end)(),
      run = function() end,]], y = [[
      run = (function() ]] .. try .. [[
        return function(ctx) return try(ctx) end
      end)(),]] })
    local check = require("cjson").decode(env:run("Probe/x", "{}").message)
    local run = env:run("Probe/y", "{}").result
    for _, full in ipairs(calls) do
      assert.equal(expected[full].check or false, check[full], full .. " in check")
      assert.equal(expected[full].run or false, run[full], full .. " in run")
    end
    assert.is_true(#calls > 15)
  end)

  it("name the phase and the allowed ones", function()
    local env = support.open({ x = [[
      check = function(ctx) ctx.remove({ metadata = { name = "x" } }) return true end,
      run = function() end,]] })
    local r = env:run("Probe/x", "{}")
    assert.matches("ctx.remove is not available in check (only in: run)", r.message, 1, true)
    assert.same({}, r.effects)
  end)

  it("keep a tree from being changed in check", function()
    local env = support.open({ x = [[
      check = function(ctx) ctx.package("repo.p.v1"):set("a", "b") return true end,
      run = function() end,]] })
    revision(env, "repo.p.v1", "p")
    assert.matches("tree.set is not available in check", env:run("Probe/x", "{}").message)
  end)

  it("run needs until nothing is asked for", function()
    local env = support.open({ x = [[
      needs = function(req, config, got)
        local want = { first = { kind = "packagerevisions", name = req.name } }
        if got.first then
          want.repository = { kind = "repositories", name = got.first.spec.repository }
          want.all = { kind = "packagerevisions", where = { ["spec.repository"] = "repo" } }
        end
        want.none = { kind = "packagerevisions", name = "nothing" }
        return want
      end,
      run = function(ctx)
        return { branch = ctx.got.repository.spec.git.branch, n = #ctx.got.all,
          none = ctx.got.none }
      end,]] })
    revision(env, "repo.p.v1", "p")
    local r = env:run("Probe/x", '{"name":"repo.p.v1"}')
    assert.is_true(r.ok, r.message)
    assert.same({ branch = "main", n = 1, none = false }, r.result)
    assert.equal(3, #r.reads)
  end)

  it("end needs that never settles", function()
    local env = support.open({ x = [[
      needs = function(req, config, got)
        local n, want = 0, {}
        for k in pairs(got) do n = n + 1 want[k] = { kind = "packagerevisions", name = k } end
        want["n" .. n] = { kind = "packagerevisions", name = "n" .. n }
        return want
      end,
      run = function() end,]] })
    assert.matches("after 5 rounds", env:run("Probe/x", "{}").message)
  end)

  it("stop at a check that fails or says nothing", function()
    local env = support.open({
      x = "check = function(ctx) return ctx.fail('forbidden', 'no') end,"
        .. " run = function() error('run') end,",
      y = "check = function() end, run = function() error('run') end,",
    })
    assert.equal("forbidden", env:run("Probe/x", "{}").kind)
    assert.matches("neither true nor an error", env:run("Probe/y", "{}").message)
  end)
end)

describe("limits of a run", function()
  after_each(support.clean)

  it("end it by calls", function()
    local r = support.run("for _ = 1, 20000 do pcall(ctx.now) end return { v = 1 }")
    assert.equal("too-large", r.kind)
    assert.matches("too many host calls", r.message)
  end)

  it("end it by deadline", function()
    local r = support.run("while true do end", "{}", nil, { deadline_ms = "50" })
    assert.equal("timeout", r.kind)
  end)

  it("end it by host memory", function()
    local r = support.run([[
      local d = ctx.draft()
      for i = 1, 9000 do d:set("f", ("x"):rep(100000)) end]])
    assert.equal("too-large", r.kind)
  end)

  it("keep nothing between runs", function()
    local env = support.open({ x = [[
      run = (function() local n = 0
        return function(ctx) n = n + 1 string.leak = (string.leak or 0) + 1
          return { n = n, leak = string.leak } end end)(),]] })
    for _ = 1, 3 do
      assert.same({ n = 1, leak = 1 }, env:run("Probe/x", "{}").result)
    end
  end)
end)
