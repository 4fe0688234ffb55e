-- SPDX-License-Identifier: Apache-2.0
--
-- Cron schedules of five fields (minute, hour, day of month, month, day of week) and their
-- descriptors (@hourly …, @every DURATION), in UTC, on plain integers: seconds since 1970.
--
-- A day matches when both day fields do; when both are restricted one of them is enough.

local M = {}

local MONTHS = { jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9,
  oct = 10, nov = 11, dec = 12 }
local DAYS = { sun = 0, mon = 1, tue = 2, wed = 3, thu = 4, fri = 5, sat = 6 }
local FIELDS = {
  { name = "minute", from = 0, to = 59 },
  { name = "hour", from = 0, to = 23 },
  { name = "day of month", from = 1, to = 31 },
  { name = "month", from = 1, to = 12, names = MONTHS },
  { name = "day of week", from = 0, to = 6, names = DAYS },
}
local DESCRIPTORS = {
  ["@yearly"] = "0 0 1 1 *", ["@annually"] = "0 0 1 1 *", ["@monthly"] = "0 0 1 * *",
  ["@weekly"] = "0 0 * * 0", ["@daily"] = "0 0 * * *", ["@midnight"] = "0 0 * * *",
  ["@hourly"] = "0 * * * *",
}
local UNITS = { h = 3600, m = 60, s = 1 }
local DAY = 86400
local HORIZON_DAYS = 5 * 366 -- a schedule that never comes (30 February) ends here

-- --- dates ---

-- Days since 1970-01-01 of a date, and back (proleptic Gregorian calendar, eras of 400 years).
local function days_of(year, month, day)
  local y = month <= 2 and year - 1 or year
  local era = y // 400
  local in_era = y - era * 400
  local in_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  return era * 146097 + in_era * 365 + in_era // 4 - in_era // 100 + in_year - 719468
end

local function date_of(days)
  local z = days + 719468
  local era = z // 146097
  local in_era = z - era * 146097
  local y = (in_era - in_era // 1460 + in_era // 36524 - in_era // 146096) // 365
  local in_year = in_era - (365 * y + y // 4 - y // 100)
  local m = (5 * in_year + 2) // 153
  local day = in_year - (153 * m + 2) // 5 + 1
  local month = m < 10 and m + 3 or m - 9
  return y + era * 400 + (month <= 2 and 1 or 0), month, day
end

--- Seconds since 1970 of an RFC 3339 time, or nil.
--- @param text string|nil
--- @return integer|nil
function M.parse_time(text)
  if type(text) ~= "string" then
    return nil
  end
  local y, mo, d, h, mi, s, rest =
    text:match("^(%d%d%d%d)-(%d%d)-(%d%d)[Tt](%d%d):(%d%d):(%d%d)%.?%d*(.*)$")
  if not y then
    return nil
  end
  local offset = 0
  if rest ~= "Z" and rest ~= "z" then
    local sign, oh, om = rest:match("^([+-])(%d%d):(%d%d)$")
    if not sign then
      return nil
    end
    offset = (tonumber(oh) * 3600 + tonumber(om) * 60) * (sign == "-" and -1 or 1)
  end
  local days = days_of(tonumber(y), tonumber(mo), tonumber(d))
  return days * DAY + tonumber(h) * 3600 + tonumber(mi) * 60 + tonumber(s) - offset
end

--- RFC 3339 text of seconds since 1970.
--- @param seconds integer
--- @return string
function M.format_time(seconds)
  local days = seconds // DAY
  local rest = seconds - days * DAY
  local y, mo, d = date_of(days)
  return ("%04d-%02d-%02dT%02d:%02d:%02dZ"):format(y, mo, d, rest // 3600, rest // 60 % 60,
    rest % 60)
end

-- --- parsing ---

local function number(field, text)
  local value = field.names and field.names[text:lower()] or
    (text:find("^%d%d?$") and tonumber(text))
  if value == 7 and field.names == DAYS then
    value = 0
  end
  if not value or value < field.from or value > field.to then
    return nil, ("%s '%s' is out of range"):format(field.name, text)
  end
  return value
end

-- One member of a comma list: `*`, `a`, `a-b`, each with an optional `/step`.
local function add_range(field, text, set)
  local range, step = text:match("^([^/]+)/(%d+)$")
  range = range or text
  step = tonumber(step or "1")
  if step == 0 then
    return nil, ("%s '%s' has step 0"):format(field.name, text)
  end
  local from, to, err = field.from, field.to
  if range ~= "*" and range ~= "?" then
    local a, b = range:match("^(%w+)-(%w+)$")
    from, err = number(field, a or range)
    if not from then
      return nil, err
    end
    if b then
      to, err = number(field, b)
    elseif range == text then
      to = from
    end
    if not to or from > to then
      return nil, err or ("%s range '%s' is upside down"):format(field.name, text)
    end
  end
  for value = from, to, step do
    set[value] = true
  end
  return true
end

local function parse_field(field, text)
  local set = {}
  for part in (text .. ","):gmatch("([^,]*),") do
    if part == "" then
      return nil, ("%s is empty"):format(field.name)
    end
    local ok, err = add_range(field, part, set)
    if not ok then
      return nil, err
    end
  end
  set.any = text:find("^[*?]") ~= nil
  return set
end

local function parse_every(text)
  local rest, seconds = text, 0
  while rest ~= "" do
    local count, unit, behind = rest:match("^(%d+)([hms])(.*)$")
    if not count then
      return nil, ("duration '%s' is not understood"):format(text)
    end
    seconds = seconds + tonumber(count) * UNITS[unit]
    rest = behind
  end
  if seconds < 1 then
    return nil, ("duration '%s' is too short"):format(text)
  end
  return { every = seconds }
end

--- Parses a schedule.
--- @param text string "*/5 * * * *", "@hourly", "@every 90m"
--- @return table|nil schedule for M.next
--- @return string|nil error
function M.parse(text)
  local every = text:match("^@every%s+(%S+)$")
  if every then
    return parse_every(every)
  end
  local parts = {}
  for part in (DESCRIPTORS[text] or text):gmatch("%S+") do
    parts[#parts + 1] = part
  end
  if #parts ~= #FIELDS then
    return nil, ("schedule '%s' does not have %d fields"):format(text, #FIELDS)
  end
  local schedule = {}
  for i, field in ipairs(FIELDS) do
    local set, err = parse_field(field, parts[i])
    if not set then
      return nil, err
    end
    schedule[i] = set
  end
  return schedule
end

-- --- the next time ---

local function day_matches(schedule, days)
  local _, month, day = date_of(days)
  if not schedule[4][month] then
    return false
  end
  local by_month, by_week = schedule[3][day], schedule[5][(days + 4) % 7]
  if schedule[3].any or schedule[5].any then
    return by_month and by_week
  end
  return by_month or by_week
end

-- First matching second of a day at or after `rest`, or nil.
local function time_in_day(schedule, rest)
  for minute = (rest + 59) // 60, 1439 do
    if schedule[2][minute // 60] and schedule[1][minute % 60] then
      return minute * 60
    end
  end
end

--- First time of the schedule after `after`; nil when it never comes.
--- @param schedule table
--- @param after integer
--- @return integer|nil
function M.next(schedule, after)
  if schedule.every then
    return after + schedule.every
  end
  local days = (after + 1) // DAY
  local rest = after + 1 - days * DAY
  for day = days, days + HORIZON_DAYS do
    local found = day_matches(schedule, day) and time_in_day(schedule, rest)
    if found then
      return day * DAY + found
    end
    rest = 0
  end
end

return M
