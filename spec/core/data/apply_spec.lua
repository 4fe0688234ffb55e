-- SPDX-License-Identifier: Apache-2.0
-- core/data/apply.c: managedFields of updates, and the apply merge. Objects are JSON text in the
-- member order that goes in, so results compare as text.
local krm = require "probe_krm"

local V = "example.com/v1"
local T1, T2, T3 = "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z", "2026-01-01T00:00:03Z"
local HEAD = '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"'

-- object('"labels":{…}', '"color":"red"'); without spec members there is no spec.
local function object(meta, spec)
  return HEAD .. (meta and meta ~= "" and "," .. meta or "") .. "}"
    .. (spec and ',"spec":{' .. spec .. "}" or "") .. "}"
end

local function request(live, new, manager, o)
  o = o or {}
  return {
    live = live, object = new, schema = o.schema or "widget", manager = manager,
    version = o.version or V, subresource = o.subresource or "", time = o.time or T2,
    force = o.force,
  }
end

local function update(live, new, manager, o)
  local out, same = krm.apply_update(request(live, new, manager, o))
  assert.is_truthy(out, type(same) == "table" and same.message or nil)
  assert.is_true(same, "the live object was changed")
  return out
end

local function apply(live, config, manager, o)
  local out, same = krm.apply_merge(request(live, config, manager, o))
  assert.is_truthy(out, type(same) == "table" and same.message or nil)
  assert.is_true(same, "an input was changed")
  return out
end

local function conflict(live, config, manager, o)
  local out, err = krm.apply_merge(request(live, config, manager, o))
  assert.is_nil(out)
  assert.equal("conflict", err.kind)
  return err
end

-- The managedFields list of an object, as JSON text.
local function managed(json)
  return json:match('"managedFields":(%b[])')
end

local function without(json)
  return (json:gsub(',"managedFields":%b[]', ""))
end

local function entry(manager, operation, fields, time, subresource, version)
  return ('{"manager":"%s","operation":"%s","apiVersion":"%s","time":"%s","fieldsType":"FieldsV1",'
    .. '"fieldsV1":%s%s}'):format(manager, operation, version or V, time or T2, fields,
    subresource and ',"subresource":"' .. subresource .. '"' or "")
end

local function list(...)
  return "[" .. table.concat({ ... }, ",") .. "]"
end

describe("FieldsV1", function()
  it("comes out in canonical form", function()
    local out, paths = krm.fields('{"f:spec":{"f:tags":{"v:\\"b\\"":{},"v:\\"a\\"":{},".":{}},'
      .. '"f:a":{},"f:items":{"k:{\\"name\\": \\"p\\"}":{"f:name":{},".":{}},"i:10":{},"i:9":{}}}}')
    assert.equal('{"f:spec":{"f:a":{},"f:items":{"k:{\\"name\\":\\"p\\"}":{".":{},"f:name":{}},'
      .. '"i:9":{},"i:10":{}},"f:tags":{".":{},"v:\\"a\\"":{},"v:\\"b\\"":{}}}}', out)
    assert.equal('.spec.a\n.spec.tags\n.spec.items[name="p"]\n.spec.items[9]\n.spec.items[10]\n'
      .. '.spec.items[name="p"].name\n.spec.tags[="a"]\n.spec.tags[="b"]', paths)
  end)

  it("sorts the keys of keyed items", function()
    local out, paths = krm.fields('{"k:{\\"protocol\\":\\"TCP\\",\\"port\\":80}":{}}')
    assert.equal('{"k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":{}}', out)
    assert.equal('[port=80,protocol="TCP"]', paths)
  end)

  for _, bad in ipairs {
    '{"spec":{}}', '{"f:a":1}', '{"k:x":{}}', '{"k:[1]":{}}', '{"v:":{}}', '{"i:x":{}}', "[]",
    '{"x:y":{}}', '{"f:a":{"b":{}}}',
  } do
    it("refuses " .. bad, function()
      local out, err = krm.fields(bad)
      assert.is_nil(out)
      assert.equal("bad-request", err.kind)
    end)
  end
end)

