-- SPDX-License-Identifier: Apache-2.0
-- Prolongs the lease if it is still ours.
-- KEYS  1 lease
-- ARGV  1 lease value  2 ttl ms
-- Returns 1, or -1 when it is not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return -1
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
