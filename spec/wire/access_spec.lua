-- SPDX-License-Identifier: Apache-2.0
-- Who may do what, as clients see it: certificates of `lanai kubeconfig` for the shipped groups,
-- bearer tokens of `lanai token`, and callers without either.
local clients = require("spec.wire.clients")
local lib = require("spec.lib.server")
local shell, quote = lib.shell, lib.quote

local REPOSITORY = [[
apiVersion: config.porch.kpt.dev/v1alpha1
kind: Repository
metadata: {name: %s, namespace: default}
spec: {type: git, git: {repo: "%s", branch: main}}
]]

local REVISION = [[
apiVersion: porch.kpt.dev/v1alpha1
kind: PackageRevision
metadata: {namespace: default}
spec:
  repository: blue
  packageName: %s
  workspaceName: w1
  lifecycle: Draft
  tasks: [{type: init, init: {}}]
]]

local PROGRAM = os.getenv("LANAI") or (os.getenv("LANAI_BUILD") or "build") .. "/lanai"

local server, git, home, admin

local function lanai(...)
  return clients.run({ PROGRAM, ... })
end

setup(function()
  server = lib.start()
  git = clients.git()
  home = clients.temporary()
end)

teardown(function()
  server:stop()
  git:stop()
  shell("rm -rf " .. quote(home))
end)

describe("callers without credentials", function()
  local function anonymous(path)
    local out = shell(("curl -sS -o /dev/null -w '%%{http_code}' --cacert %s %s"):format(
      quote(server.ca), quote(server.url .. path)))
    return tonumber(out:match("%d+$"))
  end

  it("see health and version, and nothing else", function()
    for _, path in ipairs({ "/healthz", "/livez", "/readyz", "/version" }) do
      assert.are.equal(200, anonymous(path), path)
    end
    for _, path in ipairs({ "/api/v1/namespaces", "/api/v1/namespaces/default/secrets",
      "/apis/porch.kpt.dev/v1alpha1/packagerevisions", "/metrics" }) do
      local status = anonymous(path)
      assert.is_true(status == 401 or status == 403, path .. ": " .. status)
    end
  end)
end)

