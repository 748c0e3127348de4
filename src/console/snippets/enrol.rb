# gem install mastercard-client-encryption mastercard_oauth1_signer && ruby enrol.rb
require 'json'
require 'net/http'
require 'oauth'
require 'mcapi/encryption/field_level_encryption'

url = '@BASE_URL@/issuers/users'
signing_key = OpenSSL::PKey::RSA.new(File.read('@SIGNING_KEY@'))
config = {
  'paths' => [{
    'path' => '/issuers/users',
    'toEncrypt' => [{ 'element' => '$', 'obj' => '$' }],
    'toDecrypt' => [{ 'element' => '$', 'obj' => '$' }]
  }],
  'ivFieldName' => 'iv',
  'encryptedKeyFieldName' => 'encryptedKey',
  'encryptedValueFieldName' => 'encryptedData',
  'oaepHashingAlgorithmFieldName' => 'oaepHashingAlgorithm',
  'publicKeyFingerprintFieldName' => 'publicKeyFingerprint',
  'publicKeyFingerprintType' => 'publicKey',
  'dataEncoding' => 'hex',
  'encryptionCertificate' => '@GATEWAY_CERTIFICATE@',
  'privateKey' => '@DECRYPTION_KEY@',
  'oaepPaddingDigestAlgorithm' => 'SHA-256'
}
fle = McAPI::Encryption::FieldLevelEncryption.new(config)

clear = '@JSON@'
body = JSON.generate(fle.encrypt('/issuers/users', {}, clear)[:body])
headers = {
  'Authorization' => OAuth.get_authorization_header(url, 'POST', body, '@CONSUMER_KEY@', signing_key),
  'Content-Type' => 'application/json'
}
answer = Net::HTTP.post(URI(url), body, headers).body
if answer.include?('"encryptedData"')
  opened = fle.decrypt(JSON.generate({ request: { url: '/issuers/users' }, body: JSON.parse(answer) }))
  answer = JSON.generate(JSON.parse(opened)['body'])
end
puts answer
