-- SPDX-License-Identifier: Apache-2.0
--
-- What a user may do: rules that everybody has, RBAC objects, shipped roles.
local probe = require "probe_auth"

local dir, auth

local function binding(role_kind, role, subject_kind, subject, ns)
  return ([[{"roleRef":{"kind":"%s","name":"%s"},"subjects":[{"kind":"%s","name":"%s"%s}]}]])
    :format(role_kind, role, subject_kind, subject, ns and (',"namespace":"' .. ns .. '"') or "")
end

local function cluster_role(name, rules, more)
  assert(auth:put("clusterroles", "", name, ('{"rules":%s%s}'):format(rules, more or "")))
end

local function bind_user(role, user)
  assert(auth:put("clusterrolebindings", "", role .. "-" .. user,
    binding("ClusterRole", role, "User", user)))
end

local function user(name, ...)
  return { name = name, groups = { "system:authenticated", ... } }
end

local NOBODY = { name = "system:anonymous", groups = { "system:unauthenticated" },
  anonymous = true }

-- may("ann", "get porch.kpt.dev packages/status ns/name") or ("ann", "get /path")
local function may(who, text)
  who = type(who) == "string" and user(who) or who
  local verb, path = text:match("^(%S+) (/%S*)$")
  if verb then
    return (auth:may(who, { verb = verb, path = path }))
  end
  local group, resource, ns, name
  verb, group, resource, ns, name = text:match("^(%S+) (%S+) (%S+) ?([^/]*)/?(.*)$")
  local main, sub = resource:match("^([^/]+)/(.+)$")
  return (auth:may(who, { verb = verb, group = group == "core" and "" or group,
    resource = main or resource, subresource = sub or "", ns = ns, object = name }))
end

before_each(function()
  dir = os.tmpname()
  os.remove(dir)
  assert(os.execute("LD_PRELOAD= mkdir " .. dir))
  auth = assert(probe.open(dir, {}))
end)

after_each(function()
  auth:close()
  os.execute("LD_PRELOAD= rm -r " .. dir)
end)

describe("without objects", function()
  it("everybody sees health and version, nothing else", function()
    for _, path in ipairs { "/healthz", "/livez", "/readyz", "/readyz/ping", "/version",
      "/version/" } do
      assert.is_true(may(NOBODY, "get " .. path), path)
      assert.is_true(may("ann", "get " .. path), path)
    end
    for _, path in ipairs { "/", "/api", "/apis", "/openapi/v3", "/metrics", "/versions",
      "/healthzx" } do
      assert.is_false(may(NOBODY, "get " .. path), path)
    end
    assert.is_false(may(NOBODY, "post /healthz"))
    assert.is_false(may(NOBODY, "list porch.kpt.dev packages default"))
  end)

  it("users see discovery and ask about themselves", function()
    for _, path in ipairs { "/api", "/api/v1", "/apis", "/apis/porch.kpt.dev/v1alpha1",
      "/openapi/v2", "/openapi/v3/api/v1" } do
      assert.is_true(may("ann", "get " .. path), path)
    end
    assert.is_false(may("ann", "get /metrics"))
    assert.is_true(may("ann", "create authorization.k8s.io selfsubjectaccessreviews"))
    assert.is_true(may("ann", "create authorization.k8s.io selfsubjectrulesreviews"))
    assert.is_true(may("ann", "create authentication.k8s.io selfsubjectreviews"))
    assert.is_false(may("ann", "create authorization.k8s.io subjectaccessreviews"))
    assert.is_false(may(NOBODY, "create authentication.k8s.io selfsubjectreviews"))
    assert.is_false(may("ann", "list core secrets default"))
  end)

  it("masters may do everything", function()
    local admin = user("x", "system:masters")
    assert.is_true(may(admin, "delete core secrets a/b"))
    assert.is_true(may(admin, "impersonate core users"))
    assert.is_true(may(admin, "post /anything"))
  end)
end)

