-- SPDX-License-Identifier: Apache-2.0
-- Takes the exclusive lease on a target and loads what is known of the clone.
-- KEYS  1 lease  2 token  3 target hash  4 clone hash  5 readers
-- ARGV  1 owner  2 clone id  3 ttl ms  4 utc microseconds  5 least token
-- Returns {'OK', token, clone, target} or {'HELD', ms, clone, target, id of the clone that holds it}; clone and target
-- are flat lists of names and values.
local function held_by(clone, ms)
	return { 'HELD', ms, redis.call('HGETALL', KEYS[4]), redis.call('HGETALL', KEYS[3]), clone }
end

local held = redis.call('GET', KEYS[1])
if held then
	-- Ours for this very clone: an earlier answer was lost, so adopt it, with a new token. One clone a target at a
	-- time, so the same owner asking for another clone is refused like anybody else.
	local owner, _, clone = held:match('^([^|]*)|(%d+)|(.*)$')
	if owner ~= ARGV[1] or clone ~= ARGV[2] then
		return held_by(clone or '', redis.call('PTTL', KEYS[1]))
	end
else
	local time = redis.call('TIME')
	local now = time[1] * 1000 + math.floor(time[2] / 1000)
	redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', string.format('%.0f', now))
	local last = redis.call('ZREVRANGE', KEYS[5], 0, 0, 'WITHSCORES')
	if last[1] then
		return held_by('', tonumber(last[2]) - now)
	end
end

-- Doubles are exact up to 2^53 - 1; microseconds stay below that until the year 2255.
local token = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, tonumber(ARGV[4]), tonumber(ARGV[5]) + 1)
if not (token <= 9007199254740991) then
	return redis.error_reply('TOKEN the next fencing token does not fit')
end
local text = string.format('%.0f', token)
redis.call('SET', KEYS[1], ARGV[1] .. '|' .. text .. '|' .. ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], text)
redis.call('PERSIST', KEYS[4])
return { 'OK', text, redis.call('HGETALL', KEYS[4]), redis.call('HGETALL', KEYS[3]) }
