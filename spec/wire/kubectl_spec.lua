-- SPDX-License-Identifier: Apache-2.0
-- kubectl against the built server: every command of kube-wire §15 that applies, with a current
-- kubectl and with 1.20. Each version works in a namespace and a repository of its own.
local clients = require("spec.wire.clients")
local lib = require("spec.lib.server")
local shell, quote = lib.shell, lib.quote

local REPOSITORY = [[
apiVersion: config.porch.kpt.dev/v1alpha1
kind: Repository
metadata:
  name: %s
  labels: {team: a}
spec:
  type: git
  git: {repo: "%s", branch: main}
]]

local REVISION = [[
apiVersion: porch.kpt.dev/v1alpha1
kind: PackageRevision
metadata:
  namespace: %s
  labels: {tier: web}
spec:
  repository: blue
  packageName: %s
  workspaceName: %s
  lifecycle: Draft
  tasks: [{type: init, init: {description: a web server}}]
]]

local server, git

setup(function()
  server = lib.start()
  git = clients.git()
end)

teardown(function()
  server:stop()
  git:stop()
end)

-- The words of each line.
local function rows(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    local words = {}
    for word in line:gmatch("%S+") do
      words[#words + 1] = word
    end
    list[#list + 1] = words
  end
  return list
end

local function contains(text, part)
  assert.is_truthy(text:find(part, 1, true), ("no '%s' in:\n%s"):format(part, text))
end

local function lacks(text, part)
  assert.is_nil(text:find(part, 1, true), ("'%s' in:\n%s"):format(part, text))
end

-- Watches that the server holds open.
local function watches(metrics)
  if not metrics then
    metrics = select(2, server:request("GET", "/metrics"))
  end
  return tonumber(metrics:match('apiserver_longrunning_requests{verb="WATCH"} (%d+)'))
end

local function specs(program, modern)
  local home, kubectl, ns

  -- Runs it in the namespace; stdout of a success.
  local function k(...)
    return kubectl:ok("-n", ns, ...)
  end

  local function fails(...)
    local r = kubectl("-n", ns, ...)
    assert.are_not.equal(0, r.code, r.out)
    return r.err, r.code
  end

  local function revision(package, workspace)
    return k("create", "-f", "-", { stdin = REVISION:format(ns, package, workspace) })
  end

  setup(function()
    home = clients.temporary()
    kubectl = clients.new(program, server.kubeconfig, home)
    ns = program:gsub("%.", "-")
    kubectl:ok("create", "namespace", ns)
    local url = git:make(ns .. "/blue.git")
    k("apply", "-f", "-", { stdin = REPOSITORY:format("blue", url) })
    k("wait", "--for=condition=Ready", "repository/blue", "--timeout=15s")
    revision("web", "w1")
    revision("db", "w1")
  end)

  teardown(function()
    kubectl("delete", "namespace", ns)
    shell("rm -rf " .. quote(home))
  end)

  describe("reads", function()
    it("get prints the columns of the kind", function()
      local t = rows(k("get", "packagerevisions"))
      assert.are.same({ "NAME", "PACKAGE", "WORKSPACENAME", "REVISION", "LATEST", "LIFECYCLE",
        "REPOSITORY" }, t[1])
      assert.are.same({ "blue.db.w1", "db", "w1", "0", "false", "Draft", "blue" }, t[2])
      assert.are.same({ "blue.web.w1", "web", "w1", "0", "false", "Draft", "blue" }, t[3])
      assert.are.equal(3, #t)
    end)

    it("get -A adds the namespace, --show-labels the labels, -L one of them", function()
      local t = rows(kubectl:ok("get", "packagerevisions", "-A", "--show-labels"))
      assert.are.equal("NAMESPACE", t[1][1])
      assert.are.equal(ns, t[2][1])
      assert.are.equal("tier=web", t[2][#t[2]])
      t = rows(k("get", "packagerevisions", "-L", "tier"))
      assert.are.equal("web", t[2][#t[2]])
    end)

    it("get of one object, -o wide, --no-headers, several kinds at once", function()
      assert.are.same({ { "blue.web.w1", "web", "w1", "0", "false", "Draft", "blue" } },
        rows(k("get", "packagerevision", "blue.web.w1", "-o", "wide", "--no-headers")))
      local text = k("get", "packagerevisions,repositories")
      contains(text, "\nblue.web.w1 ")
      contains(text, "repository.config.porch.kpt.dev/blue")
    end)

    it("get -o name, json, yaml, jsonpath, custom-columns, go-template", function()
      local one = { "get", "packagerevision", "blue.web.w1", "-o" }
      local function get(format)
        return k(one[1], one[2], one[3], one[4], format)
      end
      assert.are.equal("packagerevision.porch.kpt.dev/blue.web.w1\n", get("name"))
      contains(get("json"), '"packageName": "web"')
      contains(get("yaml"), "  workspaceName: w1\n")
      assert.are.equal("Draft", get("jsonpath={.spec.lifecycle}"))
      assert.are.equal("Draft", get("go-template={{.spec.lifecycle}}"))
      assert.are.same({ { "N", "R" }, { "blue.web.w1", "<none>" } },
        rows(get("custom-columns=N:.metadata.name,R:.spec.revision")))
      local list = k("get", "packagerevisions", "-o", "yaml")
      contains(list, "kind: List\n")
    end)

    it("get with --server-print=false, --sort-by and --chunk-size", function()
      assert.are.same({ "NAME", "AGE" }, rows(k("get", "repositories",
        "--server-print=false"))[1])
      for i = 1, 5 do
        k("create", "configmap", "chunk" .. i, "--from-literal=n=" .. 9 - i)
      end
      assert.are.equal(6, #rows(k("get", "configmaps", "--chunk-size=2")))
      local t = rows(k("get", "configmaps", "--sort-by={.data.n}"))
      assert.are.equal("chunk5", t[2][1])
      assert.are.equal("chunk1", t[6][1])
      local all = k("get", "configmaps", "--chunk-size=2", "-o", "name")
      assert.are.equal(5, #rows(all))
      k("delete", "configmaps", "--all")
    end)

    it("get with selectors that the server evaluates", function()
      local function names(...)
        return k("get", "packagerevisions", "-o", "name", ...)
      end
      local web, db = "packagerevision.porch.kpt.dev/blue.web.w1\n",
        "packagerevision.porch.kpt.dev/blue.db.w1\n"
      assert.are.equal(db .. web, names("-l", "tier=web"))
      assert.are.equal(db .. web, names("-l", "tier in (web,api),!other"))
      assert.are.equal("", names("-l", "tier!=web"))
      assert.are.equal(web, names("--field-selector", "spec.packageName=web"))
      assert.are.equal(db, names("--field-selector",
        "spec.repository=blue,spec.packageName=db"))
      assert.are.equal(web, names("--field-selector", "metadata.name=blue.web.w1"))
      contains(fails("get", "packagerevisions", "--field-selector", "spec.nope=1"),
        '"spec.nope" is not a known field selector')
      contains(fails("get", "packagerevisions", "--field-selector", "spec.packageName!=web"),
        'unsupported fieldSelector operator "!=" for field "spec.packageName"')
    end)

    it("says what is missing", function()
      contains(fails("get", "repositories", "nope"),
        'Error from server (NotFound): repositories.config.porch.kpt.dev "nope" not found')
      contains(fails("get", "nopes"), 'the server doesn\'t have a resource type "nopes"')
      local r = kubectl("-n", ns, "get", "configmaps")
      contains(r.err, ("No resources found in %s namespace."):format(ns))
    end)

    it("describe shows the object and its events", function()
      local text = k("describe", "packagerevision", "blue.web.w1")
      contains(text, "Package Name:")
      contains(text, "Lifecycle:  Draft")
      contains(text, "Events:")
      contains(k("describe", "repositories"), "Reason:                Ready")
    end)

    it("get --raw, version, cluster-info, api-resources, api-versions", function()
      assert.are.equal("ok", kubectl:ok("get", "--raw", "/readyz"))
      contains(kubectl:ok("version"), "v1.34")
      contains(kubectl:ok("cluster-info"), "is running at")
      contains(kubectl:ok("api-versions"), "porch.kpt.dev/v1alpha1\n")
      local kinds = {}
      for _, row in ipairs(rows(kubectl:ok("api-resources", "-o", "wide"))) do
        kinds[row[1]] = table.concat(row, " ")
      end
      contains(kinds.packagerevisions, "porch.kpt.dev/v1alpha1 true PackageRevision")
      contains(kinds.packagerevisions, "watch")
      contains(kinds.repositories, "config.porch.kpt.dev/v1alpha1 true Repository")
    end)

    it("explain prints fields and descends", function()
      contains(kubectl:ok("explain", "packagerevisions"), "apiVersion")
      contains(kubectl:ok("explain", "packagerevisions.spec.tasks.init"), "description")
      contains(kubectl:ok("explain", "repositories.spec.git.secretRef"), "name")
      for _, kind in ipairs({ "packagerevisions", "packagerevisionresources", "packages",
        "repositories", "secrets", "configmaps", "namespaces" }) do
        contains(kubectl:ok("explain", "--recursive", kind), "metadata")
      end
    end)

    it("auth can-i", function()
      contains(k("auth", "can-i", "create", "packagerevisions"), "yes")
      contains(k("auth", "can-i", "update", "packagerevisions.porch.kpt.dev/approval"), "yes")
      contains(k("auth", "can-i", "--list"), "*.*")
      if modern then
        contains(kubectl:ok("auth", "whoami"), "system:masters")
      end
    end)

    it("events", function()
      k("create", "-f", "-", { stdin = ([[
apiVersion: v1
kind: Event
metadata: {name: note, namespace: %s}
involvedObject: {apiVersion: porch.kpt.dev/v1alpha1, kind: PackageRevision, name: blue.web.w1,
  namespace: %s}
reason: Noted
message: seen by a spec
type: Normal
]]):format(ns, ns) })
      contains(k("get", "events"), "seen by a spec")
      contains(k("get", "events", "--field-selector", "involvedObject.name=blue.web.w1"), "Noted")
      if modern then
        contains(k("events"), "seen by a spec")
        contains(k("events", "--for", "packagerevision/blue.web.w1"), "Noted")
      end
    end)

    it("completion asks for names", function()
      if modern then
        contains(kubectl:ok("__complete", "get", "-n", ns, "packagerevisions", ""), "blue.web.w1")
      end
    end)
  end)

  describe("writes", function()
    it("create refuses unknown fields and existing names", function()
      local bad = REPOSITORY:format("bad", "http://127.0.0.1:1/x.git"):gsub("type: git",
        "type: git\n  nope: 1")
      contains(fails("create", "-f", "-", { stdin = bad }), "nope")
      contains(fails("get", "repository", "bad"), "NotFound")
      k("create", "configmap", "twice")
      contains(fails("create", "configmap", "twice"), 'configmaps "twice" already exists')
      k("delete", "configmap", "twice")
    end)

    it("--dry-run=server does everything but store", function()
      contains(k("create", "configmap", "dry", "--from-literal=a=b", "--dry-run=server"),
        "configmap/dry created (server dry run)")
      contains(fails("get", "configmap", "dry"), "NotFound")
      contains(k("create", "-f", "-", "--dry-run=server",
        { stdin = REVISION:format(ns, "dry", "w1") }), "blue.dry.w1 created (server dry run)")
      contains(fails("get", "packagerevision", "blue.dry.w1"), "NotFound")
      contains(k("delete", "packagerevision", "blue.web.w1", "--dry-run=server"),
        "(server dry run)")
      contains(k("get", "packagerevision", "blue.web.w1"), "Draft")
    end)

    it("apply creates, leaves alone, changes, and removes what was taken out", function()
      local manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {%s}\n"
      local function apply(members)
        return k("apply", "-f", "-", { stdin = manifest:format(members) })
      end
      contains(apply("a: '1', b: '1'"), "configmap/applied created")
      contains(apply("a: '1', b: '1'"), "configmap/applied unchanged")
      contains(apply("a: '2'"), "configmap/applied configured")
      assert.are.equal('{"a":"2"}', k("get", "configmap", "applied", "-o", "jsonpath={.data}"))
      k("delete", "configmap", "applied")
    end)

    it("apply of a Repository takes a changed description and refuses a changed address", function()
      local url = git:url(ns .. "/blue.git")
      local text = REPOSITORY:format("blue", url)
      contains(k("apply", "-f", "-", { stdin = text }), "/blue unchanged")
      contains(k("apply", "-f", "-", { stdin = text .. "  description: of packages\n" }),
        "/blue configured")
      assert.are.equal("of packages", k("get", "repository", "blue", "-o",
        "jsonpath={.spec.description}"))
      contains(fails("apply", "-f", "-", { stdin = REPOSITORY:format("blue", url .. "x") }),
        "is invalid")
    end)

    it("apply --server-side keeps owners apart", function()
      local text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned}\ndata: {a: '%s'}\n"
      local function with(value, manager, force)
        return kubectl("-n", ns, "apply", "--server-side", "-f", "-", "--field-manager=" .. manager,
          "--force-conflicts=" .. tostring(force == true), { stdin = text:format(value) })
      end
      contains(with("1", "one").out, "configmap/owned serverside-applied")
      local refused = with("2", "two")
      assert.are.equal(1, refused.code)
      contains(refused.err, 'Apply failed with 1 conflict: conflict with "one": .data.a')
      assert.are.equal(0, with("1", "two").code)
      assert.are.equal(0, with("3", "two", true).code)
      assert.are.equal("3", k("get", "configmap", "owned", "-o", "jsonpath={.data.a}"))
      k("delete", "configmap", "owned")
    end)

    it("diff exits 1 when there is one", function()
      local text = REPOSITORY:format("blue", git:url(ns .. "/blue.git"))
      k("apply", "-f", "-", { stdin = text })
      assert.are.equal("", k("diff", "-f", "-", { stdin = text }))
      local changed = text:gsub("team: a", "team: b")
      for _, flag in ipairs({ "--server-side=false", "--server-side" }) do
        local r = kubectl("-n", ns, "diff", flag, "-f", "-", { stdin = changed })
        assert.are.equal(1, r.code, r.err)
        contains(r.out, "+    team: b")
      end
      assert.are.equal("a", k("get", "repository", "blue", "-o",
        "jsonpath={.metadata.labels.team}"))
    end)

    it("edit sends what the editor wrote", function()
      contains(k("edit", "packagerevision", "blue.web.w1",
        { env = { EDITOR = "sed -i 's/tier: web/tier: edited/'" } }), "edited")
      assert.are.equal("edited", k("get", "packagerevision", "blue.web.w1", "-o",
        "jsonpath={.metadata.labels.tier}"))
      k("label", "packagerevision", "blue.web.w1", "tier=web", "--overwrite")
      -- refused: the text goes back into the editor, which does not change it again
      local r = kubectl("-n", ns, "edit", "packagerevision", "blue.web.w1",
        { env = { EDITOR = "sed -i 's/lifecycle: Draft/lifecycle: Published/'" } })
      assert.are.equal(1, r.code)
      contains(r.out .. r.err, "is invalid")
      assert.are.equal("Draft", k("get", "packagerevision", "blue.web.w1", "-o",
        "jsonpath={.spec.lifecycle}"))
    end)

    it("replace needs the version it read", function()
      k("create", "configmap", "r", "--from-literal=a=1")
      local read = k("get", "configmap", "r", "-o", "yaml")
      contains(k("replace", "-f", "-", { stdin = (read:gsub('a: "1"', 'a: "2"')) }),
        "configmap/r replaced")
      contains(fails("replace", "-f", "-", { stdin = (read:gsub('a: "1"', 'a: "3"')) }),
        "the object has been modified; please apply your changes to the latest version")
      contains(k("replace", "--force", "-f", "-", { stdin = read }), "configmap/r replaced")
      k("delete", "configmap", "r")
    end)

    it("patch: merge, JSON and strategic", function()
      local function patch(kind, body)
        return k("patch", "packagerevision", "blue.db.w1", "--type=" .. kind, "-p", body)
      end
      contains(patch("merge", '{"metadata":{"labels":{"m":"1"}}}'), "patched")
      contains(patch("merge", '{"metadata":{"labels":{"m":"1"}}}'), "(no change)")
      patch("json", '[{"op":"replace","path":"/metadata/labels/m","value":"2"}]')
      patch("strategic", '{"metadata":{"labels":{"s":"3"}}}')
      assert.are.equal("2 3", k("get", "packagerevision", "blue.db.w1", "-o",
        "jsonpath={.metadata.labels.m} {.metadata.labels.s}"))
      patch("merge", '{"metadata":{"labels":{"m":null,"s":null}}}')
      contains(fails("patch", "packagerevision", "blue.db.w1", "--type=json", "-p",
        '[{"op":"test","path":"/spec/lifecycle","value":"Published"}]'), "The request is invalid")
    end)

    it("label and annotate set, refuse to overwrite, and remove", function()
      contains(k("label", "packagerevision", "blue.db.w1", "colour=red"), "labeled")
      contains(fails("label", "packagerevision", "blue.db.w1", "colour=blue"), "--overwrite")
      k("label", "packagerevisions", "--all", "everywhere=1")
      assert.are.equal(2, #rows(k("get", "packagerevisions", "-l", "everywhere", "-o", "name")))
      k("label", "packagerevisions", "--all", "everywhere-", "colour-")
      contains(k("annotate", "packagerevision", "blue.db.w1", "note=kept"), "annotated")
      assert.are.equal("kept", k("get", "packagerevision", "blue.db.w1", "-o",
        "jsonpath={.metadata.annotations.note}"))
      k("annotate", "packagerevision", "blue.db.w1", "note-")
      contains(fails("label", "packagerevision", "blue.db.w1", "a=-bad-"), "-bad-")
    end)

    it("delete by name, by label, by --all, with --wait and --now", function()
      for _, name in ipairs({ "d1", "d2", "d3", "d4" }) do
        k("create", "configmap", name)
      end
      k("label", "configmap", "d2", "gone=soon")
      contains(k("delete", "configmap", "d1", "--now"), '"d1" deleted')
      contains(k("delete", "configmap", "-l", "gone=soon"), '"d2" deleted')
      contains(k("delete", "configmap", "d3", "--cascade=foreground", "--wait=false"),
        '"d3" deleted')
      contains(k("delete", "configmaps", "--all"), '"d4" deleted')
      contains(fails("delete", "configmap", "d1"), "NotFound")
      assert.are.equal("", k("delete", "configmap", "d1", "--ignore-not-found"))
    end)
  end)

  describe("packages", function()
    local function approve(name)
      if modern then
        return k("patch", "packagerevision", name, "--subresource=approval", "--type=merge", "-p",
          '{"spec":{"lifecycle":"Published"}}')
      end
      local read = k("get", "packagerevision", name, "-o", "json")
      read = read:gsub('"lifecycle": "%a+"', '"lifecycle": "Published"')
      return k("replace", "--raw",
        ("/apis/porch.kpt.dev/v1alpha1/namespaces/%s/packagerevisions/%s/approval"):format(ns,
          name), "-f", "-", { stdin = read })
    end

    local function lifecycle(name, value)
      return k("patch", "packagerevision", name, "--type=merge", "-p",
        ('{"spec":{"lifecycle":"%s"}}'):format(value))
    end

    it("go from draft through proposal and approval to git, and out again", function()
      revision("shop", "v1")
      local name = "blue.shop.v1"
      local read = k("get", "packagerevisionresources", name, "-o", "yaml")
      contains(read, "Kptfile: |")
      k("replace", "-f", "-", { stdin = (read:gsub("  resources:\n",
        "  resources:\n    site.yaml: |\n      apiVersion: v1\n      kind: ConfigMap\n"
        .. "      metadata:\n        name: site\n")) })
      contains(k("get", "packagerevisionresources", name, "-o", "jsonpath={.spec.resources}"),
        "site.yaml")
      lifecycle(name, "Proposed")
      approve(name)
      assert.are.same({ name, "shop", "v1", "1", "true", "Published", "blue" },
        rows(k("get", "packagerevision", name, "--no-headers"))[1])
      contains(git:ask(ns .. "/blue.git", "ls-tree -r --name-only refs/tags/shop/v1"),
        "shop/site.yaml")
      contains(git:ask(ns .. "/blue.git", "ls-tree -r --name-only main"), "shop/site.yaml")
      contains(fails("delete", "packagerevision", name), "must be proposed for deletion")
      lifecycle(name, "DeletionProposed")
      contains(k("delete", "packagerevision", name), "deleted")
      contains(fails("get", "packagerevision", name), "NotFound")
      lacks(git:ask(ns .. "/blue.git", "tag"), "shop/v1")
    end)

    it("may not be published past the proposal", function()
      contains(fails("patch", "packagerevision", "blue.db.w1", "--type=merge", "-p",
        '{"spec":{"lifecycle":"Published"}}'), "is invalid")
    end)

    it("copy into the next revision", function()
      revision("base", "v1")
      lifecycle("blue.base.v1", "Proposed")
      approve("blue.base.v1")
      local copy = REVISION:format(ns, "base", "v2"):gsub("tasks:.*$",
        "tasks: [{type: edit, edit: {sourceRef: {name: blue.base.v1}}}]\n")
      contains(k("create", "-f", "-", { stdin = copy }), "blue.base.v2 created")
      contains(k("get", "packagerevisionresources", "blue.base.v2", "-o",
        "jsonpath={.spec.resources.Kptfile}"), "a web server")
      k("delete", "packagerevision", "blue.base.v2")
    end)
  end)

  describe("the rest of a cluster", function()
    it("secrets: literals go in encoded, patches and rotations work", function()
      k("create", "secret", "generic", "s", "--from-literal=user=me")
      assert.are.equal("bWU=", k("get", "secret", "s", "-o", "jsonpath={.data.user}"))
      assert.are.equal("Opaque", k("get", "secret", "s", "-o", "jsonpath={.type}"))
      k("patch", "secret", "s", "-p", '{"stringData":{"user":"you"}}')
      assert.are.equal("eW91", k("get", "secret", "s", "-o", "jsonpath={.data.user}"))
      lacks(k("get", "secret", "s", "-o", "yaml"), "stringData")
      contains(k("describe", "secret", "s"), "user:")
      lacks(k("get", "secret", "s"), "eW91")
      k("delete", "secret", "s")
    end)

    it("namespaces are made, refuse what is not in them, and take their content along", function()
      local other = ns .. "-more"
      contains(kubectl("-n", other, "create", "configmap", "x").err, "not found")
      kubectl:ok("create", "namespace", other)
      kubectl:ok("-n", other, "create", "configmap", "x")
      contains(kubectl:ok("delete", "namespace", other), "deleted")
      contains(kubectl("get", "namespace", other).err, "NotFound")
      kubectl:ok("create", "namespace", other)
      contains(kubectl("-n", other, "get", "configmap", "x").err, "NotFound")
      kubectl:ok("delete", "namespace", other)
    end)
  end)

  describe("watching", function()
    it("get -w shows what others do", function()
      local w = kubectl:start("-n", ns, "get", "packagerevisions", "-w", "--no-headers")
      assert.is_truthy(w:read_until("^blue%.web%.w1 "))
      revision("seen", "w1")
      assert.is_truthy(w:read_until("^blue%.seen%.w1 .*Draft"))
      k("patch", "packagerevision", "blue.seen.w1", "--type=merge", "-p",
        '{"spec":{"lifecycle":"Proposed"}}')
      assert.is_truthy(w:read_until("^blue%.seen%.w1 .*Proposed"))
      w:stop()
    end)

    it("get -w of one object ignores the others", function()
      local w = kubectl:start("-n", ns, "get", "packagerevision", "blue.db.w1", "-w", "-o",
        "jsonpath={.metadata.name}={.metadata.labels.step}{\"\\n\"}")
      assert.are.equal("blue.db.w1=", w:read())
      k("label", "packagerevision", "blue.web.w1", "step=0")
      k("label", "packagerevision", "blue.db.w1", "step=1")
      assert.are.equal("blue.db.w1=1", w:read())
      w:stop()
      k("label", "packagerevisions", "--all", "step-")
    end)

    it("wait sees a condition come and an object go", function()
      k("create", "configmap", "going")
      local before = watches()
      local gone = kubectl:start("-n", ns, "wait", "--for=delete", "configmap/going",
        "--timeout=15s")
      clients.until_answer(server, "/metrics", function(_, body)
        return watches(body) > before
      end)
      k("delete", "configmap", "going")
      assert.is_truthy((gone:read() or ""):find("going", 1, true))
      assert.are.equal(0, gone:wait())
      contains(k("wait", "--for=condition=Ready", "repository/blue", "--timeout=15s"),
        "condition met")
      if modern then
        local w = kubectl:start("-n", ns, "wait", "--for=jsonpath={.spec.lifecycle}=Proposed",
          "packagerevision/blue.db.w1", "--timeout=15s")
        k("patch", "packagerevision", "blue.db.w1", "--type=merge", "-p",
          '{"spec":{"lifecycle":"Proposed"}}')
        contains(w:read() or "", "condition met")
        assert.are.equal(0, w:wait())
      end
    end)

    it("wait gives up in time", function()
      local text = fails("wait", "--for=condition=Nope", "repository/blue", "--timeout=1s")
      contains(text, "timed out waiting for the condition")
    end)
  end)
end

for _, program in ipairs({ "kubectl", "kubectl-1.20" }) do
  clients.describe({ program }, program, describe, pending, function()
    specs(program, program == "kubectl")
  end)
end