describe("rules", function()
  it("match verb, group and resource", function()
    cluster_role("r", '[{"verbs":["get","list"],"apiGroups":["porch.kpt.dev"],'
      .. '"resources":["packages"]}]')
    bind_user("r", "ann")
    assert.is_true(may("ann", "get porch.kpt.dev packages a/b"))
    assert.is_true(may("ann", "list porch.kpt.dev packages"))
    assert.is_false(may("ann", "watch porch.kpt.dev packages a"))
    assert.is_false(may("ann", "get core packages a/b"))
    assert.is_false(may("ann", "get porch.kpt.dev packages/status a/b"))
    assert.is_false(may("ann", "get porch.kpt.dev packagerevisions a/b"))
    assert.is_false(may("bob", "get porch.kpt.dev packages a/b"))
  end)

  it("match stars and subresources", function()
    cluster_role("sub", '[{"verbs":["*"],"apiGroups":["*"],'
      .. '"resources":["packages/approval","*/status"]}]')
    cluster_role("all", '[{"verbs":["get"],"apiGroups":["*"],"resources":["*"]}]')
    bind_user("sub", "ann")
    bind_user("all", "bob")
    assert.is_true(may("ann", "patch g packages/approval a/b"))
    assert.is_true(may("ann", "patch g things/status a/b"))
    assert.is_false(may("ann", "patch g packages a/b"))
    assert.is_false(may("ann", "patch g things/approval a/b"))
    assert.is_true(may("bob", "get core secrets a/b"))
    assert.is_true(may("bob", "get g packages/approval a/b"))
    assert.is_false(may("bob", "update g packages a/b"))
    assert.is_false(may("bob", "get /metrics"))
  end)

  it("match names only when one is asked for", function()
    cluster_role("r", '[{"verbs":["get","list"],"apiGroups":[""],"resources":["secrets"],'
      .. '"resourceNames":["one"]}]')
    bind_user("r", "ann")
    assert.is_true(may("ann", "get core secrets a/one"))
    assert.is_false(may("ann", "get core secrets a/two"))
    assert.is_false(may("ann", "list core secrets a"))
  end)

  it("match paths, with a star at their end", function()
    cluster_role("r", '[{"verbs":["get"],"nonResourceURLs":["/metrics","/debug/*"]}]')
    bind_user("r", "ann")
    assert.is_true(may("ann", "get /metrics"))
    assert.is_true(may("ann", "get /debug/heap"))
    assert.is_false(may("ann", "get /metrics/x"))
    assert.is_false(may("ann", "get /debug"))
    assert.is_false(may("ann", "put /metrics"))
    assert.is_false(may("ann", "get core metrics"))
  end)
end)

