# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Asks what a deployment is connected to, as Lago will ask it: in a container of the API's image, with its environment and
# the gems that it has. The arguments name what; the answer is a line of JSON, for each of them `said` (what was said
# where Lago would not get on, null where it would), of the queue also what Redis says of itself. What this image has no
# gem for is left out. Nothing secret is on the command line, and what is written is removed again. `smtp=ADDRESS` sends
# a mail besides.
require "json"
require "net/http"
require "openssl"
require "securerandom"
require "socket"
require "stringio"
require "timeout"

SECONDS = 20
NAME = "selfhosted-lago-probe-#{SecureRandom.hex(8)}"
# What libpq takes in a URL. Others are for Rails, and libpq would refuse them.
LIBPQ = /\A(sslmode|connect_timeout|application_name|options|target_session_attrs)=/

def env(name)
  ENV[name].to_s.empty? ? nil : ENV[name]
end

def truth(name)
  {"true" => true, "false" => false}[env(name)]
end

# Queue and cache never look at the certificate, and know Sentinels by host and port.
def redis(url, kind)
  require "redis-client"
  options = {url: url, timeout: 5, ssl_params: {verify_mode: OpenSSL::SSL::VERIFY_NONE}}
  sentinels = env("LAGO_REDIS_#{kind}_SENTINELS").to_s.split(",").map do |place|
    host, port = place.split(":")
    {host: host, port: Integer(port || 26_379)}
  end
  return RedisClient.config(**options).new_client if sentinels.empty?

  name = env("LAGO_REDIS_#{kind}_MASTER_NAME") || "master"
  RedisClient.sentinel(**options, sentinels: sentinels, name: name).new_client
end

# Sidekiq keeps lists, runs scripts and asks Redis about itself.
def queue
  client = redis(env("REDIS_URL"), "SIDEKIQ")
  client.call("LPUSH", NAME, "1")
  client.call("BRPOP", NAME, "1")
  client.call("EVAL", "return redis.call('LLEN', KEYS[1])", "1", NAME)
  client.call("INFO").lines.filter_map { |line| line.strip.split(":", 2) if line.include?(":") }.to_h
        .slice("redis_version", "maxmemory_policy", "aof_enabled")
end

def cache
  client = redis(env("LAGO_REDIS_CACHE_URL"), "CACHE")
  client.call("SET", NAME, "1", "EX", "60")
  client.call("GET", NAME)
  client.call("DEL", NAME)
  {}
end

# By its URL alone, and with a look at the certificate.
def cable
  require "redis-client"
  RedisClient.config(url: env("LAGO_REDIS_CABLE_URL"), timeout: 5).new_client.call("PUBLISH", NAME, "1")
  {}
end

def memcached
  env("LAGO_MEMCACHE_SERVERS").split(",").each do |place|
    host, port = place.split(":")
    Socket.tcp(host, port, connect_timeout: 5) do |socket|
      socket.write("version\r\n")
      said = socket.gets.to_s.strip
      raise "#{place} is no memcached: #{said[0, 80]}" unless said.start_with?("VERSION ")
    end
  rescue SystemCallError, SocketError => error
    raise "#{place}: #{error.message}"
  end
  {}
end

def s3
  require "aws-sdk-s3"
  client = Aws::S3::Client.new(**{
    region: env("LAGO_AWS_S3_REGION"), endpoint: env("LAGO_AWS_S3_ENDPOINT"),
    access_key_id: env("LAGO_AWS_S3_ACCESS_KEY_ID"), secret_access_key: env("LAGO_AWS_S3_SECRET_ACCESS_KEY"),
    force_path_style: truth("LAGO_AWS_S3_PATH_STYLE"), ssl_verify_peer: truth("LAGO_AWS_S3_SSL_VERIFY"),
    http_open_timeout: 5, http_read_timeout: 10, retry_limit: 0
  }.compact)
  place = {bucket: env("LAGO_AWS_S3_BUCKET"), key: NAME}
  begin
    doing = "writing"
    client.put_object(**place, body: NAME)
    doing = "reading"
    read = client.get_object(**place).body.read
    doing = "deleting"
    client.delete_object(**place)
  rescue Aws::Errors::ServiceError => error
    raise "#{doing} a file: #{[error.code, error.message].map(&:to_s).reject(&:empty?).uniq.join(": ")}"
  end
  raise "what was written is not what is read" unless read == NAME

  {}
