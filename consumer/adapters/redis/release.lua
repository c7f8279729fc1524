-- SPDX-License-Identifier: Apache-2.0
-- Gives the lease back if it is still ours. From now on the clone is at rest: what is kept of it expires.
-- KEYS  1 lease  2 clone hash
-- ARGV  1 lease value  2 keep ms, 0 for ever
-- Returns 1, or -1 when the lease was not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return -1
end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '0' then
	redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return 1
