-- SPDX-License-Identifier: Apache-2.0
--
-- What the porch kinds do differently, over a bare git repository in a temporary directory.
local support = require "spec.core.kube.support"

local P = "/apis/porch.kpt.dev/v1alpha1/namespaces/default/"
local MERGE = { ["Content-Type"] = "application/merge-patch+json" }

local function git(directory, ...)
  for _, command in ipairs { ... } do
    assert(os.execute(("cd '%s' && git %s >/dev/null 2>&1"):format(directory, command)))
  end
end

local function repository()
  local dir = os.tmpname()
  os.remove(dir)
  assert(os.execute("mkdir '" .. dir .. "'"))
  git(dir, "init -b main w", "init --bare -b main r.git")
  git(dir .. "/w", "-c user.name=a -c user.email=a@b commit --allow-empty -m first",
    "push ../r.git HEAD:main")
  return dir
end

local function world(options)
  local s, dir = support.server(options), repository()
  local close = s.close
  s.close = function()
    close()
    os.execute("rm -rf '" .. dir .. "'")
  end
  s.must("POST", "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories",
    support.repository("git", { type = "git", git = { repo = "file://" .. dir .. "/r.git" } }))
  function s.draft(package)
    return s.must("POST", P .. "packagerevisions", { spec = { repository = "git",
      packageName = package, workspaceName = "v1",
      tasks = { { type = "init", init = { description = "d" } } } } })
  end
  return s
end

