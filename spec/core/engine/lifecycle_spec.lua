-- SPDX-License-Identifier: Apache-2.0
-- A package from init to a tag in git, through the engine and the shipped workflows.

local cjson = require "cjson"
local engine = require "probe_engine"

-- busted's assert hands on more than its first argument, cjson.decode takes exactly one
local function decode(text)
  return cjson.decode(text)
end

local function shell(command)
  local f = assert(io.popen(command .. " 2>&1"))
  local out = f:read("a")
  local ok = f:close()
  assert(ok, command .. ": " .. out)
  return (out:gsub("%s+$", ""))
end

local function repository(url, extra)
  local spec = { type = "git", git = { repo = url, branch = "main" } }
  for k, v in pairs(extra or {}) do spec.git[k] = v end
  return cjson.encode {
    apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
    metadata = { name = "git", namespace = "default" }, spec = spec,
  }
end

local function revision(spec, meta)
  spec.repository = "git"
  return cjson.encode {
    apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision",
    metadata = meta or { namespace = "default" }, spec = spec,
  }
end

describe("a package revision", function()
  local dir, h

  local function create(spec, meta)
    return h:write { verb = "create", kind = "packagerevisions", ns = "default",
                     object = revision(spec, meta) }
  end

  local function change(name, edit, subresource)
    local object = decode(assert(h:get("packagerevisions", "default", name)))
    edit(object)
    return h:write { verb = "update", kind = "packagerevisions", ns = "default", name = name,
                     object = cjson.encode(object), subresource = subresource }
  end

  local function lifecycle(name, to, subresource)
    local out = assert(change(name, function(o) o.spec.lifecycle = to end, subresource))
    assert.equal(to, decode(out).spec.lifecycle)
    return decode(out)
  end

  local function delete(name)
    return h:write { verb = "delete", kind = "packagerevisions", ns = "default", name = name }
  end

  local function git(command)
    return shell("git -C " .. dir .. "/git.git " .. command)
  end

  before_each(function()
    dir = shell("mktemp -d")
    shell(("git init -q --bare -b main %s/git.git && git init -q -b main %s/work"
      .. " && cd %s/work && git remote add origin %s/git.git"
      .. " && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first"
      .. " && git push -q origin HEAD:main"):format(dir, dir, dir, dir))
    h = assert(engine.open(dir .. "/data"))
    assert(h:write { verb = "create", kind = "repositories", ns = "default", name = "git",
                     object = repository("file://" .. dir .. "/git.git") })
    assert(h:wait("repositories", "default", "git", '"reason":"Ready"'))
  end)

  after_each(function()
    h:close()
    shell("rm -rf " .. dir)
  end)

  it("goes from init to a tag and a commit on the branch", function()
    local out = decode(assert(create {
      packageName = "app", workspaceName = "v1",
      tasks = { { type = "init", init = { description = "a package" } } } }))
    assert.equal("git.app.v1", out.metadata.name)
    assert.equal("Draft", out.spec.lifecycle)
    assert.equal("drafts/app/v1", out.status.selfLock.git.ref)
    assert.equal("main", git("for-each-ref --format='%(refname:short)'"))

    lifecycle("git.app.v1", "Proposed")
    local published = lifecycle("git.app.v1", "Published", "approval")
    assert.equal(1, published.spec.revision)
    assert.equal("tester", published.status.publishedBy)
    assert.equal("true", published.metadata.labels["kpt.dev/latest-revision"])
    assert.equal(git("rev-parse app/v1"), published.status.selfLock.git.commit)
    assert.equal(git("rev-parse main"), git("rev-parse app/v1"))
    assert.equal("app/Kptfile\napp/README.md\napp/package-context.yaml",
      git("ls-tree -r --name-only main"))
    assert.same({ "git.app.main", "git.app.v1" }, h:list("packagerevisions", "default"))
    assert.same({ "git.app" }, h:list("packages", "default"))
    git("fsck --strict")
  end)

  it("names a task of an unknown type in its commit", function()
    assert(create { packageName = "app", workspaceName = "v1",
      tasks = { { type = "init", init = { description = "a package" } } } })
    for i, case in ipairs { { '"type":"eval"', "Intermediate commit: eval" },
      { '"type":""', "Intermediate commit" } } do
      local name = "git.app" .. i .. ".v1"
      local json, data = h:get("packagerevisions", "default", "git.app.v1")
      json = json:gsub("git%.app%.v1", name):gsub('"packageName":"app"',
        '"packageName":"app' .. i .. '"'):gsub('"type":"init"', case[1])
      assert(h:put("packagerevisions", json, data))
      lifecycle(name, "Proposed")
      lifecycle(name, "Published", "approval")
      assert.equal(case[2], git("log -1 --format=%s app" .. i .. "/v1^2"))
    end
  end)

  it("moves the latest label with each approval and back with a deletion", function()
    assert(create { packageName = "app", workspaceName = "v1" })
    lifecycle("git.app.v1", "Proposed")
    lifecycle("git.app.v1", "Published", "approval")
    assert(create { packageName = "app", workspaceName = "v2",
      tasks = { { type = "edit", edit = { sourceRef = { name = "git.app.v1" } } } } })
    lifecycle("git.app.v2", "Proposed")
    assert.equal(2, lifecycle("git.app.v2", "Published", "approval").spec.revision)
    local first = decode(h:get("packagerevisions", "default", "git.app.v1"))
    assert.is_nil(first.metadata.labels)

    lifecycle("git.app.v2", "DeletionProposed")
    local out, err = delete("git.app.v1")
    assert.is_nil(out)
    assert.equal(403, err.code)
    assert(delete("git.app.v2"))
    first = decode(h:get("packagerevisions", "default", "git.app.v1"))
    assert.equal("true", first.metadata.labels["kpt.dev/latest-revision"])
    assert.equal("app/v1", git("tag"))
    local package = decode(h:get("packages", "default", "git.app"))
    assert.equal(1, package.status.latestRevision)
  end)

  it("loses its placeholder after other packages moved the branch", function()
    for _, package in ipairs { "app", "lib" } do
      assert(create { packageName = package, workspaceName = "v1" })
      lifecycle("git." .. package .. ".v1", "Proposed")
      lifecycle("git." .. package .. ".v1", "Published", "approval")
    end
    lifecycle("git.app.main", "DeletionProposed")
    assert(delete("git.app.main"))
    assert.equal("lib/Kptfile\nlib/README.md\nlib/package-context.yaml",
      git("ls-tree -r --name-only main"))
    assert.equal("app/v1\nlib/v1", git("tag"))
  end)

  it("says what is wrong with an update, also with an empty lifecycle", function()
    assert(create { packageName = "app", workspaceName = "v1" })
    local proposed = lifecycle("git.app.v1", "Proposed")
    proposed.spec.lifecycle = ""
    local out = decode(assert(h:write { verb = "update", kind = "packagerevisions", ns = "default",
      name = "git.app.v1", object = cjson.encode(proposed) }))
    assert.equal("Draft", out.spec.lifecycle)
    out.spec.lifecycle = "Foo"
    local _, err = h:write { verb = "update", kind = "packagerevisions", ns = "default",
      name = "git.app.v1", object = cjson.encode(out) }
    assert.equal('PackageRevision.porch.kpt.dev "git.app.v1" is invalid: [spec.lifecycle: Invalid'
      .. ' value: "Foo": value can be only updated to Draft,Proposed,Published,DeletionProposed,'
      .. ' spec.lifecycle: Invalid value: "Draft": value can be only updated to Draft,Proposed]',
      err.message)
  end)

  it("takes tasks that a creation may have, and a name without leading slashes", function()
    local out = decode(assert(create { packageName = "/app", workspaceName = "v1" }))
    assert.equal("app", out.spec.packageName)
    for task, message in pairs { update = 'task of type "update" not supported',
        edit = 'edit not set for task of type "edit"' } do
      local _, err = create { packageName = "p", workspaceName = "v1", tasks = { { type = task } } }
      assert.equal(500, err.code)
      assert.matches(message, err.message, 1, true)
    end
  end)

  it("is not deleted while others were cloned from or upgraded to it", function()
    assert(create { packageName = "app", workspaceName = "v1" })
    local function user(name, task)
      return { apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision",
        metadata = { name = name, namespace = "default", uid = "u" },
        spec = { repository = "git", packageName = name, workspaceName = "v1",
          lifecycle = "Draft", tasks = { task } } }
    end
    local clone = user("git.clone.v1", { type = "clone",
      clone = { upstreamRef = { upstreamRef = { name = "git.app.v1" } } } })
    h:put("packagerevisions", cjson.encode(clone))
    h:put("packagerevisions", cjson.encode(user("git.up.v1", { type = "upgrade", upgrade = {
      oldUpstreamRef = { name = "git.x.v1" }, newUpstreamRef = { name = "git.app.v1" } } })))
    h:put("packagerevisions", cjson.encode(user("git.copy.v1", { type = "edit",
      edit = { sourceRef = { name = "git.app.v1" } } })))
    local _, err = delete("git.app.v1")
    assert.equal("forbidden", err.kind)
    assert.matches("referenced as upstream by: git.clone.v1, git.up.v1$", err.message)

    clone.spec.tasks[1].clone.upstreamRef.upstreamRef.name = "git.other.v1"
    h:put("packagerevisions", cjson.encode(clone))
    _, err = delete("git.app.v1")
    assert.matches("referenced as upstream by: git.up.v1$", err.message)
    assert(delete("git.up.v1"))
    assert(delete("git.app.v1"))
  end)

  it("holds its deleted Repository until it is gone from the store, not from git", function()
    assert(create { packageName = "app", workspaceName = "v1" })
    lifecycle("git.app.v1", "Proposed")
    local o = decode(assert(h:get("repositories", "default", "git")))
    assert.same({ "config.porch.kpt.dev/repository" }, o.metadata.finalizers)
    o.metadata.finalizers[2] = "example.com/hold"
    assert(h:write { verb = "update", kind = "repositories", ns = "default", name = "git",
                     object = cjson.encode(o) })
    local out = decode(assert(h:write { verb = "delete", kind = "repositories", ns = "default",
                                        name = "git" }))
    assert.truthy(out.metadata.deletionTimestamp)
    assert.equal(2, #out.metadata.finalizers)
    assert(h:wait("repositories", "default", "git", '"finalizers":["example.com/hold"]'))
    assert.is_nil((h:get("packagerevisions", "default", "git.app.v1")))
    o = decode(assert(h:get("repositories", "default", "git")))
    o.metadata.finalizers = nil
    assert(h:write { verb = "update", kind = "repositories", ns = "default", name = "git",
                     object = cjson.encode(o) })
    assert.is_nil((h:get("repositories", "default", "git")))
    assert.equal("main", git("for-each-ref --format='%(refname:short)'"))
  end)

  it("is found when another tool tags it, and gone when the tag is", function()
    shell(("cd %s/work && mkdir -p a/b && printf 'apiVersion: kpt.dev/v1\\nkind: Kptfile\\n"
      .. "metadata:\\n  name: b\\n' > a/b/Kptfile && git add . && git -c user.name=a "
      .. "-c user.email=a@b commit -q -m b && git tag a/b/v3"
      .. " && git push -q origin HEAD:main a/b/v3"):format(dir))
    local function sync(day)
      local o = decode(assert(h:wait("repositories", "default", "git", '"reason":"Ready"')))
      o.spec.sync = { runOnceAt = ("2020-01-%02dT00:00:00Z"):format(day) }
      assert(h:write { verb = "update", kind = "repositories", ns = "default", name = "git",
                       object = cjson.encode(o) })
      return o.spec.sync.runOnceAt
    end
    sync(1)
    local found = decode(assert(h:wait("packagerevisions", "default", "git.a.b.v3", "")))
    assert.equal(3, found.spec.revision)
    assert.equal("a/b", found.spec.packageName)
    assert.equal("Published", found.spec.lifecycle)
    shell(("cd %s/work && git push -q origin :refs/tags/a/b/v3"):format(dir))
    sync(2)
    assert(h:wait("packagerevisions", "default", "git.a.b.v3", nil))
    -- nothing to do
    assert(h:wait("repositories", "default", "git", '"observedRunOnceAt":"' .. sync(3)))
    shell(("cd %s/work && git push -q origin a/b/v3"):format(dir))
    sync(4)
    assert(h:wait("packagerevisions", "default", "git.a.b.v3", ""))
  end)

  it("keeps its content through a resources update and across a restart", function()
    assert(create { packageName = "app", workspaceName = "v1" })
    local r = decode(assert(h:resources("default", "git.app.v1")))
    r.spec.resources["config.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n"
    local out = assert(h:write { verb = "update", kind = "packagerevisionresources", ns = "default",
                                 name = "git.app.v1", object = cjson.encode(r) })
    assert.equal(r.spec.resources["config.yaml"],
      decode(out).spec.resources["config.yaml"])
    h:close()
    h = assert(engine.open(dir .. "/data"))
    local again = decode(assert(h:resources("default", "git.app.v1")))
    assert.equal(r.spec.resources["config.yaml"], again.spec.resources["config.yaml"])
  end)

  it("leaves no content when it is deleted, and may come back as it was", function()
    h:close()
    h = assert(engine.open(dir .. "/data", { collect = 1 }))
    local function app(name)
      assert(create { packageName = name, workspaceName = "v1",
        tasks = { { type = "init", init = { description = "text of " .. name } } } })
      return assert(h:resources("default", "git." .. name .. ".v1"))
    end
    local kept, first = app "kept", app "app"
    for round = 1, 2 do
      assert(delete "git.app.v1")
      assert.is_true(h:removed(3 * round) >= 3 * round) -- Kptfile, README, their directory
      local function text(json) return decode(json).spec.resources end
      assert.same(text(first), text(app "app"))
      assert.same(text(kept), text(assert(h:resources("default", "git.kept.v1"))))
    end
    lifecycle("git.app.v1", "Proposed")
    lifecycle("git.app.v1", "Published", "approval")
    git("fsck --strict")
    assert.equal("app/Kptfile\napp/README.md\napp/package-context.yaml",
      git("ls-tree -r --name-only main"))
  end)

  it("is not created twice, nor inside another package", function()
    assert(create { packageName = "app", workspaceName = "v1" })
    local out, err = create { packageName = "app", workspaceName = "v1" }
    assert.is_nil(out)
    assert.equal(500, err.code)
    assert.matches("workspaceNames must be unique", err.message)
    out, err = create { packageName = "app/inner", workspaceName = "v1" }
    assert.is_nil(out)
    assert.matches("packages cannot be nested", err.message)
    assert.same({ "git.app.v1" }, h:list("packagerevisions", "default"))
  end)

  it("changes nothing in a dry run", function()
    local out = assert(h:write { verb = "create", kind = "packagerevisions", ns = "default",
      dry_run = true, object = revision { packageName = "app", workspaceName = "v1" } })
    assert.equal("git.app.v1", decode(out).metadata.name)
    assert.same({}, h:list("packagerevisions", "default"))
    assert(create { packageName = "app", workspaceName = "v1" })
    lifecycle("git.app.v1", "Proposed")
    local object = decode(h:get("packagerevisions", "default", "git.app.v1"))
    object.spec.lifecycle = "Published"
    out = assert(h:write { verb = "update", kind = "packagerevisions", ns = "default",
      name = "git.app.v1", subresource = "approval", dry_run = true,
      object = cjson.encode(object) })
    assert.equal("Published", decode(out).spec.lifecycle)
    assert.equal("", git("tag"))
    assert.equal("Proposed",
      decode(h:get("packagerevisions", "default", "git.app.v1")).spec.lifecycle)
  end)

  it("is refused for lifecycle steps that are not allowed", function()
    assert(create { packageName = "app", workspaceName = "v1" })
    local out, err = change("git.app.v1", function(o) o.spec.lifecycle = "Published" end)
    assert.is_nil(out)
    assert.equal(422, err.code)
    assert.matches('spec.lifecycle: Invalid value: "Draft": value can be only updated to '
      .. "Draft,Proposed", err.message, 1, true)
    out, err = change("git.app.v1", function(o) o.spec.lifecycle = "Published" end, "approval")
    assert.is_nil(out)
    assert.matches("only Proposed packages can be approved", err.message, 1, true)
  end)
end)
