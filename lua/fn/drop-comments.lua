-- SPDX-License-Identifier: Apache-2.0
--
-- drop-comments: takes every comment away, as programs do that know data only. For tests of what
-- gives comments back.

local node = require("lanai.node")

local PLACES = { "head", "line", "foot" }

local function strip(value, parent, key)
  for _, place in ipairs(PLACES) do
    if node.comment(value, place) then
      node.set_comment(value, place, nil)
    end
    if type(key) == "string" and node.key_comment(parent, key, place) then
      node.set_key_comment(parent, key, place, nil)
    end
  end
end

local function run(items)
  for i = 1, #items do
    strip(items[i])
    for _, value, parent, key in node.walk(items[i]) do
      strip(value, parent, key)
    end
  end
  return true
end

return {
  api = 1,
  name = "drop-comments",
  versions = { "v0.1.0" },
  images = { "drop-comments" },
  summary = "Takes all comments away.",
  doc = "Gives all resources back without a comment, whatever the configuration says.",
  config = {},
  pure = true,
  run = run,
}