describe("bindings", function()
  local ALL = '[{"verbs":["*"],"apiGroups":["*"],"resources":["*"]},'
    .. '{"verbs":["*"],"nonResourceURLs":["*"]}]'

  it("of a namespace count there only", function()
    cluster_role("all", ALL)
    assert(auth:put("roles", "a", "own", '{"rules":' .. ALL .. "}"))
    assert(auth:put("rolebindings", "a", "x", binding("ClusterRole", "all", "User", "ann")))
    assert(auth:put("rolebindings", "a", "y", binding("Role", "own", "User", "bob")))
    assert(auth:put("rolebindings", "b", "z", binding("Role", "own", "User", "cid")))
    assert.is_true(may("ann", "get core secrets a/s"))
    assert.is_true(may("bob", "get core secrets a/s"))
    for _, who in ipairs { "ann", "bob", "cid" } do
      assert.is_false(may(who, "get core secrets b/s"))
      assert.is_false(may(who, "list core secrets"))
      assert.is_false(may(who, "get /metrics"))
    end
  end)

  it("name users, groups and service accounts", function()
    cluster_role("all", ALL)
    assert(auth:put("clusterrolebindings", "", "g", binding("ClusterRole", "all", "Group", "dev")))
    assert(auth:put("clusterrolebindings", "", "s",
      binding("ClusterRole", "all", "ServiceAccount", "bot", "ci")))
    assert(auth:put("rolebindings", "a", "s",
      binding("ClusterRole", "all", "ServiceAccount", "local")))
    assert.is_true(may(user("x", "other", "dev"), "get core secrets"))
    assert.is_false(may(user("dev", "other"), "get core secrets"))
    assert.is_true(may("system:serviceaccount:ci:bot", "get core secrets"))
    assert.is_false(may("system:serviceaccount:cd:bot", "get core secrets"))
    assert.is_true(may("system:serviceaccount:a:local", "get core secrets a/x"))
  end)

  it("to a role that is missing give nothing until it is there", function()
    bind_user("later", "ann")
    assert.is_false(may("ann", "get core secrets a/s"))
    cluster_role("later", ALL)
    assert.is_true(may("ann", "get core secrets a/s"))
  end)

  it("cannot give a namespace's Role everywhere", function()
    assert(auth:put("roles", "", "odd", '{"rules":' .. ALL .. "}"))
    assert(auth:put("clusterrolebindings", "", "x", binding("Role", "odd", "User", "ann")))
    assert.is_false(may("ann", "get core secrets a/s"))
  end)

  it("count from the moment they are committed, and no longer", function()
    cluster_role("all", ALL)
    for i = 1, 50 do
      bind_user("all", "ann")
      assert.is_true(may("ann", "get core secrets a/s"), i)
      assert(auth:put("configmaps", "a", "c", '{"n":' .. i .. "}"))
      assert.is_true(may("ann", "get core secrets a/s"), i)
      assert(auth:del("clusterrolebindings", "", "all-ann"))
      assert.is_false(may("ann", "get core secrets a/s"), i)
    end
  end)

  it("change while many threads ask", function()
    cluster_role("all", ALL)
    local cert = auth:issue("ann", {})
    local allowed, denied = auth:storm(cert, 60, "clusterrolebindings", "x",
      binding("ClusterRole", "all", "User", "ann"))
    assert.is_true(allowed > 0 and denied > 0, allowed .. " " .. denied)
    assert.is_false(may("ann", "get core secrets a/s"))
  end)

  it("are named in the reason", function()
    cluster_role("all", ALL)
    bind_user("all", "ann")
    local _, why = auth:may(user("ann"), { verb = "get", resource = "secrets" })
    assert.equal('RBAC: allowed by ClusterRoleBinding "all-ann" of ClusterRole "all" to User', why)
    _, why = auth:may(user("bob"), { verb = "get", resource = "secrets" })
    assert.equal("", why)
  end)

  it("allow nothing when an object cannot be read", function()
    cluster_role("all", ALL)
    bind_user("all", "ann")
    assert(auth:put("roles", "a", "broken", '{"rules":['))
    local ok, why = auth:may(user("ann"), { verb = "get", resource = "secrets" })
    assert.is_false(ok)
    assert.matches("^RBAC: damaged roles 'broken' in the store", why)
  end)
end)

describe("aggregation", function()
  it("collects the rules of the roles that the labels select", function()
    local function labelled(name, resource, labels)
      cluster_role(name, ('[{"verbs":["get"],"apiGroups":[""],"resources":["%s"]}]')
        :format(resource), ',"metadata":{"labels":' .. labels .. "}")
    end
    labelled("a", "as", '{"to":"sum"}')
    labelled("b", "bs", '{"tier":"2"}')
    labelled("c", "cs", '{"to":"other"}')
    -- a role that aggregates counts for others with what it collects; a circle ends
    cluster_role("sum", '[{"verbs":["get"],"apiGroups":[""],"resources":["stale"]}]',
      ',"metadata":{"labels":{"tier":"2"}},"aggregationRule":{"clusterRoleSelectors":['
      .. '{"matchLabels":{"to":"sum"}},'
      .. '{"matchExpressions":[{"key":"tier","operator":"In","values":["1","2"]}]}]}')
    cluster_role("top", "null", ',"aggregationRule":{"clusterRoleSelectors":['
      .. '{"matchExpressions":[{"key":"tier","operator":"Exists"},'
      .. '{"key":"to","operator":"DoesNotExist"}]}]}')
    bind_user("sum", "ann")
    bind_user("top", "bob")
    for resource, want in pairs { as = true, bs = true, cs = false, stale = false } do
      assert.equal(want, may("ann", "get core " .. resource), resource)
      assert.equal(want, may("bob", "get core " .. resource), resource)
    end
    labelled("c", "cs", '{"to":"sum"}')
    assert.is_true(may("ann", "get core cs"))
  end)
end)

