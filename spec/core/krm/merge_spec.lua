-- SPDX-License-Identifier: Apache-2.0
local cjson = require("cjson")
local data = require("probe_data")
local merge = require("probe_merge")

local function text(lines)
  return (lines:gsub("%s*;%s*", "\n")) .. "\n"
end

-- A resource of that kind with this body below one field.
local HEADS = {
  data = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n",
  custom = "apiVersion: example.com/v1\nkind: Custom\nmetadata:\n  name: x\nspec:\n",
  pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n",
}

local function document(head, body)
  if body == nil then
    return nil
  end
  return HEADS[head] .. body:gsub("[^\n]+", "  %0") .. "\n"
end

-- Merges three bodies; the body of the result, the report.
local function bodies(head, base, ours, theirs, options)
  local got, report = merge.resource(document(head, base), document(head, ours),
    document(head, theirs), options)
  if not got then
    return got, report
  end
  local body = got:match("\ndata:(.*)$") or got:match("\nspec:(.*)$")
  return (body:gsub("\n  ", "\n"):gsub("^[ \n]", ""):gsub("\n$", "")), cjson.decode(report)
end

local KPT = { kpt = true }

describe("a merge as kpt does it", function()
  -- base, theirs, ours, result
  local cases = {
    { "data", "a: 1", "a: 1\nb: 2", "a: 1", "a: 1\nb: 2" },
    { "data", "a: 1\nb: 2", "a: 1", "a: 1\nb: 3", "a: 1" },
    { "data", "a: 1", "{}", "a: 2\nz: 3", "z: 3" },
    { "data", "a: 1", "a: 2", "a: 3", "a: 2" },
    { "data", "a: 1", "a: 1", "a: 3", "a: 3" },
    { "data", "a: 1\nb: 2", "a: 1\nb: 2", "a: 1", "a: 1" },
    { "data", "a: 1\nb: 2", "a: 1\nb: 9", "a: 1", "a: 1\nb: 9" },
    { "data", "a: 1", "a: 1", "a: 1\nn: null", "a: 1" },
    { "custom", "e: {}", "e: {}", "e: {}", "e: {}" },
    { "custom", "m: {a: 1}\nk: 1", "k: 1", "m: {a: 1}\nk: 1", "m: {}\nk: 1" },
    { "custom", "m:\n  a: 1\nk: 1", "m:\n  a: 1\nk: 1", "k: 1", "k: 1\nm: {}" },
    { "custom", "m: {k: {a: 1}}", "m: {k: {a: 1}}", "m: {}", "m: {k: {}}" },
    { "pod", "volumes:\n- name: a", "volumes:\n- name: a", "x: 1", "x: 1\nvolumes: []" },
    { "pod", "volumes:\n- name: a\n  emptyDir: {}", "volumes:\n- name: a\n  emptyDir: {}",
      "volumes: []", "volumes: [{emptyDir: {}, name: a}]" },
    { "pod", "containers:\n- name: a\n  resources: {}\n- name: b",
      "containers:\n- name: a\n  resources: {}\n- name: b", "containers:\n- name: b",
      "containers:\n- name: b\n- resources: {}\n  name: a" },
    { "custom", "l: [1]", "l:\n- 1\n- 2", "l: [1]", "l: [1, 2]" },
    { "data", "a: x", 'a: "yes"', "a: x", "a: yes" },
    { "data", "a: x", "a: |\n  p\n  q", "a: x", "a: |\n  p\n  q" },
    { "custom", "l: [1, 2]", "l: [1, 2, 3]", "l: [1, 2, 4]", "l: [1, 2, 3]" },
    { "custom", "l: [1, 2]", "l:\n- 1\n- 2", "l:\n- 1\n- 4", "l:\n- 1\n- 4" },
    { "custom", "l:\n- name: a\n  i: 1", "l:\n- name: a\n  i: 2",
      "l:\n- name: a\n  i: 1\n  w: 3\n- name: b", "l:\n- name: a\n  i: 2" },
    { "data", "a: 1 # o", "a: 1 # u", "a: 1 # d", "a: 1 # d" },
    { "data", "a: 1 # o", "a: 1 # u", "a: 1 # o", "a: 1 # o" },
    { "custom", "l:\n- a # o\n- b", "l:\n- a # u\n- b", "l:\n- a # o\n- c", "l:\n- a # o\n- c" },
    { "custom", "l: [a, b]", 'l: ["a", b]', "l: [a, c]", "l: [a, c]" },
    { "custom", "n: null", "n: 1", "n: null", "n: 1" },
    { "custom", "n: null", "n: null", "n: 1", "n: 1" },
    { "custom", "m:\n  a: 1", "m:\n  a: 1\n  b: 2", "m: {}", "m: {b: 2}" },
    { "custom", "l: [a]", "l: [a, b]", "x: 1", "x: 1\nl: [a, b]" },
    { "data", "a: 1 # o", "a: 2 # u", "a: 1 # d", "a: 2 # u" },
    { "data", "a: 1", "z: 1\na: 1\nc: 1", "a: 1", "a: 1\nc: 1\nz: 1" },
    { "data", "a: one", "a: two", 'a: "one"', 'a: "two"' },
    { "data", 'a: "1"', 'a: "2"', "a: '1'", "a: '2'" },
    { "data", "a: x", 'a: "2"', "a: x", 'a: "2"' },
    { "data", 'a: "1"', "a: 1", 'a: "5"', 'a: "5"' },
    { "custom", "m: {a: 1}", "m: {a: 1, b: 2}", "m: {a: 1}", "m: {a: 1, b: 2}" },
    { "custom", "a: 1", "a: 1\nm: {x: 1, y: [1]}", "a: 1", "a: 1\nm:\n  x: 1\n  y: [1]" },
    { "pod", "containers:\n- name: a\n  image: i:1",
      "containers:\n- name: a\n  image: i:2\n- name: n\n  image: n:1",
      "containers:\n- name: side\n- name: a\n  image: i:1\n  args: [z]",
      "containers:\n- name: side\n- name: a\n  image: i:2\n  args: [z]\n"
        .. '- image: n:1\n  name: "n"' },
    { "pod", "containers:\n- name: a\n- name: b\n  image: b:1", "containers:\n- name: a",
      "containers:\n- name: a\n- name: b\n  image: b:1\n  args: [z]",
      "containers:\n- name: a\n- args: [z]\n  name: b" },
    { "pod", "volumes:\n- name: a\nx: 1", "x: 1", "volumes:\n- name: a\n- name: mine\nx: 1",
      "x: 1" },
    { "pod", "containers:\n- name: c\n  ports:\n  - containerPort: 80",
      "containers:\n- name: c\n  ports:\n  - containerPort: 80\n    protocol: TCP\n    name: http",
      "containers:\n- name: c\n  ports:\n  - containerPort: 80\n  - containerPort: 81",
      "containers:\n- name: c\n  ports:\n  - containerPort: 80\n  - containerPort: 80\n"
        .. "    name: http\n    protocol: TCP\n  - containerPort: 81" },
    { "pod", "containers:\n- name: c\n  env:\n  - name: E\n    value: 1\n  - name: E\n    value: 2",
      "containers:\n- name: c\n  env:\n  - name: E\n    value: 1\n  - name: E\n    value: 2",
      "containers:\n- name: c\n  env:\n  - name: E\n    value: 1\n  - name: E\n    value: 2",
      "containers:\n- name: c\n  env:\n  - name: E\n    value: 1\n  - name: E\n    value: 1" },
    { "custom", "a: 1", "a: 1\nb: &x {k: v}\nc: *x", "a: 1", "a: 1\nb:\n  k: v" },
    { "pod", "containers:\n- name: c\n  ports:\n  - containerPort: 81\n    x: {}",
      "containers:\n- name: c\n  ports:\n  - containerPort: 81\n    x: {}",
      "containers:\n- name: c\n  ports: []",
      "containers:\n- name: c\n  ports: [{x: {}, containerPort: \"81\"}]" },
  }

  for _, c in ipairs(cases) do
    it(("makes %q of %q, %q upstream and %q here"):format(c[5], c[2], c[3], c[4]), function()
      assert.same(c[5], (bodies(c[1], c[2], c[4], c[3], KPT)))
    end)
  end

  it("merges finalizers as a set", function()
    local function meta(list)
      return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  finalizers: [" .. list .. "]\n"
    end
    assert.same(meta("a, z, c"), (merge.resource(meta("a, b"), meta("a, b, z"), meta("a, c"), KPT)))
  end)

  it("without a base lets upstream win and keeps what is only here", function()
    local got = merge.resource(nil, "data: {a: 1, c: 1}\n", "data: {a: 2, b: 1}\n", KPT)
    assert.same("data: {a: 2, c: 1, b: 1}\n", got)
  end)

  it("fails when a value changes its kind", function()
    local got, err = merge.resource("v: 1\n", "v: 1\n", "v: {a: 1}\n", KPT)
    assert.is_nil(got)
    assert.same("wrong node kind: expected ScalarNode but got MappingNode: node contents:\n"
      .. "{a: 1}\n", err.message)
  end)

  it("says which inferred key conflicts", function()
    local named, unnamed = "p:\n  m:\n  - name: a\n", "p:\n  m:\n  - x: 1\n"
    local got, err = merge.resource(named, named, unnamed, { kpt = true, infer = true })
    assert.is_nil(got)
    assert.same("conflicting merge keys [name,] for field p.m", err.message)
  end)
end)

