-- SPDX-License-Identifier: Apache-2.0

local cjson = require("cjson")
local setup = require("spec.workflow.setup")

local CLONE, UPGRADE = "PackageRevision/clone", "PackageRevision/upgrade"
local SUBPACKAGE = "PackageRevision/subpackage"

local function configmap(color, size)
  return ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n"
    .. "  color: %s # the color\n  size: %s\n"):format(color, size)
end

local function upgrade_task(strategy)
  return { type = "upgrade", upgrade = { oldUpstreamRef = { name = "repo.up.v1" },
    newUpstreamRef = { name = "repo.up.v2" }, localPackageRevisionRef = { name = "repo.mine.v1" },
    strategy = strategy } }
end

describe("upgrade", function()
  after_each(setup.clean)

  local env, clone_files

  local function upstream(workspace, files)
    local name = "repo.up." .. workspace
    files.Kptfile = setup.KPTFILE
    local object = env:revision(name, { packageName = "up", workspaceName = workspace,
      lifecycle = "Published", revision = 1 }, files)
    object.status = { selfLock = { type = "git", git = { repo = "https://x/y", directory = "up",
      ref = "up/" .. workspace, commit = workspace } } }
    env:put("packagerevisions", name, object, "repo", "up")
  end

  local function clone_of(name)
    return { type = "clone", clone = { upstreamRef = { upstreamRef = { name = name } } } }
  end

  -- A published clone of repo.up.v1 with some files changed.
  local function cloned(change)
    local files = {}
    for path, text in pairs(clone_files) do
      files[path] = text
    end
    for path, edit in pairs(change) do
      files[path] = edit(files[path])
    end
    env:revision("repo.mine.v1", { packageName = "mine", workspaceName = "v1",
      lifecycle = "Published", revision = 1 }, files)
  end

  local function upgrade(strategy, options)
    return env:run(UPGRADE, setup.creation("mine", "v2", upgrade_task(strategy)), options)
  end

  local function replace(from, to)
    return function(text)
      return (text:gsub(from, to))
    end
  end

  before_each(function()
    env = setup.open()
    upstream("v1", { ["cm.yaml"] = configmap("red", 1), ["gone.txt"] = "x" })
    upstream("v2", { ["cm.yaml"] = configmap("blue", 1), ["new.txt"] = "y" })
    local r = env:run(CLONE, setup.creation("mine", "v1", clone_of("repo.up.v1")))
    assert.is_true(r.ok, r.message)
    clone_files = r.effects[1].files
  end)

  it("takes what upstream changed and keeps what is local", function()
    cloned({ ["cm.yaml"] = replace("size: 1", "size: 5"), ["mine.txt"] = function()
      return "z"
    end })
    local r = upgrade()
    assert.is_true(r.ok, r.message)
    local files = r.effects[#r.effects].files
    assert.truthy(files["cm.yaml"]:find("  color: blue # the color\n  size: 5\n", 1, true))
    assert.equal("y", files["new.txt"])
    assert.equal("z", files["mine.txt"])
    assert.is_nil(files["gone.txt"])
    assert.truthy(files.Kptfile:find("ref: up/v2", 1, true))
    assert.is_nil(files.Kptfile:find("MergeConflicts", 1, true))
  end)

  it("tells where both sides changed: condition, annotation, event", function()
    cloned({ ["cm.yaml"] = replace("color: red", "color: green") })
    local r = upgrade()
    assert.is_true(r.ok, r.message)
    assert.equal("event save", setup.types(r))
    assert.equal("MergeConflicts", r.effects[1].reason)
    local annotations = r.effects[2].object.metadata.annotations
    local found
    for _, entry in ipairs(cjson.decode(annotations["lanai.dev/merge-report"])) do
      found = entry.path == "data.color" and entry or found
    end
    assert.equal("red", found.base)
    assert.equal("green", found.ours)
    assert.equal("blue", found.theirs)
    assert.equal("theirs", found.taken)
    assert.truthy(r.effects[2].files.Kptfile:find("type: MergeConflicts", 1, true))
  end)

  it("shows in a dry run what would be written", function()
    cloned({})
    local r = upgrade(nil, { dry_run = "yes" })
    assert.is_true(r.ok, r.message)
    local result = r.effects[#r.effects].object.metadata.annotations["lanai.dev/merge-result"]
    result = cjson.decode(result)
    assert.truthy(result["cm.yaml"]:find("color: blue", 1, true))
    assert.equal("y", result["new.txt"])
    assert.equal(cjson.null, result["gone.txt"])
  end)

  it("goes forward only over an untouched clone when asked to", function()
    cloned({})
    local r = upgrade("fast-forward")
    assert.is_true(r.ok, r.message)
    assert.truthy(r.effects[#r.effects].files["cm.yaml"]:find("color: blue", 1, true))
    cloned({ ["cm.yaml"] = replace("size: 1", "size: 5") })
    r = upgrade("fast-forward")
    assert.equal("internal", r.kind)
    assert.truthy(r.message:find("local package files have been modified: [cm.yaml].", 1, true))
  end)

  it("changes nothing when it is applied twice", function()
    cloned({ ["cm.yaml"] = replace("size: 1", "size: 5") })
    local first = upgrade()
    local files = first.effects[#first.effects].files
    env:revision("repo.mine.v1", { packageName = "mine", workspaceName = "v1",
      lifecycle = "Published", revision = 1 }, files)
    local second = upgrade()
    assert.is_true(second.ok, second.message)
    assert.same(files, second.effects[#second.effects].files)
  end)

  it("refuses sources that will not do", function()
    cloned({})
    env:revision("repo.mine.v1", { packageName = "mine", workspaceName = "v1",
      lifecycle = "Draft" })
    assert.equal("Internal error occurred: all source PackageRevisions of upgrade task must be"
      .. ' published, "repo.mine.v1" is not', upgrade().message)
  end)

  describe("of a package inside a draft", function()
    local old, update

    before_each(function()
      old = env:revision("repo.outer.v1", { packageName = "outer", workspaceName = "v1",
        lifecycle = "Draft", tasks = { { type = "init", init = {} } } })
      update = function(task)
        local object = cjson.decode(cjson.encode(old))
        object.spec.tasks[2] = task
        return env:run(SUBPACKAGE, { object = object, old = old })
      end
    end)

    it("clones into a directory, once, and upgrades it there", function()
      local task = clone_of("repo.up.v1")
      task.clone.subpackageDir = "parts/up"
      local r = update(task)
      assert.is_true(r.ok, r.message)
      local files = r.effects[#r.effects - 1].files
      assert.equal(setup.KPTFILE, files.Kptfile)
      assert.truthy(files["parts/up/Kptfile"]:find("ref: up/v1", 1, true))
      assert.truthy(files["parts/up/cm.yaml"]:find("color: red", 1, true))

      env:revision("repo.outer.v1", old.spec, files)
      assert.truthy(update(task).message:find("already exists in the package", 1, true))
      local up = upgrade_task()
      up.upgrade.subpackageDir = "parts/up"
      r = update(up)
      assert.is_true(r.ok, r.message)
      files = r.effects[#r.effects - 1].files
      assert.truthy(files["parts/up/Kptfile"]:find("ref: up/v2", 1, true))
      assert.truthy(files["parts/up/cm.yaml"]:find("color: blue", 1, true))
    end)

    it("refuses directories that will not do", function()
      for _, directory in ipairs({ "", "/a", "a/", "../a", "a/./b", "a b" }) do
        local task = clone_of("repo.up.v1")
        task.clone.subpackageDir = directory
        assert.equal("invalid", update(task).kind)
      end
      local up = upgrade_task()
      up.upgrade.subpackageDir = "nowhere"
      assert.truthy(update(up).message:find("holds no package with an upstream", 1, true))
    end)
  end)
end)
