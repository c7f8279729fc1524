-- SPDX-License-Identifier: Apache-2.0
-- Changes a clone with its outbox, and its target, at once, under our lease only. This runs for every step: one HSET is
-- nearly always all that it writes, and the append-only file needs no transaction around one.
-- KEYS  1 lease  2 clone hash  3 target hash, when it changes too
-- ARGV  1 lease value  2 sequence before  3 sequence after  4 whether the first pair says what is delivered: 1 or 0
--       5 how many names and values to set  6 how many names to remove; then these, then the target's, flat
-- Returns 1 done (also when it had been done before), -1 the lease is not ours, -2 the stored sequence is another.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return -1
end

local values, at = tonumber(ARGV[5]), 7
-- The next `count` arguments in slices, because unpack() takes only some thousand values.
local function apply(command, key, count)
	local last = at + count - 1
	while at <= last do
		local to = math.min(at + 199, last)
		redis.call(command, key, unpack(ARGV, at, to))
		at = to + 1
	end
end

local stored = redis.call('HGET', KEYS[2], 'sequence') or '0'
local is_new = stored == ARGV[2]
if not is_new then
	if stored ~= ARGV[3] then
		return -2
	end
	if ARGV[4] == '1' then -- what is delivered stays delivered, also when this record had been applied before
		redis.call('HSET', KEYS[2], ARGV[7], ARGV[8])
	end
	at = at + values
elseif values <= 200 then
	redis.call('HSET', KEYS[2], 'sequence', ARGV[3], unpack(ARGV, at, at + values - 1))
	at = at + values
else
	apply('HSET', KEYS[2], values)
	redis.call('HSET', KEYS[2], 'sequence', ARGV[3])
end
apply('HDEL', KEYS[2], tonumber(ARGV[6]))
if is_new and KEYS[3] then
	apply('HSET', KEYS[3], #ARGV - at + 1)
end
return 1
