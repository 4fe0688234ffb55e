-- SPDX-License-Identifier: Apache-2.0
-- Repositories behind a git server that asks for a password: registered with kubectl and porchctl,
-- with a wrong secret, a rotated one, and while the server is broken.
local clients = require("spec.wire.clients")
local lib = require("spec.lib.server")
local shell, quote = lib.shell, lib.quote

local REPOSITORY = [[
apiVersion: config.porch.kpt.dev/v1alpha1
kind: Repository
metadata: {name: %s, namespace: default}
spec:
  type: git
  git: {repo: "%s", branch: main, secretRef: {name: %s}}
]]

local REVISION = [[
apiVersion: porch.kpt.dev/v1alpha1
kind: PackageRevision
metadata: {namespace: default}
spec:
  repository: %s
  packageName: %s
  workspaceName: v1
  lifecycle: Draft
  tasks: [{type: init, init: {}}]
]]

clients.describe({ "kubectl" }, "a git server with a password", describe, pending, function()
  local server, git, home, kubectl

  setup(function()
    server = lib.start()
    git = clients.git({ user = "nephio", password = "secret" })
    home = clients.temporary()
    kubectl = clients.new("kubectl", server.kubeconfig, home)
  end)

  teardown(function()
    server:stop()
    git:stop()
    shell("rm -rf " .. quote(home))
  end)

  local function secret(name, password)
    kubectl("delete", "secret", name, "--ignore-not-found")
    return kubectl:ok("create", "secret", "generic", name, "--type=kubernetes.io/basic-auth",
      "--from-literal=username=nephio", "--from-literal=password=" .. password)
  end

  local function rotate(name, password)
    kubectl:ok("patch", "secret", name, "-p",
      ('{"stringData":{"password":"%s"}}'):format(password))
  end

  local function register(name, secret_name)
    kubectl:ok("create", "-f", "-", { stdin = REPOSITORY:format(name,
      git:make(name .. ".git"), secret_name) })
  end

  local function wait(name, status)
    return kubectl("wait", "--for=condition=Ready=" .. status, "repository/" .. name,
      "--timeout=15s")
  end

  local function message(name)
    return kubectl:ok("get", "repository", name, "-o",
      "jsonpath={.status.conditions[0].message}")
  end

  local function lifecycle(name, value, ...)
    return kubectl("patch", "packagerevision", name, "--type=merge", "-p",
      ('{"spec":{"lifecycle":"%s"}}'):format(value), ...)
  end

  local function publish(repository, package)
    kubectl:ok("create", "-f", "-", { stdin = REVISION:format(repository, package) })
    local name = ("%s.%s.v1"):format(repository, package)
    local r = lifecycle(name, "Proposed")
    assert.are.equal(0, r.code, r.err)
    return lifecycle(name, "Published", "--subresource=approval")
  end

  it("opens with the right secret, and takes what is published", function()
    secret("right", "secret")
    register("right", "right")
    assert.are.equal(0, wait("right", "true").code, message("right"))
    local r = publish("right", "web")
    assert.are.equal(0, r.code, r.err)
    assert.are.equal("web/v1\n", git:ask("right.git", "tag"))
  end)

  it("says what is wrong with a wrong secret, and recovers when it is put right", function()
    secret("wrong", "guess")
    register("wrong", "wrong")
    wait("wrong", "false")
    clients.until_answer(server,
      "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories/wrong",
      function(_, body)
        return body:find("authentication", 1, true)
      end)
    assert.is_nil(message("wrong"):find("guess", 1, true))
    rotate("wrong", "secret")
    assert.are.equal(0, wait("wrong", "true").code, message("wrong"))
  end)

  it("is found when the secret is made after the repository", function()
    register("early", "late")
    clients.until_answer(server,
      "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories/early",
      function(_, body)
        return body:find("cannot resolve credentials in a secret default/late", 1, true)
      end)
    secret("late", "secret")
    assert.are.equal(0, wait("early", "true").code, message("early"))
  end)

  it("rotation needs no restart", function()
    secret("turning", "secret")
    register("turning", "turning")
    assert.are.equal(0, wait("turning", "true").code, message("turning"))
    assert.are.equal(0, publish("turning", "before").code)
    git:set_password("fresh")
    rotate("turning", "fresh")
    local r = publish("turning", "after")
    git:set_password("secret")
    assert.are.equal(0, r.code, r.err)
    assert.are.equal("after/v1\nbefore/v1\n", git:ask("turning.git", "tag"))
  end)

  it("an approval that git refuses changes nothing and can be repeated", function()
    secret("denied", "secret")
    register("denied", "denied")
    assert.are.equal(0, wait("denied", "true").code, message("denied"))
    local fault = git.root .. "/denied.git/.fault-500"
    clients.write(fault, "")
    local r = publish("denied", "web")
    os.remove(fault)
    assert.are.equal(1, r.code, r.out)
    assert.are.equal("Proposed", kubectl:ok("get", "packagerevision", "denied.web.v1", "-o",
      "jsonpath={.spec.lifecycle}"))
    assert.are.equal("", git:ask("denied.git", "tag"))
    assert.are.equal(0, lifecycle("denied.web.v1", "Published", "--subresource=approval").code)
    assert.are.equal("web/v1\n", git:ask("denied.git", "tag"))
  end)

  it("passwords are nowhere in the log or the objects", function()
    assert.is_nil(clients.read(server.data .. "/server.log"):find("secret:", 1, true))
    local all = kubectl:ok("get", "repositories,events", "-A", "-o", "yaml")
    assert.is_nil(all:find("password", 1, true), all)
  end)
end)

