-- SPDX-License-Identifier: Apache-2.0
-- core/krm/name.c: composing, parsing and checking names.
local krm = require "probe_krm"

local LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or"
  .. " '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc',"
  .. " regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
local HEAD = "package revision kubernetes resource name invalid:\n"

local function parts(...)
  return { ... }
end

describe("composed names", function()
  it("join repository, package path and workspace with dots", function()
    assert.equal("git.init-package.init-1", krm.name_emit("git", "init-package", "init-1"))
    assert.equal("repo.random.package.folder.test-package.ws",
      krm.name_emit("repo", "random/package/folder/test-package", "ws"))
    assert.equal("git.pkg.v1.2.3", krm.name_emit("git", "pkg", "v1.2.3"))
  end)

  it("leave the workspace out for packages", function()
    assert.equal("git.a.b", krm.name_emit("git", "a/b"))
  end)

  it("trim slashes around the path", function()
    assert.equal("git.a.b.ws", krm.name_emit("git", "/a/b", "ws"))
    assert.equal("git.h.e.pkg.ws", krm.name_emit("git", "/h/e//pkg", "ws"))
  end)

  it("are empty when a part is missing", function()
    assert.equal("", krm.name_emit("", "pkg", "ws"))
    assert.equal("", krm.name_emit("git", "", "ws"))
    assert.equal("", krm.name_emit("git", "pkg", ""))
    assert.equal("", krm.name_emit("git", ""))
  end)
end)

describe("parsed names", function()
  it("split at the first and the last dots", function()
    assert.same({ "git", "", "init-package", "init-1" },
      parts(krm.name_parse("git.init-package.init-1")))
    assert.same({ "repo", "random/package/folder", "test-package", "ws" },
      parts(krm.name_parse("repo.random.package.folder.test-package.ws")))
  end)

  it("keep the dots of a version workspace", function()
    assert.same({ "repo", "", "pkg", "v1.2.3" }, parts(krm.name_parse("repo.pkg.v1.2.3")))
    assert.same({ "a", "v1/2", "3", "v4.5.6" }, parts(krm.name_split("a.v1.2.3.v4.5.6")))
    assert.same({ "repo", "", "pkg", "v1" }, parts(krm.name_parse("repo.pkg.v1")))
    assert.same({ "repo", "", "pkg", "v1x" }, parts(krm.name_parse("repo.pkg.v1x")))
    assert.same({ "repo", "pkg", "v1", "x2" }, parts(krm.name_parse("repo.pkg.v1.x2")))
  end)

  it("report what is missing", function()
    local _, err = krm.name_parse("pkg")
    assert.equal("plain", err.kind)
    assert.equal(HEAD .. 'package name part "" of object name invalid\npackage name  invalid: '
      .. LABEL .. '\nworkspace name part "" of package revision name invalid\n'
      .. "workspace name  invalid: " .. LABEL .. "\n", err.message)
    _, err = krm.name_parse("repo.ws")
    assert.equal(HEAD .. 'package name part "" of object name invalid\npackage name  invalid: '
      .. LABEL .. "\n", err.message)
  end)

  it("report each bad part", function()
    local _, err = krm.name_parse("git.Upper.v1")
    assert.equal(HEAD .. 'package name part "Upper" of object name invalid\n'
      .. "package name Upper invalid: " .. LABEL .. "\n", err.message)
    _, err = krm.name_parse("git.a-.b.v1")
    assert.equal(HEAD .. 'package path part "a-" of object name invalid\npath a- invalid: '
      .. LABEL .. "\n", err.message)
    assert.is_nil((krm.name_parse("")))
    assert.is_nil((krm.name_parse("my-package-name-akoshjadfhijao[ifj[adsfj[adsf")))
    assert.is_nil((krm.name_parse("repo..ws")))
    assert.is_nil((krm.name_parse("repo.pkg.v1.")))
  end)

  it("refuse names that would not compose to themselves", function()
    local _, err = krm.name_parse("gitva..b.1.2")
    assert.is_truthy(err.message:find('package revision kubernetes name "gitva..b.1.2" invalid', 1,
      true))
    assert.is_nil((krm.name_parse("repo.a/b.pkg.ws")))
    _, err = krm.name_parse("repo.a/b.pkg", true)
    assert.is_truthy(err.message:find('package kubernetes name "repo.a/b.pkg" invalid', 1, true))
  end)

  it("survive hostile bytes", function()
    assert.is_nil((krm.name_parse("a\0b.c.d")))
    assert.is_nil((krm.name_parse(("x"):rep(100000) .. ".b.c")))
    assert.is_nil((krm.name_parse(("."):rep(5000))))
  end)

  it("of packages have no workspace", function()
    assert.same({ "git", "dir", "alpha", "" }, parts(krm.name_parse("git.dir.alpha", true)))
    local _, err = krm.name_parse("nonsense", true)
    assert.equal('package kubernetes resource name invalid:\npackage name part "" of object name'
      .. " invalid\npackage name  invalid: " .. LABEL .. "\n", err.message)
  end)
end)

-- The peer's table: repository, path, package, workspace, then the text expected in the line of
-- each part (false = the part is fine).
local LONG = ("a"):rep(64)
local MAX = ("a"):rep(63)
local TOO_LONG = "must be no more than 63 characters"
local SHAPE, ENDS = "must consist of lower case alphanumeric characters",
  "and must start and end with an alphanumeric character"
