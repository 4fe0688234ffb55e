-- SPDX-License-Identifier: Apache-2.0
--
-- Which program runs for an image or a command line.

local probe = require("probe_programs")

local BUILD = os.getenv("LANAI_BUILD") or "build"
BUILD = BUILD:find("^/") and BUILD or os.getenv("PWD") .. "/" .. BUILD -- programs run elsewhere
local INPUT = [[
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: c # kept by healing, not by programs
  data: {a: 0x10, b: "yes", c: 1e3, d: .5}
]]

local directory

local function write(name, text)
  local file = assert(io.open(directory .. "/" .. name, "w"))
  file:write(text)
  file:close()
  return directory .. "/" .. name
end

describe("foreign functions:", function()
  before_each(function()
    directory = io.popen("mktemp -d"):read("l")
  end)

  after_each(function()
    os.execute("rm -r " .. directory)
  end)

  local function programs(options)
    options = options or {}
    options.self = options.self or BUILD .. "/lanai"
    return probe.programs(options)
  end

  it("a command line gets YAML", function()
    local p = programs()
    local code, output, log = p:run({ exec = "sed -e 's/name: c/name: d/'", input = INPUT })
    assert.same({ 0, (INPUT:gsub("name: c", "name: d")), "" }, { code, output, log })
  end)

  it("a command line that is broken or empty", function()
    local p = programs()
    local code, kind, message = p:run({ exec = "sed 'x", input = "" })
    assert.same({ nil, "invalid", 'exec command "sed \'x" must be valid: a quote is not closed' },
      { code, kind, message })
    assert.matches("must be valid: it is empty", select(3, p:run({ exec = " ", input = "" })))
  end)

  it("a program that is not there is not looked for elsewhere", function()
    local code, kind, message = programs():run({ exec = "./nowhere", input = "" })
    assert.same({ nil, "invalid", "cannot run './nowhere': No such file or directory" },
      { code, kind, message })
  end)

  it("programs run in the directory that was given", function()
    local _, output = programs({ directory = "/usr" }):run({ exec = "pwd", input = "" })
    assert.equal("/usr\n", output)
  end)

  it("an image that nothing serves is named, with what would serve it", function()
    local code, kind, message = programs():run({ image = "example.com/fn:v1", input = "" })
    assert.same({ nil, "not-found" }, { code, kind })
    assert.equal('function "example.com/fn:v1" not found: it is not built in, and no program is '
      .. "mapped to it (functions-config)", message)
  end)

  it("an image that the operator mapped runs that program; the first mention wins", function()
    local program = write("set-x", "#!/bin/sh\nsed s/a/x/; echo ran $# >&2\n")
    os.execute("chmod +x " .. program)
    local map = write("map.yaml", [[
functions:
- function: set-x
  images: [example.com/set-x:v1, "example.com/set-x@sha256:00"]
- function: /bin/false
  images: [example.com/set-x:v1, example.com/no:v1]
]])
    local p = assert(programs({ map = map }))
    assert.same({ 0, "x\n", "ran 0" }, { p:run({ image = "example.com/set-x:v1", input = "a\n" }) })
    assert.equal(0, (p:run({ image = "example.com/set-x@sha256:00", input = "" })))
    assert.equal(1, (p:run({ image = "example.com/no:v1", input = "" })))
    assert.is_nil((p:run({ image = "example.com/set-x:v2", input = "" })))
  end)

  it("a map that cannot be read is refused with its name", function()
    local p, kind, message = programs({ map = "/nowhere/map" })
    assert.same({ nil, "invalid",
      'failed to read configuration file "/nowhere/map": No such file or directory' },
      { p, kind, message })
    for text, why in pairs({ ["a: ["] = "failed to parse", ["a: 1"] = "`functions` must be a list",
      ["functions: [{images: [x]}]"] = "has no `function`" }) do
      assert.matches(why, select(3, programs({ map = write("m", text) })), 1, true)
    end
  end)

  it("lua gives YAML, with quotes where a reader needs them", function()
    local input = INPUT .. [[
functionConfig:
  apiVersion: fn.kpt.dev/v1alpha1
  kind: LuaRun
  source: ctx.resource_list.items[1].data.e = "on"
]]
    local code, output = programs():run({ program = "lua", input = input })
    assert.equal(0, code)
    assert.matches('a: 16\n    b: "yes"\n    c: 1e3\n    d: 0.5\n    e: "on"\n', output, 1, true)
  end)

  it("starlark without its helper names what to install", function()
    local self = write("lanai", "")
    local code, kind, message = programs({ self = self }):run(
      { program = "starlark", image = "starlark:v0.5", input = INPUT })
    assert.same({ nil, "unavailable" }, { code, kind })
    assert.equal(('function "starlark:v0.5" needs the program %s/lanai-starlark: install the '
      .. "packages golang-go, golang-starlark-dev and golang-gopkg-yaml.v3-dev, and build lanai "
      .. "again"):format(directory), message)
  end)
end)

describe("YAML for helpers", function()
  local function check(yaml, json)
    it(("is JSON: %s"):format(yaml), function()
      assert.equal(json, probe.json(yaml))
    end)
  end

  check("0x10", "16")
  check("0o17", "15")
  check("+5", "5")
  check("-5", "-5")
  check("12345678901234567890123", "12345678901234567890123")
  check(".5", "0.5")
  check("1.", "1")
  check("1.50", "1.50")
  check("1e3", "1e3")
  check(".inf", '".inf"')
  check("-.inf", '"-.inf"')
  check(".nan", '".nan"')
  check("[yes, True, ~, 2001-01-01]", '["yes",true,null,"2001-01-01"]')
  check("a: &x {b: 1}\nc: *x", '{"a":{"b":1},"c":{"b":1}}')
end)