describe("rules of a user", function()
  it("are those in effect in the namespace", function()
    cluster_role("r", '[{"verbs":["get"],"apiGroups":[""],"resources":["secrets"]}]')
    assert(auth:put("rolebindings", "a", "x", binding("ClusterRole", "r", "User", "ann")))
    local function has(ns)
      for _, json in ipairs(auth:rules(user("ann"), ns)) do
        if json == '{"verbs":["get"],"apiGroups":[""],"resources":["secrets"]}' then
          return true
        end
      end
      return false
    end
    assert.is_true(has("a"))
    assert.is_false(has("b"))
    assert.equal(4, #auth:rules(user("ann"), "b"))
    assert.equal(1, #auth:rules(NOBODY, "b"))
    assert.matches('"apiGroups":%["%*"%]', auth:rules(user("x", "system:masters"), "b")[1])
  end)
end)

describe("shipped roles", function()
  local PORCH = "porch.kpt.dev packagerevisions"
  local CASES = {
    { "create " .. PORCH .. " a", author = true },
    { "delete " .. PORCH .. " a/x", author = true },
    { "update porch.kpt.dev packagerevisionresources a/x", author = true },
    { "create porch.kpt.dev packagerevisionresources a/x" },
    { "watch " .. PORCH .. " a", author = true, approver = true, reader = true },
    { "get porch.kpt.dev packagerevisionresources a/x", author = true, approver = true,
      reader = true },
    { "watch config.porch.kpt.dev repositories a", author = true, approver = true, reader = true },
    { "create config.porch.kpt.dev repositories a" },
    { "update " .. PORCH .. "/approval a/x", approver = true },
    { "patch " .. PORCH .. "/approval a/x", approver = true },
    { "update " .. PORCH .. " a/x", author = true },
    { "list core configmaps a", author = true, approver = true, reader = true },
    { "watch core configmaps a", reader = true },
    { "get core secrets a/x" },
    { "list core secrets" },
    { "create rbac.authorization.k8s.io clusterroles" },
  }

  it("give each group what its name says", function()
    assert.is_true(auth:seed())
    for _, case in ipairs(CASES) do
      for _, name in ipairs { "author", "approver", "reader" } do
        assert.equal(case[name] or false, may(user("x", "lanai-" .. name), case[1]),
          name .. ": " .. case[1])
      end
      assert.is_true(may(user("x", "lanai-admin"), case[1]))
      assert.is_false(may(user("x", "lanai"), case[1]))
    end
    assert.is_true(may(user("x", "lanai-admin"), "get /metrics"))
  end)

  it("are whole objects, put once", function()
    assert.is_true(auth:seed())
    local json, meta, cells = auth:get("clusterroles", "", "lanai-reader")
    assert.matches('^{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole"', json)
    assert.matches('^{"name":"lanai%-reader","uid":"%x+%-.*"resourceVersion":"%d+"', meta)
    assert.matches('^%["lanai%-reader","%d+%-', cells)
    cells = select(3, auth:get("clusterrolebindings", "", "lanai-admin"))
    assert.equal('["lanai-admin","ClusterRole/lanai-admin"]', cells)
    assert(auth:del("clusterroles", "", "lanai-reader"))
    assert.is_true(auth:seed())
    assert.is_nil((auth:get("clusterroles", "", "lanai-reader")))
  end)
end)
