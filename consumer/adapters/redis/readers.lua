-- SPDX-License-Identifier: Apache-2.0
-- The shared read lease on a source: many clones may read it, nobody may then hold it as a target.
-- KEYS  1 readers (member "owner|clone", score = when it expires)  2 lease of the same tenant
-- ARGV  1 add, renew or remove  2 member  3 ttl ms
-- Returns {1} or, refused, {-1, ms until trying again makes sense}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if ARGV[1] == 'remove' then
	redis.call('ZREM', KEYS[1], ARGV[2])
	return { 1 }
end
if ARGV[1] == 'renew' then
	-- A read lease that lapsed is gone even if it could be had again: the source may have been written meanwhile.
	local until_ms = redis.call('ZSCORE', KEYS[1], ARGV[2])
	if not until_ms or tonumber(until_ms) <= now then
		return { -1, 0 }
	end
elseif redis.call('EXISTS', KEYS[2]) == 1 then
	return { -1, redis.call('PTTL', KEYS[2]) }
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return { 1 }
