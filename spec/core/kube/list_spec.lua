-- SPDX-License-Identifier: Apache-2.0
local support = require "spec.core.kube.support"
local cjson = require "cjson"

local CM = support.CM

describe("kube lists", function()
  local s
  setup(function()
    s = support.server()
    for i = 1, 7 do
      s.must("POST", CM, support.config_map("cm-" .. i, {
        labels = { parity = i % 2 == 0 and "even" or "odd" }, data = { k = ("x"):rep(10) },
      }))
    end
  end)
  teardown(function() s.close() end)

  it("gives an envelope with kind, number and items", function()
    local list = s.get(CM).json
    assert.equal("ConfigMapList", list.kind)
    assert.equal("v1", list.apiVersion)
    assert.equal(tostring(s.server:rv()), list.metadata.resourceVersion)
    assert.equal(7, #list.items)
    assert.equal("ConfigMap", list.items[1].kind)
  end)

  it("writes empty lists as []", function()
    assert.matches('"items":%[%]', s.get("/api/v1/namespaces/kube-system/configmaps").body)
    local table = s.get("/api/v1/namespaces/kube-system/configmaps", support.TABLE)
    assert.matches('"rows":%[%]', table.body)
  end)

  it("pages with limit and continue", function()
    local seen, token, first = {}, nil, nil
    repeat
      local page = s.get(CM .. "?limit=3" .. (token and "&continue=" .. token or "")).json
      for _, name in ipairs(support.names(page)) do
        seen[#seen + 1] = name
      end
      first = first or page.metadata.resourceVersion
      assert.equal(first, page.metadata.resourceVersion)
      if #seen == 3 then
        assert.equal(4, page.metadata.remainingItemCount)
      end
      token = page.metadata.continue
    until not token
    assert.same({ "cm-1", "cm-2", "cm-3", "cm-4", "cm-5", "cm-6", "cm-7" }, seen)
  end)

  it("ends exactly at the last item", function()
    assert.is_nil(s.get(CM .. "?limit=7").json.metadata.continue)
    local page = s.get(CM .. "?limit=2&labelSelector=parity%3Deven").json
    assert.same({ "cm-2", "cm-4" }, support.names(page))
    assert.is_nil(page.metadata.remainingItemCount)
    page = s.get(CM .. "?limit=2&labelSelector=parity%3Deven&continue=" ..
      page.metadata.continue).json
    assert.same({ "cm-6" }, support.names(page))
    assert.is_nil(page.metadata.continue)
  end)

  it("refuses broken continue tokens", function()
    for _, token in ipairs { "abc", "e30", "%2Fx", ("A"):rep(400) } do
      local answer = s.get(CM .. "?limit=1&continue=" .. token)
      assert.equal(400, answer.status)
      assert.matches("^invalid continue token", answer.json.message)
    end
  end)

  it("selects by label and by field", function()
    assert.equal(4, #s.get(CM .. "?labelSelector=parity%20in%20(odd)").json.items)
    assert.same({ "cm-3" },
      support.names(s.get(CM .. "?fieldSelector=metadata.name%3Dcm-3").json))
    assert.same({}, support.names(
      s.get("/api/v1/configmaps?fieldSelector=metadata.namespace%3Dkube-system").json))
    local answer = s.get(CM .. "?labelSelector=a%20b")
    assert.equal(400, answer.status)
    assert.matches("^unable to parse requirement", answer.json.message)
    assert.equal(400, s.get(CM .. "?fieldSelector=spec.x%3D1").status)
  end)

  it("makes Table rows of stored cells and an age", function()
    local list = s.get(CM, support.TABLE)
    assert.equal("application/json", list.headers["Content-Type"][1])
    assert.equal("Table", list.json.kind)
    assert.equal("meta.k8s.io/v1", list.json.apiVersion)
    assert.equal("Age", list.json.columnDefinitions[3].name)
    local row = list.json.rows[1]
    assert.equal("cm-1", row.cells[1])
    assert.matches("^%d+s$", row.cells[3])
    assert.equal("PartialObjectMetadata", row.object.kind)
    assert.equal("odd", row.object.metadata.labels.parity)
    row = s.get(CM .. "?includeObject=Object", support.TABLE).json.rows[1]
    assert.equal("ConfigMap", row.object.kind)
    row = s.get(CM .. "?includeObject=None", support.TABLE).json.rows[1]
    assert.equal(cjson.null, row.object)
    assert.equal(400, s.get(CM .. "?includeObject=Foo", support.TABLE).status)
    local old = s.get(CM, { Accept = "application/json;as=Table;v=v1beta1;g=meta.k8s.io" }).json
    assert.equal("meta.k8s.io/v1beta1", old.apiVersion)
  end)

  it("says of the columns of custom resources where their cells come from", function()
    local path = "/apis/config.porch.kpt.dev/v1alpha1/namespaces/default/repositories"
    local texts = {}
    for i, column in ipairs(s.get(path, support.TABLE).json.columnDefinitions) do
      texts[i] = column.description:gsub("^Custom resource definition column %(in JSONPath format%)"
        .. ": ", "")
    end
    assert.same({ "Name of the object.", ".spec.type", ".spec.content", ".spec.sync.schedule",
      ".spec.deployment", ".status.conditions[?(@.type=='Ready')].status",
      ".spec['git','oci']['repo','registry']", ".spec.git.branch",
      ".metadata.creationTimestamp" }, texts)
  end)

  it("gives metadata alone to those who ask", function()
    local accept = { Accept = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;"
      .. "g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" }
    local list = s.get(CM, accept).json
    assert.equal("PartialObjectMetadataList", list.kind)
    assert.equal("PartialObjectMetadata", list.items[1].kind)
    assert.is_nil(list.items[1].data)
    local answer = s.get(CM, { Accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;"
      .. "v=v1" })
    assert.equal(406, answer.status)
    assert.matches("the requested object is a list", answer.json.message)
  end)

  it("negotiates in order of preference", function()
    assert.equal("application/yaml",
      s.get(CM, { Accept = "application/json;q=0.5, application/yaml" }).headers["Content-Type"][1])
    assert.equal("application/json",
      s.get(CM, { Accept = "application/vnd.kubernetes.protobuf, */*" }).headers["Content-Type"][1])
    assert.equal("ConfigMapList", s.get(CM, { Accept = "application/json;as=Foo;g=x;v=v1,"
      .. "application/json" }).json.kind)
    local answer = s.get(CM, { Accept = "text/html" })
    assert.equal(406, answer.status)
    assert.equal("NotAcceptable", answer.json.reason)
  end)

  it("writes YAML with sorted members", function()
    local text = s.get(CM .. "?limit=1", { Accept = "application/yaml" }).body
    assert.matches("^apiVersion: v1\nitems:\n%- apiVersion: v1\n  data:\n    k: xxxxxxxxxx\n  kind:"
      .. " ConfigMap\n  metadata:\n", text)
    assert.matches("\nkind: ConfigMapList\nmetadata:\n  continue: [%w_-]+\n"
      .. '  resourceVersion: "%d+"\n$', text)
    assert.matches("items: %[%]\n", s.get("/api/v1/namespaces/kube-system/configmaps",
      { Accept = "application/yaml" }).body)
  end)

  it("prints for people who use curl", function()
    local text = s.get(CM, { ["User-Agent"] = "curl/8" }).body
    assert.matches("\n", text)
    assert.equal(7, #cjson.decode(text).items)
    assert.not_matches("\n", s.get(CM .. "?pretty=0", { ["User-Agent"] = "curl/8" }).body)
    assert.matches('\n  "kind": "ConfigMap"', s.get(CM .. "/cm-1?pretty=1").body)
  end)

  it("keeps to the rules of resourceVersion", function()
    local now = s.server:rv()
    assert.equal(200, s.get(CM .. "?resourceVersion=0").status)
    assert.equal(200, s.get(CM .. "?resourceVersion=1").status)
    assert.equal(200, s.get(CM .. "?resourceVersionMatch=Exact&resourceVersion=" .. now).status)
    assert.equal(410, s.get(CM .. "?resourceVersionMatch=Exact&resourceVersion=1").status)
    local late = s.get(CM .. "?resourceVersion=" .. now + 1000)
    assert.equal(504, late.status)
    assert.equal("1", late.headers["Retry-After"][1])
    assert.equal(1, late.json.details.retryAfterSeconds)
    assert.equal("ResourceVersionTooLarge", late.json.details.causes[1].reason)
    assert.equal(400, s.get(CM .. "?resourceVersion=abc").status)
    for _, query in ipairs {
      "resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact",
      "resourceVersion=0&resourceVersionMatch=Foo", "sendInitialEvents=true",
      "continue=x&resourceVersion=1&resourceVersionMatch=NotOlderThan",
    } do
      local answer = s.get(CM .. "?" .. query)
      assert.equal(422, answer.status)
      assert.matches("^ListOptions.meta.k8s.io \"\" is invalid", answer.json.message)
    end
  end)

  it("reports unparsable parameters", function()
    local answer = s.get(CM .. "?limit=abc")
    assert.equal(400, answer.status)
    assert.equal('strconv.ParseInt: parsing "abc": invalid syntax', answer.json.message)
    assert.equal(400, s.get(CM .. "?timeout=5parsecs").status)
    assert.equal(200, s.get(CM .. "?timeout=1m30s&foo=bar").status)
    assert.equal(200, s.get(CM .. "?allowWatchBookmarks=true").status)
  end)

  it("streams lists that are larger than a block", function()
    local base = "/api/v1/namespaces/porch-system/configmaps"
    for i = 1, 30 do
      s.must("POST", base, support.config_map(("big-%02d"):format(i),
        { data = { k = ("y"):rep(10000) } }))
    end
    local answer = s.get(base)
    assert.is_true(answer.streamed)
    assert.equal(30, #answer.json.items)
    local pages = s.get(base .. "?limit=20")
    assert.is_true(pages.streamed)
    assert.equal(20, #pages.json.items)
    assert.equal(10, pages.json.metadata.remainingItemCount)
    assert.equal(30, #s.get(base, support.TABLE).json.rows)
    assert.equal(30, #s.get(base .. "?pretty=1").json.items)
  end)
end)

describe("kube lists after the log was trimmed", function()
  it("answers an old continue token with 410 and a way on", function()
    local s = support.server { change_rows = 16 }
    for i = 1, 3 do
      s.must("POST", CM, support.config_map("a-" .. i))
    end
    local token = s.get(CM .. "?limit=1").json.metadata.continue
    for i = 1, 200 do
      s.must("PATCH", CM .. "/a-3", { data = { i = tostring(i) } },
        { ["Content-Type"] = "application/merge-patch+json" })
    end
    local answer = s.get(CM .. "?limit=1&continue=" .. token)
    assert.equal(410, answer.status)
    assert.equal("Expired", answer.json.reason)
    local fresh = answer.json.metadata.continue
    local page = s.get(CM .. "?limit=1&continue=" .. fresh).json
    assert.same({ "a-2" }, support.names(page))
    s.close()
  end)
end)
