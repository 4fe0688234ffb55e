-- SPDX-License-Identifier: Apache-2.0
--
-- SHA-512 (FIPS 180-4) in plain Lua: 64-bit integers wrap as the algorithm wants. The round
-- constants and the start values are the first 64 bits of the fractional parts of the cube and
-- square roots of the first primes; they are computed with integer arithmetic, not listed.

local M = {}

local function primes(count)
  local list, n = {}, 2
  while #list < count do
    local prime = true
    for _, p in ipairs(list) do
      if p * p > n then
        break
      elseif n % p == 0 then
        prime = false
        break
      end
    end
    if prime then
      list[#list + 1] = n
    end
    n = n + 1
  end
  return list
end

-- Numbers below are little-endian lists of 16-bit limbs, long enough for (2^67)^3.
local LIMB = 0x10000

local function multiply(a, b)
  local product = {}
  for i = 1, #a + #b do
    product[i] = 0
  end
  for i = 1, #a do
    local carry = 0
    for j = 1, #b do
      local sum = product[i + j - 1] + a[i] * b[j] + carry
      product[i + j - 1] = sum % LIMB
      carry = sum // LIMB
    end
    product[i + #b] = product[i + #b] + carry
  end
  return product
end

local function not_above(a, b)
  for i = math.max(#a, #b), 1, -1 do
    local x, y = a[i] or 0, b[i] or 0
    if x ~= y then
      return x < y
    end
  end
  return true
end

-- Fraction bits of the root: the largest r with r^degree <= p * 2^(64*degree), taken mod 2^64.
local function root_bits(p, degree)
  local target = {}
  for i = 1, 4 * degree do
    target[i] = 0
  end
  target[4 * degree + 1] = p
  local root = { 0, 0, 0, 0, 0 }
  for bit = 68, 0, -1 do
    local limb, mask = bit // 16 + 1, 1 << bit % 16
    root[limb] = root[limb] | mask
    local power = root
    for _ = 2, degree do
      power = multiply(power, root)
    end
    if not not_above(power, target) then
      root[limb] = root[limb] & ~mask
    end
  end
  return root[1] | root[2] << 16 | root[3] << 32 | root[4] << 48
end

local K, START = {}, {}
for i, p in ipairs(primes(80)) do
  K[i] = root_bits(p, 3)
  if i <= 8 then
    START[i] = root_bits(p, 2)
  end
end

local function extend(w)
  for t = 17, 80 do
    local x, y = w[t - 15], w[t - 2]
    w[t] = w[t - 16] + w[t - 7]
      + ((x >> 1 | x << 63) ~ (x >> 8 | x << 56) ~ (x >> 7))
      + ((y >> 19 | y << 45) ~ (y >> 61 | y << 3) ~ (y >> 6))
  end
end

local function compress(state, w)
  local a, b, c, d, e, f, g, h = table.unpack(state)
  for t = 1, 80 do
    local t1 = h + ((e >> 14 | e << 50) ~ (e >> 18 | e << 46) ~ (e >> 41 | e << 23))
      + (g ~ (e & (f ~ g))) + K[t] + w[t]
    local t2 = ((a >> 28 | a << 36) ~ (a >> 34 | a << 30) ~ (a >> 39 | a << 25))
      + ((a & b) | (c & (a | b)))
    h, g, f, e, d, c, b, a = g, f, e, d + t1, c, b, a, t1 + t2
  end
  state[1], state[2], state[3], state[4] = state[1] + a, state[2] + b, state[3] + c, state[4] + d
  state[5], state[6], state[7], state[8] = state[5] + e, state[6] + f, state[7] + g, state[8] + h
end

--- Upper-case hex of the SHA-512 of a string.
---@param text string
---@return string
function M.hex(text)
  local state = table.move(START, 1, 8, 1, {})
  local padding = -(#text + 17) % 128
  local data = text .. "\128" .. ("\0"):rep(padding + 8) .. (">I8"):pack(#text * 8)
  local layout = ">" .. ("i8"):rep(16)
  for offset = 1, #data, 128 do
    local w = { layout:unpack(data, offset) }
    w[17] = nil
    extend(w)
    compress(state, w)
  end
  return (("%016X"):rep(8)):format(table.unpack(state))
end

return M
