-- SPDX-License-Identifier: Apache-2.0
--
-- list-setters: which setters a package has.

local discover = require("lanai.discover")

local function run(items, _, out)
  local setters = discover.setters(items)
  for _, s in ipairs(setters) do
    out:result({ message = ("Name: %s, Value: %s, Type: %s, Count: %d"):format(s.name, s.value,
      s.type, s.count) })
  end
  if #setters == 0 then
    out:result({ message = "no setters found", severity = "warning" })
  end
  return true
end

return {
  api = 1,
  name = "list-setters",
  versions = { "v0.1.0" },
  images = { "list-setters" },
  summary = "Lists the setters of a package.",
  doc = [[
Gives a result for each setter: its name, its value, the type of the value and the number of fields
that have it. Setters are found in the configurations of apply-setters in the pipeline of the root
Kptfile and in the comments of fields. Changes nothing.
]],
  config = {},
  pure = true,
  run = run,
}