local TABLE = {
  { "64 characters long", LONG, LONG, LONG, LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG },
  { "empty strings", "", "", "", "", ENDS, false, ENDS, ENDS },
  { "ends with a dash", "hello-", "hello-", "hello-", "hello-", ENDS, ENDS, ENDS, ENDS },
  { "63 characters long", MAX, MAX, "abc", "abc", false, false, false, false },
  { "dashes inside", "hel-lo", "hel-lo", "hel-lo", "hel-lo", false, false, false, false },
  { "other characters", "hEzzo", "hel_o", "hE^lo", "hE(lo", SHAPE, SHAPE, SHAPE, SHAPE },
  { "repeated dots", "he..lo", "he..lo", "he..lo", "he..lo", SHAPE, SHAPE, SHAPE, SHAPE },
  { "slashes in the path", "hello", "/h/e/l/l/o/", "hello", "hello", false, false, false, false },
  { "repeated slashes", "he//lo", "he//lo", "he//lo", "he//lo", SHAPE,
    "consecutive '/' characters are not allowed", SHAPE, SHAPE },
  { "single slashes", "he/lo", "he/lo", "hello", "he/lo", SHAPE, false, false, SHAPE },
  { "starts with a dash", "-hello", "-hello", "-hello", "-hello", ENDS, ENDS, ENDS, ENDS },
}

describe("checked parts", function()
  local labels = { "repository name", "path", "package name", "workspace name" }
  for _, row in ipairs(TABLE) do
    it("with " .. row[1], function()
      local _, err = krm.name_check(row[2], row[3], row[4], row[5])
      local text = "\n" .. (err and err.message or "")
      for i, label in ipairs(labels) do
        local line = text:match("\n" .. label .. " [^\n]- invalid: ([^\n]*)\n")
        if row[5 + i] then
          assert.is_truthy(line and line:find(row[5 + i], 1, true), label)
        else
          assert.is_nil(line, label)
        end
      end
    end)
  end

  it("join several reasons with commas", function()
    local _, err = krm.name_check("git", "", LONG .. "_", "ws")
    assert.is_truthy(err.message:find(" invalid: " .. TOO_LONG .. "," .. LABEL, 1, true))
  end)

  it("can still be too long together", function()
    local deep = ("a/"):rep(62) .. "a"
    local _, err = krm.name_check(MAX, deep, MAX, MAX)
    local name = MAX .. "." .. deep:gsub("/", ".") .. "." .. MAX .. "." .. MAX
    assert.equal("invalid", err.kind)
    assert.equal(HEAD .. 'package revision kubernetes name "' .. name .. '" invalid\n'
      .. "package revision kubernetes name " .. name
      .. " invalid: must be no more than 253 characters\n", err.message)
    assert.is_true(krm.name_check("git", "a/b", "c"))
  end)
end)

describe("uids", function()
  it("are those of the peer", function()
    assert.equal("45ee0692-730a-51b2-9a1d-ad4f4ad55dc8",
      krm.name_uid("rpkg-init", "git.init-package.init-1"))
    assert.equal("710e4f9b-b21f-5786-bf04-1d1d9b32d57c",
      krm.name_uid("rpkg-clone", "git.basens-clone.clone-2"))
    assert.equal("0e7dd104-514e-5455-b077-6f196b04165c",
      krm.name_uid("RPKG-push", "git.test-package.PUSH"))
  end)
end)

describe("generic rules", function()
  local function ok(rule, text)
    assert.equal("", krm.faults(rule, text), text)
  end
  local function bad(rule, text, part)
    assert.is_truthy(krm.faults(rule, text):find(part, 1, true), text)
  end

  it("know labels and subdomains", function()
    ok("label", "a")
    ok("label", "0-9")
    bad("label", "a.b", "must not contain dots")
    bad("label", "a.B", "RFC 1123 label")
    bad("label", LONG, TOO_LONG)
    ok("subdomain", "a.b-c.d")
    ok("subdomain", ("a."):rep(126) .. "a")
    bad("subdomain", ("a."):rep(127) .. "a", "must be no more than 253 characters")
    bad("subdomain", "a..b", "RFC 1123 subdomain")
    bad("subdomain", "a.", "RFC 1123 subdomain")
    bad("subdomain", "", "RFC 1123 subdomain")
  end)

  it("know qualified names", function()
    ok("qualified", "app")
    ok("qualified", "kpt.dev/latest-revision")
    ok("qualified", "A_b.c")
    bad("qualified", "-x", "name part must consist of alphanumeric characters")
    bad("qualified", "", "name part must be non-empty")
    bad("qualified", "/x", "prefix part must be non-empty")
    bad("qualified", "Bad/x", "prefix part a lowercase RFC 1123 subdomain")
    bad("qualified", "x/y/z", "a qualified name must consist of")
    bad("qualified", "x/" .. LONG, "name part must be no more than 63 characters")
    bad("qualified", ("a."):rep(150) .. "_/-" .. LONG, "253 characters; prefix part a lower")
  end)

  it("know label values", function()
    ok("value", "")
    ok("value", "Web_1.x")
    bad("value", LONG, TOO_LONG)
    bad("value", "a b", "a valid label must be an empty string or consist of")
    bad("value", "-a", "a valid label")
  end)

  it("know directories and branches", function()
    ok("path", "")
    ok("path", "/")
    ok("path", "nested/release")
    bad("path", "release-1.0", "must not contain dots")
    bad("path", "a//b", "consecutive '/'")
  end)
end)
