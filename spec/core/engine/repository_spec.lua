-- SPDX-License-Identifier: Apache-2.0
-- Repositories that cannot be used: what their Ready condition says, and what happens to writes.

local cjson = require "cjson"
local engine = require "probe_engine"
local servers = require "spec.core.repo.support"

local function decode(text)
  return cjson.decode(text)
end

local function shell(command)
  local f = assert(io.popen(command .. " 2>&1"))
  local out = f:read("a")
  assert(f:close(), command .. ": " .. out)
  return (out:gsub("%s+$", ""))
end

describe("a repository", function()
  local dir, url, h

  local function register(name, git, type)
    git.repo, git.branch = git.repo or url, git.branch or "main"
    assert(h:write { verb = "create", kind = "repositories", ns = "default", name = name,
      object = cjson.encode {
        apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
        metadata = { name = name, namespace = "default" },
        spec = { type = type or "git", git = git },
      } })
  end

  local function message(name)
    local object = decode(assert(h:wait("repositories", "default", name, '"reason":"Error"')))
    return object.status.conditions[1].message
  end

  local function create(name)
    return h:write { verb = "create", kind = "packagerevisions", ns = "default",
      object = cjson.encode {
        apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision",
        metadata = { namespace = "default" },
        spec = { repository = name, packageName = "app", workspaceName = "v1" },
      } }
  end

  before_each(function()
    dir = shell("mktemp -d")
    shell(("git init -q --bare -b main %s/git.git"):format(dir))
    url = "file://" .. dir .. "/git.git"
    h = assert(engine.open(dir .. "/data"))
  end)

  after_each(function()
    h:close()
    shell("rm -rf " .. dir)
  end)

  it("has a branch whose name fits into object names", function()
    register("git", { branch = "release-1.0" })
    assert.equal("error cloning git repository " .. url .. ', branch name "release-1.0" invalid: '
      .. "must not contain dots", message("git"))
    register("upper", { branch = "Main" })
    assert.matches('branch name "Main" invalid: a lowercase RFC 1123 label must consist of',
      message("upper"))
  end)

  it("is of type git", function()
    register("git", {}, "helm")
    assert.equal('repository type "helm" not supported', message("git"))
  end)

  it("says what keeps its credential from being read", function()
    local frame = "fetch of remote repository default:git:dir:main with retry failed"
    register("git", { directory = "/dir", secretRef = { name = "none" } })
    assert.equal("error cloning git repository " .. url .. ", fetch of remote repository failed: "
      .. frame .. ": " .. frame .. " on try number 3: cannot fetch repository "
      .. "default:git:dir:main: failed to obtain git credentials: failed to obtain credential from "
      .. "secret default/none: cannot resolve credentials in a secret default/none: "
      .. 'secrets "none" not found', message("git"))
  end)

  it("takes no revisions while it could never be fetched", function()
    register("git", {})
    local text = message("git")
    assert.matches('branch "main" doesn\'t exist: reference not found$', text)
    local out, err = create("git")
    assert.is_nil(out)
    assert.equal(500, err.code)
    assert.equal("Internal error occurred: " .. text, err.message)
    assert.same({}, h:list("packagerevisions", "default"))
  end)

  local function mirrors()
    return tonumber(shell("ls " .. dir .. "/data/mirrors | wc -l"))
  end

  --- Waits until so many mirrors are left.
  local function expect_mirrors(n)
    shell(("timeout 10 sh -c 'until [ $(ls %s/data/mirrors | wc -l) = %d ]; do sleep 0.02; done'")
      :format(dir, n))
  end

  --- Seconds that fn takes.
  local function seconds(fn)
    local from = tonumber(shell("date +%s.%N"))
    fn()
    return tonumber(shell("date +%s.%N")) - from
  end

  local function silent()
    local port = servers.serve("exec python3 -c 'import socket\n"
      .. "l=socket.create_server((\"127.0.0.1\",0))\n"
      .. "print(l.getsockname()[1],flush=True)\nk=[]\n"
      .. "while True: k.append(l.accept())'")
    finally(servers.clean)
    return port
  end

  for _, scheme in ipairs({ "http", "git", "ssh" }) do
    it("goes at once while its " .. scheme .. " server keeps a fetch waiting", function()
      register("git", { repo = scheme .. "://127.0.0.1:" .. silent() .. "/x.git" })
      assert(h:wait("repositories", "default", "git", '"reason":"Reconciling"'))
      assert.is_true(seconds(function()
        assert(h:write { verb = "delete", kind = "repositories", ns = "default", name = "git" })
        assert.is_true(h:wait("repositories", "default", "git", nil))
      end) < 5)
    end)
  end

  it("goes with its namespace, its fetch and its mirror, too", function()
    register("git", { createBranch = true })
    assert(h:wait("repositories", "default", "git", '"reason":"Ready"'))
    assert(create("git"))
    register("silent", { repo = "http://127.0.0.1:" .. silent() .. "/x.git" })
    assert(h:wait("repositories", "default", "silent", '"reason":"Reconciling"'))
    assert.is_true(seconds(function()
      assert(h:write { verb = "delete", kind = "namespaces", ns = "", name = "default" })
      assert.is_true(h:wait("namespaces", "", "default", nil))
      expect_mirrors(0)
    end) < 5)
  end)

  it("does not keep the server from stopping", function()
    register("git", { repo = "http://127.0.0.1:" .. silent() .. "/x.git" })
    assert(h:wait("repositories", "default", "git", '"reason":"Reconciling"'))
    assert.is_true(seconds(function()
      h:close()
      h = assert(engine.open(dir .. "/data", { quiet = true }))
    end) < 5)
    assert.matches('"reason":"Reconciling"', (h:get("repositories", "default", "git")))
  end)

  it("leaves no mirror on disk, unless another one has it too", function()
    register("git", { createBranch = true, directory = "/a" })
    assert(h:wait("repositories", "default", "git", '"reason":"Ready"'))
    register("twin", { directory = "/b" })
    assert(h:wait("repositories", "default", "twin", '"reason":"Ready"'))
    assert.equal(1, mirrors())
    shell(("git init -q --bare -b main %s/other.git"):format(dir))
    register("other", { repo = "file://" .. dir .. "/other.git", createBranch = true })
    assert(h:wait("repositories", "default", "other", '"reason":"Ready"'))
    assert.equal(2, mirrors())
    for _, name in ipairs({ "git", "other" }) do
      assert(h:write { verb = "delete", kind = "repositories", ns = "default", name = name })
      assert.is_true(h:wait("repositories", "default", name, nil))
    end
    expect_mirrors(1)
    assert(h:write { verb = "delete", kind = "repositories", ns = "default", name = "twin" })
    expect_mirrors(0)
  end)

  it("loses what an earlier process left, not its own mirror", function()
    register("git", { createBranch = true })
    assert(h:wait("repositories", "default", "git", '"reason":"Ready"'))
    h:close()
    local own = shell("ls " .. dir .. "/data/mirrors")
    local left = ("0123456789abcdef"):rep(4)
    shell(("cd %s/data/mirrors && cp -r %s %s.git && mkdir %s.git.removed %s.git.damaged notes")
      :format(dir, own, left, left, left))
    h = assert(engine.open(dir .. "/data"))
    expect_mirrors(2)
    assert.equal(own .. "\nnotes", shell("ls " .. dir .. "/data/mirrors"))
  end)

  it("takes drafts when it was in good order and fails now", function()
    register("git", { createBranch = true })
    local object = decode(assert(h:wait("repositories", "default", "git", '"reason":"Ready"')))
    shell(("mv %s/git.git %s/away.git"):format(dir, dir))
    object.spec.sync = { runOnceAt = "2020-01-01T00:00:00Z" }
    assert(h:write { verb = "update", kind = "repositories", ns = "default", name = "git",
                     object = cjson.encode(object) })
    assert.matches("repository not found$", message("git"))
    assert(create("git"))
  end)
end)