clients.describe({ "porchctl" }, "porchctl repo", describe, pending, function()
  local server, git, home, porchctl

  setup(function()
    server = lib.start()
    git = clients.git({ user = "nephio", password = "secret" })
    home = clients.temporary()
    porchctl = clients.new("porchctl", server.kubeconfig, home)
  end)

  teardown(function()
    server:stop()
    git:stop()
    shell("rm -rf " .. quote(home))
  end)

  local function get(path)
    local status, body = server:request("GET", path)
    return status, body
  end

  local SECRET = "/api/v1/namespaces/default/secrets/r-auth"
  local REPO = "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories/r"

  it("register makes the secret, sync schedules, unregister takes both away", function()
    porchctl:ok("repo", "register", git:make("r.git"), "-n", "default", "--name=r",
      "--repo-basic-username=nephio", "--repo-basic-password=secret", "--description=mine",
      "--sync-schedule=*/5 * * * *")
    clients.ready(server, "default", "r")
    local _, body = get(SECRET)
    assert.is_truthy(body:find('"kubernetes.io/basic%-auth"'), body)
    _, body = get(REPO)
    assert.is_truthy(body:find('"schedule": "*/5 * * * *"', 1, true), body)
    local again = porchctl("repo", "register", git:url("r.git"), "-n", "default", "--name=r",
      "--repo-basic-username=nephio", "--repo-basic-password=secret")
    assert.are.equal(1, again.code)
    assert.is_truthy(again.err:find('secrets "r-auth" already exists', 1, true), again.err)
    assert.is_truthy(porchctl:ok("repo", "sync", "r", "-n", "default"):find(
      'Scheduled one-time sync for "r" at ', 1, true))
    assert.is_truthy(porchctl:ok("repo", "get", "-n", "default"):find("True", 1, true))
    porchctl:ok("repo", "unregister", "r", "-n", "default")
    clients.until_answer(server, REPO, function(status)
      return status == 404
    end)
    assert.are.equal(404, (get(SECRET)))
  end)

  it("unregister can keep the secret", function()
    porchctl:ok("repo", "register", git:make("r.git"), "-n", "default", "--name=r",
      "--repo-basic-username=nephio", "--repo-basic-password=secret")
    clients.ready(server, "default", "r")
    porchctl:ok("repo", "unregister", "r", "-n", "default", "--keep-auth-secret")
    assert.are.equal(200, (get(SECRET)))
  end)

  it("refuses what is not there", function()
    local r = porchctl("repo", "unregister", "nope", "-n", "default")
    assert.are.equal(1, r.code)
    assert.is_truthy(r.err:find('"nope" not found', 1, true), r.err)
  end)
end)
