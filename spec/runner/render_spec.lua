-- SPDX-License-Identifier: Apache-2.0
--
-- Scripts and command lines in a pipeline, with `lanai fn render`: what they did not touch stays.

local BUILD = os.getenv("LANAI_BUILD") or "build"
BUILD = BUILD:find("^/") and BUILD or os.getenv("PWD") .. "/" .. BUILD -- programs run elsewhere
local directory

local function write(name, text)
  local file = assert(io.open(directory .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local function read(name)
  local file = assert(io.open(directory .. "/" .. name))
  local text = file:read("a")
  file:close()
  return text
end

local function render(pipeline, flags)
  write("Kptfile", "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\npipeline:\n"
    .. "  mutators:\n" .. pipeline)
  local pipe = io.popen(("%s/lanai fn render %s %s 2>&1"):format(BUILD, directory, flags or ""))
  local out = pipe:read("a")
  return pipe:close() == true, out
end

local DEPLOYMENT = [[
# license

apiVersion: "apps/v1"
kind: Deployment   # kind
metadata:
    name: 'x'
spec:
    replicas: 1 # how many
    mode: 0644
    args: ["a", 'b', c]

    list:
        - name: "q"   # c1
        - {name: r, v: "a, b"}
]]

describe("a pipeline", function()
  before_each(function()
    directory = io.popen("mktemp -d"):read("l")
    write("d.yaml", DEPLOYMENT)
    write("other.yaml", "apiVersion: v1\nkind:   'A'\nmetadata: {name: o}\n")
  end)

  after_each(function()
    os.execute("rm -r " .. directory)
  end)

  it("runs a lua program, which changes one line", function()
    local ok, out = render([[
  - image: lua
    configMap:
      source: |
        for _, r in ipairs(ctx.resource_list.items) do
          if r.kind == "Deployment" then r.spec.replicas = 3 end
        end
]])
    assert.is_true(ok, out)
    assert.equal((DEPLOYMENT:gsub("replicas: 1", "replicas: 3")), read("d.yaml"))
    assert.equal("apiVersion: v1\nkind:   'A'\nmetadata: {name: o}\n", read("other.yaml"))
  end)

  it("runs a starlark program, which changes one line and makes a file", function()
    if not io.open(BUILD .. "/lanai-starlark") then
      pending("lanai-starlark is not built")
      return
    end
    local ok, out = render([[
  - image: starlark:v0.5
    configMap:
      source: |
        for r in ctx.resource_list["items"]:
          if r["kind"] == "Deployment":
            r["spec"]["replicas"] = 3
        ctx.resource_list["items"].append(
          {"apiVersion": "v1", "kind": "New", "metadata": {"name": "made"}, "on": "yes"})
]])
    assert.is_true(ok, out)
    assert.equal((DEPLOYMENT:gsub("replicas: 1", "replicas: 3")), read("d.yaml"))
    assert.equal('apiVersion: v1\nkind: New\nmetadata:\n  name: made\n"on": "yes"\n',
      read("new_made.yaml"))
  end)

  it("runs a command line only when that is allowed", function()
    local pipeline = '  - exec: "sed -e \'s/replicas: 1/replicas: 7/\'"\n'
    local ok, out = render(pipeline)
    assert.is_false(ok)
    assert.matches("must run with `--allow-exec` option to allow running function binaries", out, 1,
      true)
    assert.equal(DEPLOYMENT, read("d.yaml"))
    ok, out = render(pipeline, "--allow-exec")
    assert.is_true(ok, out)
    assert.equal((DEPLOYMENT:gsub("replicas: 1", "replicas: 7")), read("d.yaml"))
  end)

  it("does not lose the package to a program that prints nothing", function()
    local ok, out = render("  - exec: 'true'\n", "--allow-exec")
    assert.is_false(ok)
    assert.matches("function output is not a ResourceList", out, 1, true)
    assert.equal(DEPLOYMENT, read("d.yaml"))
  end)

  it("names the image that nothing runs", function()
    local ok, out = render("  - image: example.com/fn:v1\n")
    assert.is_false(ok)
    assert.matches('function "example.com/fn:v1" not found: it is not built in, and no program is '
      .. "mapped to it (functions-config)", out, 1, true)
  end)
end)
