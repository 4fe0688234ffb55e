-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.lua.support")

local REMOTE = [[
  local location = require("lanai.location")
  local remote = {
    refs = function() return value.refs end,
    default_branch = function() return "main" end,
    commit = function(_, name) return value.refs[name] or false end,
  }
]]

local function parse(address)
  return support.eval(REMOTE .. [[
    local git, err = location.parse(value.address, remote)
    return git and git.repo .. " " .. git.directory .. " " .. git.ref or err.message
  ]], { address = address, refs = { ["refs/heads/main"] = "1" } })
end

local function resolve(directory, ref, refs)
  return support.eval(REMOTE .. [[
    local ref, commit = location.resolve(value.git, remote)
    return ref and ref .. " " .. commit or commit.message
  ]], { git = { repo = "r", directory = directory, ref = ref }, refs = refs })
end

describe("the argument of pkg get", function()
  after_each(support.clean)

  it("is a repository, a directory and a version", function()
    assert.equal("https://x/r /a/b v1", parse("https://x/r.git/a/b@v1"))
    assert.equal("https://x/r / main", parse("https://x/r.git"))
    assert.equal("git@x:o/r /a main", parse("git@x:o/r.git/a"))
    assert.equal("https://x/r.gitops /a main", parse("https://x/r.gitops.git/a/"))
    assert.equal("file:///t/r / v1", parse("file:///t/r.git@v1"))
  end)

  it("may be an address of github.com", function()
    assert.equal("https://github.com/o/r / main", parse("https://github.com/o/r"))
    assert.equal("https://github.com/o/r /p main", parse("https://github.com/o/r/p"))
    assert.equal("https://github.com/o/r /p v1", parse("https://github.com/o/r/tree/v1/p"))
    assert.equal("https://github.com/o/r / v1", parse("https://github.com/o/r/tree/v1"))
  end)

  it("is refused when it is not clear", function()
    local ambiguous = "ambiguous repo/dir@version specify '.git' in argument"
    assert.equal(ambiguous, parse("foo"))
    assert.equal(ambiguous, parse("https://x/r/a"))
    assert.equal("invalid GitHub pkg url: https://github.com/o", parse("https://github.com/o"))
    assert.equal('invalid git ref "-v1": must not begin with \'-\'', parse("https://x/r.git/a@-v1"))
    assert.equal('invalid git repo URI "-x": must not begin with \'-\'', parse("-x.git/a@v1"))
  end)
end)

describe("a ref", function()
  after_each(support.clean)

  it("is the package's own tag, a branch, a tag or a commit, in this order", function()
    local refs = { ["refs/tags/a/b/v1"] = "1", ["refs/tags/a/v1"] = "2", ["refs/heads/v1"] = "3",
      ["refs/tags/v1"] = "4", abcd = "5" }
    assert.equal("a/b/v1 1", resolve("/a/b", "v1", refs))
    assert.equal("a/v1 2", resolve("/a/c", "v1", refs))
    refs["refs/tags/v1"] = nil
    assert.equal("v1 3", resolve("/c", "v1", refs))
    refs["refs/heads/v1"], refs["refs/tags/v1"] = nil, "4"
    assert.equal("v1 4", resolve("/c", "v1", refs))
    assert.equal("abcd 5", resolve("/c", "abcd", refs))
    assert.equal('Unknown ref "v2". Please verify that the reference exists in upstream repo "r".',
      resolve("/c", "v2", refs))
    assert.equal('invalid git ref "--upload-pack=x": must not begin with \'-\'',
      resolve("/c", "--upload-pack=x", refs))
  end)
end)
