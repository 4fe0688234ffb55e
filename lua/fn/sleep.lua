-- SPDX-License-Identifier: Apache-2.0
--
-- sleep: takes its time and changes nothing. For tests of deadlines.

local setter = require("lanai.setter")

local function run(_, config, out)
  local text = setter.data(config).seconds or "1"
  local seconds = tonumber(text)
  if not seconds or seconds < 0 or seconds > 600 then
    local message = ("seconds must be a number from 0 to 600, but got %s"):format(text)
    out:result({ message = message, severity = "error" })
    return nil, message
  end
  out:wait(seconds)
  return true
end

return {
  api = 1,
  name = "sleep",
  versions = { "v0.1.0" },
  images = { "sleep" },
  summary = "Takes its time and changes nothing.",
  doc = [[
Waits for as many seconds as `data.seconds` of the ConfigMap says (default 1, at most 600), or until
its deadline.
]],
  config = { kind = "ConfigMap", apiVersion = "v1" },
  pure = true,
  run = run,
}
