-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local function resource(kind, name, more, api)
  return ("apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n%s"):format(api or "v1", kind, name,
    more or "")
end

local function run(files, config)
  return functions.run("ensure-name-substring", files, config)
end

local PREPEND = "apiVersion: v1\nkind: ConfigMap\ndata:\n  prepend: p-\n"

describe("ensure-name-substring", function()
  it("leaves names that have the text, and kinds whose name says what they are", function()
    local files = { ["a.yaml"] = resource("ConfigMap", "x-p-y"), ["b.yaml"] =
      resource("Namespace", "n"), ["c.yaml"] = resource("CustomResourceDefinition", "c"),
      Kptfile = resource("Kptfile", "k", nil, "kpt.dev/v1") }
    assert.same(files, run(files, PREPEND).files)
  end)

  it("follows with references in the same namespace alone", function()
    local function pod(namespace)
      return resource("Pod", "p-x", "  namespace: " .. namespace .. "\nspec:\n  volumes:\n"
        .. "  - name: v\n    configMap:\n      name: \"m\" # the map\n  - name: w\n    secret:\n"
        .. "      secretName: m\n")
    end
    local got = run({ ["m.yaml"] = resource("ConfigMap", "m", "  namespace: a\n"),
      ["p.yaml"] = pod("a"), ["q.yaml"] = pod("b") }, PREPEND).files
    assert.equal(pod("a"):gsub('"m"', '"p-m"'), got["p.yaml"])
    assert.equal(pod("b"), got["q.yaml"])
  end)

  it("follows with subjects, roles and rules by their kind", function()
    local binding = resource("ClusterRoleBinding", "p-b", "roleRef:\n"
      .. "  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: %s\nsubjects:\n"
      .. "- kind: ServiceAccount\n  name: %s\n  namespace: a\n- kind: User\n  name: sa\n"
      .. "- kind: ServiceAccount\n  name: sa\n  namespace: other\n",
      "rbac.authorization.k8s.io/v1")
    local role = resource("ClusterRole", "%s", "rules:\n- resources: [secrets]\n"
      .. "  resourceNames: [s, %s]\n- resources: [pods]\n  resourceNames: [t]\n",
      "rbac.authorization.k8s.io/v1")
    local got = run({ ["b.yaml"] = binding:format("r", "sa"), ["r.yaml"] = role:format("r", "t"),
      ["s.yaml"] = resource("Secret", "t"), ["sa.yaml"] = resource("ServiceAccount", "sa",
        "  namespace: a\n") }, PREPEND).files
    assert.equal(binding:format("p-r", "p-sa"), got["b.yaml"])
    assert.equal(role:format("p-r", "p-t"), got["r.yaml"])
  end)

  it("changes depends-on annotations that name a resource of the package", function()
    for value, expected in pairs({
      ["apps/namespaces/a/Deployment/d"] = "apps/namespaces/a/Deployment/p-d",
      ["apps/namespaces/a/Deployment/other"] = "apps/namespaces/a/Deployment/other",
      ["x/apps/namespaces/a/Deployment/d"] = "x/apps/namespaces/a/Deployment/d",
      ["/Node/n"] = "/Node/p-n",
    }) do
      local function map(text)
        return resource("ConfigMap", "p-m", "  annotations:\n    config.kubernetes.io/depends-on: "
          .. text .. "\n")
      end
      local got = run({ ["a.yaml"] = map(value), ["n.yaml"] = resource("Node", "n"),
        ["d.yaml"] = resource("Deployment", "d", "  namespace: a\n", "apps/v1") }, PREPEND)
      assert.equal(map(expected), got.files["a.yaml"])
    end
  end)

  it("edits further fields", function()
    local typed = "apiVersion: fn.kpt.dev/v1alpha1\nkind: EnsureNameSubstring\nsubstring: -s\n"
      .. "editMode: append\nadditionalNameFields:\n- {kind: X, path: spec/name}\n"
    local got = run({ ["a.yaml"] = resource("X", "x", "spec:\n  name: 'n' # c\n") }, typed)
    assert.equal(resource("X", "x-s", "spec:\n  name: 'n-s' # c\n"), got.files["a.yaml"])
  end)

  it("says what is wrong with its configuration", function()
    local map = "apiVersion: v1\nkind: ConfigMap\ndata: "
    local typed = "apiVersion: fn.kpt.dev/v1alpha1\nkind: EnsureNameSubstring\n"
    for config, message in pairs({
      [map .. "{a: b, c: d}\n"] = "only 1 entry is allowed in the ConfigMap, but got: 2",
      [map .. "{}\n"] = "only 1 entry is allowed in the ConfigMap, but got: 0",
      [map .. "{a: b}\n"] = "unknown editMode: a, only prepend and append are allowed",
      [map .. "{append: ''}\n"] = "substring must not be empty",
      [typed .. "substring: a\neditMode: b\n"] =
        "unknown editMode: b, only prepend and append are allowed",
      [typed .. "fieldSpecs: []\nadditionalNameFields: []\n"] =
        "`fieldSpecs` has been deprecated, please rename it to `additionalNameFields`",
    }) do
      local got = run({ ["a.yaml"] = resource("X", "x") }, config)
      assert.is_false(got.ok)
      assert.equal(message, got.error)
      assert.equal(message, got.results[1].message)
    end
    assert.truthy(run({}, "apiVersion: a/v1\nkind: Y\n").error:find("but we got: a/v1, Kind=Y", 1,
      true))
  end)
end)
