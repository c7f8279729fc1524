-- SPDX-License-Identifier: Apache-2.0
-- Drops what has reached the topics. Needs no lease: a delivered message stays delivered, whoever owns the clone now.
-- KEYS  1 outbox (sequence -> bytes)
-- ARGV  1 the greatest sequence delivered
-- Returns 1.
local reached = tonumber(ARGV[1])
for _, sequence in ipairs(redis.call('HKEYS', KEYS[1])) do
	if tonumber(sequence) <= reached then
		redis.call('HDEL', KEYS[1], sequence)
	end
end
return 1
