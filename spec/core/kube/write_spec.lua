-- SPDX-License-Identifier: Apache-2.0
local support = require "spec.core.kube.support"

local CM = support.CM
local REPOS = "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories"
local MERGE = { ["Content-Type"] = "application/merge-patch+json" }
local JSON_PATCH = { ["Content-Type"] = "application/json-patch+json" }
local STRATEGIC = { ["Content-Type"] = "application/strategic-merge-patch+json" }
local APPLY = { ["Content-Type"] = "application/apply-patch+yaml" }

describe("kube writes", function()
  local s
  setup(function() s = support.server() end)
  teardown(function() s.close() end)

  local function make(name, fields)
    return s.must("POST", CM, support.config_map(name, fields))
  end

  describe("create", function()
    it("fills in system metadata and what the body left out", function()
      local answer = s.call("POST", CM, { metadata = { name = "c1", uid = "mine",
        resourceVersion = "7" } })
      assert.equal(201, answer.status)
      local o = answer.json
      assert.equal("ConfigMap", o.kind)
      assert.equal("v1", o.apiVersion)
      assert.equal("default", o.metadata.namespace)
      assert.matches("^%x+%-%x+%-4", o.metadata.uid)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", o.metadata.creationTimestamp)
      assert.not_equal("7", o.metadata.resourceVersion)
    end)

    it("makes names from generateName", function()
      local o = s.must("POST", CM, { metadata = { generateName = "gen-" } })
      assert.matches("^gen%-[bcdfghjklmnpqrstvwxz2456789]+$", o.metadata.name)
      assert.equal(9, #o.metadata.name)
    end)

    it("takes YAML, and JSON without a type", function()
      local answer = s.call("POST", CM, "metadata:\n  name: from-yaml\ndata:\n  a: 'yes'\n",
        { ["Content-Type"] = "application/yaml" })
      assert.equal("yes", answer.json.data.a)
      local bare = s.server:request { method = "POST", path = CM,
        body = '{"metadata":{"name":"bare"}}' }
      assert.equal(201, bare.status)
      bare = s.server:request { method = "POST", path = CM, body = "metadata: {name: bare2}\n" }
      assert.equal(201, bare.status)
    end)

    it("takes Kubernetes protobuf", function()
      local function part(number, text)
        return string.char(number << 3 | 2, #text) .. text
      end
      local function create(path, version, kind, object)
        return s.must("POST", path, "k8s\0" .. part(1, part(1, version) .. part(2, kind))
          .. part(2, object), { ["Content-Type"] = "application/vnd.kubernetes.protobuf" })
      end
      local meta = part(1, part(1, "pb"))
      assert.equal("pb", create(CM, "v1", "ConfigMap", meta).metadata.name)
      local EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
      create(EVENTS, "events.k8s.io/v1", "Event",
        meta .. part(8, part(3, "seen")) .. part(10, "hi"))
      local o = s.get("/api/v1/namespaces/default/events/pb").json
      assert.same({ "hi", "seen" }, { o.message, o.involvedObject.name })
    end)

    it("refuses what is there, and namespaces that are not", function()
      make("twice")
      local answer = s.call("POST", CM, support.config_map("twice"))
      assert.equal(409, answer.status)
      assert.equal("AlreadyExists", answer.json.reason)
      assert.equal('configmaps "twice" already exists', answer.json.message)
      assert.same({ name = "twice", kind = "configmaps" }, answer.json.details)
      answer = s.call("POST", "/api/v1/namespaces/nowhere/configmaps", support.config_map("x"))
      assert.equal(404, answer.status)
      assert.equal('namespaces "nowhere" not found', answer.json.message)
    end)

    it("checks that the body belongs to the URL", function()
      local function message(body, headers)
        local answer = s.call("POST", CM, body, headers)
        assert.equal(headers and 415 or 400, answer.status)
        return answer.json.message
      end
      assert.equal("the namespace of the provided object does not match the namespace sent on the"
        .. " request", message { metadata = { name = "x", namespace = "other" } })
      assert.equal("the API version in the data (v2) does not match the expected API version (v1)",
        message { apiVersion = "v2", kind = "ConfigMap", metadata = { name = "x" } })
      assert.matches("^Secret in version", message { kind = "Secret" })
      assert.matches("^the object provided is unrecognized", message("{"))
      assert.matches("^the object provided is unrecognized", message("[]"))
      assert.matches("accepted media types include: application/json, application/yaml,",
        message("x", { ["Content-Type"] = "text/plain" }))
    end)

    it("validates names, labels and types", function()
      local answer = s.call("POST", CM, { metadata = {} })
      assert.equal(422, answer.status)
      assert.equal('ConfigMap "" is invalid: metadata.name: Required value: name or generateName is'
        .. " required", answer.json.message)
      answer = s.call("POST", CM, { metadata = { name = "Bad_Name",
        labels = { ["a b"] = "c", ok = "no good" } } })
      assert.equal(422, answer.status)
      assert.equal(3, #answer.json.details.causes)
      assert.equal("metadata.name", answer.json.details.causes[1].field)
      assert.matches('is invalid: %[metadata.name: Invalid value: "Bad_Name": a lowercase',
        answer.json.message)
      answer = s.call("POST", CM, { metadata = { name = "x" }, data = { a = 1 } })
      assert.equal(400, answer.status)
      assert.matches("cannot unmarshal number into Go struct field ConfigMap.data of type string",
        answer.json.message)
    end)

    it("judges unknown and duplicate fields as told", function()
      local body = '{"metadata":{"name":"%s"},"data":{"a":"1","a":"2"},"bogus":1}'
      local answer = s.call("POST", CM .. "?fieldValidation=Strict", body:format("strict"))
      assert.equal(400, answer.status)
      assert.equal('ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding'
        .. ' error: duplicate field "data.a", unknown field "bogus"', answer.json.message)
      answer = s.call("POST", CM, body:format("warned"))
      assert.equal(201, answer.status)
      assert.same({ '299 - "duplicate field \\"data.a\\""', '299 - "unknown field \\"bogus\\""' },
        answer.headers.Warning)
      assert.equal("2", answer.json.data.a)
      assert.is_nil(answer.json.bogus)
      answer = s.call("POST", CM .. "?fieldValidation=Ignore", body:format("ignored"))
      assert.is_nil(answer.headers.Warning)
      assert.equal(422, s.call("POST", CM .. "?fieldValidation=Foo", body:format("x")).status)
    end)

    it("rehearses without storing", function()
      local answer = s.call("POST", CM .. "?dryRun=All", support.config_map("dry"))
      assert.equal(201, answer.status)
      assert.truthy(answer.json.metadata.uid)
      assert.is_nil(answer.json.metadata.resourceVersion)
      assert.equal(404, s.get(CM .. "/dry").status)
      answer = s.call("POST", CM .. "?dryRun=Foo", support.config_map("dry"))
      assert.equal('CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Foo"]:'
        .. ' supported values: "All"', answer.json.message)
    end)

    it("records who set what", function()
      local o = s.must("POST", CM .. "?fieldManager=me", support.config_map("managed",
        { data = { a = "1" } }))
      assert.equal("me", o.metadata.managedFields[1].manager)
      assert.equal("Update", o.metadata.managedFields[1].operation)
      assert.truthy(o.metadata.managedFields[1].fieldsV1["f:data"]["f:a"])
      o = s.must("POST", CM, support.config_map("agent"), { ["User-Agent"] = "prog/1 (x)" })
      local fields = o.metadata.managedFields
      assert.is_true(fields == nil or fields[1].manager == "prog")
      assert.equal(422, s.call("POST", CM .. "?fieldManager=" .. ("m"):rep(129),
        support.config_map("x")).status)
    end)
  end)

  describe("update", function()
    it("replaces and moves the number only when something changed", function()
      local o = make("u1", { data = { a = "1" } })
      o.data.a = "2"
      local changed = s.must("PUT", CM .. "/u1", o)
      assert.not_equal(o.metadata.resourceVersion, changed.metadata.resourceVersion)
      local again = s.must("PUT", CM .. "/u1", changed)
      assert.equal(changed.metadata.resourceVersion, again.metadata.resourceVersion)
    end)

    it("refuses stale numbers, other names and other uids", function()
      local o = make("u2")
      s.must("PATCH", CM .. "/u2", { data = { a = "1" } }, MERGE)
      local answer = s.call("PUT", CM .. "/u2", o)
      assert.equal(409, answer.status)
      assert.equal('Operation cannot be fulfilled on configmaps "u2": the object has been modified;'
        .. " please apply your changes to the latest version and try again", answer.json.message)
      assert.same({ name = "u2", kind = "configmaps" }, answer.json.details)
      answer = s.call("PUT", CM .. "/u2", support.config_map("u3"))
      assert.equal("the name of the object (u3) does not match the name on the URL (u2)",
        answer.json.message)
      answer = s.call("PUT", CM .. "/u2", {})
      assert.equal("the name of the object (u2 based on URL) was undeterminable: name must be"
        .. " provided", answer.json.message)
      answer = s.call("PUT", CM .. "/u2", { metadata = { name = "u2", uid = "x" } })
      assert.equal(422, answer.status)
      assert.equal(404, s.call("PUT", CM .. "/none", support.config_map("none")).status)
    end)

    it("wants a number where the kind does", function()
      s.must("POST", REPOS, support.repository("r1", { type = "git",
        git = { repo = "file:///nowhere" } }))
      local answer = s.call("PUT", REPOS .. "/r1", support.repository("r1", { type = "git",
        git = { repo = "file:///nowhere" } }))
      assert.equal(422, answer.status)
      assert.matches("metadata.resourceVersion: Invalid value: 0: must be specified for an update",
        answer.json.message)
      assert.equal(200, s.call("PUT", CM .. "/u2", support.config_map("u2")).status)
    end)

    it("keeps status and the rest apart", function()
      local NS = "/api/v1/namespaces/apart"
      s.must("POST", "/api/v1/namespaces", { metadata = { name = "apart" },
        status = { phase = "Odd" } })
      assert.equal("Active", s.get(NS).json.status.phase)
      local o = s.must("PATCH", NS .. "/status",
        { metadata = { labels = { a = "1" } }, status = { phase = "Strange" } }, MERGE)
      assert.is_nil(o.metadata.labels.a)
      assert.equal("Strange", o.status.phase)
      local entry = o.metadata.managedFields[#o.metadata.managedFields]
      assert.equal("status", entry.subresource)
      o = s.must("PATCH", NS, { metadata = { labels = { a = "1" } }, status = { phase = "Odd" } },
        MERGE)
      assert.equal("1", o.metadata.labels.a)
      assert.equal("Strange", o.status.phase)
    end)

    it("holds to the rules of Repositories", function()
      local function fault(spec, name)
        local answer = s.call("POST", REPOS, support.repository(name or "bad", spec))
        assert.equal(422, answer.status)
        return answer.json.message
      end
      assert.equal('Repository.config.porch.kpt.dev "a.b" is invalid: [spec.git.repo: Required'
        .. " value, <nil>: Invalid value: null: some validation rules were not checked because the"
        .. " object was invalid; correct the existing errors to complete validation]",
        fault({ git = {}, content = "Other" }, "a.b"))
      assert.matches("The 'content' field is deprecated, its only valid value is 'Package'",
        fault { content = "Other", git = { repo = "file:///x" } })
      assert.matches("spec.git.branch in body should be at least 1 chars long",
        fault { git = { repo = "file:///x", branch = "" } })
      assert.matches('spec.deployment in body must be of type boolean: "string"',
        fault { deployment = "x", git = { repo = "file:///x" } })
      assert.matches("metadata.name must conform to the RFC1123 DNS label standard",
        fault({ git = { repo = "file:///x" } }, "a.b"))
      s.must("POST", REPOS, support.repository("r2", { type = "git",
        git = { repo = "file:///elsewhere" } }))
      local answer = s.call("PATCH", REPOS .. "/r2", { spec = { git = { repo = "file:///y" } } },
        MERGE)
      assert.equal(422, answer.status)
      assert.matches("spec.git.repo is immutable", answer.json.message)
      assert.equal("main", s.get(REPOS .. "/r2").json.spec.git.branch)
    end)

    it("knows custom resources by the kind that was sent", function()
      local answer = s.call("PUT", REPOS .. "/r2/status", "{}")
      assert.equal(400, answer.status)
      assert.equal("the object provided is unrecognized (must be of type Repository): Object 'Kind'"
        .. " is missing in '{}' ({})", answer.json.message)
      local o = support.repository("k1", { git = { repo = "file:///k" } })
      o.kind = "Foo"
      answer = s.call("POST", REPOS, o)
      assert.equal(422, answer.status)
      assert.equal('Foo.config.porch.kpt.dev "k1" is invalid: kind: Invalid value: "Foo": must be'
        .. " Repository", answer.json.message)
      assert.equal("Foo", answer.json.details.kind)
    end)

    it("tells which Repository has the place already", function()
      local answer = s.call("POST", REPOS, support.repository("r3", { type = "git",
        git = { repo = "file:///elsewhere" } }))
      assert.equal(400, answer.status)
      assert.equal("RepositoryConflict", answer.json.reason)
      assert.matches("Repository conflict with existing repository: default/r2$",
        answer.json.message)
    end)
  end)

  describe("secrets", function()
    local SECRETS = "/api/v1/namespaces/default/secrets"

    it("take plain data and never give it back", function()
      local o = s.must("POST", SECRETS, { metadata = { name = "s1" },
        stringData = { a = "plain" }, data = { b = "eA==" } })
      assert.is_nil(o.stringData)
      assert.equal("cGxhaW4=", o.data.a)
      assert.equal("Opaque", o.type)
      local answer = s.call("PATCH", SECRETS .. "/s1", { type = "other" }, MERGE)
      assert.equal(422, answer.status)
      assert.matches("type: Invalid value: \"other\": field is immutable", answer.json.message)
      answer = s.call("POST", SECRETS, { metadata = { name = "s2" }, data = { a = "%" } })
      assert.equal(422, answer.status)
    end)

    it("freeze when immutable", function()
      s.must("POST", SECRETS, { metadata = { name = "s3" }, immutable = true })
      local answer = s.call("PATCH", SECRETS .. "/s3", { data = { a = "eA==" } }, MERGE)
      assert.equal(422, answer.status)
      assert.matches("field is immutable when `immutable` is set", answer.json.message)
    end)
  end)

  describe("patch", function()
    it("merges, and null deletes", function()
      make("p1", { data = { a = "1", b = "2" } })
      local o = s.must("PATCH", CM .. "/p1", { data = { a = support.null, c = "3" } }, MERGE)
      assert.same({ b = "2", c = "3" }, o.data)
    end)

    it("carries out operations, all or nothing", function()
      make("p2", { data = { a = "1" } })
      local o = s.must("PATCH", CM .. "/p2",
        '[{"op":"test","path":"/data/a","value":"1"},{"op":"add","path":"/data/b","value":"2"}]',
        JSON_PATCH)
      assert.equal("2", o.data.b)
      local answer = s.call("PATCH", CM .. "/p2",
        '[{"op":"remove","path":"/data/b"},{"op":"test","path":"/data/a","value":"9"}]', JSON_PATCH)
      assert.equal(422, answer.status)
      assert.equal("the server rejected our request due to an error in our request",
        answer.json.message)
      assert.equal("2", s.get(CM .. "/p2").json.data.b)
    end)

    it("understands strategic directives", function()
      make("p3", { finalizers = { "example.com/a" } })
      local o = s.must("PATCH", CM .. "/p3", { metadata = { finalizers = { "example.com/b" } } },
        STRATEGIC)
      table.sort(o.metadata.finalizers)
      assert.same({ "example.com/a", "example.com/b" }, o.metadata.finalizers)
      o = s.must("PATCH", CM .. "/p3",
        { metadata = { ["$deleteFromPrimitiveList/finalizers"] = { "example.com/a" } } }, STRATEGIC)
      assert.same({ "example.com/b" }, o.metadata.finalizers)
    end)

    it("locks on a number in the patch", function()
      local o = make("p4")
      s.must("PATCH", CM .. "/p4", { data = { a = "1" } }, MERGE)
      local answer = s.call("PATCH", CM .. "/p4",
        { metadata = { resourceVersion = o.metadata.resourceVersion } }, MERGE)
      assert.equal(409, answer.status)
    end)

    it("reports what is wrong with a patch", function()
      make("p5")
      local function refused(code, body, headers, query)
        local answer = s.call("PATCH", CM .. "/p5" .. (query or ""), body, headers)
        assert.equal(code, answer.status)
        return answer.json.message
      end
      assert.matches("^error decoding patch: ", refused(400, "{", MERGE))
      assert.matches("^error decoding patch: ", refused(400, "[]", MERGE))
      assert.matches("^error decoding patch: ", refused(400, "{}", JSON_PATCH))
      assert.matches("does not match the name on the URL",
        refused(400, { metadata = { name = "other" } }, MERGE))
      assert.matches("force: Forbidden: may not be specified for non%-apply patch",
        refused(422, "{}", MERGE, "?force=true"))
      assert.matches('^ "" is invalid: patch: Invalid value: .*: strict decoding error: unknown'
        .. ' field "zz"$', refused(422, { zz = 1 }, MERGE, "?fieldValidation=Strict"))
      assert.matches("accepted media types include: application/json%-patch%+json",
        refused(415, "{}", { ["Content-Type"] = "application/json" }))
      assert.equal(404, s.call("PATCH", CM .. "/none", "{}", MERGE).status)
    end)

    it("rehearses without storing", function()
      local o = make("p6")
      local dry = s.must("PATCH", CM .. "/p6?dryRun=All", { data = { a = "1" } }, MERGE)
      assert.equal("1", dry.data.a)
      local now = s.get(CM .. "/p6").json
      assert.is_nil(now.data)
      assert.equal(o.metadata.resourceVersion, now.metadata.resourceVersion)
    end)
  end)

  describe("apply", function()
    local function apply(name, manager, data, query)
      local body = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = name },
        data = data }
      return s.call("PATCH", CM .. "/" .. name .. "?fieldManager=" .. manager .. (query or ""),
        body, APPLY)
    end

    it("creates, owns, conflicts, forces, prunes", function()
      local answer = apply("a1", "one", { a = "1", b = "1" })
      assert.equal(201, answer.status)
      assert.equal("Apply", answer.json.metadata.managedFields[1].operation)
      answer = apply("a1", "one", { a = "1", b = "1" })
      assert.equal(200, answer.status)
      answer = apply("a1", "two", { a = "2" })
      assert.equal(409, answer.status)
      assert.equal('Apply failed with 1 conflict: conflict with "one": .data.a',
        answer.json.message)
      assert.same({ reason = "FieldManagerConflict", message = 'conflict with "one"',
        field = ".data.a" }, answer.json.details.causes[1])
      answer = apply("a1", "two", { a = "2" }, "&force=true")
      assert.equal("2", answer.json.data.a)
      answer = apply("a1", "one", { b = "1" })
      assert.equal("2", answer.json.data.a)
      answer = apply("a1", "one", { c = "1" })
      assert.is_nil(answer.json.data.b)
      local before = s.server:rv()
      apply("a1", "one", { c = "1" })
      assert.equal(before, s.server:rv())
    end)

    it("says what is wrong with what is applied", function()
      make("sp8")
      local function fault(body, parameters)
        local answer = s.call("PATCH", CM .. "/sp8?fieldManager=m" .. (parameters or ""), body,
          APPLY)
        assert.equal(400, answer.status)
        return answer.json.message
      end
      assert.equal("invalid object type: /, Kind=ConfigMap", fault { kind = "ConfigMap" })
      assert.equal("invalid object type: /v1, Kind=Foo", fault { apiVersion = "v1", kind = "Foo" })
      assert.equal("failed to create typed patch object (/sp8; v1, Kind=ConfigMap): .zzz: field not"
        .. " declared in schema", fault(support.config_map("sp8", { zzz = 1 })))
      assert.matches("^error decoding YAML: error converting YAML to JSON: yaml: ", fault("{"))
      assert.equal("error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot"
        .. " unmarshal array into Go value of type map[string]interface {}", fault("[]"))
    end)

    it("takes any word but false for true", function()
      local ours = support.config_map("sp9", { data = { k = "1" } })
      s.must("PATCH", CM .. "/sp9?fieldManager=a", ours, APPLY)
      local theirs = support.config_map("sp9", { data = { k = "2" } })
      for _, no in ipairs { "0", "false", "False" } do
        assert.equal(409, s.call("PATCH", CM .. "/sp9?fieldManager=b&force=" .. no, theirs,
          APPLY).status)
      end
      assert.equal(200, s.call("PATCH", CM .. "/sp9?fieldManager=b&force=maybe", theirs,
        APPLY).status)
    end)

    it("names its conditions", function()
      local answer = s.call("PATCH", CM .. "/a2", { apiVersion = "v1", kind = "ConfigMap" }, APPLY)
      assert.equal(422, answer.status)
      assert.matches("fieldManager: Required value: is required for apply patch",
        answer.json.message)
      answer = s.call("PATCH", CM .. "/a2?fieldManager=m", { apiVersion = "v9", kind = "X" }, APPLY)
      assert.equal(400, answer.status)
      assert.equal("invalid object type: /v9, Kind=X", answer.json.message)
      answer = s.call("PATCH", CM .. "/a2?fieldManager=m", { apiVersion = "v1", kind = "ConfigMap",
        zzz = 1 }, APPLY)
      assert.equal(400, answer.status)
      assert.matches("zzz: field not declared in schema", answer.json.message)
      answer = s.call("PATCH", CM .. "/a2?fieldManager=m", { apiVersion = "v1", kind = "ConfigMap",
        metadata = { uid = "x" } }, APPLY)
      assert.equal(409, answer.status)
      assert.matches("^uid mismatch", answer.json.message)
      assert.equal(404, s.get(CM .. "/a2").status)
    end)

    it("does not store a rehearsal", function()
      local answer = apply("a3", "one", { a = "1" }, "&dryRun=All")
      assert.equal(201, answer.status)
      assert.equal(404, s.get(CM .. "/a3").status)
    end)
  end)

  describe("delete", function()
    it("answers with a Status that names the object", function()
      local o = make("d1")
      local answer = s.call("DELETE", CM .. "/d1", { propagationPolicy = "Background" })
      assert.equal(200, answer.status)
      assert.equal("Success", answer.json.status)
      assert.same({ name = "d1", kind = "configmaps", uid = o.metadata.uid }, answer.json.details)
      assert.equal(404, s.get(CM .. "/d1").status)
      answer = s.call("DELETE", CM .. "/d1")
      assert.equal('configmaps "d1" not found', answer.json.message)
    end)

    it("waits for finalizers", function()
      make("d2", { finalizers = { "example.com/x" } })
      local o = s.must("DELETE", CM .. "/d2")
      assert.truthy(o.metadata.deletionTimestamp)
      assert.equal(o.metadata.resourceVersion,
        s.must("DELETE", CM .. "/d2").metadata.resourceVersion)
      local answer = s.call("PATCH", CM .. "/d2",
        { metadata = { finalizers = { "example.com/x", "example.com/y" } } }, MERGE)
      assert.equal(422, answer.status)
      assert.matches("no new finalizers can be added", answer.json.message)
      s.must("PATCH", CM .. "/d2", { metadata = { finalizers = support.null } }, MERGE)
      assert.equal(404, s.get(CM .. "/d2").status)
    end)

    it("honours options from body and query", function()
      make("d3")
      local answer = s.call("DELETE", CM .. "/d3", { preconditions = { uid = "x" } })
      assert.equal(409, answer.status)
      assert.matches("the UID in the precondition %(x%) does not match", answer.json.message)
      assert.equal(409, s.call("DELETE", CM .. "/d3?preconditions.resourceVersion=1").status)
      answer = s.call("DELETE", CM .. "/d3", { propagationPolicy = "Foo" })
      assert.equal(422, answer.status)
      assert.matches('^DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported',
        answer.json.message)
      assert.equal(400, s.call("DELETE", CM .. "/d3", { kind = "Foo" }).status)
      assert.equal(200, s.call("DELETE", CM .. "/d3", { dryRun = { "All" } }).status)
      assert.equal(200, s.call("DELETE", CM .. "/d3?dryRun=All").status)
      assert.equal(200, s.get(CM .. "/d3").status)
      assert.equal(200, s.call("DELETE", CM .. "/d3").status)
    end)

    it("removes what a selector selects", function()
      for i = 1, 4 do
        make("dc-" .. i, { labels = { sweep = i < 4 and "yes" or "no" } })
      end
      local list = s.must("DELETE", CM .. "?labelSelector=sweep%3Dyes")
      assert.same({ "dc-1", "dc-2", "dc-3" }, support.names(list))
      assert.equal(404, s.get(CM .. "/dc-1").status)
      assert.equal(200, s.get(CM .. "/dc-4").status)
    end)

    it("takes a namespace through its last phase", function()
      s.must("POST", "/api/v1/namespaces", { metadata = { name = "short" } })
      local o = s.get("/api/v1/namespaces/short").json
      assert.equal("Active", o.status.phase)
      assert.equal("short", o.metadata.labels["kubernetes.io/metadata.name"])
      o = s.must("DELETE", "/api/v1/namespaces/short")
      assert.equal("Namespace", o.kind)
      assert.equal("Terminating", o.status.phase)
    end)
  end)

  it("serves one Event in two forms", function()
    s.must("POST", "/api/v1/namespaces/default/events", { metadata = { name = "e1" },
      involvedObject = { kind = "ConfigMap", name = "x", namespace = "default" },
      message = "hello", reason = "Test", type = "Normal", reportingComponent = "spec" })
    local o = s.get("/apis/events.k8s.io/v1/namespaces/default/events/e1").json
    assert.equal("events.k8s.io/v1", o.apiVersion)
    assert.equal("hello", o.note)
    assert.equal("x", o.regarding.name)
    assert.is_nil(o.message)
    o = s.must("PATCH", "/apis/events.k8s.io/v1/namespaces/default/events/e1", { note = "bye" },
      MERGE)
    assert.equal("bye", o.note)
    assert.equal("bye", s.get("/api/v1/namespaces/default/events/e1").json.message)
    local list = s.get("/api/v1/namespaces/default/events"
      .. "?fieldSelector=involvedObject.name%3Dx").json
    assert.same({ "e1" }, support.names(list))
  end)

  it("answers writes as Table when asked", function()
    local answer = s.call("POST", CM, support.config_map("tabled"), support.TABLE)
    assert.equal("Table", answer.json.kind)
    assert.equal("tabled", answer.json.rows[1].cells[1])
  end)
end)
