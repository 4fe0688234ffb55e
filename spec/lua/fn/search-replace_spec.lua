-- SPDX-License-Identifier: Apache-2.0
local functions = require("spec.lua.fn.functions")

local HEAD = "apiVersion: v1\nkind: X\nmetadata:\n  name: n0\n"

local function run(text, data, path)
  return functions.run("search-replace", { [path or "a.yaml"] = HEAD .. text },
    "apiVersion: v1\nkind: ConfigMap\ndata:\n  " .. data .. "\n")
end

local function body(got, path)
  return got.files[path or "a.yaml"]:sub(#HEAD + 1)
end

local function messages(got)
  local list = {}
  for i, r in ipairs(got.results) do
    list[i] = r.message
  end
  return list
end

describe("search-replace", function()
  it("moves no file whose name has the value", function()
    local got = run("a: q\n", "by-value-regex: a\n  put-value: b")
    assert.equal("a: q\n", body(got))
  end)

  it("keeps quotes, and types of what it writes without", function()
    local got = run("a: 'x' # c\nb: x\n", "by-value: x\n  put-value: '3'")
    assert.equal("a: '3' # c\nb: 3\n", body(got))
    assert.same({ 'Mutated field value to "3"', 'Mutated field value to "3"' }, messages(got))
    assert.same({ path = "b" }, got.results[2].field)
  end)

  it("reports what it finds when nothing is put", function()
    assert.same({ 'Matched field value "q"' }, messages(run("a: q\n", "by-value: q")))
    assert.same({ "no matches" }, messages(run("a: q\n", "by-value: r")))
  end)

  it("matches parts of paths", function()
    local text = "s:\n  l:\n  - n: 1\n  - n: 2\n  m: {n: 3}\n"
    for path, expected in pairs({
      ["s.l[1].n"] = "s:\n  l:\n  - n: 1\n  - n: z\n  m: {n: 3}\n",
      ["s.l[*].n"] = "s:\n  l:\n  - n: z\n  - n: z\n  m: {n: 3}\n",
      ["**.n"] = "s:\n  l:\n  - n: z\n  - n: z\n  m: {n: z}\n",
      ["*.*.n"] = "s:\n  l:\n  - n: 1\n  - n: 2\n  m: {n: z}\n",
      ["s.*[0].n"] = "s:\n  l:\n  - n: z\n  - n: 2\n  m: {n: 3}\n",
      ["s.**.q"] = text,
    }) do
      assert.equal(expected, body(run(text, "by-path: '" .. path .. "'\n  put-value: z")), path)
    end
  end)

  it("fills in the groups of the expression", function()
    local got = run("a: web-dev-1\n", "by-value-regex: '(\\w+)-dev-(\\d)'\n"
      .. "  put-value: ${2}-${1}\n  put-comment: 'kpt-set: ${env}-${1}'")
    assert.equal("a: 1-web # kpt-set: ${env}-web\n", body(got))
  end)

  it("looks at the files that are named", function()
    for glob, hit in pairs({ ["**/a.yaml"] = true, ["a.yaml"] = false, ["d/*.yaml"] = true,
      ["d/{b,a}.yaml"] = true, ["d/[^a].yaml"] = false, ["d/?.yaml"] = true }) do
      local got = run("a: q\n", "by-value: q\n  put-value: r\n  by-file-path: '" .. glob .. "'",
        "d/a.yaml")
      assert.equal(hit and "a: r\n" or "a: q\n", body(got, "d/a.yaml"), glob)
    end
  end)

  it("makes a field with a plain path", function()
    assert.equal("s:\n  t:\n    u: 4\n", body(run("", "by-path: s.t.u\n  put-value: '4'")))
    local got = run("s: 5\n", "by-path: s.t.u\n  put-value: '4'")
    assert.is_false(got.ok)
    assert.truthy(got.error:find("wrong node kind", 1, true))
  end)

  it("puts comments of lists behind their key", function()
    local got = run("l: [a, b]\nm: 1\n", "by-path: l\n  put-comment: 'kpt-set: ${l}'")
    assert.equal("l: # kpt-set: ${l}\n- a\n- b\nm: 1\n", (body(got):gsub("\n  %- ", "\n- ")))
  end)

  it("says what is wrong with its configuration", function()
    for data, message in pairs({
      ["by-name: x"] = 'invalid matcher \\"by-name\\", must be one of [\\"by-value\\" '
        .. '\\"by-file-path\\" \\"by-value-regex\\" \\"by-path\\" \\"put-value\\" '
        .. '\\"put-comment\\"]',
      ["by-value: x\n  by-value-regex: x"] =
        'only one of [\\"by-value\\", \\"by-value-regex\\"] can be provided',
      ["by-value-regex: '(x)'\n  put-value: ${2}"] = "unable to resolve capture groups",
    }) do
      local got = run("a: x\n", data)
      assert.is_false(got.ok)
      assert.equal('failed to perform search-replace operation: "' .. message .. '"', got.error)
      assert.equal("a: x\n", body(got))
    end
    assert.is_false(run("a: x\n", "by-value-regex: '('").ok)
  end)
end)
