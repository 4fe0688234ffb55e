-- SPDX-License-Identifier: Apache-2.0
-- core/kube/selector.c: label and field selectors.
local kube = require "probe_kube"

local REVISIONS = "porch.kpt.dev/v1alpha1/packagerevisions"
local RESOURCES = "porch.kpt.dev/v1alpha1/packagerevisionresources"
local PACKAGES = "porch.kpt.dev/v1alpha1/packages"
local REPOSITORIES = "config.porch.kpt.dev/v1alpha1/repositories"

-- name, package, workspace, revision, lifecycle, labels, package labels
local ROWS = {
  { "git.alpha.main", "alpha", "main", -1, "Published", "", "" },
  { "git.alpha.v1", "alpha", "v1", 1, "Published",
    '"tier":"web","stage":"one","kpt.dev/latest-revision":"true"', '"app":"a"' },
  { "git.alpha.v2", "alpha", "v2", nil, "Draft", '"tier":"db"', '"app":"a"' },
  { "git.beta.one", "beta", "one", 0, "Proposed", '"tier":"web"', '"example.com/x":"y"' },
  { "git.dir.alpha.v1", "dir/alpha", "v1", 0, "Draft", "", "" },
  { "git.gamma.v1", "gamma", "v1", 1, "DeletionProposed", '"kpt.dev/latest-revision":"true"', "" },
  { "other.alpha.v1", "alpha", "v1", 0, "Draft", "", '"app":"a"' },
}

local NAMES, OBJECTS = {}, {}
for i, r in ipairs(ROWS) do
  NAMES[i] = r[1]
  OBJECTS[i] = ('{"metadata":{"name":"%s","namespace":"ns"%s},"spec":{"repository":"%s",'
    .. '"packageName":"%s","workspaceName":"%s","lifecycle":"%s"%s%s}}'):format(
    r[1], r[6] ~= "" and ',"labels":{' .. r[6] .. "}" or "", r[1]:match("^[^.]+"), r[2], r[3],
    r[5], r[4] and ',"revision":' .. r[4] or "",
    r[7] ~= "" and ',"packageMetadata":{"labels":{' .. r[7] .. "}}" or "")
end

