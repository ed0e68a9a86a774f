# SPDX-License-Identifier: GPL-3.0-or-later
# Moves files between /backup and a bucket of S3: ruby - put|get BUCKET PREFIX FILE... What it needs to be let in is in its
# environment, by the SDK's own names.
require "aws-sdk-s3"

File.umask(0o077)
direction, bucket, prefix, *files = ARGV
endpoint = ENV["BACKUP_ENDPOINT"]
options = endpoint ? {endpoint: endpoint, force_path_style: true} : {}
begin
  store = Aws::S3::Resource.new(**options).bucket(bucket)
  files.each do |file|
    object = store.object("#{prefix}/#{file}")
    path = "/backup/#{file}"
    (direction == "put") ? object.upload_file(path) : object.get(response_target: path)
  end
rescue => error
  abort "#{bucket}/#{prefix}: #{error.message} (#{error.class})"
end
