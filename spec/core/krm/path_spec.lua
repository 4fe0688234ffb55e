-- SPDX-License-Identifier: Apache-2.0
-- core/krm/path.c: keys of spec.resources.
local krm = require "probe_krm"

describe("file paths", function()
  for _, path in ipairs {
    "Kptfile", "a/b/c.yaml", ".krmignore", ".hidden/x", "a b.yaml", "naïve-日本.yaml", "a..b",
    "..a/b", "...", "x.git/y", ".gitignore", ("s"):rep(255), ("d/"):rep(2047) .. "f", "-",
  } do
    it("accept " .. path:sub(1, 20), function()
      assert.is_true((krm.path_check(path)))
    end)
  end

  for path, fault in pairs {
    [""] = "must not be empty",
    ["/etc/passwd"] = "must be relative to the package",
    ["../x"] = "must not have a segment '..'",
    ["a/../../x"] = "must not have a segment '..'",
    ["a/.."] = "must not have a segment '..'",
    ["./x"] = "must not have a segment '.'",
    ["a/./b"] = "must not have a segment '.'",
    ["."] = "must not have a segment '.'",
    ["a//b"] = "must not have an empty segment",
    ["a/"] = "must name a file",
    ["/"] = "must be relative to the package",
    ["a\0b"] = "must not contain NUL",
    ["a\xffb"] = "must be UTF-8",
    ["\xed\xa0\x80"] = "must be UTF-8",
    [".git/config"] = "must not have a segment '.git'",
    ["sub/.GiT/hooks/x"] = "must not have a segment '.git'",
    [("s"):rep(256)] = "must not have a segment of more than 255 bytes",
    [("d/"):rep(2048) .. "f"] = "must be no more than 4096 bytes",
  } do
    it("refuse " .. (path:sub(1, 20):gsub("[%z\x80-\xff]", "?")), function()
      local ok, err = krm.path_check(path)
      assert.is_nil(ok)
      assert.equal("invalid", err.kind)
      assert.equal(1, #err.causes)
      assert.equal("FieldValueInvalid", err.causes[1].reason)
      assert.equal("spec.resources[", err.causes[1].field:sub(1, 15))
      assert.equal(": " .. fault, err.causes[1].message:sub(-#fault - 2))
    end)
  end

  it("name the key", function()
    local _, err = krm.path_check("a//b")
    assert.equal("spec.resources[a//b]", err.causes[1].field)
    assert.equal('Invalid value: "a//b": must not have an empty segment', err.causes[1].message)
    assert.equal('spec.resources[a//b]: Invalid value: "a//b": must not have an empty segment',
      err.message)
    _, err = krm.path_check("a\0\nb")
    assert.equal("spec.resources[a\\x00\\x0ab]", err.causes[1].field)
  end)

  it("collect one cause per bad key", function()
    local _, err = krm.path_check("ok.yaml", "/x", "fine", "y/")
    assert.equal(2, #err.causes)
    assert.equal("spec.resources[/x]", err.causes[1].field)
    assert.equal("spec.resources[y/]", err.causes[2].field)
  end)
end)