local function chosen(kind, labels, fields)
  local hits, reason, message = kube.select(kind, labels, fields, OBJECTS)
  assert.is_truthy(hits, reason and reason .. ": " .. message)
  local out = {}
  for i, hit in ipairs(hits) do
    out[#out + 1] = hit and NAMES[i] or nil
  end
  return table.concat(out, " ")
end

local function refused(kind, labels, fields)
  local hits, reason, message = kube.select(kind, labels, fields)
  assert.is_nil(hits)
  assert.equal("bad-request", reason)
  return message
end

local ALL = table.concat(NAMES, " ")

describe("label selectors", function()
  for selector, names in pairs {
    [""] = ALL,
    ["tier=web"] = "git.alpha.v1 git.beta.one",
    ["tier==web"] = "git.alpha.v1 git.beta.one",
    ["tier = web , stage=one"] = "git.alpha.v1",
    ["tier!=web"] = "git.alpha.main git.alpha.v2 git.dir.alpha.v1 git.gamma.v1 other.alpha.v1",
    ["tier in (web,db)"] = "git.alpha.v1 git.alpha.v2 git.beta.one",
    ["tier in(web)"] = "git.alpha.v1 git.beta.one",
    ["tier notin (web)"] = "git.alpha.main git.alpha.v2 git.dir.alpha.v1 git.gamma.v1"
      .. " other.alpha.v1",
    ["tier"] = "git.alpha.v1 git.alpha.v2 git.beta.one",
    ["!tier"] = "git.alpha.main git.dir.alpha.v1 git.gamma.v1 other.alpha.v1",
    [" ! tier "] = "git.alpha.main git.dir.alpha.v1 git.gamma.v1 other.alpha.v1",
    ["tier,!stage"] = "git.alpha.v2 git.beta.one",
    ["tier="] = "",
    ["tier in ()"] = "",
    ["tier in (,web)"] = "git.alpha.v1 git.beta.one",
    ["tier in (db,)"] = "git.alpha.v2",
    ["tier>1"] = "",
    ["in"] = "",
    ["tier=in"] = "",
    ["notin notin (in,notin)"] = ALL,
    ["kpt.dev/latest-revision=true"] = "git.alpha.v1 git.gamma.v1",
    ["kpt.dev/latest-revision"] = "git.alpha.v1 git.gamma.v1",
    ["kpt.dev/latest-revision!=true"] = "git.alpha.main git.alpha.v2 git.beta.one"
      .. " git.dir.alpha.v1 other.alpha.v1",
    ["kpt.dev/latest-revision=false"] = "git.alpha.main git.alpha.v2 git.beta.one"
      .. " git.dir.alpha.v1 other.alpha.v1",
    ["!kpt.dev/latest-revision,tier"] = "git.alpha.v2 git.beta.one",
  } do
    it("select '" .. selector .. "'", function()
      assert.equal(names, chosen(REVISIONS, selector, ""))
    end)
  end

  it("compare integers", function()
    local objects = {}
    for i, v in ipairs { "9", "10", "-3", "x", "" } do
      objects[i] = '{"metadata":{"labels":{"n":"' .. v .. '"}}}'
    end
    objects[6] = "{}"
    assert.same({ true, true, false, false, false, false },
      kube.select(REPOSITORIES, "n>8", "", objects))
    assert.same({ true, false, true, false, false, false },
      kube.select(REPOSITORIES, "n<10", "", objects))
  end)

  it("give only the porch kinds a computed latest label", function()
    assert.same({ false }, kube.select(REPOSITORIES, "kpt.dev/latest-revision=false", "",
      { "{}" }))
  end)

  local REQUIREMENT = "unable to parse requirement: "
  local NAME = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start"
    .. " and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex"
    .. " used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
  local LONG = ("a"):rep(64)
  for selector, message in pairs {
    ["tier=web db"] = "found 'db', expected: ',' or 'end of string'",
    ["-x=1"] = REQUIREMENT .. '<nil>: Invalid value: "-x": ' .. NAME,
    ["a b"] = REQUIREMENT .. "found 'b', expected: in, notin, =, ==, !=, gt, lt",
    ["tier in (web"] = REQUIREMENT .. "found '', expected: ',' or ')'",
    ["tier in ("] = REQUIREMENT .. "found '', expected: ',', ')' or identifier",
    ["tier in web"] = REQUIREMENT .. "found 'web' expected: '('",
    ["="] = "found '=', expected: !, identifier, or 'end of string'",
    [","] = "found ',', expected: !, identifier, or 'end of string'",
    ["tier=,"] = "found '', expected: identifier after ','",
    ["!=x"] = "found '!=', expected: !, identifier, or 'end of string'",
    ["!"] = REQUIREMENT .. "found '', expected: identifier",
    ["!a=b"] = "found '=', expected: ',' or 'end of string'",
    ["a===b"] = REQUIREMENT .. "found '=', expected: identifier",
    ["a in (b=c)"] = REQUIREMENT .. "found '=', expected: ',' or ')'",
    ["a in (,=)"] = REQUIREMENT .. "found '=', expected: ',', or identifier",
    ["tier=" .. LONG] = REQUIREMENT .. 'values[0][tier]: Invalid value: "' .. LONG
      .. '": must be no more than 63 characters',
    ["n>x"] = REQUIREMENT .. 'values[0]: Invalid value: "x": for \'Gt\', \'Lt\' operators, the'
      .. " value must be an integer",
  } do
    it("refuse '" .. selector:sub(1, 20) .. "'", function()
      assert.equal(message, refused(REVISIONS, selector, ""))
    end)
  end

  it("refuse keys with two slashes and list several faults", function()
    assert.is_truthy(refused(REVISIONS, "x/y/z=1", ""):find(
      REQUIREMENT .. '<nil>: Invalid value: "x/y/z": a qualified name must consist of', 1, true))
    local text = refused(REVISIONS, "n in (-a,b,-c)", "")
    assert.is_truthy(text:find(REQUIREMENT .. '[values[0][n]: Invalid value: "-a": ', 1, true))
    assert.is_truthy(text:find(', values[1][n]: Invalid value: "-c": ', 1, true))
    assert.equal("]", text:sub(-1))
  end)

  it("stay linear on long input", function()
    local many = {}
    for i = 1, 3000 do
      many[i] = "!k" .. i
    end
    assert.equal(ALL, chosen(REVISIONS, table.concat(many, ","), ""))
  end)
end)

describe("field selectors of package revisions", function()
  for selector, names in pairs {
    ["metadata.name=git.alpha.v1"] = "git.alpha.v1",
    ["metadata.name==git.alpha.v1"] = "git.alpha.v1",
    ["metadata.name=nonsense"] = "",
    ["metadata.namespace=ns"] = ALL,
    ["metadata.namespace=elsewhere"] = "",
    ["spec.repository=other"] = "other.alpha.v1",
    ["spec.packageName=alpha"] = "git.alpha.main git.alpha.v1 git.alpha.v2 git.dir.alpha.v1"
      .. " other.alpha.v1",
    ["spec.packageName=dir/alpha"] = "git.dir.alpha.v1",
    ["spec.packageName=alph"] = "",
    ["spec.packageName=%"] = "",
    ["spec.packageName=a'b"] = "",
    ["spec.packageName=alpha\\,x"] = "",
    ["spec.workspaceName=one"] = "git.beta.one",
    ["spec.revision=1"] = "git.alpha.v1 git.gamma.v1",
    ["spec.revision=v1"] = "git.alpha.v1 git.gamma.v1",
    ["spec.revision=0"] = "git.alpha.v2 git.beta.one git.dir.alpha.v1 other.alpha.v1",
    ["spec.revision=-1"] = "git.alpha.main",
    ["spec.revision=x"] = "git.alpha.main",
    ["spec.revision=7"] = "",
    ["spec.lifecycle=Draft"] = "git.alpha.v2 git.dir.alpha.v1 other.alpha.v1",
    ["spec.lifecycle=DeletionProposed"] = "git.gamma.v1",
    ["spec.packageMetadata.labels[app]=a"] = "git.alpha.v1 git.alpha.v2 other.alpha.v1",
    ["spec.packageMetadata.labels[example.com/x]=y"] = "git.beta.one",
    ["="] = ALL,
    [""] = ALL,
    [",,"] = ALL,
    ["spec.repository=git,spec.packageName=alpha"] =
      "git.alpha.main git.alpha.v1 git.alpha.v2 git.dir.alpha.v1",
    ["spec.lifecycle=Draft,spec.lifecycle=Proposed"] = "",
    ["metadata.name=git.alpha.v1,spec.lifecycle=Draft"] = "",
    ["metadata.name=git.alpha.v1,spec.lifecycle=Published"] = "git.alpha.v1",
  } do
    it("select '" .. selector .. "'", function()
      assert.equal(names, chosen(REVISIONS, "", selector))
      assert.equal(names, chosen(RESOURCES, "", selector))
    end)
  end

  it("go together with labels", function()
    assert.equal("git.beta.one", chosen(REVISIONS, "tier=web", "spec.lifecycle=Proposed"))
  end)

  for selector, message in pairs {
    ["metadata.name!=git.alpha.v1"] =
      'unsupported fieldSelector operator "!=" for field "metadata.name"',
    ["metadata.name="] =
      'unsupported fieldSelector value "" for field "metadata.name" with operator "="',
    ["spec.lifecycle=Foo"] = 'unsupported fieldSelector value "Foo" for field "spec.lifecycle"',
    ["spec.lifecycle="] =
      'unsupported fieldSelector value "" for field "spec.lifecycle" with operator "="',
    ["spec.lifecycle!=Draft"] =
      'unsupported fieldSelector operator "!=" for field "spec.lifecycle"',
    ["spec.packageMetadata.labels[]=a"] =
      'label key cannot be empty in field selector "spec.packageMetadata.labels[]"',
    ["spec.packageMetadata.labels[app]="] = 'unsupported fieldSelector value "" for field'
      .. ' "spec.packageMetadata.labels[app]" with operator "="',
    ["spec.packageMetadata.annotations[a]=b"] =
      '"spec.packageMetadata.annotations[a]" is not a known field selector',
    ["spec.packageMetadata.labels=a"] =
      '"spec.packageMetadata.labels" is not a known field selector',
    ["spec.foo=bar"] = '"spec.foo" is not a known field selector',
    ["=x"] = '"" is not a known field selector',
    ["zz=1,spec.lifecycle=Foo"] = '"zz" is not a known field selector',
    ["foo"] = "invalid selector: 'foo'; can't understand 'foo'",
    ["a=b,foo"] = "invalid selector: 'a=b,foo'; can't understand 'foo'",
    ["metadata.name=a\\x"] = "invalid field selector: invalid escape sequence: \\x",
    ["metadata.name=a=b"] = "invalid field selector: unescaped character in value: 61",
  } do
    it("refuse '" .. selector .. "'", function()
      assert.equal(message, refused(REVISIONS, "", selector))
    end)
  end
end)

describe("field selectors of other kinds", function()
  it("select packages by repository and name", function()
    assert.equal("git.dir.alpha.v1", chosen(PACKAGES, "", "spec.packageName=dir/alpha"))
    assert.equal("other.alpha.v1", chosen(PACKAGES, "", "spec.repository=other"))
    assert.equal('"spec.foo" is not a known field selector: only "metadata.name",'
      .. ' "metadata.namespace"', refused(PACKAGES, "", "spec.foo=x"))
  end)

  it("allow != and empty values", function()
    assert.equal("git.alpha.v1", chosen(REPOSITORIES, "", "metadata.name=git.alpha.v1"))
    assert.equal(6, select(2, chosen(REPOSITORIES, "", "metadata.name!=git.alpha.v1")
      :gsub("%S+", "")))
    assert.equal("", chosen(REPOSITORIES, "", "metadata.name="))
    assert.equal("field label not supported: spec.type", refused(REPOSITORIES, "", "spec.type=git"))
    assert.equal("field label not supported: foo", refused("/v1/secrets", "", "foo=x"))
    assert.equal('"foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
      refused("/v1/configmaps", "", "foo=x"))
  end)

  it("know the fields of core kinds", function()
    assert.same({ true, false, false }, kube.select("/v1/secrets", "", "type=Opaque",
      { '{"type":"Opaque"}', '{"type":"other"}', "{}" }))
    assert.same({ true, false }, kube.select("/v1/events", "",
      "involvedObject.kind=Repository,reason!=Bad",
      { '{"involvedObject":{"kind":"Repository"},"reason":"Good"}',
        '{"involvedObject":{"kind":"Repository"},"reason":"Bad"}' }))
  end)

  it("unescape values", function()
    local odd = { '{"metadata":{"name":"a,b=c\\\\d"}}' }
    assert.same({ true }, kube.select(REPOSITORIES, "", "metadata.name=a\\,b\\=c\\\\d", odd))
  end)
end)

describe("the store", function()
  it("gets exact names and indexed values", function()
    assert.same({ "git.a.v1", "git", "dir/a", "ns", false }, { kube.plan(REVISIONS,
      "spec.repository=git,spec.packageName=dir/a,metadata.name=git.a.v1", "ns") })
  end)

  it("gets last segments apart, and no keyed fields or exclusions", function()
    local t = table.pack(kube.plan(REVISIONS,
      "spec.packageName=a,spec.packageMetadata.labels[app]=x", "ns"))
    assert.same({ nil, nil, nil, "ns", false, "a" }, { t[1], t[2], t[3], t[4], t[5], t[6] })
    assert.is_nil((select(6, kube.plan(REVISIONS, "spec.packageName=dir/a", "ns"))))
    assert.is_nil((kube.plan(REPOSITORIES, "metadata.name!=git", nil)))
  end)

  it("gets the namespace of the selector", function()
    local _, _, _, ns, nothing = kube.plan(REVISIONS, "metadata.namespace=one", nil)
    assert.same({ "one", false }, { ns, nothing })
    _, _, _, ns, nothing = kube.plan(REVISIONS, "metadata.namespace=one", "one")
    assert.same({ "one", false }, { ns, nothing })
  end)

  it("hears about conflicting namespaces", function()
    local _, kind, message = kube.plan(REVISIONS, "metadata.namespace=elsewhere", "ns")
    assert.same({ "plain", 'conflicting namespaces specified: "ns" and "elsewhere"' },
      { kind, message })
    local _, _, _, _, nothing = kube.plan(REPOSITORIES, "metadata.namespace=elsewhere", "ns")
    assert.is_true(nothing)
    _, kind = kube.plan(REVISIONS, "metadata.namespace=a,metadata.namespace=b", nil)
    assert.equal("plain", kind)
  end)
end)
