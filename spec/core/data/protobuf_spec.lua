-- SPDX-License-Identifier: Apache-2.0
-- Kubernetes protobuf bodies, encoded here by hand.
local data = require "probe_data"

local function varint(n)
  local out = {}
  repeat
    local low = n & 0x7f
    n = n >> 7
    out[#out + 1] = string.char(n ~= 0 and low | 0x80 or low)
  until n == 0
  return table.concat(out)
end

-- A field: text or message as string, integer as varint.
local function f(number, value)
  if type(value) == "number" then
    return varint(number << 3) .. varint(value)
  end
  return varint(number << 3 | 2) .. varint(#value) .. value
end

local function entry(key, value)
  return f(1, key) .. f(2, value)
end

local function body(version, kind, raw)
  return "k8s\0" .. f(1, f(1, version) .. f(2, kind)) .. f(2, raw) .. f(3, "") .. f(4, "")
end

local function decodes(version, kind, raw, want)
  local got, err_kind, message = data.protobuf(body(version, kind, raw))
  assert.equal(('{"apiVersion":"%s","kind":"%s"'):format(version, kind)
    .. (want == "" and "}" or "," .. want .. "}"), got, message or err_kind)
end

describe("protobuf_decode_object", function()
  it("knows the envelope", function()
    assert.is_true(data.protobuf_is("k8s\0"))
    assert.is_false(data.protobuf_is("k8s"))
    assert.is_false(data.protobuf_is('{"kind":"x"}'))
  end)

  it("decodes a Secret as its JSON form", function()
    local meta = f(1, "s") .. f(2, "") .. f(3, "ns") .. f(5, "") .. f(7, 0) .. f(8, "")
      .. f(11, entry("app", "web")) .. f(11, entry("é", "")) .. f(12, entry("n", "a\0b"))
      .. f(13, f(1, "K") .. f(3, "o") .. f(4, "u") .. f(5, "v1") .. f(6, 1) .. f(7, 0))
      .. f(14, "fin") .. f(17, f(1, "kubectl") .. f(2, "Update") .. f(4, f(1, 1700000000))
        .. f(6, "FieldsV1") .. f(7, f(1, '{"f:data":{}}')))
    decodes("v1", "Secret", f(1, meta) .. f(2, entry("k", "\0\xff")) .. f(2, entry("e", ""))
      .. f(3, "Opaque") .. f(4, entry("p", "q")) .. f(5, 0),
      '"metadata":{"name":"s","namespace":"ns","labels":{"app":"web","é":""},'
      .. '"annotations":{"n":"a\\u0000b"},"ownerReferences":[{"kind":"K","name":"o","uid":"u",'
      .. '"apiVersion":"v1","controller":true,"blockOwnerDeletion":false}],"finalizers":["fin"],'
      .. '"managedFields":[{"manager":"kubectl","operation":"Update","time":"2023-11-14T22:13:20Z",'
      .. '"fieldsType":"FieldsV1","fieldsV1":{"f:data":{}}}]},"data":{"k":"AP8=","e":""},'
      .. '"type":"Opaque","stringData":{"p":"q"},"immutable":false')
  end)

  it("decodes ConfigMaps and keeps the last of equal keys", function()
    decodes("v1", "ConfigMap", f(2, entry("a", "1"))
      .. f(2, entry("b", "2")) .. f(2, entry("a", "3"))
      .. f(3, entry("x", "hi")), '"data":{"a":"3","b":"2"},"binaryData":{"x":"aGk="}')
  end)

  it("keeps zeroes of pointer fields and drops the others", function()
    decodes("v1", "DeleteOptions", f(1, 0) .. f(2, f(1, "u")) .. f(3, 0) .. f(4, "Background")
      .. f(5, "All"), '"gracePeriodSeconds":0,"preconditions":{"uid":"u"},"orphanDependents":false,'
      .. '"propagationPolicy":"Background","dryRun":["All"]')
    decodes("porch.kpt.dev/v1alpha1", "DeleteOptions", "", "")
    decodes("authorization.k8s.io/v1", "SelfSubjectAccessReview", f(1, f(1, ""))
      .. f(2, f(1, f(1, "ns") .. f(2, "get") .. f(5, "secrets"))) .. f(3, f(1, 0) .. f(2, "")),
      '"metadata":{},"spec":{"resourceAttributes":{"namespace":"ns","verb":"get",'
      .. '"resource":"secrets"}},"status":{}')
  end)

  it("writes both kinds of time", function()
    decodes("v1", "Event", f(3, "R") .. f(6, f(1, 951782400)) .. f(7, f(1, 0)) .. f(8, 2)
      .. f(10, f(1, 1700000000) .. f(2, 5000)),
      '"reason":"R","firstTimestamp":"2000-02-29T00:00:00Z","count":2,'
      .. '"eventTime":"2023-11-14T22:13:20.000005Z"')
    decodes("coordination.k8s.io/v1", "Lease", f(2, f(1, "me") .. f(2, 15)
      .. f(4, f(1, -62135596800))
      .. f(5, 0)), '"spec":{"holderIdentity":"me","leaseDurationSeconds":15,'
      .. '"renewTime":"0001-01-01T00:00:00.000000Z","leaseTransitions":0}')
  end)

  it("knows both forms of Events", function()
    decodes("events.k8s.io/v1", "Event", f(2, f(1, 1700000000)) .. f(3, f(1, 2)) .. f(4, "spec")
      .. f(7, "R") .. f(8, f(1, "ConfigMap") .. f(3, "x")) .. f(10, "hello") .. f(11, "Normal")
      .. f(12, f(1, "c")) .. f(13, f(1, 951782400)) .. f(15, 0),
      '"eventTime":"2023-11-14T22:13:20.000000Z","series":{"count":2},'
      .. '"reportingController":"spec","reason":"R","regarding":{"kind":"ConfigMap","name":"x"},'
      .. '"note":"hello","type":"Normal","deprecatedSource":{"component":"c"},'
      .. '"deprecatedFirstTimestamp":"2000-02-29T00:00:00Z"')
  end)

  it("flattens the extra values of users", function()
    decodes("authorization.k8s.io/v1", "SubjectAccessReview", f(2, f(3, "u")
      .. f(4, "g1") .. f(4, "g2")
      .. f(5, entry("scopes", f(1, "a") .. f(1, "b"))) .. f(5, f(1, "none"))),
      '"spec":{"user":"u","groups":["g1","g2"],"extra":{"scopes":["a","b"],"none":[]}}')
    decodes("authentication.k8s.io/v1", "TokenReview", f(2, f(1, "t") .. f(2, "aud")),
      '"spec":{"token":"t","audiences":["aud"]}')
    decodes("authentication.k8s.io/v1", "SelfSubjectReview", f(1, ""), '"metadata":{}')
    decodes("authorization.k8s.io/v1", "SelfSubjectRulesReview", f(2, f(1, "ns")),
      '"spec":{"namespace":"ns"}')
    decodes("v1", "Namespace", f(1, f(1, "n")) .. f(2, f(1, "kubernetes")) .. f(3, f(1, "Active")),
      '"metadata":{"name":"n"},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}')
  end)

  it("skips unknown fields", function()
    decodes("v1", "ConfigMap", f(99, "x") .. f(98, 7) .. f(2, entry("a", "1")), '"data":{"a":"1"}')
  end)

  it("refuses other kinds with 415", function()
    for _, b in ipairs { body("v1", "Pod", ""),
      body("porch.kpt.dev/v1alpha1", "PackageRevision", ""),
      body("v2", "Secret", ""), body("", "", ""), "k8s\0",
      "k8s\0" .. f(1, f(1, "v1") .. f(2, "Secret")) .. f(3, "gzip") } do
      local got, kind = data.protobuf(b)
      assert.is_nil(got)
      assert.equal("unsupported-media", kind)
    end
  end)

  it("refuses broken bytes with 400", function()
    for _, b in ipairs { "", "k8s", '{"a":1}', "k8s\0\255", "k8s\0" .. f(1, "\10\200"),
      body("v1", "Secret", "\10"), body("v1", "Secret", f(1, f(1, "\255"))),
      body("v1", "ConfigMap", f(2, entry("a", "\255"))),
      body("v1", "ConfigMap", f(2, entry("\255", ""))),
      body("v1", "Event", f(6, f(1, 1 << 60))),
      body("v1", "Secret", f(1, f(17, f(7, f(1, "{"))))) } do
      local got, kind = data.protobuf(b)
      assert.is_nil(got)
      assert.equal("bad-request", kind)
    end
  end)
end)
