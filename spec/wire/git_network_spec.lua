-- SPDX-License-Identifier: Apache-2.0
-- What the program takes from its settings and its environment on the way to git servers.
local cjson = require("cjson")
local clients = require("spec.wire.clients")
local lib = require("spec.lib.server")
local net = require("probe_net")

local CONFIG = "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories"
local REVISIONS = "/apis/porch.kpt.dev/v1alpha1/namespaces/default/packagerevisions"

describe("lanai serve and git servers", function()
  local git, server

  setup(function()
    git = clients.git()
  end)

  teardown(function()
    git:stop()
  end)

  after_each(function()
    server:stop()
  end)

  --- Starts a server with these variables in its environment.
  local function start(variables, flags)
    for name, value in pairs(variables) do
      net.setenv(name, value)
    end
    server = lib.start({ flags = flags })
    for name in pairs(variables) do
      net.setenv(name)
    end
  end

  local function send(method, path, object)
    local status, body = server:request(method, path, object and cjson.encode(object))
    return status, body
  end

  local function register(url)
    assert.equal(201, (send("POST", CONFIG, {
      apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
      metadata = { name = "git" }, spec = { type = "git", git = { repo = url, branch = "main" } },
    })))
    clients.ready(server, "default", "git")
  end

  --- Publishes a package; the status of the approval, and what was answered.
  local function publish()
    local status, body = send("POST", REVISIONS, {
      apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision",
      metadata = { namespace = "default" },
      spec = { repository = "git", packageName = "app", workspaceName = "v1" },
    })
    assert.equal(201, status, body)
    for _, lifecycle in ipairs({ "Proposed", "Published" }) do
      local path = REVISIONS .. "/git.app.v1"
      local object = cjson.decode((select(2, send("GET", path))))
      object.spec.lifecycle = lifecycle
      status, body = send("PUT", lifecycle == "Published" and path .. "/approval" or path, object)
    end
    return status, body
  end

  local function flaky(name)
    git:make(name)
    return git:url("once-503/" .. name)
  end

  it("fail a push at an error that nobody named", function()
    start({})
    register(flaky("a.git"))
    local status, body = publish()
    assert.equal(503, status)
    assert.matches("status code: 503", body)
  end)

  it("push again at errors named by flag", function()
    start({}, { "--retryable-git-errors", "other text", "--retryable-git-errors",
      "status code: 503" })
    register(flaky("b.git"))
    assert.equal(200, (publish()))
  end)

  it("push again at errors named in the environment", function()
    start({ LANAI_RETRYABLE_GIT_ERRORS = "other text,status code: 503" })
    register(flaky("c.git"))
    assert.equal(200, (publish()))
  end)

  it("push again at errors named in the file", function()
    local dir = clients.temporary()
    finally(function()
      lib.shell("rm -rf " .. lib.quote(dir))
    end)
    clients.write(dir .. "/lanai.yaml",
      "retryable-git-errors:\n- other text\n- 'status code: 503'\n")
    start({}, { "--config", dir .. "/lanai.yaml" })
    register(flaky("d.git"))
    assert.equal(200, (publish()))
  end)

  it("are reached through the proxy of the environment", function()
    git:make("e.git")
    start({ http_proxy = git:url(""):gsub("/$", "") })
    register("http://git.invalid/e.git")
    assert.equal(200, (publish()))
    assert.equal("app/v1\n", (git:ask("e.git", "tag")))
  end)
end)
