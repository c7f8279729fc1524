-- SPDX-License-Identifier: Apache-2.0
-- Notices to partner apps that wait to be delivered (docs/redis.md has the layout). One script for all changes, so that
-- they share what keeps the parts in step; each verb is one atomic change.
-- KEYS  1 what every key of ours begins with, "sandbox:{notifier}:": all of them are of one slot
-- ARGV  1 verb  2 now, ms since 1970  3.. of the verb
--
-- id:<event>      number of a notice                 notice:<number>  hash: its fields, `left` not ended, `complete`
-- told:<number>   hash: client -> delivery           queue:<tenant>   hash: client -> numbers of notices, oldest first
-- due:<client>    sorted: tenant by when its head is due     lane:0, lane:1   sorted: quick and slow apps by first due
-- claims:<client> hash: tenant -> "token until"      app:<client>     hash: what is remembered of an app
-- A delivery is "state tries first again ended ack until", then a line "at took status text" for each try.
local P, now, call = KEYS[1], tonumber(ARGV[2]), redis.call
local TRIES_KEPT, TEXTS_KEPT = 16, 3

local function text(number)
	return string.format('%.0f', number)
end

-- Puts an app where it belongs among those that are due: not before `from`, and nowhere while it is off.
local function rank(client, from)
	local app = call('HMGET', P .. 'app:' .. client, 'off', 'slow')
	local lane = P .. 'lane:' .. (app[2] or '0')
	local first = call('ZRANGE', P .. 'due:' .. client, 0, 0, 'WITHSCORES')
	if app[1] == '1' or not first[1] then
		call('ZREM', lane, client)
	else
		call('ZADD', lane, text(math.max(tonumber(first[2]), from or 0)), client)
	end
end

local function head(client, ctx)
	local queue = call('HGET', P .. 'queue:' .. ctx, client)
	return queue and queue:match('^%d+')
end

-- Puts a notice at the end of a queue; true when the queue was empty.
local function append(client, ctx, number)
	local queue = call('HGET', P .. 'queue:' .. ctx, client)
	call('HSET', P .. 'queue:' .. ctx, client, queue and queue .. ' ' .. number or number)
	if not queue then
		call('ZADD', P .. 'due:' .. client, text(now), ctx)
	end
end

-- Takes the first of a queue away; the one behind it is due.
local function advance(client, ctx)
	local rest = (call('HGET', P .. 'queue:' .. ctx, client) or ''):match('^%d+ (.+)$')
	if rest then
		call('HSET', P .. 'queue:' .. ctx, client, rest)
		call('ZADD', P .. 'due:' .. client, text(now), ctx)
	else
		call('HDEL', P .. 'queue:' .. ctx, client)
		call('ZREM', P .. 'due:' .. client, ctx)
	end
end

local function count(client, by)
	call('HINCRBY', P .. 'app:' .. client, 'waiting', by)
	call('HINCRBY', P .. 'totals', 'waiting', by)
end

local function keep(number, event, ms)
	for _, key in ipairs({ 'notice:' .. number, 'told:' .. number, 'id:' .. event }) do
		if ms then
			call('PEXPIRE', P .. key, ms)
		else
			call('PERSIST', P .. key)
		end
	end
end

local verbs = {}

-- The oldest of the index whose notice has expired; two a call are more than come in.
local function forget_oldest()
	for _, number in ipairs(call('ZRANGE', P .. 'notices', 0, 1)) do
		if call('EXISTS', P .. 'notice:' .. number) == 0 then
			call('ZREM', P .. 'notices', number)
		end
	end
end

-- 3 keep ms  4 event  5 tenant  6 last chunk  7 how many pairs; pairs of the notice; then client, name, ack, until of each
function verbs.enter()
	local event, ctx, added = ARGV[4], ARGV[5], 0
	local number = call('GET', P .. 'id:' .. event)
	local apps_at = 8 + ARGV[7] * 2
	if not number then
		number = text(call('INCR', P .. 'numbers'))
		call('SET', P .. 'id:' .. event, number)
		call('HSET', P .. 'notice:' .. number, 'entered', ARGV[2], 'left', 0, unpack(ARGV, 8, apps_at - 1))
		call('ZADD', P .. 'notices', ARGV[2], number)
		forget_oldest()
	end
	for at = apps_at, #ARGV, 4 do
		local client = ARGV[at]
		local delivery = 'W 0 0 0 0 ' .. ARGV[at + 2] .. ' ' .. ARGV[at + 3]
		if call('HSETNX', P .. 'told:' .. number, client, delivery) == 1 then
			call('SADD', P .. 'apps', client)
			call('HSET', P .. 'app:' .. client, 'name', ARGV[at + 1])
			append(client, ctx, number)
			count(client, 1)
			rank(client)
			added = added + 1
		end
	end
	local left = call('HINCRBY', P .. 'notice:' .. number, 'left', added)
	if added > 0 then
		keep(number, event)
	end
	if ARGV[6] == '1' then
		call('HSET', P .. 'notice:' .. number, 'complete', '1')
		if left == 0 then
			keep(number, event, ARGV[3])
		end
	end
	return added
