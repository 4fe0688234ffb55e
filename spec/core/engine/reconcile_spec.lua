-- SPDX-License-Identifier: Apache-2.0
-- What a sync takes over from branches and tags that other tools write.

local cjson = require "cjson"
local engine = require "probe_engine"

local KPTFILE = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: app\n"
local EPOCH = 1767225600 -- 2026-01-01T00:00:00Z

local function decode(text)
  return cjson.decode(text)
end

local function shell(command)
  local f = assert(io.popen(command .. " 2>&1"))
  local out = f:read("a")
  assert(f:close(), command .. ": " .. out)
  return (out:gsub("%s+$", ""))
end

describe("a sync", function()
  local dir, h

  --- Commits files in the work tree on top of what is there, as `seconds` after the epoch.
  local function commit(files, seconds)
    for path, bytes in pairs(files) do
      shell(("mkdir -p %s/work/%s"):format(dir, path:match("^(.*)/") or "."))
      local f = assert(io.open(dir .. "/work/" .. path, "w"))
      f:write(bytes)
      f:close()
    end
    local at = ("'%d +0000'"):format(EPOCH + seconds)
    shell(("cd %s/work && git add . && GIT_AUTHOR_DATE=%s GIT_COMMITTER_DATE=%s "
      .. "git -c user.name=Outside -c user.email=out@side commit -q -m c"):format(dir, at, at))
  end

  local function push(refspecs)
    shell(("git -C %s/work push -q origin %s"):format(dir, refspecs))
  end

  local function revision(name)
    local json = h:get("packagerevisions", "default", name)
    return json and decode(json)
  end

  local function sync()
    return assert(h:sync("default", "git"))
  end

  before_each(function()
    dir = shell("mktemp -d")
    shell(("git init -q --bare -b main %s/git.git && git init -q -b main %s/work"
      .. " && git -C %s/work remote add origin %s/git.git"):format(dir, dir, dir, dir))
    commit({ ["app/Kptfile"] = KPTFILE }, 60)
    push("main")
    h = assert(engine.open(dir .. "/data", { quiet = true }))
    for _, object in ipairs({
      { apiVersion = "v1", kind = "Namespace", metadata = { name = "default" } },
      { apiVersion = "config.porch.kpt.dev/v1alpha1", kind = "Repository",
        metadata = { name = "git", namespace = "default", uid = "u", generation = 1 },
        spec = { type = "git", git = { repo = "file://" .. dir .. "/git.git", branch = "main" } } },
    }) do
      assert(h:put(object.kind == "Namespace" and "namespaces" or "repositories",
        cjson.encode(object)))
    end
  end)

  after_each(function()
    h:close()
    shell("rm -rf " .. dir)
  end)

  it("dates a package that nobody published by the head of the branch", function()
    sync()
    local status = revision("git.app.main").status
    assert.equal("2026-01-01T00:01:00Z", status.publishTimestamp)
    assert.is_nil(status.publishedBy)
    commit({ ["other/Kptfile"] = KPTFILE }, 120)
    push("main")
    sync()
    assert.equal("2026-01-01T00:01:00Z", revision("git.app.main").status.publishTimestamp)
    assert.equal("2026-01-01T00:02:00Z", revision("git.other.main").status.publishTimestamp)
  end)

  it("follows a draft branch that moves, is renamed and goes", function()
    commit({ ["app/a.txt"] = "one" }, 120)
    push("HEAD:refs/heads/drafts/app/work")
    sync()
    assert.equal("Draft", revision("git.app.work").spec.lifecycle)
    commit({ ["app/a.txt"] = "two" }, 180)
    push("HEAD:refs/heads/drafts/app/work")
    sync()
    local at = shell(("git -C %s/work rev-parse HEAD"):format(dir))
    assert.equal(at, revision("git.app.work").status.selfLock.git.commit)
    push("HEAD:refs/heads/proposed/app/work :refs/heads/drafts/app/work")
    sync()
    local proposed = revision("git.app.work")
    assert.equal("Proposed", proposed.spec.lifecycle)
    assert.equal("proposed/app/work", proposed.status.selfLock.git.ref)
    push(":refs/heads/proposed/app/work")
    assert.equal(1, sync())
    assert.is_nil(revision("git.app.work"))
  end)

  it("keeps a proposal made here while its branch says draft", function()
    push("HEAD:refs/heads/drafts/app/work")
    sync()
    local object = revision("git.app.work")
    object.spec.lifecycle = "Proposed"
    assert(h:write { verb = "update", kind = "packagerevisions", ns = "default",
                     name = "git.app.work", object = cjson.encode(object) })
    sync()
    assert.equal("Proposed", revision("git.app.work").spec.lifecycle)
  end)

  it("keeps what was edited here when its branch moves or goes", function()
    push("HEAD:refs/heads/drafts/app/work")
    sync()
    local r = decode(assert(h:resources("default", "git.app.work")))
    r.spec.resources["mine.txt"] = "mine\n"
    assert(h:write { verb = "update", kind = "packagerevisionresources", ns = "default",
                     name = "git.app.work", object = cjson.encode(r) })
    local branch = "refs/heads/drafts/app/work"
    for _, refspec in ipairs({ "+HEAD:" .. branch, ":" .. branch }) do
      commit({ ["app/a.txt"] = refspec }, 120)
      push(refspec)
      assert.equal(2, sync())
      local kept = decode(assert(h:resources("default", "git.app.work")))
      assert.equal("mine\n", kept.spec.resources["mine.txt"])
      assert.is_nil(kept.spec.resources["a.txt"])
    end
  end)

  it("lists packages in directories that are no labels, and none at the root", function()
    commit({ ["Upper/Kptfile"] = KPTFILE, ["a.b/Kptfile"] = KPTFILE }, 120)
    push("main")
    assert.equal(3, sync())
    assert.equal("Upper", revision("git.Upper.main").spec.packageName)
    assert.equal("a.b", revision("git.a.b.main").spec.packageName)
    commit({ ["Kptfile"] = KPTFILE }, 180)
    push("main")
    assert.equal(0, sync())
  end)
end)
