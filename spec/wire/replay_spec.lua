-- SPDX-License-Identifier: Apache-2.0
-- Replays what the real Porch answered (conformance/porch-wire) against the built server. Every
-- difference must have a rule in deviations.json that says why it is wanted. The recordings and the
-- replayer are data beside the tree; without them this is pending.
local lib = require("spec.lib.server")
local shell, quote = lib.shell, lib.quote

local SHARED = os.getenv("LANAI_SHARED") or "../shared"
local REPLAY = SHARED .. "/tools/wire/replay"
local RECORDINGS = SHARED .. "/conformance/porch-wire"
local RULES = "spec/wire/deviations.json"

-- What is replayed when its issue is done: patterns of scenario names and the reason.
local LATER = {
  { "^render$", "rendering" },
  { "^variants$", "package variants" },
  { "^repository%-v1alpha2$", "the second API version" },
}

-- Scenarios that still differ, and where. A line goes when the difference does.
local OPEN = {
}

local function later(name)
  if OPEN[name] then
    return OPEN[name]
  end
  for _, one in ipairs(LATER) do
    if name:find(one[1]) then
      return one[2]
    end
  end
end

local function exists(path)
  local f = io.open(path)
  if f then
    f:close()
  end
  return f ~= nil
end

local function scenarios()
  local names = {}
  for path in shell("ls " .. quote(RECORDINGS) .. "/*.jsonl"):gmatch("[^\n]+") do
    names[#names + 1] = path:match("([^/]+)%.jsonl$")
  end
  return names
end

describe("the recordings of the real Porch", function()
  if not exists(REPLAY) then
    it("replay without an unexplained difference", function()
      pending("no recordings beside the tree: " .. RECORDINGS)
    end)
    return
  end

  local server, dir

  setup(function()
    server = lib.start()
    dir = shell("mktemp -d"):match("%S+")
  end)

  teardown(function()
    server:stop()
    shell("rm -rf " .. quote(dir))
  end)

  for _, name in ipairs(scenarios()) do
    it("replay without an unexplained difference: " .. name, function()
      local reason = later(name)
      if reason then
        pending("not yet: " .. reason)
        return
      end
      local out, code = shell(table.concat({ REPLAY, "--kubeconfig", quote(server.kubeconfig),
        "--git-dir", quote(dir), "--expected", quote(RECORDINGS), "--deviations", RULES, "--only",
        name }, " "))
      assert.is_truthy(out:find("%f[%d]0 failed"), out:sub(-4000))
      assert.equal(0, code)
      assert.is_nil(out:find("broke off", 1, true), out:sub(-4000))
    end)
  end
end)

describe("the rules for accepted differences", function()
  local rules = require("cjson").decode(assert(io.open(RULES)):read("a"))

  it("name a place and a reason", function()
    assert.is_true(#rules > 0)
    for _, rule in ipairs(rules) do
      assert.is_string(rule.path)
      assert.is_true(#rule.reason > 10, rule.path)
    end
  end)

  it("never excuse a whole answer everywhere", function()
    local whole = { ["response"] = true, ["response.body"] = true, ["response.status"] = true,
      ["response.events"] = true, ["state"] = true, ["*"] = true }
    for _, rule in ipairs(rules) do
      if whole[rule.path] then
        assert.is_string(rule.step, rule.path)
        assert.not_equal("*", rule.step)
      end
    end
  end)

  it("come once each", function()
    local seen = {}
    for _, rule in ipairs(rules) do
      local key = table.concat({ rule.scenario or "*", rule.step or "*", rule.path }, "\0")
      assert.is_nil(seen[key], rule.path)
      seen[key] = true
    end
  end)
end)