describe("kube porch kinds", function()
  local s
  setup(function() s = world() end)
  teardown(function() s.close() end)

  it("create a revision under the name that follows from its spec", function()
    local o = s.draft("pkg")
    assert.equal("git.pkg.v1", o.metadata.name)
    assert.equal("Draft", o.spec.lifecycle)
    assert.equal("Draft", s.get(P .. "packagerevisions/git.pkg.v1/approval").json.spec.lifecycle)
    local table = s.get(P .. "packagerevisions/git.pkg.v1", support.TABLE).json
    assert.same({ "git.pkg.v1", "pkg", "v1", 0, false, "Draft", "git" }, table.rows[1].cells)
  end)

  it("take owners as they come, but each once", function()
    local owner = { apiVersion = "v1", kind = "ConfigMap", name = "o", uid = "u" }
    local r = s.call("POST", P .. "packagerevisions", { metadata = {
      ownerReferences = { owner, owner, { kind = "Secret", name = "p", uid = "w" } } },
      spec = { repository = "git", packageName = "owned", workspaceName = "v1",
        tasks = { { type = "init", init = { description = "d" } } } } })
    assert.equal(201, r.status)
    assert.same({ owner, { apiVersion = "", kind = "Secret", name = "p", uid = "w" } },
      r.json.metadata.ownerReferences)
    assert.truthy(r.headers.Warning[1]:find("duplicate UID(s) observed: u", 1, true))
    s.must("DELETE", P .. "packagerevisions/git.owned.v1")
  end)

  it("show the files under the same name and number", function()
    local o = s.get(P .. "packagerevisions/git.pkg.v1").json
    local files = s.get(P .. "packagerevisionresources/git.pkg.v1").json
    assert.equal("PackageRevisionResources", files.kind)
    assert.equal(o.metadata.resourceVersion, files.metadata.resourceVersion)
    assert.matches("^apiVersion: kpt.dev/v1", files.spec.resources.Kptfile)
    local list = s.get(P .. "packagerevisionresources?fieldSelector=spec.lifecycle%3DDraft").json
    assert.same({ "git.pkg.v1" }, support.names(list))
    assert.truthy(list.items[1].spec.resources.Kptfile)
    local table = s.get(P .. "packagerevisionresources", support.TABLE).json
    assert.equal("git.pkg.v1", table.rows[1].cells[1])
    local answer = s.get(P .. "packagerevisionresources/git.none.v1")
    assert.equal('packagerevisionresources.porch.kpt.dev "git.none.v1" not found',
      answer.json.message)
  end)

  it("save files by PUT and by patch", function()
    local files = s.get(P .. "packagerevisionresources/git.pkg.v1").json
    files.spec.resources["a.txt"] = "one\n"
    local o = s.must("PUT", P .. "packagerevisionresources/git.pkg.v1", files)
    assert.equal("one\n", o.spec.resources["a.txt"])
    o = s.must("PATCH", P .. "packagerevisionresources/git.pkg.v1",
      { spec = { resources = { ["a.txt"] = support.null, ["b.txt"] = "two\n" } } }, MERGE)
    assert.is_nil(o.spec.resources["a.txt"])
    assert.equal("two\n", o.spec.resources["b.txt"])
  end)

  it("read a commit of digits as the text it is", function()
    local path, digits = P .. "packagerevisionresources/git.pkg.v1", ("01234567"):rep(5)
    local kptfile = s.get(path).json.spec.resources.Kptfile
    s.must("PATCH", path, { spec = { resources = { Kptfile = kptfile
      .. "upstreamLock:\n  type: git\n  git:\n    repo: https://example.com/r.git\n"
      .. "    directory: /d\n    ref: v1\n    commit: " .. digits .. "\n" } } }, MERGE)
    assert.same({ type = "git", git = { repo = "https://example.com/r.git", directory = "/d",
      ref = "v1", commit = digits } },
      s.get(P .. "packagerevisions/git.pkg.v1").json.status.upstreamLock)
  end)

  it("answer stale files with the 500 that clients know", function()
    local files = s.get(P .. "packagerevisionresources/git.pkg.v1").json
    s.must("PATCH", P .. "packagerevisionresources/git.pkg.v1",
      { spec = { resources = { ["c.txt"] = "x\n" } } }, MERGE)
    local answer = s.call("PUT", P .. "packagerevisionresources/git.pkg.v1", files)
    assert.equal(500, answer.status)
    assert.equal("InternalError", answer.json.reason)
    assert.equal("Internal error occurred: Operation cannot be fulfilled on"
      .. ' packagerevisionresources.porch.kpt.dev "git.pkg.v1": the object has been modified;'
      .. " please apply your changes to the latest version and try again", answer.json.message)
    files.metadata.resourceVersion = nil
    answer = s.call("PUT", P .. "packagerevisionresources/git.pkg.v1", files)
    assert.equal("Internal error occurred: resourceVersion must be specified for an update",
      answer.json.message)
    assert.equal("resourceVersion must be specified for an update",
      answer.json.details.causes[1].message)
  end)

  it("answer stale revisions with 409", function()
    local o = s.get(P .. "packagerevisions/git.pkg.v1").json
    s.must("PATCH", P .. "packagerevisions/git.pkg.v1", { metadata = { labels = { a = "b" } } },
      MERGE)
    local answer = s.call("PUT", P .. "packagerevisions/git.pkg.v1", o)
    assert.equal(409, answer.status)
    assert.same({ name = "git.pkg.v1", group = "porch.kpt.dev", kind = "packagerevisions" },
      answer.json.details)
  end)

  it("walk through the lifecycle by patch and approval", function()
    s.draft("life")
    local path = P .. "packagerevisions/git.life.v1"
    local answer = s.call("PATCH", path .. "/approval", { spec = { lifecycle = "Published" } },
      MERGE)
    assert.equal(422, answer.status)
    assert.matches("cannot approve package with Draft lifecycle value", answer.json.message)
    s.must("PATCH", path, { spec = { lifecycle = "Proposed" } }, MERGE)
    local o = s.must("PATCH", path .. "/approval", { spec = { lifecycle = "Published" } }, MERGE)
    assert.equal("Published", o.spec.lifecycle)
    assert.equal("true", o.metadata.labels["kpt.dev/latest-revision"])
    answer = s.call("DELETE", path)
    assert.equal(403, answer.status)
    local list = s.get(P .. "packages").json
    assert.truthy(support.names(list)[1])
  end)

  it("come into being by apply, under their own name only", function()
    local function apply(name)
      return s.call("PATCH", P .. "packagerevisions/" .. name .. "?fieldManager=m",
        { apiVersion = "porch.kpt.dev/v1alpha1", kind = "PackageRevision",
          metadata = { name = name },
          spec = { repository = "git", packageName = "applied", workspaceName = "v1",
            lifecycle = "Draft", tasks = { { type = "init", init = { description = "d" } } } } },
        { ["Content-Type"] = "application/apply-patch+yaml" })
    end
    local answer = apply("git.other.v1")
    assert.equal(400, answer.status)
    assert.equal("the name of the object (git.applied.v1) does not match the name on the URL"
      .. " (git.other.v1)", answer.json.message)
    assert.equal(404, s.get(P .. "packagerevisions/git.applied.v1").status)
    answer = apply("applied")
    assert.equal(404, answer.status)
    assert.matches("^package revision kubernetes resource name invalid:", answer.json.message)
    answer = apply("git.applied.v1")
    assert.equal(201, answer.status)
    assert.equal(200, apply("git.applied.v1").status)
  end)

  -- Two creations whose runs have both looked before either is committed. The second to be
  -- committed runs again and sees the first.
  local function race(first, second)
    local function runs()
      return tonumber(s.get("/metrics").body:match("\nlanai_workflow_runs_total (%d+)"))
    end
    local release, before, answers = s.hold(), runs(), {}
    for i, package in ipairs { first, second } do
      answers[i] = s.send("POST", P .. "packagerevisions", { spec = { repository = "git",
        packageName = package, workspaceName = "v1",
        tasks = { { type = "init", init = { description = "d" } } } } })
      local till = os.time() + 20
      while runs() < before + i and os.time() < till do end
    end
    release()
    local one, other = answers[1](), answers[2]()
    local refused = one.status == 500 and one or other
    assert.equal(701, one.status + other.status)
    assert.matches("packages cannot be nested$", refused.json.message)
  end

  it("are never nested, also when both are made at once", function()
    race("outer/inner", "outer")
    race("above", "above/below")
    race("deep/er/est", "deep")
  end)

  it("give the last object to a delete", function()
    s.draft("gone")
    local o = s.must("DELETE", P .. "packagerevisions/git.gone.v1")
    assert.equal("PackageRevision", o.kind)
    assert.equal(404, s.get(P .. "packagerevisions/git.gone.v1").status)
  end)

  it("answer the end of a deletion without the last finalizer", function()
    local path = P .. "packagerevisions/git.ends.v1"
    s.draft("ends")
    s.must("PATCH", path, { spec = { lifecycle = "Proposed" },
      metadata = { finalizers = { "example.com/a" } } }, MERGE)
    s.must("PATCH", path .. "/approval", { spec = { lifecycle = "Published" } }, MERGE)
    s.must("PATCH", path .. "/approval", { spec = { lifecycle = "DeletionProposed" } }, MERGE)
    assert.is_string(s.must("DELETE", path).metadata.deletionTimestamp)
    local o = s.must("PATCH", path, '{"metadata":{"finalizers":[]}}', MERGE)
    assert.is_nil(o.metadata.finalizers)
    assert.is_string(o.metadata.deletionTimestamp)
    assert.equal(404, s.get(path).status)
  end)

  it("name the empty continue token of Repositories", function()
    local path = "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories"
    assert.equal("", s.get(path .. "?limit=1").json.metadata.continue)
    assert.matches('\n  continue: ""\n', s.get(path, { Accept = "application/yaml" }).body)
    assert.is_nil(s.get(path, support.TABLE).json.metadata.continue)
    assert.is_nil(s.get(P .. "packagerevisions").json.metadata.continue)
  end)

  it("mark the end of a watch's first events whether asked or not", function()
    local w = s.watch(P .. "packagerevisions?watch=1&allowWatchBookmarks=true&timeoutSeconds=1"
      .. "&fieldSelector=metadata.name%3Dgit.none.v1")
    local mark = w.next()
    assert.equal("BOOKMARK", mark.type)
    assert.equal("true", mark.object.metadata.annotations["k8s.io/initial-events-end"])
    assert.is_nil(w.next()) -- the number at the end has been told
    assert.is_true(w.ended())
    w.close()
  end)

  it("watch revisions, and select by field", function()
    local w = s.watch(P .. "packagerevisions?watch=1&fieldSelector=spec.packageName%3Dseen")
    assert.is_nil(w.next(0))
    s.draft("unseen")
    s.draft("seen")
    assert.equal("git.seen.v1", w.next().object.metadata.name)
    s.must("PATCH", P .. "packagerevisions/git.seen.v1", { spec = { lifecycle = "Proposed" } },
      MERGE)
    local event = w.next()
    assert.equal("MODIFIED", event.type)
    assert.equal("Proposed", event.object.spec.lifecycle)
    w.close()
  end)
end)

describe("kube porch kinds with strict_conflict", function()
  it("answer stale files with 409", function()
    local s = world { strict_conflict = true }
    s.draft("pkg")
    local files = s.get(P .. "packagerevisionresources/git.pkg.v1").json
    s.must("PATCH", P .. "packagerevisionresources/git.pkg.v1",
      { spec = { resources = { ["c.txt"] = "x\n" } } }, MERGE)
    local answer = s.call("PUT", P .. "packagerevisionresources/git.pkg.v1", files)
    assert.equal(409, answer.status)
    assert.equal("Conflict", answer.json.reason)
    s.close()
  end)
end)
