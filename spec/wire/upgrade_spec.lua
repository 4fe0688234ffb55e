-- SPDX-License-Identifier: Apache-2.0
-- Clones, upgrades and subpackages with kubectl alone: manifests in, the conflict report out as an
-- annotation, a condition and an event; a dry run that shows the merge and changes nothing.
local cjson = require("cjson")

local clients = require("spec.wire.clients")
local lib = require("spec.lib.server")
local shell, quote = lib.shell, lib.quote

local REPOSITORY = [[
apiVersion: config.porch.kpt.dev/v1alpha1
kind: Repository
metadata: {name: %s}
spec:
  type: git
  deployment: %s
  git: {repo: "%s", branch: main}
]]

local REVISION = [[
apiVersion: porch.kpt.dev/v1alpha1
kind: PackageRevision
metadata: {namespace: default}
spec: {repository: %s, packageName: %s, workspaceName: %s, lifecycle: Draft, tasks: [%s]}
]]

local CLONE = "{type: clone, clone: {upstreamRef: {upstreamRef: {name: %s}}%s}}"
local UPGRADE = "{type: upgrade, upgrade: {oldUpstreamRef: {name: %s}, newUpstreamRef: {name: %s},"
  .. " localPackageRevisionRef: {name: %s}, strategy: resource-merge%s}}"

local CONFIG = [[
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  color: %s # what users see
  size: "%s"
]]

