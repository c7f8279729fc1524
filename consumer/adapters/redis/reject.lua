-- SPDX-License-Identifier: Apache-2.0
-- Makes a clone known as rejected, without a lease, unless somebody began it or is about to.
-- KEYS  1 lease  2 clone hash
-- ARGV  1 clone id  2 sequence  3 status  4 keep ms  5... clone pairs, flat
-- Returns 1 done (also when it had been done before), -1 somebody has it.
local status = redis.call('HGET', KEYS[2], 'status')
if status then
	return status == ARGV[3] and 1 or -1
end
-- Whoever holds the lease for this very clone has found nothing and will record its beginning.
local held = redis.call('GET', KEYS[1])
if held and held:match('^[^|]*|%d+|(.*)$') == ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then
	return -1
end
for at = 5, #ARGV, 200 do -- unpack() takes only some thousand values
	redis.call('HSET', KEYS[2], unpack(ARGV, at, math.min(at + 199, #ARGV)))
end
redis.call('HSET', KEYS[2], 'sequence', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
