-- SPDX-License-Identifier: Apache-2.0
-- Changes a clone, its target and its outbox at once, under our lease only.
-- KEYS  1 lease  2 clone hash  3 target hash  4 outbox
-- ARGV  1 lease value  2 sequence before  3 sequence after
--       4..8 how many: clone pairs, clone fields to remove, target pairs, outbox entries, delivered entries to drop;
--       then these, flat
-- Returns 1 done (also when it had been done before), -1 the lease is not ours, -2 the stored sequence is another.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return -1
end

local at = 9
-- The next `count` arguments in slices, because unpack() takes only some thousand values.
local function apply(command, key, count)
	local last = at + count - 1
	while at <= last do
		local to = math.min(at + 199, last)
		redis.call(command, key, unpack(ARGV, at, to))
		at = to + 1
	end
end
-- They stay delivered, also when this record had been applied before.
local function drop_delivered()
	at = #ARGV - ARGV[8] + 1
	apply('HDEL', KEYS[4], tonumber(ARGV[8]))
end

local stored = redis.call('HGET', KEYS[2], 'sequence') or '0'
if stored ~= ARGV[2] then
	if stored ~= ARGV[3] then
		return -2
	end
	drop_delivered()
	return 1
end
local pairs_end = at + ARGV[4] * 2 - 1
if pairs_end <= at + 199 then -- nearly always: one command for all of the clone's fields
	redis.call('HSET', KEYS[2], 'sequence', ARGV[3], unpack(ARGV, at, pairs_end))
	at = pairs_end + 1
else
	apply('HSET', KEYS[2], ARGV[4] * 2)
	redis.call('HSET', KEYS[2], 'sequence', ARGV[3])
end
apply('HDEL', KEYS[2], tonumber(ARGV[5]))
apply('HSET', KEYS[3], ARGV[6] * 2)
apply('HSET', KEYS[4], ARGV[7] * 2)
drop_delivered()
return 1
