-- SPDX-License-Identifier: Apache-2.0
local merge = require("probe_merge")

local function resource(comment, meta)
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata:" .. comment .. "\n" .. meta
end

describe("identity", function()
  it("is group, kind, namespace and name", function()
    assert.same({ "apps", "Deployment", "ns", "web" },
      { merge.identity(resource("", "  name: web\n  namespace: ns\n")) })
    assert.same({ "", "Pod", "", "" }, { merge.identity("apiVersion: v1\nkind: Pod\n") })
  end)

  it("comes from the stamp when there is one", function()
    assert.same({ "apps", "Deployment", "", "old" },
      { merge.identity(resource(" # kpt-merge: /old", "  name: new\n  namespace: ns\n")) })
    assert.same({ "apps", "Deployment", "ns", "a/b" },
      { merge.identity(resource(" # kpt-merge: ns/a/b", "  name: new\n")) })
  end)

  it("ignores stamps that cannot be read", function()
    assert.same({ "apps", "Deployment", "", "new" },
      { merge.identity(resource(" # see kpt-merge: ns/old", "  name: new\n")) })
    assert.same({ "apps", "Deployment", "", "new" },
      { merge.identity(resource(" # kpt-merge: old", "  name: new\n")) })
  end)

  it("is nothing for what says nothing about itself", function()
    assert.same({}, { merge.identity("a: 1\n") })
  end)
end)

describe("a stamp", function()
  local function identifier(text)
    return text:match("upstream%-identifier: ([^\n]+)")
  end

  it("is added once and survives renames", function()
    local stamped = merge.stamp(resource("", "  name: web\n"))
    assert.same(resource(" # kpt-merge: /web", "  name: web\n  annotations:\n"
      .. "    internal.kpt.dev/upstream-identifier: 'apps|Deployment|default|web'\n"), stamped)
    assert.same(stamped, (merge.stamp(stamped)))
    local renamed = stamped:gsub("name: web", "name: other")
    assert.same(renamed, (merge.stamp(renamed)))
  end)

  it("replaces another comment", function()
    assert.matches("metadata: # kpt-merge: ns/web\n",
      merge.stamp(resource(" # mine", "  name: web\n  namespace: ns\n")), 1, true)
  end)

  it("that cannot be read stays and counts for nothing", function()
    local got = merge.stamp(resource(" # kpt-merge: odd", "  name: web\n"))
    assert.matches("metadata: # kpt-merge: odd\n", got, 1, true)
    assert.same("'apps|Deployment|default|web'", identifier(got))
  end)

  it("is not for resources without name, namespace and labels", function()
    local nameless = resource("", "  annotations:\n    a: b\n")
    assert.same(nameless, (merge.stamp(nameless)))
    assert.matches("# kpt-merge: /\n", merge.stamp(resource("", "  labels:\n    a: b\n")), 1, true)
  end)
end)

describe("an attribution", function()
  local function connector(value)
    return "apiVersion: compute.cnrm.cloud.google.com/v1\nkind: X\nmetadata:\n  name: x\n"
      .. (value and "  annotations:\n    cnrm.cloud.google.com/blueprint: " .. value .. "\n" or "")
  end

  it("names the groups of commands that had a resource in hand", function()
    assert.same(connector("'krm-fn'"), (merge.attribute(connector(), "fn")))
    assert.same(connector("a,krm-pkg"), (merge.attribute(connector("a"), "pkg")))
    assert.same(connector("a,krm-pkg-fn,b"), (merge.attribute(connector("a,krm-fn,b"), "pkg")))
    assert.same(connector("krm-pkg-fn"), (merge.attribute(connector("krm-pkg-fn"), "fn")))
  end)

  it("is for Config Connector only", function()
    local plain = resource("", "  name: x\n")
    assert.same(plain, (merge.attribute(plain, "pkg")))
  end)
end)

describe("a KRM resource", function()
  it("has apiVersion, kind and metadata.name", function()
    for text, missing in pairs {
      ["kind: A\nmetadata: {name: x}\n"] = "apiVersion",
      ["apiVersion: v1\nmetadata: {name: x}\n"] = "kind",
      ["apiVersion: v1\nkind: A\nmetadata: {}\n"] = "metadata.name",
    } do
      local ok, err = merge.check(text)
      assert.is_nil(ok)
      assert.same("resource must have `" .. missing .. "`", err.message)
    end
    local _, err = merge.check("a: 1\n", "dir/f.yaml")
    assert.same("dir/f.yaml: resource must have `apiVersion`, `kind`, and `name`", err.message)
    assert.is_true((merge.check("apiVersion: v1\nkind: A\nmetadata: {name: x}\n")))
  end)

  it("may be a kustomization instead", function()
    assert.is_true((merge.check("resources: []\n", "dir/kustomization.yaml")))
    assert.is_true((merge.check("kind: Kustomization\n")))
    assert.is_true((merge.check("apiVersion: kustomize.config.k8s.io/v1beta1\n")))
  end)
end)

describe("a package context", function()
  local function list(...)
    return "items:\n" .. table.concat({ ... })
  end

  local function item(kind, name, path)
    return ("- apiVersion: v1\n  kind: %s\n  metadata:\n    name: %s\n    annotations:\n"
      .. "      internal.config.kubernetes.io/path: '%s'\n"):format(kind, name, path)
  end

  it("is made from the root Kptfile and replaces all others", function()
    local got = merge.context(list(item("Kptfile", "p", "Kptfile"),
      item("ConfigMap", "kptfile.kpt.dev", "sub/package-context.yaml")), "a/p")
    assert.matches("  data:\n    name: p\n    package-path: a/p\n", got, 1, true)
    assert.matches("generated package context", got, 1, true)
    assert.is_nil(got:find("sub/package-context.yaml", 1, true))
  end)

  it("is not made without a root Kptfile", function()
    local got = merge.context(list(item("Kptfile", "p", "sub/Kptfile")))
    assert.same(list(item("Kptfile", "p", "sub/Kptfile")), got)
  end)
end)