clients.describe({ "kubectl" }, "kubectl", describe, pending, function()
  -- A kubectl with a certificate of its own.
  local function member(user, group)
    local words = { "kubeconfig", "--data", server.data, "--user", user }
    if group then
      words[#words + 1] = "--group"
      words[#words + 1] = group
    end
    local r = lanai(table.unpack(words))
    assert.are.equal(0, r.code, r.err)
    local path = clients.write(home .. "/" .. user, r.out)
    return clients.new("kubectl", path, home)
  end

  local function allowed(kubectl, ...)
    local r = kubectl(...)
    assert.are.equal(0, r.code, r.err)
    return r.out
  end

  local function forbidden(kubectl, ...)
    local r = kubectl(...)
    assert.are.equal(1, r.code, r.out)
    assert.is_truthy(r.err:find("forbidden", 1, true), r.err)
    return r.err
  end

  local function lifecycle(value)
    return "--type=merge", "-p", ('{"spec":{"lifecycle":"%s"}}'):format(value)
  end

  setup(function()
    admin = clients.new("kubectl", server.kubeconfig, home)
    admin:ok("apply", "-f", "-", { stdin = REPOSITORY:format("blue", git:make("blue.git")) })
    admin:ok("wait", "--for=condition=Ready", "repository/blue", "--timeout=15s")
    admin:ok("create", "-f", "-", { stdin = REVISION:format("web") })
    admin:ok("create", "secret", "generic", "hidden", "--from-literal=a=b")
  end)

  it("a user of no group may only ask who it is and what it may do", function()
    local nobody = member("nobody")
    assert.is_truthy(allowed(nobody, "auth", "whoami"):find("nobody", 1, true))
    allowed(nobody, "api-resources")
    local r = nobody("auth", "can-i", "get", "packagerevisions")
    assert.are.equal("no\n", r.out)
    assert.is_truthy(forbidden(nobody, "get", "packagerevisions"):find('packagerevisions.porch'
      .. '.kpt.dev is forbidden: User "nobody" cannot list resource "packagerevisions" in API '
      .. 'group "porch.kpt.dev" in the namespace "default"', 1, true))
  end)

  it("the right to make bindings does not give every role to oneself", function()
    admin:ok("create", "clusterrole", "binder", "--verb=create,get",
      "--resource=rolebindings.rbac.authorization.k8s.io")
    admin:ok("create", "rolebinding", "binders", "--clusterrole=binder", "--user=ben")
    local ben = member("ben")
    local told = forbidden(ben, "create", "rolebinding", "more", "--clusterrole=lanai-admin",
      "--user=ben")
    assert.is_truthy(told:find('cannot bind resource "clusterroles"', 1, true), told)
    admin:ok("create", "clusterrole", "may-bind", "--verb=bind",
      "--resource=clusterroles.rbac.authorization.k8s.io", "--resource-name=lanai-reader")
    admin:ok("create", "clusterrolebinding", "may-bind", "--clusterrole=may-bind", "--user=ben")
    allowed(ben, "create", "rolebinding", "readers", "--clusterrole=lanai-reader", "--user=ann")
  end)

  it("lanai-reader reads everything but secrets", function()
    local reader = member("rita", "lanai-reader")
    allowed(reader, "get", "packagerevisions,packagerevisionresources,repositories,configmaps")
    allowed(reader, "get", "packagerevisions", "-A")
    allowed(reader, "describe", "packagerevision", "blue.web.w1")
    forbidden(reader, "get", "secrets")
    forbidden(reader, "get", "secret", "hidden")
    forbidden(reader, "label", "packagerevision", "blue.web.w1", "a=b")
    forbidden(reader, "create", "-f", "-", { stdin = REVISION:format("no") })
    forbidden(reader, "delete", "packagerevision", "blue.web.w1")
    forbidden(reader, "create", "configmap", "x")
    assert.are.equal("no\n", reader("auth", "can-i", "create", "packagerevisions").out)
  end)

  it("lanai-author writes and proposes drafts, and does not approve them", function()
    local author = member("aida", "lanai-author")
    allowed(author, "create", "-f", "-", { stdin = REVISION:format("authored") })
    local name = "blue.authored.w1"
    local files = allowed(author, "get", "packagerevisionresources", name, "-o", "yaml")
    allowed(author, "replace", "-f", "-", { stdin = (files:gsub("  resources:\n",
      "  resources:\n    a.txt: hello\n")) })
    allowed(author, "patch", "packagerevision", name, lifecycle("Proposed"))
    forbidden(author, "patch", "packagerevision", name, "--subresource=approval",
      lifecycle("Published"))
    forbidden(author, "create", "-f", "-", { stdin = REPOSITORY:format("own", git:url("own.git")) })
    forbidden(author, "get", "secret", "hidden")
  end)

  it("lanai-approver approves and rejects, and does not write", function()
    local approver = member("otto", "lanai-approver")
    admin:ok("create", "-f", "-", { stdin = REVISION:format("judged") })
    local name = "blue.judged.w1"
    forbidden(approver, "create", "-f", "-", { stdin = REVISION:format("no") })
    forbidden(approver, "patch", "packagerevisionresources", name, "--type=merge", "-p",
      '{"spec":{"resources":{"a.txt":"x"}}}')
    admin:ok("patch", "packagerevision", name, lifecycle("Proposed"))
    allowed(approver, "patch", "packagerevision", name, "--subresource=approval",
      lifecycle("Draft"))
    admin:ok("patch", "packagerevision", name, lifecycle("Proposed"))
    allowed(approver, "patch", "packagerevision", name, "--subresource=approval",
      lifecycle("Published"))
    assert.are.equal("Published otto", admin:ok("get", "packagerevision", name, "-o",
      "jsonpath={.spec.lifecycle} {.status.publishedBy}"))
  end)

  it("lanai-admin does everything, also change the rules", function()
    local boss = member("bob", "lanai-admin")
    allowed(boss, "get", "secret", "hidden")
    allowed(boss, "create", "clusterrole", "keeper", "--verb=get,list", "--resource=secrets")
    allowed(boss, "create", "rolebinding", "keeper", "--clusterrole=keeper", "--user=kim")
    local kim = member("kim")
    allowed(kim, "get", "secret", "hidden")
    forbidden(kim, "-n", "kube-system", "get", "secrets")
    allowed(boss, "delete", "rolebinding", "keeper")
    forbidden(kim, "get", "secret", "hidden")
    allowed(boss, "create", "clusterrole", "all-keepers",
      "--aggregation-rule=keeps=secrets")
    assert.are.equal("secrets", admin:ok("get", "clusterrole", "all-keepers", "-o",
      "jsonpath={.aggregationRule.clusterRoleSelectors[0].matchLabels.keeps}"))
    allowed(boss, "delete", "clusterrole", "keeper", "all-keepers")
  end)

  it("impersonation is refused without the right and works for the administrator", function()
    forbidden(member("iris", "lanai-author"), "get", "packagerevisions", "--as=rita")
    local r = admin("get", "secrets", "--as=rita", "--as-group=lanai-reader")
    assert.are.equal(1, r.code)
    assert.is_truthy(r.err:find('User "rita" cannot list resource "secrets"', 1, true), r.err)
  end)

  it("a certificate of another authority is nobody", function()
    local foreign = lib.start()
    local r = clients.run({ PROGRAM, "kubeconfig", "--data", foreign.data, "--user", "eve",
      "--group", "system:masters", "--server", server.url })
    foreign:stop()
    local text = r.out:gsub("(certificate%-authority%-data: *)%S+", "%1"
      .. clients.read(server.kubeconfig):match("certificate%-authority%-data: *(%S+)"))
    local eve = clients.new("kubectl", clients.write(home .. "/eve", text), home)
    local got = eve("get", "secrets")
    assert.are.equal(1, got.code, got.out)
  end)

  describe("tokens", function()
    local function token_user(token)
      -- a kubeconfig without a certificate: the token is all it has
      local ca = clients.read(server.kubeconfig):match("certificate%-authority%-data: *(%S+)")
      local path = clients.write(home .. "/token", ([[
apiVersion: v1
kind: Config
clusters: [{name: l, cluster: {server: "%s", certificate-authority-data: %s}}]
users: [{name: u, user: {}}]
contexts: [{name: l, context: {cluster: l, user: u}}]
current-context: l
]]):format(server.url, ca))
      return clients.new("kubectl", path, home, { token = token })
    end

    local function create(...)
      local r = lanai("token", "create", "--data", server.data, ...)
      assert.are.equal(0, r.code, r.err)
      return r.out:match("%S+")
    end

    local function id_of(user)
      local r = lanai("token", "list", "--data", server.data)
      assert.are.equal(0, r.code, r.err)
      return r.out:match("\n(%S+)%s+" .. user .. "%s"), r.out
    end

    it("are made, listed without the secret, used and revoked while the server runs", function()
      local token = create("--user", "tom", "--group", "lanai-reader")
      local tom = token_user(token)
      assert.is_truthy(allowed(tom, "auth", "whoami"):find("tom", 1, true))
      allowed(tom, "get", "packagerevisions")
      forbidden(tom, "get", "secrets")
      local id, list = id_of("tom")
      assert.is_truthy(id, list)
      assert.is_nil(list:find(token, 1, true))
      assert.are.equal(0, lanai("token", "revoke", id, "--data", server.data).code)
      local r = tom("get", "packagerevisions")
      assert.are.equal(1, r.code)
      assert.is_truthy(r.err:find("Unauthorized", 1, true), r.err)
      assert.is_nil((id_of("tom")))
    end)

    it("that are wrong are refused, not taken for nobody", function()
      for _, token in ipairs({ "nonsense", "lanai-0123456789abcdef.secret" }) do
        local r = token_user(token)("get", "--raw", "/version")
        assert.are.equal(1, r.code, r.out)
        assert.is_truthy(r.err:find("Unauthorized", 1, true), r.err)
      end
    end)

    it("of an unknown id cannot be revoked", function()
      local r = lanai("token", "revoke", "feedfeedfeedfeed", "--data", server.data)
      assert.are.equal(1, r.code)
      assert.is_truthy(r.err:find("feedfeedfeedfeed", 1, true), r.err)
    end)

    it("need a user, and a duration that is one", function()
      assert.are.equal(2, lanai("token", "create", "--data", server.data).code)
      assert.are.equal(2, lanai("token", "create", "--user", "x", "--ttl", "soon", "--data",
        server.data).code)
      local _, list = id_of("nobody")
      create("--user", "brief", "--ttl", "1h")
      local _, more = id_of("brief")
      assert.is_true(#more > #list)
      assert.is_nil(more:match("brief[^\n]*never"))
    end)
  end)
end)
