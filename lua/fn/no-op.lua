-- SPDX-License-Identifier: Apache-2.0
--
-- no-op: gives back what it got. For tests of pipelines.

return {
  api = 1,
  name = "no-op",
  versions = { "v0.1.0" },
  images = { "no-op" },
  summary = "Changes nothing.",
  doc = "Gives all resources back as they are, whatever the configuration says.",
  config = {},
  pure = true,
  run = function() return true end,
}