clients.describe({ "kubectl" }, "kubectl", describe, pending, function()
  local server, git, home, k

  -- flags: words of kubectl, or nothing
  local function create(repository, package, workspace, task, flags)
    local words = { "create", "-f", "-", table.unpack(flags or {}) }
    words[#words + 1] = { stdin = REVISION:format(repository, package, workspace, task) }
    return k:ok(table.unpack(words))
  end

  local function get(kind, name)
    return cjson.decode((k:ok("get", kind, name, "-o", "json")))
  end

  local function files(name)
    return get("packagerevisionresources", name).spec.resources
  end

  local function save(name, path, text)
    local object = get("packagerevisionresources", name)
    object.spec.resources[path] = text
    k:ok("replace", "-f", "-", { stdin = cjson.encode(object) })
  end

  local function publish(name)
    for _, to in ipairs { "Proposed", "Published" } do
      local object = get("packagerevisions", name)
      object.spec.lifecycle = to
      if to == "Published" then
        local status, text = server:request("PUT",
          "/apis/porch.kpt.dev/v1alpha1/namespaces/default/packagerevisions/" .. name
            .. "/approval", cjson.encode(object))
        assert.equal(200, status, text)
      else
        k:ok("replace", "-f", "-", { stdin = cjson.encode(object) })
      end
    end
  end

  -- Appends a task to a draft, as a subpackage is cloned or upgraded.
  local function add_task(name, task)
    local object = get("packagerevisions", name)
    table.insert(object.spec.tasks, task)
    return k("replace", "-f", "-", { stdin = cjson.encode(object) })
  end

  setup(function()
    server, git, home = lib.start(), clients.git(), clients.temporary()
    k = clients.new("kubectl", server.kubeconfig, home)
    for name, deployment in pairs { blue = "false", prod = "true" } do
      k:ok("apply", "-f", "-", {
        stdin = REPOSITORY:format(name, deployment, git:make(name .. ".git")) })
      k:ok("wait", "--for=condition=Ready", "repository/" .. name, "--timeout=15s")
    end
    create("blue", "web", "v1", "{type: init, init: {description: a web server}}")
    save("blue.web.v1", "config.yaml", CONFIG:format("red", 1))
    publish("blue.web.v1")
    create("blue", "web", "v2", "{type: edit, edit: {sourceRef: {name: blue.web.v1}}}")
    save("blue.web.v2", "config.yaml", CONFIG:format("green", 1))
    publish("blue.web.v2")
    create("prod", "shop", "v1", CLONE:format("blue.web.v1", ""))
    save("prod.shop.v1", "config.yaml", CONFIG:format("blue", 3))
    publish("prod.shop.v1")
  end)

  teardown(function()
    server:stop()
    git:stop()
    shell("rm -rf " .. quote(home))
  end)

  it("clones into a deployment repository with its package context", function()
    local locks = get("packagerevisions", "prod.shop.v1").status
    assert.equal("web/v1", locks.upstreamLock.git.ref)
    assert.equal("/web", "/" .. locks.upstreamLock.git.directory:gsub("^/", ""))
    local made = files("prod.shop.v1")
    assert.matches("package%-path: shop", made["package-context.yaml"])
    assert.matches("upstream:", made.Kptfile)
    assert.matches("name: example", files("blue.web.v1")["package-context.yaml"])
  end)

  local upgrade = UPGRADE:format("blue.web.v1", "blue.web.v2", "prod.shop.v1", "")

  it("shows an upgrade as a dry run, and changes nothing", function()
    local before = k:ok("get", "packagerevisions", "-o", "name")
    local events = k:ok("get", "events", "-o", "name")
    local shown = cjson.decode((create("prod", "shop", "dry", upgrade,
      { "--dry-run=server", "-o", "json" })))
    local annotations = shown.metadata.annotations
    local report = cjson.decode(annotations["lanai.dev/merge-report"])
    local line = report[1]
    assert.same({ "config.yaml", "settings", "data.color", "red", "blue", "green", "theirs" },
      { line.file, line.name, line.path, line.base, line.ours, line.theirs, line.taken })
    local result = cjson.decode(annotations["lanai.dev/merge-result"])
    assert.matches("color: green # what users see\n  size: \"3\"\n", result["config.yaml"], 1, true)
    assert.matches("ref: web/v2", result.Kptfile)
    assert.equal(before, k:ok("get", "packagerevisions", "-o", "name"))
    assert.equal(events, k:ok("get", "events", "-o", "name"))
    assert.equal(1, k("get", "packagerevisions", "prod.shop.dry").code)
  end)

  it("upgrades, and tells of conflicts in annotation, condition and event", function()
    create("prod", "shop", "v2", upgrade)
    local object = get("packagerevisions", "prod.shop.v2")
    local report = cjson.decode(object.metadata.annotations["lanai.dev/merge-report"])
    assert.equal("data.color", report[1].path)
    assert.is_nil(object.metadata.annotations["lanai.dev/merge-result"])
    local found
    for _, condition in ipairs(object.status.conditions) do
      found = found or (condition.type == "MergeConflicts" and condition)
    end
    assert.equal("True", found.status)
    assert.matches("^1 conflict; taken: theirs: 1", found.message)
    local event = k:ok("get", "events", "-o",
      "jsonpath={range .items[*]}{.type} {.reason} {.involvedObject.name}{'\\n'}{end}")
    assert.matches("Warning MergeConflicts prod.shop.v2\n", event, 1, true)
    assert.matches("color: green # what users see\n  size: \"3\"\n",
      files("prod.shop.v2")["config.yaml"], 1, true)
  end)

  it("clones into a directory of a draft and upgrades what is there", function()
    create("blue", "site", "v1", "{type: init, init: {description: a site}}")
    local r = add_task("blue.site.v1", { type = "clone", clone = { subpackageDir = "parts/web",
      upstreamRef = { upstreamRef = { name = "blue.web.v1" } } } })
    assert.equal(0, r.code, r.err)
    local made = files("blue.site.v1")
    assert.matches("name: web", made["parts/web/Kptfile"])
    assert.matches("color: red", made["parts/web/config.yaml"])
    assert.equal(1, #get("packagerevisions", "blue.site.v1").spec.tasks)

    r = add_task("blue.site.v1", { type = "upgrade", upgrade = { subpackageDir = "parts/web",
      oldUpstreamRef = { name = "blue.web.v1" }, newUpstreamRef = { name = "blue.web.v2" },
      localPackageRevisionRef = { name = "blue.site.v1" } } })
    assert.equal(0, r.code, r.err)
    made = files("blue.site.v1")
    assert.matches("color: green", made["parts/web/config.yaml"])
    assert.matches("ref: web/v2", made["parts/web/Kptfile"])
    assert.equal(1, #get("packagerevisions", "blue.site.v1").spec.tasks)
  end)

  it("does not clone over a directory or outside of the package", function()
    create("blue", "taken", "v1", "{type: init, init: {description: a site}}")
    save("blue.taken.v1", "here/x.yaml", CONFIG:format("red", 1))
    for directory, text in pairs { here = "already exists", ["../out"] = "cannot contain '.'",
      ["/abs"] = "start with '/'" } do
      local r = add_task("blue.taken.v1", { type = "clone", clone = { subpackageDir = directory,
        upstreamRef = { upstreamRef = { name = "blue.web.v1" } } } })
      assert.equal(1, r.code, directory)
      assert.matches(text, r.err, 1, true)
    end
  end)
end)