describe("a merge as we do it", function()
  -- base, theirs, ours, result: each one kpt gets wrong
  local cases = {
    { "custom", "m: {k: {a: 1}}\nx: 1", "m: {k: {a: 1}}\nx: 2", "x: 1", "x: 2",
      "leaves deleted maps deleted" },
    { "pod", "volumes:\n- name: a\n  emptyDir: {}\nx: 1",
      "volumes:\n- name: a\n  emptyDir: {}\nx: 2", "x: 1", "x: 2",
      "leaves deleted lists deleted" },
    { "pod", "containers:\n- name: a\n  resources: {}\n- name: b\nx: 1",
      "containers:\n- name: a\n  resources: {}\n- name: b\nx: 2", "containers:\n- name: b\nx: 1",
      "containers:\n- name: b\nx: 2", "leaves deleted elements deleted" },
    { "custom", "m: {a: 1}\nk: 1", "k: 1", "m: {a: 1}\nk: 2", "k: 2",
      "removes what upstream removed without a shell" },
    { "data", "a: x\nb: 1", 'a: "yes"\nb: 1', "a: x\nb: 2", 'a: "yes"\nb: 2',
      "keeps quotes that a YAML 1.1 reader needs" },
    { "pod", "containers:\n- name: a\n- name: b\n  image: b:1", "containers:\n- name: a",
      "containers:\n- name: a\n- name: b\n  image: b:1\n  args: [z]", "containers:\n- name: a",
      "leaves no fragments of removed elements" },
    { "pod", "containers:\n- name: a\n- name: b\n  image: b:1\n  ports: [{containerPort: 1}]",
      "containers:\n- name: a\n- name: b\n  image: b:2\n  ports: [{containerPort: 1}]",
      "containers:\n- name: a",
      "containers:\n- name: a\n- name: b\n  image: b:2\n  ports: [{containerPort: 1}]",
      "brings back elements that upstream changed as a whole" },
    { "pod", "containers:\n- name: c\n  env: [{name: E, value: 1}, {name: E, value: 2}]\nx: 1",
      "containers:\n- name: c\n  env: [{name: E, value: 1}, {name: E, value: 2}]\nx: 2",
      "containers:\n- name: c\n  env: [{name: E, value: 1}, {name: E, value: 2}]\n  w: 1\nx: 1",
      "containers:\n- name: c\n  env: [{name: E, value: 1}, {name: E, value: 2}]\n  w: 1\nx: 2",
      "keeps elements with the same key apart" },
    { "custom", "v: 1\nx: 1", "v: {a: 1}\nx: 1", "v: 1\nx: 2", "v: {a: 1}\nx: 2",
      "follows upstream to another kind of value" },
    { "data", "a: 1 # kpt-set: ${x}\nb: 1", "a: 1 # kpt-set: ${y}\nb: 1",
      "a: 1 # kpt-set: ${x}\nb: 2", "a: 1 # kpt-set: ${y}\nb: 2",
      "follows upstream's comments where ours is untouched" },
    { "data", "a: 1\nb: 1", "a: 1 # new\nb: 1", "a: 1 # mine\nb: 2", "a: 1 # mine\nb: 2",
      "keeps our comments" },
    { "custom", "n: null\na: 1\nb: 1", "n: null\na: 2\nb: 1", "n: null\na: 1\nb: 2",
      "a: 2\nb: 2", "makes no map of a null" },
    { "custom", "n: null\na: 1", "n: {x: 1}\na: 1", "n: null\na: 2", "n:\n  x: 1\na: 2",
      "takes a map in the place of a null" },
    { "custom", "a: 1\nx: 1", "a: 1\nb: &x {k: v}\nc: *x\nx: 1", "a: 1\nx: 2",
      "a: 1\nx: 2\nb:\n  k: v\nc: {k: v}", "writes out aliases whose anchor does not come along" },
  }

  for _, c in ipairs(cases) do
    it(c[6], function()
      assert.same(c[5], (bodies(c[1], c[2], c[4], c[3])))
    end)
  end

  it("refuses aliases that stand for too much", function()
    local bomb = { "x: 1", "a0: &a0 [z, z, z, z, z, z, z, z]" }
    for i = 1, 8 do
      bomb[#bomb + 1] = ("a%d: &a%d [%s]"):format(i, i, (("*a%d, "):format(i - 1)):rep(8))
    end
    local theirs = text(table.concat(bomb, ";") .. ";last: {b: *a8}")
    local got, err = merge.resource("x: 1\n", "x: 1\ny: 1\n", theirs)
    if got == nil then
      assert.same("aliases of the merged resource stand for too much", err.message)
    else
      assert.is_true(#got < 4 * #theirs)
    end
  end)

  it("merges documents of any depth", function()
    local depth = 9000
    local function deep(value)
      return "x: 1\ny: " .. ("["):rep(depth) .. value .. ("]"):rep(depth) .. "\n"
    end
    local got = merge.resource(deep(1), deep(1) .. "z: 1\n", deep(2))
    assert.same(deep(2) .. "z: 1\n", got)
    local maps = "m: " .. ("{a: "):rep(2000) .. "1" .. ("}"):rep(2000) .. "\n"
    assert.same((maps:gsub("a: 1", "a: 2")) .. "z: 1\n",
      (merge.resource(maps, maps .. "z: 1\n", (maps:gsub("a: 1", "a: 2")))))
  end)
end)

describe("long lists", function()
  local function pod(n, image, change, ports)
    local list = {}
    for i = 1, n do
      list[i] = ("- name: c%d\n  image: %s\n"):format(i, i == change and "changed" or image)
      if ports then
        list[i] = list[i] .. ("  ports: [{containerPort: %d, protocol: TCP}]\n"):format(i)
      end
    end
    return "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n"
      .. table.concat(list):gsub("[^\n]+", "  %0")
  end

  local function ports(n, protocol, name)
    local list = {}
    for i = 1, n do
      list[i] = ("  - port: %d\n%s    name: %s%d\n"):format(i,
        protocol and "    protocol: TCP\n" or "", name, i)
    end
    return "apiVersion: v1\nkind: Service\nspec:\n  ports:\n" .. table.concat(list)
  end

  for _, mode in ipairs { "kpt", "lanai" } do
    local o = { kpt = mode == "kpt" }

    it("merge by key as short ones do, " .. mode, function()
      local base, n = pod(400, "i:1"), 400
      local got = merge.resource(base, pod(n, "i:1", 7), pod(n, "i:1", 300), o)
      assert.same(pod(n, "i:1", 7):gsub("(c300\n    image: )i:1", "%1changed"), got)
      got = merge.resource(base, pod(n - 100, "i:1", 7), pod(n + 100, "i:1"), o)
      assert.is_truthy(got:find("c7\n    image: changed\n", 1, true))
      assert.is_nil(got:find("name: c350\n", 1, true))
      assert.is_truthy(got:find("name: c500\n    image: i:1\n$")
        or got:find("    name: c500\n$"))
    end)

    it("merge by two keys as short ones do, " .. mode, function()
      local got = merge.resource(ports(60, true, "a"), ports(60, true, "a"):gsub("a7\n", "mine\n"),
        ports(60, true, "a"):gsub("a50\n", "theirs\n"), o)
      assert.same(ports(60, true, "a"):gsub("a7\n", "mine\n"):gsub("a50\n", "theirs\n"), got)
    end)

    it("take time in proportion to their length, " .. mode, function()
      local function seconds(n)
        local start = os.clock()
        assert(merge.resource(pod(n, "i:1", 1, true), pod(n, "i:2", 2, true),
          pod(n, "i:3", 3, true), o))
        return os.clock() - start
      end
      seconds(500)
      local small, large = seconds(1000), seconds(8000)
      assert.is_true(large < 24 * small, ("%.3f s, %.3f s"):format(small, large))
    end)
  end
end)

-- Generated resources: three versions that share most of their fields.
local function generator(seed)
  local state = seed
  local function random(n)
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % n + 1
  end
  local function value(depth)
    local kind = random(depth > 3 and 3 or 6)
    if kind == 1 then
      return tostring(random(4))
    elseif kind == 2 then
      return ({ "x", '"yes"', "'1'", "on", "2001-01-01", "~x" })[random(6)]
    elseif kind == 3 then
      return "[" .. random(3) .. ", " .. random(3) .. "]"
    end
    local fields = {}
    for i = 1, random(4) do
      local key = ("abcdef"):sub(random(6), -1):sub(1, 1) .. i
      fields[#fields + 1] = key .. ": " .. value(depth + 1)
    end
    return "{" .. table.concat(fields, ", ") .. "}"
  end
  return function()
    local containers = {}
    for i = 1, random(4) do
      if random(3) > 1 then
        containers[#containers + 1] = ("  - name: c%d\n    image: i:%d\n    env: %s\n"):format(i,
          random(3), random(2) == 1 and "[]" or "[{name: E, value: v}, {name: F}]")
      end
    end
    return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  labels: {a: b" .. random(3)
      .. "}\nspec:\n  containers:" .. (#containers > 0 and "\n" or " []\n")
      .. table.concat(containers) .. "extra: " .. value(1) .. "\n"
  end
end

describe("generated merges", function()
  it("take the other side when one side changed nothing", function()
    local make = generator(7)
    for _ = 1, 300 do
      local b, x = make(), make()
      assert.same(x, (merge.resource(b, b, x)))
      assert.same(x, (merge.resource(b, x, b)))
      assert.same(x, (merge.resource(b, x, x)))
    end
  end)

  it("change nothing when they are done twice", function()
    local make = generator(11)
    for _ = 1, 300 do
      local b, x, y = make(), make(), make()
      local once = merge.resource(b, x, y)
      assert.same(once, (merge.resource(y, once, y)))
    end
  end)

  -- The leaves below `extra`: path → JSON.
  local function leaves(document_text, out, path, value)
    if out == nil then
      return leaves(document_text, {}, "extra",
        cjson.decode((assert(data.yaml(document_text)))).extra)
    elseif type(value) == "table" and next(value) ~= nil and value[1] == nil then
      for key, member in pairs(value) do
        leaves(document_text, out, path .. "." .. key, member)
      end
    elseif value ~= nil and value ~= cjson.null then
      out[path] = cjson.encode(value)
    end
    return out
  end

  local function covers(report, path)
    for _, line in ipairs(report) do
      local at = line.path or ""
      if path:sub(1, #at) == at or at:sub(1, #path) == path then
        return true
      end
    end
    return false
  end

  it("report everything that was changed here and is gone", function()
    local make, lost = generator(13), 0
    for _ = 1, 300 do
      local b, x, y = make(), make(), make()
      local once, report = merge.resource(b, x, y)
      local base, ours, got = leaves(b), leaves(x), leaves(once)
      report = cjson.decode(report)
      for path, value in pairs(ours) do
        if base[path] ~= value and got[path] ~= value then
          lost = lost + 1
          assert.is_true(covers(report, path), path .. "\n" .. b .. x .. y)
        end
      end
    end
    assert.is_true(lost > 50)
  end)
end)

describe("the report", function()
  local function lines(base, ours, theirs, options)
    local _, report = merge.resource(base, ours, theirs, options)
    return cjson.decode(report)
  end

  it("names the place, the three values and the side taken", function()
    local head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: ns}\n"
    local function deployment(image)
      return head .. "spec:\n  template:\n    spec:\n      containers:\n      - name: app\n"
        .. "        image: " .. image .. "\n"
    end
    assert.same({ { group = "apps", kind = "Deployment", namespace = "ns", name = "web",
      path = "spec.template.spec.containers[name=app].image", base = "i:1", ours = "i:3",
      theirs = "i:2", taken = "theirs", reason = "both changed it" } },
      lines(deployment("i:1"), deployment("i:3"), deployment("i:2")))
  end)

  it("has nothing to say when only one side changed", function()
    assert.same({}, lines("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 2\n"))
  end)

  it("says what both sides agree on", function()
    local got = lines("a: 1\nb: 1\nc: 1\n", "a: 2\nb: 1\nc: 3\n", "a: 2\nb: 2\nc: 1\n")
    assert.same({ { path = "a", base = 1, ours = 2, theirs = 2, taken = "both",
      reason = "both changed it" } }, got)
  end)

  it("names local changes that upstream's removal took away", function()
    local got = lines("m: {a: 1, b: 1}\nx: 1\n", "m: {a: 2, b: 1}\nx: 1\n", "x: 1\n", KPT)
    assert.same({ { path = "m.a", base = 1, ours = 2, taken = "theirs",
      reason = "changed here, deleted upstream" } }, got)
  end)

  it("names explicit nulls that went away", function()
    local got = lines("a: 1\n", "a: 1\nn: null\n", "a: 2\n")
    assert.same(1, #got)
    assert.same("n", got[1].path)
    assert.same("an explicit null does not outlive a merge", got[1].reason)
  end)

  it("quotes names that are no words", function()
    local got = lines("a: {b.c/d: 1}\n", "a: {b.c/d: 2}\n", "a: {b.c/d: 3}\n")
    assert.same('a["b.c/d"]', got[1].path)
  end)
end)

describe("rules in annotations", function()
  local function resource(rules, replicas, image)
    return ("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n%sspec:\n"
      .. "  replicas: %d\n  template:\n    spec:\n      containers:\n      - name: app\n"
      .. "        image: %s\n"):format(rules, replicas, image)
  end

  local function annotated(text_of_rules)
    return "  annotations:\n    lanai.dev/merge: |\n" .. text_of_rules:gsub("[^\n]+", "      %0")
      .. "\n"
  end

  it("keep a field of ours", function()
    local rules = annotated("spec.replicas: ours")
    local got, report = merge.resource(resource("", 1, "i:1"), resource(rules, 3, "i:1"),
      resource("", 2, "i:2"))
    assert.same(resource(rules, 3, "i:2"), got)
    assert.same({ "spec.replicas", "ours", "by rule" }, (function(l)
      return { l.path, l.taken, l.reason }
    end)(cjson.decode(report)[1]))
  end)

  it("take a whole list from upstream", function()
    local rules = annotated("spec.template.spec.containers: theirs")
    local got = merge.resource(resource("", 1, "i:1"),
      resource(rules, 1, "i:1\n      - name: mine"), resource("", 1, "i:2"))
    assert.same(resource(rules, 1, "i:2"), got)
  end)

  it("speak about a resource as a whole", function()
    local rules = annotated("ours")
    local ours = resource(rules, 1, "i:9")
    assert.same(ours, (merge.resource(resource("", 1, "i:1"), ours, resource("", 2, "i:2"))))
  end)

  it("come from the package too, and the resource's own win", function()
    local package = "Deployment/web spec.replicas: ours\nService/*: theirs\n"
    local base, theirs = resource("", 1, "i:1"), resource("", 2, "i:2")
    assert.same(resource("", 3, "i:2"),
      (merge.resource(base, resource("", 3, "i:1"), theirs, { rules = package })))
    local own = annotated("spec.replicas: theirs")
    assert.same(resource(own, 2, "i:2"),
      (merge.resource(base, resource(own, 3, "i:1"), theirs, { rules = package })))
  end)

  it("are refused when they end with another word", function()
    local rules = annotated("spec.replicas: mine")
    local got, err = merge.resource(resource("", 1, "i:1"), resource(rules, 3, "i:1"),
      resource("", 2, "i:2"))
    assert.is_nil(got)
    assert.matches("'spec.replicas: mine' does not end with ours, theirs or merge", err.message,
      1, true)
  end)
end)
