# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What is asked of the Redis that holds Sidekiq's queue, and how one is asked that is not of the deployment.

Sidekiq's layout: the set C(queues), a list C(queue:NAME) for each, the set C(processes) of those that do jobs, and a
hash for each of them whose C(info) names its queues. It expires when its process is gone for a minute.
"""

from __future__ import annotations

import re

from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

# The API reaches the queue as Lago does: by URL or through Sentinels, without a look at the certificate. Constant, and
# with nothing secret on the command line: that is in the environment there.
PROGRAM = r"""
require "redis-client"
options = {url: ENV["REDIS_URL"], password: ENV["REDIS_PASSWORD"], timeout: 5,
           ssl_params: {verify_mode: OpenSSL::SSL::VERIFY_NONE}}.compact
sentinels = ENV["LAGO_REDIS_SIDEKIQ_SENTINELS"].to_s.split(",").map do |place|
  host, port = place.split(":")
  {host: host, port: Integer(port)}
end
begin
  config = if sentinels.empty?
    RedisClient.config(**options)
  else
    RedisClient.sentinel(**options, sentinels: sentinels, name: ENV["LAGO_REDIS_SIDEKIQ_MASTER_NAME"] || "master")
  end
  puts Array(config.new_client.call(*ARGV)).map(&:to_s)
rescue RedisClient::Error => error
  abort error.message
end
"""
# Queues with jobs that no living process takes from. Until 8.0.8 Sidekiq names a process's queues, then its capsules.
WAITING = """
local taken, found = {}, {}
for _, process in ipairs(redis.call('SMEMBERS', 'processes')) do
  local info = redis.call('HGET', process, 'info')
  info = info and cjson.decode(info) or {}
  for _, queue in ipairs(info.queues or {}) do taken[queue] = true end
  for _, capsule in pairs(info.capsules or {}) do
    for queue, _ in pairs(capsule.weights or {}) do taken[queue] = true end
  end
end
for _, queue in ipairs(redis.call('SMEMBERS', 'queues')) do
  local jobs = redis.call('LLEN', 'queue:' .. queue)
  if jobs > 0 and not taken[queue] then found[#found + 1] = queue .. '=' .. jobs end
end
return found
"""
_LINE = re.compile(r"([^\s=]+)=(\d+)")


def unreachable(said: str) -> LagoError:
    """Return what is wrong with a Redis that did not answer, by what was said instead."""
    return LagoError(
        f"Redis does not answer ({said.strip()[-200:] or 'no output'}): look at its log.", "redis_unreachable"
    )


def waiting(answer: str) -> dict[str, int]:
    """Return how many jobs wait in each queue that nobody takes from, by what C(WAITING) returned.

    :raises LagoError: C(redis_unreachable), when it returned something else.
    """
    found = [_LINE.fullmatch(line) for line in answer.split()]
    if not all(found):
        raise unreachable(answer)
    return {match[1]: int(match[2]) for match in found if match}