end

def gcs
  require "google/cloud/storage"
  storage = Google::Cloud::Storage.new(
    project_id: env("LAGO_GCS_PROJECT"), credentials: env("LAGO_GCS_KEYFILE_JSON_PATH"), retries: 0, timeout: 10
  )
  file = storage.bucket(env("LAGO_GCS_BUCKET"), skip_lookup: true).create_file(StringIO.new(NAME), NAME)
  read = file.download.read
  file.delete
  raise "what was written is not what is read" unless read == NAME

  {}
end

# STARTTLS where it is offered, with a look at the certificate, then AUTH LOGIN; and a mail, if somebody is to have one.
def smtp(to = nil)
  require "net/smtp"
  smtp = Net::SMTP.new(env("LAGO_SMTP_ADDRESS"), Integer(env("LAGO_SMTP_PORT") || 587))
  smtp.open_timeout = smtp.read_timeout = 10
  smtp.enable_starttls_auto
  smtp.start(env("LAGO_SMTP_DOMAIN") || "localhost", env("LAGO_SMTP_USERNAME"), env("LAGO_SMTP_PASSWORD"), :login) do
    smtp.send_message(mail(to), env("LAGO_FROM_EMAIL")[/<(.*)>/, 1] || env("LAGO_FROM_EMAIL"), to) if to
  end
  {}
end

def mail(to)
  <<~MAIL.gsub("\n", "\r\n")
    From: #{env("LAGO_FROM_EMAIL")}
    To: #{to}
    Subject: Test mail of #{env("LAGO_FRONT_URL")}
    Date: #{Time.now.strftime("%a, %d %b %Y %H:%M:%S %z")}
    Message-ID: <#{NAME}@#{env("LAGO_SMTP_DOMAIN") || "localhost"}>
    Content-Type: text/plain; charset=utf-8

    Lago at #{env("LAGO_FRONT_URL")} sends its mails from this address and through this relay.
  MAIL
end

def pooler
  require "pg"
  place, query = (env("DATABASE_PROXY_URL") || env("DATABASE_URL")).split("?", 2)
  kept = query.to_s.split("&").grep(LIBPQ).join("&")
  connection = PG.connect(kept.empty? ? place : "#{place}?#{kept}", connect_timeout: 10)
  connection.exec("SELECT 1")
  connection.close
  {}
end

def pdf
  answer = Net::HTTP.get_response(URI("#{env("LAGO_PDF_URL").chomp("/")}/health"))
  raise "/health answers #{answer.code}" unless answer.code == "200"

  {}
end

# Lago does not start without a good answer, be it that there is no such licence. What it says of the licence is not told.
def license
  begin
    place = URI("https://license.getlago.com/verify/#{env("LAGO_LICENSE")}")
  rescue URI::InvalidURIError
    raise "it holds what no licence has, such as a blank"
  end
  answer = Net::HTTP.start(place.host, place.port, use_ssl: true, open_timeout: 10, read_timeout: 10) do |http|
    http.get(place.path)
  end
  raise "license.getlago.com answers #{answer.code} to this licence" unless %w[200 201 202 204].include?(answer.code)

  {}
end

def asked(name, *argument)
  facts = Timeout.timeout(SECONDS) { send(name, *argument) }
  {"said" => nil, **facts}
rescue LoadError
  nil
rescue Timeout::Error
  {"said" => "no answer in time"}
rescue StandardError => error
  {"said" => error.message.to_s.dup.force_encoding("UTF-8").scrub.strip[0, 500]}
end

known = %w[queue cache cable memcached s3 gcs smtp pooler pdf license]
wanted = ARGV.map { |argument| argument.split("=", 2) }.select { |name, _| known.include?(name) }
# Each in a process of its own: threads of one get in each other's way while they load their gems and close their sockets.
found = wanted.map do |name, *argument|
  pipe = IO.popen("-")
  next [name, pipe] if pipe

  $stdout.write(JSON.generate(asked(name, *argument)))
  $stdout.flush
  exit!
end
answers = found.to_h do |name, pipe|
  text = pipe.read
  [name, text.empty? ? {"said" => "the question broke off"} : JSON.parse(text)]
end
puts JSON.generate(answers.compact)
