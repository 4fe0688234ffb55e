-- SPDX-License-Identifier: Apache-2.0
-- deploy/standalone/run, the first thing that a newcomer types: it starts a server with a sample
-- repository, shows it, may be run again, and stops it. It builds build/release when that is old.
local clients = require("spec.wire.clients")
local lib = require("spec.lib.server")
local shell, quote = lib.shell, lib.quote

local PATIENCE = 600 -- seconds: the first run may have to build

describe("deploy/standalone/run", function()
  local data

  local function run(...)
    local words = { "deploy/standalone/run", "--data", data, ... }
    return clients.run(words, { patience = PATIENCE })
  end

  local function pid()
    return clients.read(data .. "/lanai.pid"):match("%d+")
  end

  local function alive(process)
    local status = clients.read("/proc/" .. process .. "/status")
    return status ~= "" and not status:find("\nState:%s*Z")
  end

  setup(function()
    data = clients.temporary()
  end)

  teardown(function()
    run("--stop")
    shell("rm -rf " .. quote(data))
  end)

  it("shows its usage and refuses unknown words", function()
    assert.is_truthy(run("--help").out:find("Usage: deploy/standalone/run", 1, true))
    local r = run("--nope")
    assert.are.equal(2, r.code)
    assert.is_truthy(r.err:find("Usage:", 1, true), r.err)
  end)

  it("starts, shows the sample packages and says what to type", function()
    local r = run("--port", "0")
    assert.are.equal(0, r.code, r.out .. r.err)
    local row = "blueprints%%.nginx%%.v%d%%s+nginx%%s+v%d%%s+%d%%s+%s%%s+Published"
    assert.is_truthy(r.out:find(row:format(1, 1, 1, "false")), r.out)
    assert.is_truthy(r.out:find(row:format(2, 2, 2, "true")), r.out)
    assert.is_truthy(r.out:find("blueprints.network.gateway.v1", 1, true), r.out)
    assert.is_truthy(r.out:find("export KUBECONFIG=" .. data .. "/kubeconfig", 1, true), r.out)
    assert.is_true(alive(pid()))
  end)

  it("what it says to type works", function()
    local out, code = shell(("curl -sS --cacert %s/run/ca --cert %s/run/cert --key %s/run/key %s%s")
      :format(data, data, data, clients.read(data .. "/address"):match("%S+"),
        "/apis/porch.kpt.dev/v1alpha1/namespaces/default/packagerevisionresources/"
        .. "blueprints.nginx.v2"))
    assert.are.equal(0, code, out)
    assert.is_truthy(out:find("Kptfile", 1, true), out)
    for _, program in ipairs({ "kubectl", "porchctl" }) do
      if clients.find(program) then
        local client = clients.new(program, data .. "/kubeconfig", data)
        if program == "kubectl" then
          local out_rows = client:ok("get", "packagerevisions")
          assert.is_truthy(out_rows:find("blueprints.redis.v1", 1, true), out_rows)
        else
          client:ok("rpkg", "init", "my-app", "--repository=blueprints", "--workspace=v1", "-n",
            "default")
          client:ok("rpkg", "propose", "blueprints.my-app.v1", "-n", "default")
          client:ok("rpkg", "approve", "blueprints.my-app.v1", "-n", "default")
          local tags = shell(("git -C %s/git/blueprints.git tag"):format(data))
          assert.is_truthy(tags:find("my-app/v1", 1, true), tags)
        end
      end
    end
  end)

  it("run again finds the server that runs", function()
    local before = pid()
    local r = run("--port", "0")
    assert.are.equal(0, r.code, r.out .. r.err)
    assert.are.equal(before, pid())
    assert.is_truthy(r.out:find("blueprints.nginx.v2", 1, true), r.out)
  end)

  it("--stop ends it, also when there is none, and a new start has the data", function()
    local process = pid()
    local r = run("--stop")
    assert.are.equal("lanai stopped\n", r.out)
    assert.is_false(alive(process))
    assert.are.equal("lanai does not run\n", run("--stop").out)
    r = run("--port", "0")
    assert.are.equal(0, r.code, r.out .. r.err)
    assert.is_truthy(r.out:find("blueprints.nginx.v2", 1, true), r.out)
    assert.are.equal("lanai stopped\n", run("--stop").out)
  end)

  it("says what happened when the server cannot start", function()
    local port = clients.git()
    local r = run("--port", tostring(port.port))
    port:stop()
    assert.are.equal(1, r.code, r.out)
    assert.is_truthy(r.err:find("lanai ended", 1, true), r.err)
    assert.is_truthy(r.err:find("the log is " .. data .. "/lanai.log", 1, true), r.err)
  end)
end)
