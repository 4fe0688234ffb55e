-- SPDX-License-Identifier: Apache-2.0
local regex = dofile("lua/lanai/regex.lua")

local function find(expression, text)
  local re = assert(regex.compile(expression))
  local from, to, groups = re:find(text)
  return from and text:sub(from, to), groups
end

describe("regular expressions", function()
  it("find the leftmost match, and the first of its alternatives", function()
    for _, case in ipairs({
      { "a|ab", "xab", "a" }, { "ab|a", "xab", "ab" }, { "b*", "abb", "" },
      { "a.c", "xabcabc", "abc" },
      { "a*?b", "aab", "aab" }, { "a+", "baaa", "aaa" }, { "a+?", "baaa", "a" },
      { "x{2,3}", "xxxx", "xxx" }, { "x{2}", "xxx", "xx" }, { "x{2,}?", "xxxx", "xx" },
      { "^b", "ab" }, { "b$", "ba" }, { "^$", "", "" }, { "\\bcat\\b", "a cat!", "cat" },
      { "\\Bat", "cat at", "at" }, { "[a-c]+", "xxabcd", "abc" }, { "[^a-c]+", "abxyc", "xy" },
      { "[]a]+", "x]a", "]a" }, { "[\\d-]+", "a1-2", "1-2" }, { "[[:upper:]]+", "abCD", "CD" },
      { "\\w+\\s\\W", "ab !", "ab !" }, { "(?i)AbC", "xabc", "abc" }, { "\\.", "a.b", "." },
      { ".", "\n" }, { "(?s).", "\n", "\n" }, { "a{,2}", "a{,2}", "a{,2}" }, { "", "a", "" },
      { "(?:ab)+", "xababa", "abab" }, { "\\x41", "A", "A" },
    }) do
      assert.equal(case[3], (find(case[1], case[2])), case[1] .. " in " .. case[2])
    end
  end)

  it("give the texts of groups, empty for those that took no part", function()
    local _, groups = find("(\\w+)-(dev|prod)(x)?-(.*)", "my web-prod-1 ")
    assert.same({ "web", "prod", "", "1 " }, groups)
    _, groups = find("(?P<a>a(b))+", "abab")
    assert.same({ "ab", "b" }, groups)
  end)

  it("match whole texts when anchored", function()
    local re = assert(regex.compile("a|ab", true))
    assert.is_true(re:test("ab"))
    assert.is_false(re:test("abc"))
  end)

  it("take time in proportion to the text, whatever they say", function()
    local text = ("a"):rep(2000)
    for _, expression in ipairs({ "(a*)*b", "(a|aa)+$x", "(a?){40}a{40}b" }) do
      assert.is_nil((find(expression, text)))
    end
  end)

  it("stand for a text when it is quoted", function()
    local text = "a.b*c(d)[e]{f}^$|\\+?"
    assert.equal(text, (find(regex.quote(text), "x" .. text .. "y")))
  end)

  it("say what is wrong with them", function()
    for expression, message in pairs({
      ["("] = "missing closing )", [")"] = "unexpected )", ["[a"] = "missing closing ]",
      ["*a"] = "missing argument to repetition operator", ["a**"] = "invalid nested repetition",
      ["\\q"] = "invalid escape sequence", ["[b-a]"] = "invalid character class range",
      ["a{2,1}"] = "invalid repeat count", ["(?!a)"] = "invalid or unsupported Perl syntax",
      ["(a{1000}){1000}"] = "expression too large", ["a\\"] = "trailing backslash",
    }) do
      local re, why = regex.compile(expression)
      assert.is_nil(re)
      assert.truthy(why:find(message, 1, true), why)
    end
  end)
end)