describe("updates", function()
  it("record everything of a new object, new maps included", function()
    local out = update(nil, object('"labels":{"a":"1"},"finalizers":["x/y"],"uid":"u"',
      '"color":"red","atom":["a"],"tags":["t"],"items":[{"name":"p","value":"v"}],'
      .. '"nested":{"name":"n"},"box":{"name":"b"},"files":{},"free":{"x":[1],"y":{"z":null}}'),
      "m1")
    assert.equal(list(entry("m1", "Update", '{"f:metadata":{"f:finalizers":{".":{},'
      .. '"v:\\"x/y\\"":{}},"f:labels":{".":{},"f:a":{}}},"f:spec":{".":{},"f:atom":{},"f:box":{},'
      .. '"f:color":{},"f:files":{},"f:free":{".":{},"f:x":{},"f:y":{".":{},"f:z":{}}},'
      .. '"f:items":{".":{},"k:{\\"name\\":\\"p\\"}":{".":{},"f:name":{},"f:value":{}}},'
      .. '"f:nested":{".":{},"f:name":{}},"f:tags":{".":{},"v:\\"t\\"":{}}}}')), managed(out))
  end)

  it("record the empty spec and the generated name prefix", function()
    local out = update(nil, object('"generateName":"g-"', ""), "m1")
    assert.equal(list(entry("m1", "Update", '{"f:metadata":{"f:generateName":{}},"f:spec":{}}')),
      managed(out))
  end)

  local first = update(nil, object('"labels":{"a":"1"}', '"color":"red","size":1'), "m1",
    { time = T1 })

  it("that change nothing keep the list as it is", function()
    assert.equal(first, update(first, first, "m2"))
    assert.equal(without(first), without(update(first, without(first), "m2")))
    assert.equal(managed(first), managed(update(first, without(first), "m2")))
  end)

  it("move changed fields to their manager", function()
    local out = update(first, object('"labels":{"a":"1","b":"2"}', '"color":"blue","size":1'), "m2")
    assert.equal(list(
      entry("m1", "Update", '{"f:metadata":{"f:labels":{".":{},"f:a":{}}},'
        .. '"f:spec":{".":{},"f:size":{}}}', T1),
      entry("m2", "Update", '{"f:metadata":{"f:labels":{"f:b":{}}},"f:spec":{"f:color":{}}}')),
      managed(out))
  end)

  it("forget removed fields and owners of nothing", function()
    local one = update(first, object('"labels":{"a":"1"}', '"color":"blue","size":1'), "m2")
    local two = update(one, object(nil, '"size":1'), "m3", { time = T3 })
    assert.equal(list(entry("m1", "Update", '{"f:spec":{".":{},"f:size":{}}}', T1)), managed(two))
    local none = update(two, object(), "m3", { time = T3 })
    assert.is_nil(managed(none))
  end)

  it("know status and versions as entries of their own", function()
    local with_status = without(first):sub(1, -2) .. ',"status":{"phase":"Up"}}'
    local out = update(first, with_status, "m1", { subresource = "status", time = T2 })
    assert.equal(list(
      entry("m1", "Update", '{"f:metadata":{"f:labels":{".":{},"f:a":{}}},'
        .. '"f:spec":{".":{},"f:color":{},"f:size":{}}}', T1),
      entry("m1", "Update", '{"f:status":{".":{},"f:phase":{}}}', T2, "status")), managed(out))
    out = update(first, object('"labels":{"a":"1"}', '"color":"blue","size":1'), "m1",
      { version = "example.com/v2" })
    assert.equal(list(
      entry("m1", "Update", '{"f:metadata":{"f:labels":{".":{},"f:a":{}}},'
        .. '"f:spec":{".":{},"f:size":{}}}', T1),
      entry("m1", "Update", '{"f:spec":{"f:color":{}}}', T2, nil, "example.com/v2")), managed(out))
  end)

  it("take from appliers without asking", function()
    local live = apply(nil, object(nil, '"color":"red","size":1'), "m1", { time = T1 })
    local out = update(live, object(nil, '"color":"blue","size":1'), "m2")
    assert.equal(list(entry("m1", "Apply", '{"f:spec":{"f:size":{}}}', T1),
      entry("m2", "Update", '{"f:spec":{"f:color":{}}}')), managed(out))
  end)

  it("can reset the tracking and then leave it alone", function()
    for _, reset in ipairs { "[]", "[{}]" } do
      local out = update(first, object('"managedFields":' .. reset, '"color":"blue"'), "m2")
      assert.is_nil(managed(out))
      out = update(out, object(nil, '"color":"green"'), "m2")
      assert.is_nil(managed(out))
    end
  end)

  it("can replace the list", function()
    local sent = list(entry("mine", "Apply", '{"f:spec":{"f:size":{},"f:color":{}}}', T1))
    local out = update(first, object('"labels":{"a":"1"},"managedFields":' .. sent,
      '"color":"red","size":1'), "m2")
    assert.equal(list(entry("mine", "Apply", '{"f:spec":{"f:color":{},"f:size":{}}}', T1)),
      managed(out))
    out = update(first, object('"labels":{"a":"1"},"managedFields":' .. sent,
      '"color":"red","size":1'), "m2", { subresource = "status" })
    assert.equal(managed(first), managed(out))
  end)

  it("do not take broken lists", function()
    for _, sent in ipairs {
      '[{"manager":"x"}]', '["x"]', '"x"', '[{"manager":"x","operation":"Apply"}]', "null",
      '[{"manager":"x","operation":"Update","fieldsType":"FieldsV1","fieldsV1":{"spec":{}}}]',
    } do
      local out = update(first, object('"labels":{"a":"1"},"managedFields":' .. sent,
        '"color":"red","size":1'), "m2")
      assert.equal(managed(first), managed(out), sent)
    end
  end)

  it("keep ten updaters and melt the oldest", function()
    local live = update(nil, object('"labels":{"l0":"x"}'), "m00", { time = T1 })
    for i = 1, 12 do
      local labels = {}
      for j = 0, i do
        labels[#labels + 1] = ('"l%d":"x"'):format(j)
      end
      live = update(live, object('"labels":{' .. table.concat(labels, ",") .. "}"),
        ("m%02d"):format(i), { time = ("2026-01-01T00:00:%02dZ"):format(i + 1) })
    end
    local names = {}
    for name in managed(live):gmatch('"manager":"([^"]+)"') do
      names[#names + 1] = name
    end
    assert.equal("ancient-changes m04 m05 m06 m07 m08 m09 m10 m11 m12", table.concat(names, " "))
    assert.is_truthy(managed(live):find('{"manager":"ancient-changes","operation":"Update",'
      .. '"apiVersion":"example.com/v1","time":"2026-01-01T00:00:04Z","fieldsType":"FieldsV1",'
      .. '"fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:l0":{},"f:l1":{},"f:l2":{},"f:l3":{}}}}}',
      1, true))
  end)

  it("work without a schema", function()
    local out = update(nil, object('"labels":{"a":"1"}', '"items":[{"name":"p"}]'), "m1",
      { schema = "" })
    assert.equal(list(entry("m1", "Update", '{"f:metadata":{"f:labels":{".":{},"f:a":{}}},'
      .. '"f:spec":{".":{},"f:items":{}}}')), managed(out))
  end)

  it("follow a field that changes its shape", function()
    local live = update(nil, object(nil, '"free":{"x":{"y":1}}'), "m1", { time = T1 })
    local out = update(live, object(nil, '"free":{"x":"s"}'), "m2")
    assert.equal(list(entry("m1", "Update", '{"f:spec":{".":{},"f:free":{}}}', T1),
      entry("m2", "Update", '{"f:spec":{"f:free":{"f:x":{}}}}')), managed(out))
  end)
end)

describe("apply", function()
  local RED = object('"labels":{"a":"1"}', '"color":"red","size":1')
  local live = apply(nil, RED, "m1", { time = T1 })

  it("creates and owns what it names", function()
    assert.equal(RED, without(live))
    assert.equal(list(entry("m1", "Apply", '{"f:metadata":{"f:labels":{"f:a":{}}},'
      .. '"f:spec":{"f:color":{},"f:size":{}}}', T1)), managed(live))
  end)

  it("records empty containers, keyed items and set items", function()
    local out = apply(nil, object('"labels":{}', '"atom":[],"tags":["b","a"],"nested":{},'
      .. '"files":{"a/b":"x"},"items":[{"name":"p","value":"v"}],'
      .. '"ports":[{"port":80,"protocol":"TCP"}]'), "m1")
    assert.equal(list(entry("m1", "Apply", '{"f:metadata":{"f:labels":{}},"f:spec":{"f:atom":{},'
      .. '"f:files":{"f:a/b":{}},"f:items":{"k:{\\"name\\":\\"p\\"}":{".":{},"f:name":{},'
      .. '"f:value":{}}},"f:nested":{},"f:ports":{"k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":'
      .. '{".":{},"f:port":{},"f:protocol":{}}},"f:tags":{"v:\\"a\\"":{},"v:\\"b\\"":{}}}}')),
      managed(out))
  end)

  it("is quiet when nothing changes", function()
    assert.equal(live, apply(live, RED, "m1", { time = T3 }))
  end)

  it("shares fields of equal value", function()
    local out = apply(live, object(nil, '"color":"red"'), "m2")
    assert.equal(RED, without(out))
    assert.equal(list(entry("m1", "Apply", '{"f:metadata":{"f:labels":{"f:a":{}}},'
      .. '"f:spec":{"f:color":{},"f:size":{}}}', T1),
      entry("m2", "Apply", '{"f:spec":{"f:color":{}}}')), managed(out))
  end)

  it("prunes what its manager gave up", function()
    local out = apply(live, object(nil, '"color":"red"'), "m1", { time = T3 })
    assert.equal(object(nil, '"color":"red"'), without(out))
    assert.equal(list(entry("m1", "Apply", '{"f:spec":{"f:color":{}}}', T3)), managed(out))
  end)

  it("keeps what somebody else still owns", function()
    local shared = apply(live, object('"labels":{"a":"1"}'), "m2")
    local out = apply(shared, object(), "m1", { time = T3 })
    assert.equal(object('"labels":{"a":"1"}'), without(out))
    assert.equal(list(entry("m2", "Apply", '{"f:metadata":{"f:labels":{"f:a":{}}}}', T2)),
      managed(out))
  end)

  it("merges keyed lists and sets in place", function()
    local one = apply(nil, object(nil, '"tags":["x"],"items":[{"name":"a","value":"1"},'
      .. '{"name":"b","value":"2"}]'), "m1", { time = T1 })
    local two = apply(one, object(nil, '"tags":["y","x"],"items":[{"name":"c"},'
      .. '{"name":"b","port":5}]'), "m2")
    assert.equal(object(nil, '"tags":["x","y"],"items":[{"name":"a","value":"1"},'
      .. '{"name":"b","value":"2","port":5},{"name":"c"}]'), without(two))
    local three = apply(two, object(nil, '"items":[{"name":"a","value":"1"}]'), "m1",
      { time = T3 })
    assert.equal(object(nil, '"tags":["x","y"],"items":[{"name":"a","value":"1"},'
      .. '{"name":"b","port":5},{"name":"c"}]'), without(three))
    local four = apply(three, object(), "m2", { time = T3 })
    assert.equal(object(nil, '"items":[{"name":"a","value":"1"}]'), without(four))
  end)

  it("replaces atomic lists and structs whole", function()
    local one = apply(nil, object(nil, '"atom":["a","b"],"box":{"name":"n","value":"v"}'), "m1")
    local two = apply(one, object(nil, '"atom":["c"],"box":{"name":"n"}'), "m1")
    assert.equal(object(nil, '"atom":["c"],"box":{"name":"n"}'), without(two))
    assert.equal(".spec.atom", conflict(two, object(nil, '"atom":["d"]'), "m2").causes[1].field)
  end)

  it("removes a keyed item with all below it", function()
    local one = apply(nil, object(nil, '"items":[{"name":"a"}]'), "m1", { time = T1 })
    local two = update(one, object(nil, '"items":[{"name":"a","value":"u"}]'), "u")
    local three = apply(two, object(nil, '"color":"x"'), "m1", { time = T3 })
    assert.equal(object(nil, '"color":"x"'), without(three))
    assert.equal(list(entry("m1", "Apply", '{"f:spec":{"f:color":{}}}', T3)), managed(three))
  end)

  it("keeps a container that an updater made", function()
    local one = update(nil, object('"labels":{}'), "u", { time = T1 })
    local two = apply(one, object('"labels":{"a":"1"}'), "m1")
    local three = apply(two, object(), "m1", { time = T3 })
    assert.equal(object('"labels":{}'), without(three))
  end)

  it("names one conflict in one sentence", function()
    local err = conflict(live, object(nil, '"color":"blue"'), "m2")
    assert.equal('Apply failed with 1 conflict: conflict with "m1": .spec.color', err.message)
    assert.same({ { reason = "FieldManagerConflict", field = ".spec.color",
      message = 'conflict with "m1"' } }, err.causes)
  end)

  it("lists several conflicts by manager", function()
    local two = update(live, object('"labels":{"a":"9"}', '"color":"red","size":1'), "upd")
    local err = conflict(two, object('"labels":{"a":"2"}', '"color":"blue","size":2'), "m2")
    assert.equal('Apply failed with 3 conflicts: conflicts with "m1":\n- .spec.color\n'
      .. '- .spec.size\nconflicts with "upd" using example.com/v1:\n- .metadata.labels.a',
      err.message)
    assert.equal(3, #err.causes)
    assert.same({ reason = "FieldManagerConflict", field = ".metadata.labels.a",
      message = 'conflict with "upd" using example.com/v1' }, err.causes[3])
  end)

  it("conflicts with owners of a subresource", function()
    local with_status = without(live):sub(1, -2) .. ',"status":{"phase":"Up"}}'
    local two = update(live, with_status, "ctl", { subresource = "status" })
    local err = conflict(two, HEAD .. '},"status":{"phase":"Down"}}', "m2",
      { subresource = "status" })
    assert.equal('Apply failed with 1 conflict: conflict with "ctl" with subresource "status" using'
      .. " example.com/v1: .status.phase", err.message)
  end)

  it("names items of lists in conflicts", function()
    local one = apply(nil, object(nil, '"items":[{"name":"a","value":"1"}]'), "m1")
    local err = conflict(one, object(nil, '"items":[{"name":"a","value":"2"}]'), "m2")
    assert.equal('.spec.items[name="a"].value', err.causes[1].field)
  end)

  it("takes fields by force", function()
    local out = apply(live, object(nil, '"color":"blue"'), "m2", { force = true })
    assert.equal(object('"labels":{"a":"1"}', '"color":"blue","size":1'), without(out))
    assert.equal(list(entry("m1", "Apply", '{"f:metadata":{"f:labels":{"f:a":{}}},'
      .. '"f:spec":{"f:size":{}}}', T1),
      entry("m2", "Apply", '{"f:spec":{"f:color":{}}}')), managed(out))
  end)

  it("finds an owner for objects that were never tracked", function()
    local old = object('"labels":{"a":"1"}', '"color":"red"')
    local out = apply(old, object('"labels":{"b":"2"}'), "m1")
    assert.equal(object('"labels":{"a":"1","b":"2"}', '"color":"red"'), without(out))
    assert.equal(list(entry("m1", "Apply", '{"f:metadata":{"f:labels":{"f:b":{}}}}'),
      entry("before-first-apply", "Update", '{"f:metadata":{"f:labels":{".":{},"f:a":{}}},'
        .. '"f:spec":{".":{},"f:color":{}}}')), managed(out))
    local err = conflict(old, object('"labels":{"a":"2"}'), "two",
      { version = "porch.kpt.dev/v1alpha1" })
    assert.equal('Apply failed with 1 conflict: conflict with "before-first-apply" using'
      .. " porch.kpt.dev/v1alpha1: .metadata.labels.a", err.message)
  end)

  it("owns a null and leaves the field empty", function()
    local out = apply(nil, object(nil, '"color":null,"size":1'), "m1")
    assert.equal(object(nil, '"size":1'), without(out))
    assert.is_truthy(managed(out):find('"f:color":{}', 1, true))
    assert.equal(".spec.color", conflict(live, object(nil, '"color":null'), "m2").causes[1].field)
    out = apply(live, object('"labels":null'), "m2", { force = true })
    assert.equal(RED, without(out))
  end)

  it("follows an apply entry from version to version", function()
    local out = apply(live, RED, "m1", { version = "example.com/v2", time = T3 })
    assert.equal(list(entry("m1", "Apply", '{"f:metadata":{"f:labels":{"f:a":{}}},'
      .. '"f:spec":{"f:color":{},"f:size":{}}}', T3, nil, "example.com/v2")), managed(out))
  end)

  it("orders entries by operation, time and name", function()
    local out = update(live, object('"labels":{"a":"1","u":"1"}', '"color":"red","size":1'), "upd",
      { time = T1 })
    out = apply(out, object('"labels":{"z":"1"}'), "z", { time = T2 })
    out = apply(out, object('"labels":{"y":"1"}'), "y", { time = T2 })
    local names = {}
    for name in managed(out):gmatch('"manager":"([^"]+)"') do
      names[#names + 1] = name
    end
    assert.equal("m1 y z upd", table.concat(names, " "))
  end)
end)

describe("applied objects", function()
  local function refused(config, schema)
    local out, err = krm.apply_merge(request(nil, config, "m1", { schema = schema }))
    assert.is_nil(out)
    assert.equal("bad-request", err.kind)
    return err.message
  end
  local FRAME = "failed to create typed patch object (/w; example.com/v1, Kind=Widget): "

  it("must not carry managedFields", function()
    assert.equal("metadata.managedFields must be nil",
      refused(object('"managedFields":[{"manager":"x"}]')))
  end)

  it("must fit the schema", function()
    assert.equal(FRAME .. ".spec.zzz: field not declared in schema",
      refused(object(nil, '"zzz":1')))
    assert.equal(FRAME .. ".metadata.foo: field not declared in schema",
      refused(object('"foo":1'), ""))
    assert.equal(FRAME .. ".spec.size: expected numeric (int or float), got string",
      refused(object(nil, '"size":"x"')))
    assert.equal(FRAME .. ".spec.items: expected list, got map", refused(object(nil, '"items":{}')))
    assert.equal(FRAME .. '.spec.items[name="p"].port: expected numeric (int or float),'
      .. " got boolean",
      refused(object(nil, '"items":[{"name":"p","port":true}]')))
    assert.equal(FRAME .. "errors:\n  .spec.color: expected string, got integer\n"
      .. "  .spec.nested: expected map, got list\n  .spec.on: expected boolean, got string",
      refused(object(nil, '"color":1,"nested":[],"on":"yes"')))
  end)

  it("must not have duplicate keys", function()
    assert.equal(FRAME .. '.spec.items: duplicate entries for key [name="p"]',
      refused(object(nil, '"items":[{"name":"p"},{"name":"p","value":"x"}]')))
    assert.equal(FRAME .. '.spec.tags: duplicate entries for key [="t"]',
      refused(object(nil, '"tags":["t","u","t"]')))
  end)

  it("of real kinds work as well", function()
    local text = '{"apiVersion":"porch.kpt.dev/v1alpha1","kind":"PackageRevision","metadata":'
      .. '{"name":"git.pkg.v1"},"spec":{"zzz":1}}'
    local out, err = krm.apply_merge(request(nil, text, "one",
      { schema = "porch.kpt.dev/v1alpha1/packagerevisions" }))
    assert.is_nil(out)
    assert.equal("failed to create typed patch object (/git.pkg.v1; porch.kpt.dev/v1alpha1,"
      .. " Kind=PackageRevision): .spec.zzz: field not declared in schema", err.message)
  end)
end)

describe("kubectl", function()
  local KEY = "kubectl.kubernetes.io/last-applied-configuration"
  local function annotated(color, last)
    return HEAD .. ',"annotations":{"' .. KEY .. '":"' .. last:gsub('"', '\\"') .. '"}},'
      .. '"spec":{"color":"' .. color .. '"}}'
  end
  local LAST = object(nil, '"color":"red"')

  it("takes over what it applied on the client side", function()
    local live = update(nil, annotated("red", LAST), "kubectl-client-side-apply", { time = T1 })
    local out = apply(live, object(nil, '"color":"blue"'), "kubectl")
    assert.is_truthy(out:find('"spec":{"color":"blue"}', 1, true))
    assert.is_truthy(out:find('"' .. KEY .. '":"'
      .. '{\\"apiVersion\\":\\"example.com/v1\\",\\"kind\\":\\"Widget\\",\\"metadata\\":'
      .. '{\\"name\\":\\"w\\"},\\"spec\\":{\\"color\\":\\"blue\\"}}\\n"', 1, true))
  end)

  it("does not take over what others changed since", function()
    local live = update(nil, annotated("green", LAST), "kubectl-client-side-apply", { time = T1 })
    assert.equal(1, #conflict(live, object(nil, '"color":"blue"'), "kubectl").causes)
  end)

  it("is a name that nobody else has", function()
    local live = update(nil, annotated("red", LAST), "kubectl-client-side-apply", { time = T1 })
    assert.equal(1, #conflict(live, object(nil, '"color":"blue"'), "kubectl2").causes)
    local out = apply(live, object(nil, '"size":1'), "other")
    assert.is_truthy(out:find('\\"color\\":\\"red\\"}}"', 1, true))
  end)

  it("drops an annotation that grows too large", function()
    local live = update(nil, annotated("red", LAST), "kubectl-client-side-apply", { time = T1 })
    local out = apply(live, object(nil, '"files":{"f":"' .. ("x"):rep(262144) .. '"}'), "kubectl")
    assert.is_nil(out:find(KEY .. '":"', 1, true))
  end)
end)

describe("big objects", function()
  it("are handled in time", function()
    local files = {}
    for i = 1, 20000 do
      files[i] = ('"dir%d/file%d.yaml":"x"'):format(i * 7919 % 20011, i)
    end
    local spec = '"files":{' .. table.concat(files, ",") .. "}"
    local started = os.clock()
    local live = update(nil, object(nil, spec), "m1", { time = T1 })
    local out = apply(live, object(nil, spec), "m2")
    assert.is_true(os.clock() - started < 10)
    assert.equal(without(live), without(out))
  end)
end)