end

-- How many claims of the app are under way, and when the first of them runs out.
local function claims_of(client)
	local all, live, first = call('HGETALL', P .. 'claims:' .. client), 0, nil
	for i = 1, #all, 2 do
		local over = tonumber(all[i + 1]:match(' (%d+)$'))
		if over > now then
			live, first = live + 1, math.min(first or over, over)
		end
	end
	return live, first
end

local function claim_one(client, ctx, lease, app, claims, notices)
	local number = head(client, ctx)
	local value = number and call('HGET', P .. 'told:' .. number, client)
	local fields = value and (notices[number] or call('HGETALL', P .. 'notice:' .. number))
	if not value or #fields == 0 then -- somebody removed keys: nothing is left to send
		call('HDEL', P .. 'claims:' .. client, ctx)
		advance(client, ctx)
		return 0
	end
	notices[number] = fields
	local token = text(call('INCR', P .. 'tokens'))
	call('HSET', P .. 'claims:' .. client, ctx, token .. ' ' .. text(now + lease))
	call('ZADD', P .. 'due:' .. client, text(now + lease), ctx)
	for _, part in ipairs({ client, number, token, value:match('^[^\n]*'), app[1] or '0', app[2] or '0' }) do
		claims[#claims + 1] = part
	end
	return 1
end

local function claim_lane(lane, room, per_app, lease, claims, notices)
	local left = room
	for _, client in ipairs(call('ZRANGEBYSCORE', P .. lane, '-inf', text(now), 'LIMIT', 0, room)) do
		if left <= 0 then
			break
		end
		local app = call('HMGET', P .. 'app:' .. client, 'failing_since', 'slow')
		local live, first_over = claims_of(client)
		local free = math.min(per_app - live, left)
		if free > 0 then
			local due = call('ZRANGEBYSCORE', P .. 'due:' .. client, '-inf', text(now), 'LIMIT', 0, free)
			for _, ctx in ipairs(due) do
				left = left - claim_one(client, ctx, lease, app, claims, notices)
				live = live + 1
			end
		end
		-- An app with as many under way as it may have stands back; settling brings it forward again.
		rank(client, live >= per_app and (first_over or now + lease) or nil)
	end
	return left
end

-- 3 lease ms  4 how many  5 of slow apps  6 of one app
-- Returns {when the next is due or -1, {client, number, token, delivery, failing since, slow, ...}, {number, fields, ...}}
function verbs.claim()
	local lease, most, slow, per_app = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
	local claims, notices, flat, nearest = {}, {}, {}, -1
	local of_slow = math.min(slow, most)
	local slow_left = claim_lane('lane:1', of_slow, per_app, lease, claims, notices)
	claim_lane('lane:0', most - (of_slow - slow_left), per_app, lease, claims, notices)
	for lane = 0, slow_left > 0 and 1 or 0 do
		local first = call('ZRANGE', P .. 'lane:' .. lane, 0, 0, 'WITHSCORES')
		if first[1] and (nearest < 0 or tonumber(first[2]) < nearest) then
			nearest = tonumber(first[2])
		end
	end
	for number, fields in pairs(notices) do
		flat[#flat + 1] = number
		flat[#flat + 1] = fields
	end
	return { text(nearest), claims, flat }
end

-- Adds a try; only the last ones are kept, and the text of the very last ones.
local function with_try(log, try)
	local lines = {}
	for line in log:gmatch('[^\n]+') do
		lines[#lines + 1] = line
	end
	lines[#lines + 1] = try
	local kept = {}
	for i = math.max(1, #lines - TRIES_KEPT + 1), #lines do
		kept[#kept + 1] = i > #lines - TEXTS_KEPT and lines[i] or lines[i]:match('^%d+ %d+ %d+')
	end
	return '\n' .. table.concat(kept, '\n')
end

local function settle_app(client, at, is_good, is_failure, slow)
	local key = P .. 'app:' .. client
	local before = call('HMGET', key, 'failing_since', 'slow')
	if is_good then
		call('HSET', key, 'failing_since', '0', 'failures', '0', 'last_success', at)
	elseif is_failure then
		call('HINCRBY', key, 'failures', 1)
		if (before[1] or '0') == '0' then
			call('HSET', key, 'failing_since', at)
		end
	end
	if slow ~= (before[2] or '0') then
		call('ZREM', P .. 'lane:' .. (before[2] or '0'), client)
		call('HSET', key, 'slow', slow)
	end
end

local function off(client, reason)
	call('HSET', P .. 'app:' .. client, 'off', '1', 'off_reason', reason, 'off_since', ARGV[2])
	call('SADD', P .. 'off', client)
end

-- 3 keep ms  4 client  5 tenant  6 event  7 token  8 was it tried  9 at  10 took  11 status  12 text  13 state letter
-- 14 again at  15 the app failed  16 switch it off  17 why  18 it is slow.  Returns 1, or 0: that claim is not any more
function verbs.settle()
	local client, ctx, event, state = ARGV[4], ARGV[5], ARGV[6], ARGV[13]
	local claim, number = call('HGET', P .. 'claims:' .. client, ctx), head(client, ctx)
	if not claim or not number or claim:match('^%d+') ~= ARGV[7] then
		return 0
	end
	call('HDEL', P .. 'claims:' .. client, ctx)
	local value = call('HGET', P .. 'told:' .. number, client)
	if not value then
		advance(client, ctx)
		rank(client)
		return 1
	end
	local tries, first, ack, log = value:match('^%a (%d+) (%d+) %d+ %d+ (%d %d+)(.*)$')
	local waits = state == 'W' or state == 'P'
	if ARGV[8] == '1' then
		tries, first = text(tries + 1), first == '0' and ARGV[9] or first
		log = with_try(log, ARGV[9] .. ' ' .. ARGV[10] .. ' ' .. ARGV[11] .. ' ' .. ARGV[12])
		settle_app(client, ARGV[9], state == 'D', ARGV[15] == '1', ARGV[18])
	end
	call('HSET', P .. 'told:' .. number, client, (waits and 'W' or state) .. ' ' .. tries .. ' ' .. first .. ' ' ..
		(waits and ARGV[14] or '0') .. ' ' .. (waits and '0' or ARGV[2]) .. ' ' .. ack .. log)
	if waits then
		call('ZADD', P .. 'due:' .. client, ARGV[14], ctx)
	else
		advance(client, ctx)
		count(client, -1)
		if call('HINCRBY', P .. 'notice:' .. number, 'left', -1) <= 0 then
			keep(number, event, ARGV[3])
		end
	end
	if ARGV[16] == '1' then
		off(client, ARGV[17])
	end
	rank(client)
	return 1
end

-- 3 event  4 client.  Returns 1, 0 it waits anyway, -1 it is not known
function verbs.again()
	local event, client = ARGV[3], ARGV[4]
	local number = call('GET', P .. 'id:' .. event)
	local value = number and call('HGET', P .. 'told:' .. number, client)
	if not value then
		return -1
	end
	local state, ack, log = value:match('^(%a) %d+ %d+ %d+ %d+ (%d %d+)(.*)$')
	if state == 'W' then
		return 0
	end
	call('HSET', P .. 'told:' .. number, client, 'W 0 0 0 0 ' .. ack .. log)
	append(client, call('HGET', P .. 'notice:' .. number, 'ctx'), number)
	call('HINCRBY', P .. 'notice:' .. number, 'left', 1)
	keep(number, event)
	count(client, 1)
	rank(client)
	return 1
end

-- 3 client  4 on  5 why.  Returns 1, 0 it is not known
function verbs.switch()
	local client = ARGV[3]
	if call('SISMEMBER', P .. 'apps', client) == 0 then
		return 0
	end
	if ARGV[4] == '1' then
		call('HSET', P .. 'app:' .. client, 'off', '0', 'off_reason', '', 'off_since', '0', 'failures', '0', 'failing_since', '0')
		call('SREM', P .. 'off', client)
		-- Heads that wait for a later try of their schedule are tried now: that is why it was switched on.
		for _, ctx in ipairs(call('ZRANGE', P .. 'due:' .. client, 0, -1)) do
			if call('HEXISTS', P .. 'claims:' .. client, ctx) == 0 then
				call('ZADD', P .. 'due:' .. client, ARGV[2], ctx)
			end
		end
	else
		off(client, ARGV[5])
	end
	rank(client)
	return 1
end

return verbs[ARGV[1]]()
